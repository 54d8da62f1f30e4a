// The example of codec/wire/gather.h.

#include "codec/wire/gather.h"

#include "gtest/gtest.h"

namespace migstream {
namespace {

TEST(GatherExample, APieceForTheHeaderAndOneForThePayload) {
  uint8_t headers[16];
  iovec iovecs[4];
  uint64_t tag = 0xffffffffef100004;
  ByteSpan payload = AsBytes("device state");
  auto put = [&] {
    // [example]
    Gather gather(headers, iovecs);
    if (!gather.Room(8, 2)) return false;  // Write the pieces, Clear().
    StoreBe64(gather.Header(8), tag);
    gather.Piece(payload);
    // [end]
    EXPECT_EQ(gather.pieces().size(), 2);
    EXPECT_EQ(gather.pieces()[1].iov_base, payload.data());
    return true;
  };
  EXPECT_TRUE(put());
}

}  // namespace
}  // namespace migstream
