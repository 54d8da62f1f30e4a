#include "codec/extract/channel_pages.h"

#include "codec/wire/text.h"
#include "flags/multifd_flags.h"

namespace migstream {
namespace {

// What 16 channels need beside their windows.
constexpr uint64_t kBesideWindows = 4 << 20;

}  // namespace

void ChannelPages::AddChannel(std::string name, ByteSource& source,
                              const ChannelOptions& options) {
  PageInflaterOptions inflater_options;
  inflater_options.page_bytes = options.page_bytes;
  inflater_options.limits = options.limits;
  inflating_limit_ = options.limits.window_bytes + kBesideWindows;
  ChannelStats stats;
  stats.file = name;
  channels_.push_back(std::unique_ptr<Channel>(
      new Channel{ChannelSource(std::move(name), source, options),
                  PageInflater(inflater_options), std::move(stats)}));
}

// One packet with all its payload, or the init message.
bool ChannelPages::ReadPacket(Channel& channel, const OnPage& on_page,
                              bool& sync, Error& error) {
  MultifdEvent event;
  PacketPlace place = {channel.source.name(),
                       channel.source.decoder().offset()};
  do {
    switch (channel.source.Next(event)) {
      case Step::kEvent:
        break;
      case Step::kError:
        error = channel.source.error();
        return false;
      default:
        return false;
    }
    if (event.kind == MultifdEventKind::kInit && uuid_ &&
        event.init.uuid != *uuid_) {
      error = OfChannel(
          channel.source.name(),
          {ErrorCode::kMultifdOtherVm, kMultifdUuidOffset, kMultifdSection,
           "is of another VM than the main channel: the uuids "
           "differ"});
      return false;
    }
    channel.stats.Count(event);
    channel.stats.bytes = channel.source.decoder().offset();
    bool ram = event.kind == MultifdEventKind::kRamPacket;
    ram_seen_ |= ram;
    sync |= ram && (event.flags & kMultifdSync) != 0;
    channel.inflater.Add(event);
    for (ChannelPage page; channel.inflater.Next(page) == Step::kEvent;) {
      on_page(page, place);
    }
    if (!channel.inflater.ok()) {
      error = OfChannel(channel.source.name(),
                        channel.inflater.error(kMultifdSection));
      return false;
    }
    error = CountMemory(channel);
    if (!error.ok()) return false;
  } while (channel.source.decoder().payload_left() > 0);
  return true;
}

Error ChannelPages::CountMemory(Channel& channel) {
  const uint64_t bytes = channel.inflater.memory_bytes();
  inflating_bytes_ += bytes - channel.inflating_bytes;
  channel.inflating_bytes = bytes;
  if (inflating_bytes_ <= inflating_limit_) return {};
  return OfChannel(
      channel.source.name(),
      {ErrorCode::kMultifdWindowLimit, channel.source.decoder().offset(),
       kMultifdSection,
       StrCat("the channels' zstd windows take ", inflating_bytes_,
              " bytes together, the limit is ", inflating_limit_)});
}

Error ChannelPages::ReadToSync(const OnPage& on_page) {
  Error error;
  Error ended;
  for (auto& channel : channels_) {
    bool sync = false;
    while (!sync && ReadPacket(*channel, on_page, sync, error)) {
    }
    if (!error.ok()) return error;
    if (!sync && ended.ok()) {
      ended = OfChannel(
          channel->source.name(),
          {ErrorCode::kOutOfStep, channel->source.decoder().offset(),
           kMultifdSection,
           "the channel ends before a sync point of the main channel"});
    }
  }
  // Channels for device state alone have no sync points.
  return ram_seen_ ? ended : Error();
}

Error ChannelPages::FindMissing() const {
  std::vector<ChannelStats> stats;
  for (const auto& channel : channels_) stats.push_back(channel->stats);
  return FindMissingChannel(stats);
}

Error ChannelPages::Finish() {
  Error error;
  for (auto& channel : channels_) {
    bool pages = false;
    bool sync = false;
    uint64_t offset = 0;
    auto on_page = [&](const ChannelPage&, const PacketPlace& place) {
      pages = true;
      offset = place.offset;
    };
    while (!pages && ReadPacket(*channel, on_page, sync, error)) {
    }
    if (!error.ok()) return error;
    if (pages) {
      return OfChannel(channel->source.name(),
                       {ErrorCode::kOutOfStep, offset, kMultifdSection,
                        "pages after the main channel's last sync point"});
    }
  }
  return {};
}

}  // namespace migstream
