// The numbers of the C interface, which never change, beside those of C++,
// which may: whoever moves one of these puts a table here.

#ifndef MIGSTREAM_CODEC_C_VALUES_H_
#define MIGSTREAM_CODEC_C_VALUES_H_

#include <cstdint>
#include <optional>

#include "codec/c/migstream.h"
#include "codec/device/event.h"
#include "codec/qemu/stream_event.h"
#include "flags/dialect.h"
#include "flags/element.h"
#include "flags/section_type.h"

namespace migstream::c {

// Null for a number that is not one.
const Dialect* DialectOf(int32_t number);
int32_t NumberOf(DialectId dialect);

std::optional<SectionType> SectionTypeOf(int32_t number);

// An element that is its tag alone.
std::optional<Element> TagOf(int32_t number);

constexpr int32_t NumberOf(Element element) {
  return static_cast<int32_t>(element);
}
static_assert(NumberOf(Element::kSetup) == MIGSTREAM_ELEMENT_SETUP);
static_assert(NumberOf(Element::kConfig) == MIGSTREAM_ELEMENT_CONFIG);
static_assert(NumberOf(Element::kTrigger) == MIGSTREAM_ELEMENT_TRIGGER);
static_assert(NumberOf(Element::kDataStateComplete) ==
              MIGSTREAM_ELEMENT_DATA_STATE_COMPLETE);
static_assert(NumberOf(Element::kData) == MIGSTREAM_ELEMENT_DATA);
static_assert(NumberOf(Element::kEndOfState) == MIGSTREAM_ELEMENT_END_OF_STATE);
static_assert(NumberOf(Element::kInitDataSent) ==
              MIGSTREAM_ELEMENT_INIT_DATA_SENT);
static_assert(NumberOf(Element::kConfigLoadReady) ==
              MIGSTREAM_ELEMENT_CONFIG_LOAD_READY);

constexpr int32_t NumberOf(EventKind kind) {
  return static_cast<int32_t>(kind);
}
static_assert(NumberOf(EventKind::kTag) == MIGSTREAM_EVENT_TAG);
static_assert(NumberOf(EventKind::kData) == MIGSTREAM_EVENT_DATA);
static_assert(NumberOf(EventKind::kConfig) == MIGSTREAM_EVENT_CONFIG);
static_assert(NumberOf(EventKind::kSubsection) == MIGSTREAM_EVENT_SUBSECTION);
static_assert(NumberOf(EventKind::kConfigEnd) == MIGSTREAM_EVENT_CONFIG_END);

constexpr int32_t NumberOf(StreamEvent::Kind kind) {
  return static_cast<int32_t>(kind);
}
static_assert(NumberOf(StreamEvent::kHeader) == MIGSTREAM_STREAM_HEADER);
static_assert(NumberOf(StreamEvent::kConfigurationSubsection) ==
              MIGSTREAM_STREAM_CONFIGURATION_SUBSECTION);
static_assert(NumberOf(StreamEvent::kSection) == MIGSTREAM_STREAM_SECTION);
static_assert(NumberOf(StreamEvent::kDevice) == MIGSTREAM_STREAM_DEVICE);
static_assert(NumberOf(StreamEvent::kContent) == MIGSTREAM_STREAM_CONTENT);
static_assert(NumberOf(StreamEvent::kTakenOver) == MIGSTREAM_STREAM_TAKEN_OVER);
static_assert(NumberOf(StreamEvent::kRamRecord) == MIGSTREAM_STREAM_RAM_RECORD);
static_assert(NumberOf(StreamEvent::kRamBlock) == MIGSTREAM_STREAM_RAM_BLOCK);
static_assert(NumberOf(StreamEvent::kRamBlocks) == MIGSTREAM_STREAM_RAM_BLOCKS);
static_assert(NumberOf(StreamEvent::kSectionEnd) ==
              MIGSTREAM_STREAM_SECTION_END);
static_assert(NumberOf(StreamEvent::kCommand) == MIGSTREAM_STREAM_COMMAND);
static_assert(NumberOf(StreamEvent::kEof) == MIGSTREAM_STREAM_EOF);
static_assert(NumberOf(StreamEvent::kDescription) ==
              MIGSTREAM_STREAM_DESCRIPTION);
static_assert(NumberOf(StreamEvent::kFinding) == MIGSTREAM_STREAM_FINDING);

}  // namespace migstream::c

#endif  // MIGSTREAM_CODEC_C_VALUES_H_
