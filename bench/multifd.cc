// Reassembly of a device's packets of 1 MiB from multifd channels: each packet
// is received into a buffer, put into its place and copied to the device.

#include <algorithm>
#include <cstring>
#include <numeric>
#include <random>
#include <span>
#include <string>

#include "bench/measure.h"
#include "bench/section_data.h"
#include "codec/multifd/channel_decoder.h"
#include "codec/multifd/channel_encoder.h"
#include "codec/multifd/reassembler.h"

namespace migstream {
namespace {

constexpr char kIdstr[] = "0000:00:05.0/vfio";
constexpr uint32_t kPackets = 256;

// Shuffled: of each turn of a packet a channel, any may come first.
enum class Order { kInOrder, kShuffled };

// What is received: channels that are read in turn, a packet at a time.
class Channels {
 public:
  Channels(size_t channels, Order order)
      : streams_(channels), buffers_(channels) {
    std::vector<uint8_t> data(Scaled(1 << 20) / (Once() ? 64 : 1), 'x');
    packet_bytes_ = data.size();
    uint8_t headers[ChannelEncoder::kMinHeaderBytes];
    iovec pieces[ChannelEncoder::kMinPieces];
    std::vector<ChannelEncoder> encoders(channels,
                                         ChannelEncoder(headers, pieces));
    auto write = [&](size_t channel) {
      for (const iovec& piece : encoders[channel].pieces()) {
        streams_[channel].append(static_cast<const char*>(piece.iov_base),
                                 piece.iov_len);
      }
      encoders[channel].Clear();
    };
    for (size_t i = 0; i < channels; ++i) {
      encoders[i].Init({.channel_id = static_cast<uint8_t>(i)});
      write(i);
    }
    for (uint32_t i = 0; i < kPackets; ++i) {
      encoders[i % channels].VfioPacket({kIdstr, 0}, {}, data);
      write(i % channels);
    }
    SetOrder(order);
  }

  // In place, so that all orders have the same memory.
  void SetOrder(Order order) {
    std::iota(indexes_.begin(), indexes_.end(), 0);
    if (order == Order::kShuffled) {
      std::mt19937 random(1);
      for (uint32_t i = 0; i < kPackets; i += streams_.size()) {
        std::shuffle(&indexes_[i], &indexes_[i] + streams_.size(), random);
      }
    }
    for (uint32_t i = 0; i < kPackets; ++i) {
      VfioPacketHeader header = {.index = indexes_[i]};
      header.Store(const_cast<uint8_t*>(payload(i).data()), false);
    }
  }

  // The payload of the packet that comes as the n-th.
  ByteSpan payload(uint32_t n) const {
    size_t bytes = VfioPacketHeader::kBytes + packet_bytes_;
    size_t turn = n / streams_.size();
    return AsBytes(streams_[n % streams_.size()])
        .subspan(kMultifdInitBytes + turn * (kDeviceStatePacketBytes + bytes) +
                     kDeviceStatePacketBytes,
                 bytes);
  }

  const std::vector<std::string>& streams() const { return streams_; }
  // Which packet comes as the n-th.
  const std::vector<uint32_t>& indexes() const { return indexes_; }
  size_t packet_bytes() const { return packet_bytes_; }

  // What a channel's next packet is received into.
  std::vector<uint8_t>& buffer(size_t channel) { return buffers_[channel]; }

 private:
  std::vector<std::string> streams_;
  std::vector<std::vector<uint8_t>> buffers_;
  std::vector<uint32_t> indexes_ = std::vector<uint32_t>(kPackets);
  size_t packet_bytes_;
};

// Gives `on_packet` the channel of each packet, and its payload as a view into
// the channel; it is in the channel's buffer as well if it is `received`.
template <typename OnPacket>
void Receive(Channels& channels, bool received, OnPacket on_packet) {
  struct Channel {
    ChannelDecoder decoder;
    ByteSpan input;
  };
  std::vector<Channel> open(channels.streams().size());
  for (size_t i = 0; i < open.size(); ++i) {
    open[i].input = AsBytes(channels.streams()[i]);
  }
  for (uint32_t packet = 0; packet < kPackets; ++packet) {
    size_t number = packet % open.size();
    Channel& channel = open[number];
    MultifdEvent event;
    do {
      Require(channel.decoder.Next(channel.input, event) == Step::kEvent,
              "a channel is decoded");
    } while (event.kind != MultifdEventKind::kPayload);
    if (received) {
      channels.buffer(number).assign(event.bytes.begin(), event.bytes.end());
    }
    on_packet(number, event.bytes);
  }
}

// Returns the most bytes that were held.
uint64_t Reassemble(Channels& channels, bool received, uint8_t* device) {
  Reassembler reassembler;
  uint64_t held = 0;
  uint32_t given = 0;
  Receive(channels, received, [&](size_t channel, ByteSpan payload) {
    Error error = received
                      ? reassembler.Take({kIdstr, 0}, channels.buffer(channel))
                      : reassembler.Add({kIdstr, 0}, payload);
    Require(error.ok(), "a packet is taken");
    held = std::max(held, reassembler.held_bytes());
    for (ReassembledPiece piece; reassembler.Next(piece); ++given) {
      Require(piece.index == given, "packets come in order");
      std::memcpy(device, piece.data.data(), piece.data.size());
    }
  });
  Require(given == kPackets, "all packets come");
  return held;
}

// The same bytes by the same ways, without a decoder and without checks.
void Copy(Channels& channels, bool received, uint8_t* device) {
  size_t count = channels.streams().size();
  std::vector<std::vector<uint8_t>> held(count);
  uint32_t next = 0;
  auto give = [&](ByteSpan payload) {
    std::memcpy(device, &payload[VfioPacketHeader::kBytes],
                channels.packet_bytes());
    ++next;
  };
  for (uint32_t i = 0; i < kPackets; ++i) {
    ByteSpan payload = channels.payload(i);
    std::vector<uint8_t>& buffer = channels.buffer(i % count);
    uint32_t index = channels.indexes()[i];
    if (received || index != next) {
      buffer.assign(payload.begin(), payload.end());
    }
    if (index != next) {
      held[index % count].swap(buffer);
      continue;
    }
    give(received ? buffer : payload);
    for (; !held[next % count].empty(); held[(next - 1) % count].clear()) {
      give(held[next % count]);
    }
  }
  Require(next == kPackets, "all packets are copied");
}

Work WorkOf(const Channels& channels) {
  return {.items = kPackets, .bytes = kPackets * channels.packet_bytes()};
}

void MeasureReassembly(benchmark::State& state, Order order, bool received) {
  Channels channels(state.range(0), order);
  Memory device(channels.packet_bytes());
  uint64_t held = 0;
  Measure(
      state, WorkOf(channels),
      [&] { held = Reassemble(channels, received, device.data()); },
      [&] { Copy(channels, received, device.data()); });
  state.counters["held_MiB"] = static_cast<double>(held) / (1 << 20);
}

void BM_InOrder(benchmark::State& state) {
  MeasureReassembly(state, Order::kInOrder, true);
}
void BM_Shuffled(benchmark::State& state) {
  MeasureReassembly(state, Order::kShuffled, true);
}

// Channels that are in memory as a whole need not be received: a packet that is
// due is not copied, one that is ahead is.
void BM_InOrderViews(benchmark::State& state) {
  MeasureReassembly(state, Order::kInOrder, false);
}
void BM_ShuffledViews(benchmark::State& state) {
  MeasureReassembly(state, Order::kShuffled, false);
}

// In order is the ceiling.
void BM_ShuffledToInOrder(benchmark::State& state) {
  Channels channels(state.range(0), Order::kInOrder);
  Memory device(channels.packet_bytes());
  auto reassemble = [&](Order order, Stopwatch& watch) {
    channels.SetOrder(order);
    watch.Start();
    Reassemble(channels, true, device.data());
    watch.Stop();
  };
  MeasureTimed(
      state, WorkOf(channels),
      [&](Stopwatch& watch) { reassemble(Order::kShuffled, watch); },
      [&](Stopwatch& watch) { reassemble(Order::kInOrder, watch); });
}

void EachChannels(benchmark::internal::Benchmark* benchmark) {
  for (int channels : {1, 4, 8, 16}) benchmark->Arg(channels);
  benchmark->UseManualTime();
}

BENCHMARK(BM_InOrder)->Apply(EachChannels);
BENCHMARK(BM_Shuffled)->Apply(EachChannels);
BENCHMARK(BM_ShuffledToInOrder)->Apply(EachChannels);
BENCHMARK(BM_InOrderViews)->Apply(EachChannels);
BENCHMARK(BM_ShuffledViews)->Apply(EachChannels);

}  // namespace
}  // namespace migstream
