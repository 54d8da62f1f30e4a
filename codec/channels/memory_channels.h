// For tests: multifd channels whose bytes are in memory, as "channel 0",
// "channel 1", …
//
//   MemoryChannels channels(ReadChannels(capture));
//   BuildReport(main, channels.given(), options, report);

#ifndef MIGSTREAM_CODEC_CHANNELS_MEMORY_CHANNELS_H_
#define MIGSTREAM_CODEC_CHANNELS_MEMORY_CHANNELS_H_

#include <deque>
#include <string>
#include <vector>

#include "codec/channels/channel_reader.h"
#include "codec/io/byte_source.h"
#include "codec/wire/bytes.h"
#include "codec/wire/text.h"

namespace migstream {

// The bytes are the caller's, and must outlive it.
class MemoryChannels {
 public:
  MemoryChannels() = default;
  explicit MemoryChannels(const std::vector<std::string>& channels) {
    for (const std::string& channel : channels) Add(AsBytes(channel));
  }

  void Add(ByteSpan bytes) {
    given_.push_back(
        {StrCat("channel ", given_.size()), &sources_.emplace_back(bytes)});
  }

  // They can be read once.
  const std::vector<ChannelReader::Channel>& given() const { return given_; }

 private:
  std::deque<MemorySource> sources_;  // They do not move.
  std::vector<ChannelReader::Channel> given_;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_CHANNELS_MEMORY_CHANNELS_H_
