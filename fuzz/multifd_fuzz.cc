// Multifd channels, and the reassembly of packets that were dealt over them in
// any order: memory stays within the limits, whatever is claimed; each device
// gets its packets in order, and as they were; and a set is complete only if
// it is.
//
// The input is a list of packets, five bytes each, so that a mutation moves or
// changes one packet and not its 276 bytes of header; and then bytes to damage.

#include <sys/uio.h>

#include <algorithm>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "codec/multifd/channel_decoder.h"
#include "codec/multifd/channel_encoder.h"
#include "codec/multifd/reassembler.h"
#include "flags/multifd_flags.h"
#include "fuzz/counting_allocator.h"
#include "fuzz/fuzzing.h"

using namespace migstream;  // NOLINT: this file is a program.

namespace {

constexpr size_t kChannels = 3;
constexpr size_t kOpBytes = 5;
constexpr MultifdLimits kLimits = {.packet_bytes = 1 << 16,
                                   .ram_packet_bytes = 1 << 16,
                                   .index = 200,
                                   .gap = 16,
                                   .held_bytes_per_device = 3 << 10,
                                   .held_bytes = 4 << 10,
                                   .devices = 4};
// What the reassembler may need for itself, beside the bytes it holds.
constexpr size_t kBookkeeping = 32 << 10;

struct Sent {
  size_t channel;
  uint8_t device;
  uint32_t index;
  bool config;
  size_t bytes;
};

std::string NameOf(uint8_t device) {
  return std::string(1, static_cast<char>('a' + device)) + "/vfio";
}
// Each packet's own, so that no two can be mistaken.
std::string DataOf(const Sent& sent) {
  std::string data(sent.bytes, static_cast<char>(sent.index));
  if (!data.empty()) data[0] = static_cast<char>(sent.device);
  return data;
}

std::vector<Sent> ParseOps(ByteSpan& bytes) {
  std::vector<Sent> ops;
  while (bytes.size() >= kOpBytes && bytes[0] < 0xf0) {
    ops.push_back({bytes[0] % kChannels, static_cast<uint8_t>(bytes[1] & 7),
                   bytes[2], (bytes[3] & 1) != 0, size_t{bytes[4]} * 16});
    bytes = bytes.subspan(kOpBytes);
  }
  return ops;
}

std::string WriteChannel(size_t id, const std::vector<Sent>& ops) {
  std::string channel;
  uint8_t headers[ChannelEncoder::kMinHeaderBytes];
  iovec pieces[ChannelEncoder::kMinPieces];
  ChannelEncoder encoder(headers, pieces);
  auto flush = [&](Put put) {
    REQUIRE(put == Put::kDone);
    for (const iovec& piece : encoder.pieces()) {
      channel.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
    }
    encoder.Clear();
  };
  flush(encoder.Init({.uuid = {}, .channel_id = static_cast<uint8_t>(id)}));
  for (const Sent& sent : ops) {
    if (sent.channel != id) continue;
    std::string name = NameOf(sent.device);
    std::string data = DataOf(sent);
    flush(encoder.VfioPacket(
        {name, 0}, {0, sent.index, sent.config ? kVfioPacketConfigState : 0u},
        AsBytes(data)));
  }
  return channel;
}

// What one device was given, in order.
struct Received {
  std::vector<std::pair<uint32_t, std::string>> pieces;
  bool config = false;
};

class Reading {
 public:
  // Reads a packet of one channel after the other, as their threads would.
  Error Run(const std::vector<std::string>& channels, uint8_t turns) {
    std::vector<std::unique_ptr<ChannelDecoder>> decoders;
    std::vector<ByteSpan> rest;
    for (const std::string& channel : channels) {
      decoders.push_back(std::make_unique<ChannelDecoder>(
          ChannelOptions{.page_bytes = 4096, .limits = kLimits}));
      rest.push_back(AsBytes(channel));
    }
    const size_t before = AllocatedBytes();
    ResetPeak();
    Error error;
    for (size_t open = channels.size(), i = turns; open > 0 && error.ok();
         ++i) {
      size_t at = i % channels.size();
      if (rest[at].data() == nullptr) continue;
      bool ended = false;
      error = ReadPacket(*decoders[at], rest[at], ended);
      if (!ended) continue;
      if (error.ok()) error = decoders[at]->AtEndOfInput("channel", rest[at]);
      rest[at] = {};
      --open;
    }
    if (error.ok()) error = reassembler_.Finish();
    REQUIRE(reassembler_.held_bytes() <= kLimits.held_bytes);
    REQUIRE(PeakBytes() - before <=
            kLimits.held_bytes + kBookkeeping + given_ + packet_bytes_);
    return error;
  }

  // By idstr and instance id.
  std::map<std::pair<std::string, uint32_t>, Received> received;

 private:
  Error ReadPacket(ChannelDecoder& decoder, ByteSpan& input, bool& ended) {
    MultifdEvent event;
    DeviceStatePacket packet;
    bool device_state = false;
    const uint8_t* payload = nullptr;
    while (true) {
      switch (decoder.Next(input, event)) {
        case Step::kNeedInput:
          ended = true;
          return {};
        case Step::kDone:
          REQUIRE(false);
          break;
        case Step::kError:
          ended = true;
          return decoder.error("channel");
        case Step::kEvent:
          break;
      }
      if (event.kind == MultifdEventKind::kInit) return {};
      if (event.kind == MultifdEventKind::kDeviceState) {
        packet = event.device;
        device_state = true;
      }
      if (event.kind == MultifdEventKind::kPayload && payload == nullptr) {
        payload = event.bytes.data();
      }
      if (decoder.payload_left() != 0) continue;
      // All of the packet is here, in one piece as everything is.
      if (!device_state) return {};
      return Take(packet, ByteSpan(payload, event.payload_bytes));
    }
  }

  Error Take(const DeviceStatePacket& packet, ByteSpan payload) {
    packet_bytes_ = std::max(packet_bytes_, payload.size());
    Error error = reassembler_.Add(packet, payload);
    if (!error.ok()) return error;
    ReassembledPiece piece;
    while (reassembler_.Next(piece)) {
      Received& to = received[{std::string(piece.idstr), piece.instance_id}];
      REQUIRE(!to.config);
      REQUIRE(piece.index == to.pieces.size());
      to.pieces.emplace_back(piece.index, std::string(AsText(piece.data)));
      to.config = piece.config;
      // What this test keeps of it, with room for growth.
      given_ += piece.data.size() + 256;
    }
    return {};
  }

  Reassembler reassembler_{kLimits};
  size_t given_ = 1024;
  size_t packet_bytes_ = 0;
};

// Whether the packets are all there, each once, and the config is the last.
bool IsComplete(const std::vector<Sent>& ops) {
  std::map<uint8_t, std::vector<const Sent*>> devices;
  for (const Sent& sent : ops) devices[sent.device].push_back(&sent);
  for (auto& [device, packets] : devices) {
    std::sort(packets.begin(), packets.end(),
              [](const Sent* a, const Sent* b) { return a->index < b->index; });
    for (size_t i = 0; i < packets.size(); ++i) {
      if (packets[i]->index != i) return false;
      if (packets[i]->config != (i + 1 == packets.size())) return false;
    }
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzInput input(data, std::min<size_t>(size, 400));
  uint8_t turns = input.Choice();
  ByteSpan bytes = input.Rest();
  std::vector<Sent> ops = ParseOps(bytes);
  std::vector<std::string> channels;
  for (size_t id = 0; id < kChannels; ++id) {
    channels.push_back(WriteChannel(id, ops));
  }
  // Behind a byte that is no channel: where to damage, and how.
  bool damaged = false;
  for (size_t i = 1; i + 4 <= bytes.size(); i += 4) {
    std::string& channel = channels[bytes[i] % kChannels];
    size_t at = (bytes[i + 1] << 8 | bytes[i + 2]) % channel.size();
    damaged |= bytes[i + 3] != 0;
    channel[at] = static_cast<char>(channel[at] ^ bytes[i + 3]);
  }

  Reading reading;
  Error error = reading.Run(channels, turns);
  REQUIRE(IsOfClass(error, 1 << 1 | 1 << 4 | 1 << 7));
  if (damaged) return 0;
  if (error.ok()) REQUIRE(IsComplete(ops));
  for (const Sent& sent : ops) {
    const Received& received = reading.received[{NameOf(sent.device), 0}];
    if (sent.index >= received.pieces.size()) {
      REQUIRE(!error.ok());
    } else if (error.ok()) {
      REQUIRE(received.pieces[sent.index].second == DataOf(sent));
    }
  }
  return 0;
}
