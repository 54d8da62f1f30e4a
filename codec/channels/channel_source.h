// Pulls the events of one multifd channel out of a ByteSource. FORMAT.md
// section 13.
//
//   ChannelSource channel("vm.ch1", source, options);
//   MultifdEvent event;
//   while (channel.Next(event) == Step::kEvent) …;
//   if (!channel.error().ok()) …;
//
// An event's views are good until the next call. Memory is that of one packet's
// header. The source must outlive it.

#ifndef MIGSTREAM_CODEC_CHANNELS_CHANNEL_SOURCE_H_
#define MIGSTREAM_CODEC_CHANNELS_CHANNEL_SOURCE_H_

#include <string>
#include <string_view>

#include "codec/io/byte_source.h"
#include "codec/multifd/channel_decoder.h"
#include "codec/multifd/packet.h"
#include "codec/wire/error.h"
#include "codec/wire/step.h"

namespace migstream {

// An error of the channel `name`, or none.
inline Error OfChannel(std::string_view name, Error error) {
  if (!error.ok()) error.file = std::string(name);
  return error;
}

class ChannelSource {
 public:
  // `name` is for errors.
  ChannelSource(std::string name, ByteSource& source,
                const ChannelOptions& options)
      : name_(std::move(name)), source_(source), decoder_(options) {}

  // kEvent; kDone at the channel's end, which is between two packets; kError.
  Step Next(MultifdEvent& event);

  // The next bytes of the last event's packet, whose views end with that: as
  // many of `count` as there are.
  ByteSpan PeekPayload(size_t count);

  // Its file is the channel's name, and its section kMultifdSection.
  const Error& error() const { return error_; }
  // With kTruncated: the bytes of the header that is cut short.
  ByteSpan rest() const { return rest_; }

  const std::string& name() const { return name_; }
  const ChannelDecoder& decoder() const { return decoder_; }

 private:
  const std::string name_;
  ByteSource& source_;
  ChannelDecoder decoder_;
  size_t used_ = 0;  // Bytes of the last event, not consumed yet.
  ByteSpan rest_;
  Error error_;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_CHANNELS_CHANNEL_SOURCE_H_
