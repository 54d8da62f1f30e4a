// The records of handlers, other than RAM and VFIO, whose grammar is known
// without a description. FORMAT.md section 6.

#ifndef MIGSTREAM_CODEC_QEMU_HANDLER_RECORDS_H_
#define MIGSTREAM_CODEC_QEMU_HANDLER_RECORDS_H_

#include <cstdint>
#include <string_view>

#include "codec/qemu/content_walk.h"
#include "codec/qemu/record_cursor.h"
#include "flags/section_type.h"

namespace migstream {

struct HandlerRecord {
  bool last = false;              // It ends the section's content.
  uint64_t payload_bytes = 0;     // What follows it,
  std::string_view payload = "";  // and what that is: "a clock".
};

// Reads a record's numbers and names; `first` is that of a section.
using HandlerParser = HandlerRecord (*)(RecordCursor& cursor, SectionType type,
                                        bool first);

// For a handler's sections of this type; null if there is none, and only a
// description can tell how long they are.
HandlerParser FindHandlerParser(std::string_view idstr, SectionType type);

// Walks one section's content.
class HandlerDecoder {
 public:
  HandlerDecoder(HandlerParser parser, SectionType type)
      : parser_(parser), type_(type) {}

  // kDone behind the last record. Payload is the walk's own affair.
  Step Next(ByteSpan& input, ContentWalk& walk, StreamEvent& event);

 private:
  HandlerParser parser_;
  SectionType type_;
  bool first_ = true;
  bool done_ = false;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_QEMU_HANDLER_RECORDS_H_
