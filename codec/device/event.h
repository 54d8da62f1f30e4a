// What a SectionDecoder finds, and a SectionEncoder writes. FORMAT.md
// section 9.
//
// The events of a section, put through an encoder of the same dialect, give
// the section's bytes again, to the last one.

#ifndef MIGSTREAM_CODEC_DEVICE_EVENT_H_
#define MIGSTREAM_CODEC_DEVICE_EVENT_H_

#include <cstdint>
#include <string_view>

#include "codec/device/config_layout.h"
#include "codec/device/subsection.h"
#include "codec/wire/bytes.h"
#include "flags/element.h"

namespace migstream {

enum class EventKind : uint8_t {
  // An `element` that is its tag alone. SETUP is one, and the END_OF_STATE that
  // follows it is another.
  kTag,
  // A DATA record, or a piece of one: `payload` stands `record_offset` bytes
  // into the record, which holds `record_bytes` in all. The first piece comes
  // with the record's header and may be empty; a record of size 0 has one.
  kData,
  // The CONFIG tag, the subflag (E3), and the payload up to its subsections:
  // ConfigView::Parse(payload, layout). E3 without a payload: layout is zero.
  kConfig,
  // One subsection of the config payload.
  kSubsection,
  // The END_OF_STATE that closes the config payload.
  kConfigEnd,
};

struct Event {
  // Not an aggregate: those GCC clears by an instruction that takes as long as
  // ten records.
  Event() {}

  EventKind kind = EventKind::kTag;
  // kTag
  Element element = Element::kEndOfState;
  // kConfig: what the subflag asks for (TriggerFlag); TRIGGER likewise.
  uint8_t trigger_flags = 0;
  // Where this event's first byte is, from the stream's start.
  uint64_t offset = 0;
  // A view into the input of Next(); not valid for longer than that input.
  ByteSpan payload;
  // kData
  bool starts_record = false;  // The event comes with the record's header.
  uint64_t record_bytes = 0;
  uint64_t record_offset = 0;
  // kConfig
  uint64_t subflag = 0;  // E3: as it stands.
  ConfigLayout layout;
  // kSubsection; its payload is also in `payload`.
  SubsectionView subsection;

  bool Is(Element tag_alone) const {
    return kind == EventKind::kTag && element == tag_alone;
  }
};

// What the event is of: its element's name, or "SUBSECTION".
std::string_view ToString(const Event& event);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_DEVICE_EVENT_H_
