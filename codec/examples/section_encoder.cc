// The example of codec/device/section_encoder.h.

#include "codec/device/section_encoder.h"

#include <sys/uio.h>
#include <unistd.h>

#include "gtest/gtest.h"

namespace migstream {
namespace {

Error Save(int fd, const Dialect& dialect, ByteSpan payload) {
  const char device[] = "0000:00:05.0/vfio";
  // [example]
  uint8_t headers[SectionEncoder::kMinHeaderBytes];
  iovec pieces[SectionEncoder::kMinPieces];
  SectionEncoder encoder(SectionType::kEnd, dialect, headers, pieces);
  encoder.Data(payload);
  encoder.EndOfState();
  if (!encoder.ok()) return encoder.error(device);
  std::span<const iovec> all = encoder.pieces();
  ssize_t sent = writev(fd, all.data(), static_cast<int>(all.size()));
  // [end]
  EXPECT_EQ(sent, static_cast<ssize_t>(encoder.bytes()));
  return {};
}

TEST(SectionEncoderExample, WritesARecordAndTheEnd) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const Dialect& dialect = GetDialect(DialectId::kV111);
  EXPECT_TRUE(Save(ends[1], dialect, AsBytes("abcd")).ok());
  char read_back[64];
  EXPECT_EQ(read(ends[0], read_back, sizeof read_back), 8 + 8 + 4 + 8);
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace migstream
