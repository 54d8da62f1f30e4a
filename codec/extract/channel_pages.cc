#include "codec/extract/channel_pages.h"

#include <algorithm>
#include <utility>

#include "codec/io/ordered_work.h"
#include "codec/wire/text.h"
#include "flags/multifd_flags.h"
#include "flags/ram_flags.h"

namespace migstream {
namespace {

// What 16 channels need beside their windows.
constexpr uint64_t kBesideWindows = 4 << 20;
constexpr size_t kMostPageBytes = size_t{1} << kMaxPageBits;

}  // namespace

// What a thread has read of one channel, and holds until it is taken.
struct ChannelPages::Batch {
  struct Page {
    ChannelPage page;  // Without views.
    size_t block = 0;
    size_t begin = 0;  // Of its bytes.
    size_t size = 0;
    uint64_t packet_offset = 0;
  };

  size_t channel = 0;
  Got got = Got::kPage;  // What came last; kPacket: its sync point.
  Error error;
  std::vector<Page> pages;
  std::vector<std::string> blocks;
  std::vector<uint8_t> bytes;

  bool IsFull() const {
    constexpr size_t kMostPages = kBatchBytes / sizeof(Page);
    return bytes.size() >= kBatchBytes || pages.size() >= kMostPages;
  }

  void Add(const ChannelPage& page, uint64_t packet_offset) {
    if (blocks.empty() || blocks.back() != page.block) {
      blocks.emplace_back(page.block);
    }
    pages.push_back({page, blocks.size() - 1, bytes.size(), page.bytes.size(),
                     packet_offset});
    bytes.insert(bytes.end(), page.bytes.begin(), page.bytes.end());
  }
};

ChannelPages::ChannelPages(int threads)
    : threads_(std::min(threads, kMostThreads)) {}

ChannelPages::~ChannelPages() = default;

void ChannelPages::AddChannel(std::string name, ByteSource& source,
                              const ChannelOptions& options) {
  PageInflaterOptions inflater_options;
  inflater_options.page_bytes = options.page_bytes;
  inflater_options.limits = options.limits;
  inflating_limit_ = options.limits.window_bytes + kBesideWindows;
  // A thread that waits for a pipe could not be ended.
  are_files_ = are_files_ && source.raw_size().has_value();
  ChannelStats stats;
  stats.file = name;
  channels_.push_back(std::unique_ptr<Channel>(
      new Channel{ChannelSource(std::move(name), source, options),
                  PageInflater(inflater_options), std::move(stats)}));
}

ChannelPages::Got ChannelPages::Next(Channel& channel, ChannelPage& page,
                                     Error& error) {
  const std::string& name = channel.source.name();
  while (true) {
    if (channel.in_event) {
      if (channel.inflater.Next(page) == Step::kEvent) return Got::kPage;
      channel.in_event = false;
      if (!channel.inflater.ok()) {
        error = OfChannel(name, channel.inflater.error(kMultifdSection));
        return Got::kError;
      }
      channel.in_packet = channel.source.decoder().payload_left() > 0;
      if (!channel.in_packet) return Got::kPacket;
    }
    if (!channel.in_packet) {
      channel.packet_offset = channel.source.decoder().offset();
      channel.sync = false;
    }
    MultifdEvent event;
    switch (channel.source.Next(event)) {
      case Step::kEvent:
        break;
      case Step::kError:
        error = channel.source.error();
        return Got::kError;
      case Step::kNeedInput:
      case Step::kDone:
        return Got::kEnd;
    }
    if (event.kind == MultifdEventKind::kInit && uuid_ &&
        event.init.uuid != *uuid_) {
      error = OfChannel(
          name,
          {ErrorCode::kMultifdOtherVm, kMultifdUuidOffset, kMultifdSection,
           "is of another VM than the main channel: the uuids differ"});
      return Got::kError;
    }
    channel.stats.Count(event);
    channel.stats.bytes = channel.source.decoder().offset();
    if (event.kind == MultifdEventKind::kRamPacket) {
      channel.ram_seen = true;
      channel.sync |= (event.flags & kMultifdSync) != 0;
    }
    channel.inflater.Add(event);
    channel.in_event = true;
  }
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

bool ChannelPages::ReadsSideBySide() const {
  return threads_ > 1 && channels_.size() > 1 && are_files_;
}

Error ChannelPages::ReadToSync(const OnPage& on_page) {
  std::vector<bool> ended(channels_.size());
  Error error = ReadsSideBySide() ? ReadSideBySide(on_page, ended)
                                  : ReadInTurn(on_page, ended);
  if (!error.ok()) return error;
  // Channels for device state alone have no sync points.
  if (std::none_of(channels_.begin(), channels_.end(),
                   [](const auto& channel) { return channel->ram_seen; })) {
    return {};
  }
  const size_t first =
      std::find(ended.begin(), ended.end(), true) - ended.begin();
  if (first == ended.size()) return {};
  const ChannelSource& source = channels_[first]->source;
  return OfChannel(
      source.name(),
      {ErrorCode::kOutOfStep, source.decoder().offset(), kMultifdSection,
       "the channel ends before a sync point of the main channel"});
}

Error ChannelPages::ReadInTurn(const OnPage& on_page,
                               std::vector<bool>& ended) {
  for (size_t i = 0; i < channels_.size(); ++i) {
    Channel& channel = *channels_[i];
    for (bool on = true; on;) {
      ChannelPage page;
      Error error;
      switch (Next(channel, page, error)) {
        case Got::kPage:
          on_page(page, {channel.source.name(), channel.packet_offset});
          break;
        case Got::kPacket:
          error = CountMemory(channel);
          if (!error.ok()) return error;
          on = !channel.sync;
          break;
        case Got::kEnd:
          ended[i] = true;
          on = false;
          break;
        case Got::kError:
          return error;
      }
    }
  }
  return {};
}

void ChannelPages::Fill(Batch& batch) {
  Channel& channel = *channels_[batch.channel];
  batch.pages.clear();
  batch.blocks.clear();
  batch.bytes.clear();
  batch.bytes.reserve(kBatchBytes + kMostPageBytes);  // It would double.
  ChannelPage page;
  while (!batch.IsFull()) {
    batch.got = Next(channel, page, batch.error);
    switch (batch.got) {
      case Got::kPage:
        batch.Add(page, channel.packet_offset);
        break;
      case Got::kPacket:
        if (channel.sync) return;
        break;
      case Got::kEnd:
      case Got::kError:
        return;
    }
  }
  batch.got = Got::kPage;
}

// As many batches are on their way as there are threads, each of another
// channel; they are taken in the order in which they were begun.
Error ChannelPages::ReadSideBySide(const OnPage& on_page,
                                   std::vector<bool>& ended) {
  if (!work_) {
    work_ = std::make_unique<OrderedWork<Batch>>(
        threads_, [this] { return [this](Batch& batch) { Fill(batch); }; });
  }
  size_t begun = 0;
  size_t failed = channels_.size();  // Those behind it do not matter any more.
  Error first;
  while (true) {
    while (begun < failed && work_->size() < static_cast<size_t>(threads_)) {
      Batch batch;
      batch.channel = begun++;
      work_->Add(std::move(batch));
    }
    if (work_->size() == 0) return first;
    Batch batch = work_->Take();
    if (batch.channel >= failed) continue;
    Channel& channel = *channels_[batch.channel];
    for (Batch::Page& held : batch.pages) {
      held.page.block = batch.blocks[held.block];
      held.page.bytes = ByteSpan(batch.bytes).subspan(held.begin, held.size);
      on_page(held.page, {channel.source.name(), held.packet_offset});
    }
    Error error = std::exchange(batch.error, {});
    if (error.ok()) error = CountMemory(channel);
    if (!error.ok()) {
      failed = batch.channel;
      first = std::move(error);
    } else if (batch.got == Got::kPage) {
      work_->Add(std::move(batch));
    } else {
      ended[batch.channel] = batch.got == Got::kEnd;
    }
  }
}

Error ChannelPages::FindMissing() const {
  std::vector<ChannelStats> stats;
  for (const auto& channel : channels_) stats.push_back(channel->stats);
  return FindMissingChannel(stats);
}

Error ChannelPages::Finish() {
  for (auto& channel : channels_) {
    ChannelPage page;
    Error error;
    Got got = Got::kPacket;
    while (got == Got::kPacket) got = Next(*channel, page, error);
    if (!error.ok()) return error;
    if (got == Got::kPage) {
      return OfChannel(
          channel->source.name(),
          {ErrorCode::kOutOfStep, channel->packet_offset, kMultifdSection,
           "pages after the main channel's last sync point"});
    }
  }
  return {};
}

}  // namespace migstream
