// The pages of guest memory on all multifd channels, up to one sync point after
// the other: a SYNC packet stands on every channel at each. FORMAT.md sections
// 13.3 and 13.7.
//
//   ChannelPages pages(threads);
//   pages.AddChannel("vm.ch1", source, options);  // Each.
//   Error error = pages.ReadToSync(on_page);      // For each sync point.
//
// Channels that are files are read in turns, kAtATime of them, and with several
// threads they are inflated side by side; what they give is taken in one
// thread, the caller's. What comes, in which order, and the error are the same
// for every number of threads. Memory is twice kTurnBytes for each of kAtATime
// besides, if there are several threads. Pipes are read one after the other.

#ifndef MIGSTREAM_CODEC_EXTRACT_CHANNEL_PAGES_H_
#define MIGSTREAM_CODEC_EXTRACT_CHANNEL_PAGES_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codec/channels/channel_source.h"
#include "codec/channels/channel_stats.h"
#include "codec/extract/page_inflater.h"
#include "codec/io/byte_source.h"
#include "codec/wire/error.h"

namespace migstream {

template <typename Job>
class OrderedWork;

class ChannelPages {
 public:
  static constexpr size_t kTurnBytes = 512 << 10;
  // Each may have a window more than the limit of all before that is found.
  static constexpr int kAtATime = 4;
  static constexpr int kMostThreads = kAtATime;

  // With the place of the packet that holds it, for errors.
  using OnPage = std::function<void(const ChannelPage&, const PacketPlace&)>;

  explicit ChannelPages(int threads = 1);
  ~ChannelPages();

  // The sources must outlive this. The windows of all channels together take no
  // more than that of one may, and a little: kMultifdWindowLimit otherwise.
  void AddChannel(std::string name, ByteSource& source,
                  const ChannelOptions& options);

  // The uuid of the VM: a channel of another VM is kMultifdOtherVm.
  void Expect(const VmUuid& uuid) { uuid_ = uuid; }

  // Gives the pages before the next SYNC packet of each channel. Between two
  // sync points no page comes twice: the order of channels is free. The error
  // is that of the first channel that has one.
  Error ReadToSync(const OnPage& on_page);

  // No sync point will follow: kOutOfStep if a page does.
  Error Finish();

  // After Finish(), as ChannelReader::FindMissing(): kMultifdGap if a channel
  // was not given, or not all of it.
  Error FindMissing() const;

 private:
  // What is read of a channel, by one thread at a time.
  struct Channel {
    ChannelSource source;
    PageInflater inflater;
    ChannelStats stats = {};
    bool in_event = false;       // Whose pages come.
    uint64_t packet_offset = 0;  // Of the packet that is read.
    bool in_packet = false;
    bool sync = false;             // It is one.
    bool ram_seen = false;         // A RAM packet.
    uint64_t inflating_bytes = 0;  // That are counted.
  };
  enum class Got { kPage, kPacket, kEnd, kError };
  struct Batch;
  struct Turns;

  // The next page, until the packet ends.
  Got Next(Channel& channel, ChannelPage& page, Error& error);
  // The pages of one turn. kPage if the channel has more of them.
  template <typename Take>
  Got ReadTurn(Channel& channel, Take take, Error& error);
  // What a turn was. True if the channel has another.
  bool EndTurn(size_t number, Got got, Error error, Turns& turns);
  Error CountMemory(Channel& channel);
  bool ReadsSideBySide() const;
  void ReadInTurn(const OnPage& on_page, Turns& turns);
  void ReadSideBySide(const OnPage& on_page, Turns& turns);

  const int threads_;
  std::vector<std::unique_ptr<Channel>> channels_;
  bool are_files_ = true;
  uint64_t inflating_limit_ = 0;
  uint64_t inflating_bytes_ = 0;  // Of all channels.
  std::optional<VmUuid> uuid_;
  std::unique_ptr<OrderedWork<Batch>> work_;  // The last: its threads use all.
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_EXTRACT_CHANNEL_PAGES_H_
