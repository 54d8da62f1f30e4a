// The example of codec/multifd/reassembler.h.

#include "codec/multifd/reassembler.h"

#include <string>

#include "codec/multifd/packet_bytes.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

// The VFIO packet that holds `data`.
std::string Packet(uint32_t index, const std::string& data, uint32_t flags) {
  return Be32Text(0) + Be32Text(index) + Be32Text(flags) + data;
}

TEST(ReassemblerExample, PacketsThatWereSwappedComeInOrder) {
  const MultifdLimits limits;
  const DeviceStatePacket packet = {"0000:00:05.0/vfio", 0};
  std::string whole;
  auto Use = [&](const ReassembledPiece& piece) {
    whole.append(AsText(piece.data));
  };
  const std::string payloads[] = {Packet(1, "b", 0), Packet(0, "a", 0),
                                  Packet(2, "config", kVfioPacketConfigState)};
  auto put_together = [&]() -> Error {
    // [example]
    Reassembler reassembler(limits);
    for (const std::string& payload : payloads) {  // Of any channel.
      Error error = reassembler.Add(packet, AsBytes(payload));
      if (!error.ok()) return error;
      for (ReassembledPiece piece; reassembler.Next(piece);) Use(piece);
    }
    return reassembler.Finish();  // Is anything missing?
    // [end]
  };
  EXPECT_TRUE(put_together().ok());
  EXPECT_EQ(whole, "abconfig");
}

}  // namespace
}  // namespace migstream
