// Gives every byte of a migration's files an owner: sections, commands, RAM's
// rounds, what stands around the stream, and what no reader came to. FORMAT.md
// sections 2, 4.2, 7.10 and 13.
//
//   StreamFacts facts;
//   Error error = MapStream(source, options, "", on_range, facts);
//   error = MapChannel("vm.ch1", channel, ChannelOptionsOf(facts), on_range);
//
// The ranges of a file touch each other, from its first byte to its last, also
// where it is damaged: what stands behind an error is kUnread. Sections and
// packets that follow each other and are alike are one range. Memory is that of
// the reader, however many ranges there are.

#ifndef MIGSTREAM_CODEC_MAP_STREAM_MAP_H_
#define MIGSTREAM_CODEC_MAP_STREAM_MAP_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "codec/channels/channel_reader.h"
#include "codec/io/byte_source.h"
#include "codec/map/map_range.h"
#include "codec/qemu/stream_reader.h"
#include "codec/survey/stream_survey.h"
#include "codec/wire/error.h"

namespace migstream {

// The main channel; `container` says what stands before it, if anything does.
// The error is the stream's.
Error MapStream(ByteSource& source, const ReaderOptions& options,
                std::string_view container, const OnMapRange& on_range,
                StreamFacts& facts);

// A multifd channel of that stream.
Error MapChannel(const std::string& name, ByteSource& source,
                 const ChannelReaderOptions& options,
                 const OnMapRange& on_range);

// A capture of the return path: its messages.
Error MapReturnPath(ByteSource& source, const OnMapRange& on_range);

// A postcopy-preempt channel: its pages, of the main channel's size; 0: 4 KiB.
Error MapPreempt(ByteSource& source, uint64_t page_bytes,
                 const OnMapRange& on_range);

// A CPR state channel, as a whole.
Error MapCpr(ByteSource& source, const OnMapRange& on_range);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_MAP_STREAM_MAP_H_
