// What the parts of a StreamDecoder share while they walk a section's content:
// the place, and what of a record is still to come.

#ifndef MIGSTREAM_CODEC_QEMU_CONTENT_WALK_H_
#define MIGSTREAM_CODEC_QEMU_CONTENT_WALK_H_

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "codec/qemu/record_cursor.h"
#include "codec/qemu/stream_event.h"
#include "codec/wire/error.h"
#include "codec/wire/finding.h"
#include "codec/wire/step.h"

namespace migstream {

struct ContentWalk {
  uint64_t offset = 0;  // Of the next byte.
  size_t bytes_needed = 0;
  bool end_of_input = false;
  // Bytes that nothing here looks at, until they are handed out or taken over.
  uint64_t payload_left = 0;
  uint64_t payload_bytes = 0;
  std::string_view payload;  // What they are: "a page".
  bool in_name = false;      // What kNeedInput waits for is part of a name.
  Error error;               // The walk's owner names the section.
  std::vector<Finding> findings;

  Step Need(size_t bytes, bool name = false) {
    bytes_needed = bytes;
    in_name = name;
    return Step::kNeedInput;
  }

  [[gnu::cold]] Step Fail(ErrorCode code, uint64_t at, std::string reason);

  // Why a cursor stopped.
  Step Stop(const RecordCursor& cursor) {
    if (cursor.error().ok()) {
      return Need(cursor.bytes_needed(), cursor.in_name());
    }
    return Fail(cursor.error());
  }

  // Where `section` is empty, the walk's owner names it.
  [[gnu::cold]] void Note(Severity severity, const char* id, uint64_t at,
                          std::string message, std::string section = {});

  // The first `bytes` of the input are `event`'s.
  Step Take(ByteSpan& input, size_t bytes, StreamEvent::Kind kind,
            StreamEvent& event) {
    event.kind = kind;
    event.offset = offset;
    event.content = input.first(bytes);
    input = input.subspan(bytes);
    offset += bytes;
    return Step::kEvent;
  }

  void Await(uint64_t bytes, std::string_view what) {
    payload_left = payload_bytes = bytes;
    payload = what;
  }

  // So much of the payload is passed over.
  void Passed(uint64_t bytes) {
    payload_left -= bytes;
    offset += bytes;
  }

  // As much of the payload as is there.
  Step Piece(ByteSpan& input, StreamEvent& event) {
    if (input.empty()) return Need(1);
    size_t here = std::min<uint64_t>(payload_left, input.size());
    payload_left -= here;
    return Take(input, here, StreamEvent::kContent, event);
  }

  // The input ends with `left` bytes that were not enough.
  [[gnu::cold]] Error Truncated(size_t left) const;

 private:
  [[gnu::cold]] Step Fail(const Error& why);
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_QEMU_CONTENT_WALK_H_
