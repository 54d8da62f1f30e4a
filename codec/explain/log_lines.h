// The lines of a log, of any length and with any bytes in them.
//
//   ForEachLine(source, [](uint64_t number, std::string_view line) { … });

#ifndef MIGSTREAM_CODEC_EXPLAIN_LOG_LINES_H_
#define MIGSTREAM_CODEC_EXPLAIN_LOG_LINES_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

#include "codec/io/byte_source.h"

namespace migstream {

// What is longer is cut: nobody logs more that is to be read.
inline constexpr size_t kMaxLineBytes = 4096;

// Calls `on_line` for each, numbered from 1 on, without its end; returns how
// many there were. Holds one line at the most.
uint64_t ForEachLine(
    ByteSource& source,
    const std::function<void(uint64_t number, std::string_view line)>& on_line);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_EXPLAIN_LOG_LINES_H_
