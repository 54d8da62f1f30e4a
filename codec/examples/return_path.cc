// The example of codec/qemu/return_path.h.

#include "codec/qemu/return_path.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace migstream {
namespace {

TEST(ReturnPathExample, APongComesBack) {
  const uint32_t ping = 0x1234;
  std::string sent;
  auto Write = [&](std::span<const iovec> pieces) {
    for (const iovec& piece : pieces) {
      sent.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
    }
  };
  std::vector<std::string> seen;
  auto Use = [&](const ReturnPathMessage& message) {
    seen.push_back(ToString(message));
  };
  uint8_t headers[ReturnPathEncoder::kMinHeaderBytes];
  iovec pieces[ReturnPathEncoder::kMinPieces];
  ByteSpan input;
  // [example]
  ReturnPathEncoder encoder(headers, pieces);  // At the destination.
  encoder.Send({.type = ReturnMessage::kPong, .value = ping});
  Write(encoder.pieces());
  // [pause]
  input = AsBytes(sent);
  // [resume]

  ReturnPathDecoder decoder;  // At the source.
  ReturnPathMessage message;
  while (decoder.Next(input, message) == Step::kEvent) Use(message);
  // [end]
  EXPECT_EQ(seen, std::vector<std::string>{"PONG 4660"});
}

}  // namespace
}  // namespace migstream
