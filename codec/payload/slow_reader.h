// A second reader of payloads, for tests: written from the description of the
// formats alone, whole payloads in memory, a function a driver, no tables. What
// it and the walker both say is as certain as it gets.

#ifndef MIGSTREAM_CODEC_PAYLOAD_SLOW_READER_H_
#define MIGSTREAM_CODEC_PAYLOAD_SLOW_READER_H_

#include <string>
#include <vector>

#include "codec/payload/format.h"
#include "codec/wire/bytes.h"

namespace migstream {

// A line for each record ("record OFFSET DEPTH KEY BYTES"), struct ("fields
// OFFSET BYTES"), list's end ("end OFFSET") and overrun ("overrun OFFSET WANTED
// LEFT"), and a last one: "done", "cut OFFSET WANTED FOUND", "nesting OFFSET
// WANTED FOUND" or "count OFFSET MISSING".
std::vector<std::string> ReadSlowly(payload::Driver driver, bool legacy,
                                    ByteSpan bytes);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_PAYLOAD_SLOW_READER_H_
