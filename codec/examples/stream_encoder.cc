// The example of codec/qemu/stream_encoder.h.

#include "codec/qemu/stream_encoder.h"

#include <string>

#include "gtest/gtest.h"

namespace migstream {
namespace {

TEST(StreamEncoderExample, GathersAPart) {
  const Dialect& dialect = GetDialect(DialectId::kV111);
  const std::string data(1000, 'd');
  const ByteSpan payload = AsBytes(data);
  SectionView part;
  part.type = SectionType::kPart;
  part.id = 7;
  part.vfio = true;
  size_t written = 0;
  auto Write = [&](std::span<const iovec> pieces) {
    for (const iovec& piece : pieces) written += piece.iov_len;
  };
  auto save = [&]() -> Error {
    // [example]
    uint8_t headers[StreamEncoder::kMinHeaderBytes];
    iovec pieces[StreamEncoder::kMinPieces];
    StreamEncoder encoder(dialect, headers, pieces);
    encoder.Section(part);  // Of a VFIO device.
    encoder.device().Data(payload);
    encoder.device().EndOfState();
    encoder.EndSection(/*footer=*/true);
    if (!encoder.ok()) return encoder.error();
    Write(encoder.pieces());  // As writev(2) does.
    encoder.Clear();
    // [end]
    return {};
  };
  EXPECT_TRUE(save().ok());
  EXPECT_EQ(written, 5 + 16 + 1000 + 8 + 5);
}

}  // namespace
}  // namespace migstream
