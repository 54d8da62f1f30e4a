#include "codec/extract/channel_pages.h"

#include <algorithm>
#include <deque>
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
// A page of zeros has no bytes, and takes room all the same.
constexpr size_t kTurnPages = 4096;

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
  Got got = Got::kPage;
  Error error;
  std::vector<Page> pages;
  std::vector<std::string> blocks;
  std::vector<uint8_t> bytes;

  void Clear() {
    pages.clear();
    blocks.clear();
    bytes.clear();
    bytes.reserve(kTurnBytes + kMostPageBytes);  // It would double.
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

// Which channels are read until the next sync point.
struct ChannelPages::Turns {
  explicit Turns(size_t channels) : ended(channels), failed(channels) {}

  std::vector<bool> ended;
  size_t begun = 0;
  size_t failed;  // Those behind it do not matter any more.
  Error error;
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
  Turns turns(channels_.size());
  if (ReadsSideBySide()) {
    ReadSideBySide(on_page, turns);
  } else {
    ReadInTurn(on_page, turns);
  }
  if (!turns.error.ok()) return std::move(turns.error);
  // Channels for device state alone have no sync points.
  if (std::none_of(channels_.begin(), channels_.end(),
                   [](const auto& channel) { return channel->ram_seen; })) {
    return {};
  }
  const size_t first = std::find(turns.ended.begin(), turns.ended.end(), true) -
                       turns.ended.begin();
  if (first == turns.ended.size()) return {};
  const ChannelSource& source = channels_[first]->source;
  return OfChannel(
      source.name(),
      {ErrorCode::kOutOfStep, source.decoder().offset(), kMultifdSection,
       "the channel ends before a sync point of the main channel"});
}

template <typename Take>
ChannelPages::Got ChannelPages::ReadTurn(Channel& channel, Take take,
                                         Error& error) {
  ChannelPage page;
  size_t bytes = 0;
  for (size_t pages = 0; bytes < kTurnBytes && pages < kTurnPages;) {
    const Got got = Next(channel, page, error);
    switch (got) {
      case Got::kPage:
        take(page);
        bytes += page.bytes.size();
        ++pages;
        break;
      case Got::kPacket:
        if (channel.sync) return got;
        break;
      case Got::kEnd:
      case Got::kError:
        return got;
    }
  }
  return Got::kPage;
}

bool ChannelPages::EndTurn(size_t number, Got got, Error error, Turns& turns) {
  if (error.ok()) error = CountMemory(*channels_[number]);
  if (!error.ok()) {
    turns.failed = number;
    turns.error = std::move(error);
    return false;
  }
  turns.ended[number] = got == Got::kEnd;
  return got == Got::kPage;
}

// One thread, in the order of ReadSideBySide(); but without what that holds.
void ChannelPages::ReadInTurn(const OnPage& on_page, Turns& turns) {
  const size_t most = are_files_ ? kAtATime : 1;
  std::deque<size_t> waiting;
  while (true) {
    while (turns.begun < turns.failed && waiting.size() < most) {
      waiting.push_back(turns.begun++);
    }
    if (waiting.empty()) return;
    const size_t number = waiting.front();
    waiting.pop_front();
    if (number >= turns.failed) continue;
    Channel& channel = *channels_[number];
    Error error;
    const auto take = [&](const ChannelPage& page) {
      on_page(page, {channel.source.name(), channel.packet_offset});
    };
    const Got got = ReadTurn(channel, take, error);
    if (EndTurn(number, got, std::move(error), turns)) {
      waiting.push_back(number);
    }
  }
}

// Each job is another channel's turn; they are taken in the order in which they
// were begun.
void ChannelPages::ReadSideBySide(const OnPage& on_page, Turns& turns) {
  if (!work_) {
    work_ = std::make_unique<OrderedWork<Batch>>(threads_, [this] {
      return [this](Batch& batch) {
        Channel& channel = *channels_[batch.channel];
        batch.Clear();
        const auto take = [&](const ChannelPage& page) {
          batch.Add(page, channel.packet_offset);
        };
        batch.got = ReadTurn(channel, take, batch.error);
      };
    });
  }
  while (true) {
    while (turns.begun < turns.failed && work_->size() < kAtATime) {
      Batch batch;
      batch.channel = turns.begun++;
      work_->Add(std::move(batch));
    }
    if (work_->size() == 0) return;
    Batch batch = work_->Take();
    if (batch.channel >= turns.failed) continue;
    const std::string& name = channels_[batch.channel]->source.name();
    for (Batch::Page& held : batch.pages) {
      held.page.block = batch.blocks[held.block];
      held.page.bytes = ByteSpan(batch.bytes).subspan(held.begin, held.size);
      on_page(held.page, {name, held.packet_offset});
    }
    Error error = std::exchange(batch.error, {});
    if (EndTurn(batch.channel, batch.got, std::move(error), turns)) {
      work_->Add(std::move(batch));
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
