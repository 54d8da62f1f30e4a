#include "codec/channels/channel_reader.h"

#include <algorithm>
#include <string_view>

#include "codec/channels/channel_source.h"
#include "codec/device/section_decoder.h"
#include "codec/multifd/channel_receiver.h"
#include "codec/wire/text.h"
#include "flags/dialect.h"

namespace migstream {

// One channel, read up to its next device-state packet: to its payload, of
// which no more is held than tells whether the packet is due.
class ChannelReader::Reading {
 public:
  Reading(Channel channel, const ChannelReaderOptions& options)
      : source_(std::move(channel.name), *channel.source,
                {.page_bytes = options.page_bytes, .limits = options.limits}) {
    stats_.file = source_.name();
  }

  // Reads on; false at the channel's end, or at an error.
  bool Advance() {
    // = {} would keep its memory.
    packets_.payload() = std::vector<uint8_t>();
    MultifdEvent event;
    while (Next(event)) {
      if (event.kind != MultifdEventKind::kDeviceState) continue;
      const ByteSpan head = source_.PeekPayload(
          std::min<uint64_t>(VfioPacketHeader::kBytes, event.payload_bytes));
      head_.assign(head.begin(), head.end());
      return true;
    }
    return false;
  }
  // Then reads the packet's payload; false as before.
  bool Collect() {
    MultifdEvent event;
    while (Next(event)) {
      if (packets_.has_packet()) return true;
    }
    return false;
  }

  DeviceStatePacket device() const { return packets_.device(); }
  // What is there of the payload before Collect().
  ByteSpan head() const { return head_; }
  // All of it, which may be taken.
  std::vector<uint8_t>& payload() { return packets_.payload(); }

  PacketPlace place() const { return {name(), packets_.offset()}; }

  const std::string& name() const { return source_.name(); }
  bool ended() const { return ended_; }
  const Error& error() const { return source_.error(); }
  const ChannelStats& stats() const { return stats_; }

 private:
  bool Next(MultifdEvent& event) {
    if (source_.Next(event) != Step::kEvent) {
      ended_ = true;
      return false;
    }
    stats_.bytes = source_.decoder().offset();
    stats_.Count(event);
    packets_.Take(event);
    return true;
  }

  ChannelSource source_;
  std::vector<uint8_t> head_;
  PacketCollector packets_;
  bool ended_ = false;
  ChannelStats stats_;
};

namespace {

// With more channels than this, nothing is read ahead of any.
constexpr size_t kManyChannels = 16;

// An error, and what explains it.
Error With(Error error, const Error& cause) {
  if (!cause.ok()) StrAppend(&error.reason, "; ", cause.reason);
  return error;
}

}  // namespace

ChannelReader::ChannelReader(std::vector<Channel> channels,
                             const ChannelReaderOptions& options)
    : options_(options) {
  const bool many = channels.size() > kManyChannels;
  for (Channel& channel : channels) {
    if (many) channel.source->SetReadAhead(false);
    channels_.push_back(
        std::make_unique<Reading>(std::move(channel), options_));
  }
}

ChannelReader::~ChannelReader() = default;

Error ChannelReader::Read(
    const std::function<void(const ReassembledPiece&)>& on_piece) {
  Reassembler reassembler(options_.limits, options_.host_endian);
  if (options_.devices) {
    for (const DeviceInChannels& device : *options_.devices) {
      reassembler.Expect(device.idstr, device.instance_id);
    }
    reassembler.Close();
  }
  Error first_error;
  auto go_on = [&](Reading& channel, bool went_on) {
    if (!went_on && first_error.ok()) first_error = channel.error();
    return went_on;
  };
  auto advance = [&](Reading& channel) { go_on(channel, channel.Advance()); };
  for (auto& channel : channels_) advance(*channel);
  if (Error error = CheckIds(); !error.ok()) return error;
  while (true) {
    Reading* next = nullptr;
    for (auto& channel : channels_) {
      if (channel->ended()) continue;
      if (next == nullptr) next = channel.get();
      if (reassembler.IsDue(channel->device(), channel->head())) {
        next = channel.get();
        break;
      }
    }
    if (next == nullptr) break;
    if (!go_on(*next, next->Collect())) continue;
    Error error =
        reassembler.Take(next->device(), next->payload(), next->place());
    if (!error.ok()) return With(std::move(error), FindMissingId(stats()));
    ReassembledPiece piece;
    while (reassembler.Next(piece)) on_piece(piece);
    advance(*next);
  }
  // A channel that is damaged explains what is missing.
  if (!first_error.ok()) {
    return With(std::move(first_error), FindMissingId(stats()));
  }
  Error error = reassembler.Finish();
  if (error.ok()) return error;
  if (error.file.empty() && options_.devices) {
    for (const DeviceInChannels& device : *options_.devices) {
      if (device.idstr == error.section) error.offset = device.offset;
    }
  }
  return With(std::move(error), FindMissing());
}

// FORMAT.md section 13.1. The offsets are those of the fields.
Error ChannelReader::CheckIds() const {
  auto other_vm = [](const Reading& channel, std::string_view than) {
    return OfChannel(
        channel.name(),
        {ErrorCode::kMultifdOtherVm, kMultifdUuidOffset, kMultifdSection,
         StrCat("is of another VM than ", than, ": the uuids differ")});
  };
  std::vector<const Reading*> before;
  for (const auto& channel : channels_) {
    const ChannelStats& stats = channel->stats();
    if (stats.bytes == 0) continue;  // Its own error tells why.
    if (options_.uuid && stats.uuid != *options_.uuid) {
      return other_vm(*channel, "the main channel");
    }
    for (const Reading* other : before) {
      if (stats.uuid != other->stats().uuid) {
        return other_vm(*channel, other->name());
      }
      if (stats.id != other->stats().id) continue;
      return OfChannel(
          channel->name(),
          {ErrorCode::kMultifdChannelId, kMultifdIdOffset, kMultifdSection,
           other->name() == channel->name()
               ? StrCat("channel id ", stats.id, ": given twice")
               : StrCat("channel id ", stats.id, ", which ", other->name(),
                        " has too")});
    }
    before.push_back(channel.get());
  }
  return {};
}

Error ChannelReader::FindMissing() const {
  return options_.devices ? FindMissingChannel(stats())
                          : FindMissingId(stats());
}

Error DecodeConfigPiece(const ReassembledPiece& piece,
                        const std::function<void(const Event&)>& on_event) {
  DecoderOptions options;
  options.offset = piece.data_offset();
  options.config.content_bytes = piece.data.size();
  // Such a packet holds what a FULL of the releases without multifd does.
  SectionDecoder decoder(SectionType::kFull, GetDialect(DialectId::kV111),
                         options);
  decoder.SetEndOfInput();
  ByteSpan input = piece.data;
  Event event;
  while (true) {
    switch (decoder.Next(input, event)) {
      case Step::kEvent:
        on_event(event);
        break;
      case Step::kNeedInput:
        return OfChannel(piece.place.file,
                         decoder.Truncated(piece.idstr, input));
      case Step::kError:
        return OfChannel(piece.place.file, decoder.error(piece.idstr));
      case Step::kDone:
        return {};
    }
  }
}

std::vector<ChannelStats> ChannelReader::stats() const {
  std::vector<ChannelStats> stats;
  for (const auto& channel : channels_) stats.push_back(channel->stats());
  return stats;
}

}  // namespace migstream
