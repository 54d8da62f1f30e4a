// Reads one record off a source with a RecordCursor.
//
//   uint32_t magic = 0;
//   Error error = PullRecord(source, [&](RecordCursor& cursor) {
//     magic = cursor.Be32();
//   });

#ifndef MIGSTREAM_CODEC_QEMU_PULL_RECORD_H_
#define MIGSTREAM_CODEC_QEMU_PULL_RECORD_H_

#include "codec/io/byte_source.h"
#include "codec/qemu/record_cursor.h"
#include "codec/wire/error.h"

namespace migstream {

// Calls `parse` until there is as much input as it takes; it may be called
// several times, each time from the record's first byte. The record is consumed
// if there is no error. The caller names the section.
template <typename Parse>
Error PullRecord(ByteSource& source, Parse parse) {
  for (size_t needed = 1;;) {
    ByteSpan bytes = source.Peek(needed);
    RecordCursor cursor(bytes, source.offset());
    parse(cursor);
    if (cursor.ok()) {
      source.Consume(cursor.bytes());
      return {};
    }
    if (!cursor.error().ok()) return cursor.error();
    if (bytes.size() < needed || cursor.bytes_needed() <= bytes.size()) {
      return {
          ErrorCode::kTruncated, source.offset() + bytes.size(), "",
          cursor.in_name() ? "input ends in a name" : "input ends in a number"};
    }
    needed = cursor.bytes_needed();
  }
}

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_QEMU_PULL_RECORD_H_
