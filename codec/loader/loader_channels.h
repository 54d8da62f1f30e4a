// What comes of a migration's multifd channels at its destination. FORMAT.md
// section 13, LOADERS.md sections 1 and 5.

#ifndef MIGSTREAM_CODEC_LOADER_LOADER_CHANNELS_H_
#define MIGSTREAM_CODEC_LOADER_LOADER_CHANNELS_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/channels/channel_reader.h"
#include "codec/loader/loader.h"
#include "codec/loader/loader_row.h"

namespace migstream {

// All of them, if the main channel was taken. What goes wrong there mostly
// leaves the loader waiting. `destination_config` is that of the destination's
// device of a name; empty: it agrees with the stream's. `on_piece` is given
// each piece.
void LoadChannels(
    std::vector<ChannelReader::Channel> channels,
    const ChannelReaderOptions& options, const LoaderRow& row,
    const std::function<ByteSpan(std::string_view idstr)>& destination_config,
    const std::function<void(const ReassembledPiece&)>& on_piece,
    LoadVerdict& verdict);

// Makes it a wait for `what`.
void Wait(uint64_t offset, std::string section, std::string what,
          LoadVerdict& verdict);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_LOADER_LOADER_CHANNELS_H_
