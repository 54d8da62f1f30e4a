// Decoding and encoding a stream allocates nothing per section and nothing per
// record. This binary counts what operator new is asked for.

#include <cstdint>
#include <string>

#include "codec/qemu/stream_bytes.h"
#include "codec/qemu/stream_decoder.h"
#include "codec/qemu/stream_encoder.h"
#include "codec/wire/count_allocations.h"
#include "flags/ram_flags.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

constexpr int kSections = 1000000;

TEST(StreamAllocationsTest, AMillionSectionsAllocateWhatTwoDo) {
  const HandlerBytes ram = {.id = 2, .idstr = "ram", .version = 4};
  const HandlerBytes vfio = {.id = 7, .idstr = "0000:00:05.0/vfio"};
  const std::string start =
      HeaderBytes() +
      ram.Start(Be64Bytes(kRamMemSize | 0x100000) + Str8Bytes("pc.ram") +
                Be64Bytes(0x100000) + Be64Bytes(kRamEos)) +
      vfio.Start(kSetupTag + kEos);
  // A page, a zero page, a record: what a round of a migration is made of.
  const std::string round =
      ram.Part(Be64Bytes(kRamPage | 0x1000) + Str8Bytes("pc.ram") +
               std::string(4096, 'p') +
               Be64Bytes(kRamZero | kRamContinue | 0x2000) + '\0' +
               Be64Bytes(kRamEos)) +
      vfio.Part(TagBytes(4) + Be64Bytes(64) + std::string(64, 'd') + kEos);

  uint8_t headers[StreamEncoder::kMinHeaderBytes];
  iovec pieces[StreamEncoder::kMinPieces];
  StreamDecoder decoder;
  StreamEncoder encoder(GetDialect(DialectId::kAuto), headers, pieces);
  StreamEvent event;
  uint64_t encoded = 0;
  auto feed = [&](ByteSpan input) {
    while (decoder.Next(input, event) == Step::kEvent) {
      if (encoder.Append(event) != Put::kDone) break;
      for (const iovec& piece : encoder.pieces()) encoded += piece.iov_len;
      encoder.Clear();
    }
  };
  feed(AsBytes(start));
  feed(AsBytes(round));
  const uint64_t before = AllocatedSoFar().times;
  for (int i = 2; i < kSections; i += 2) feed(AsBytes(round));
  EXPECT_EQ(AllocatedSoFar().times, before);
  EXPECT_TRUE(encoder.ok());
  EXPECT_EQ(decoder.error().code, ErrorCode::kNone);
  EXPECT_EQ(encoded, start.size() + uint64_t{kSections} / 2 * round.size());
  EXPECT_EQ(encoded, decoder.offset());
}

}  // namespace
}  // namespace migstream
