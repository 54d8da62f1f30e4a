// The example of codec/multifd/channel_encoder.h.

#include "codec/multifd/channel_encoder.h"

#include <sys/uio.h>
#include <unistd.h>

#include "gtest/gtest.h"

namespace migstream {
namespace {

TEST(ChannelEncoderExample, WritesTheInitAndAPacket) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const int fd = ends[1];
  const VmUuid uuid = {};
  const std::string_view idstr = "0000:00:05.0/vfio";
  const ByteSpan data = AsBytes("device state");
  // [example]
  uint8_t headers[ChannelEncoder::kMinHeaderBytes];
  iovec pieces[ChannelEncoder::kMinPieces];
  ChannelEncoder encoder(headers, pieces);
  encoder.Init({.uuid = uuid, .channel_id = 0});
  auto send = [&](std::span<const iovec> all) {
    return writev(fd, all.data(), static_cast<int>(all.size()));
  };
  ssize_t sent = send(encoder.pieces());
  encoder.Clear();
  encoder.VfioPacket({idstr, 0}, {.index = 0}, data);
  sent += send(encoder.pieces());
  // [end]
  EXPECT_TRUE(encoder.ok());
  EXPECT_EQ(sent, static_cast<ssize_t>(encoder.bytes()));
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace migstream
