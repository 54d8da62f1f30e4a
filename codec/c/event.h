// A device's event as the C interface gives it, and what an encoder takes of
// it: for sections alone and for those of a stream.

#ifndef MIGSTREAM_CODEC_C_EVENT_H_
#define MIGSTREAM_CODEC_C_EVENT_H_

#include <cstdint>
#include <vector>

#include "codec/c/handle.h"
#include "codec/c/migstream.h"
#include "codec/device/config_layout.h"
#include "codec/device/config_view.h"
#include "codec/device/event.h"
#include "codec/device/section_decoder.h"
#include "codec/device/section_encoder.h"
#include "codec/device/subsection.h"

namespace migstream::c {

// Lives in the decoder's handle, beside the event that the decoder fills in.
class EventOut {
 public:
  explicit EventOut(const Event& event) : from_(event) {
    event_.struct_size = sizeof event_;
    event_.internal = &event;
  }

  // What the event is now. Records are what there is most of: only what they
  // have is set for them, and what others left is taken away once.
  const migstream_event* Give() {
    const Event& event = from_;
    event_.kind = static_cast<int32_t>(event.kind);
    event_.element = static_cast<int32_t>(event.element);
    event_.offset = event.offset;
    event_.payload = event.payload.data();
    event_.payload_bytes = event.payload.size();
    event_.record_bytes = event.record_bytes;
    event_.record_offset = event.record_offset;
    event_.starts_record = event.starts_record ? 1 : 0;
    if (event.kind != EventKind::kData || more_) [[unlikely]]
      GiveMore(event.kind);
    return &event_;
  }

  // The same of a whole record, which the decoder's event does not have.
  const migstream_event* GiveRecord(uint64_t offset, ByteSpan payload) {
    event_.kind = MIGSTREAM_EVENT_DATA;
    event_.offset = offset;
    event_.payload = payload.data();
    event_.payload_bytes = payload.size();
    event_.record_bytes = payload.size();
    event_.record_offset = 0;
    event_.starts_record = 1;
    if (more_) [[unlikely]]
      GiveMore(EventKind::kData);
    return &event_;
  }

 private:
  void GiveMore(EventKind kind);

  const Event& from_;
  bool more_ = false;  // Name, version or config are not empty.
  migstream_event event_ = {};
  migstream_config config_ = {};
};

migstream_status HintsOf(const migstream_config_hints* given,
                         ConfigHints* hints);
migstream_status OptionsOf(const migstream_section_options& given,
                           DecoderOptions* options);

migstream_config ConfigOf(const ConfigView& view);
// What a caller filled in; null: all zero.
migstream_status ConfigViewOf(const migstream_config* config, ConfigView* view);
// Its subsections, likewise; false if a pointer lacks.
bool SubsectionsOf(const migstream_config& config,
                   std::vector<SubsectionView>* subsections);

// One call of an encoder. `put` is what it said, if the status is OK.
migstream_status PutEvent(SectionEncoder& encoder, const migstream_event* event,
                          Put* put);
migstream_status PutTag(SectionEncoder& encoder, int32_t element, Put* put);
inline migstream_status PutData(SectionEncoder& encoder, const void* payload,
                                size_t bytes, Put* put) {
  if (!IsBytes(payload, bytes)) return MIGSTREAM_BAD_ARGUMENT;
  *put = encoder.Data(Bytes(payload, bytes));
  return MIGSTREAM_OK;
}
migstream_status PutDataHeader(SectionEncoder& encoder, uint64_t record_bytes,
                               Put* put);
migstream_status PutPayload(SectionEncoder& encoder, const void* payload,
                            size_t bytes, Put* put);
migstream_status PutTakenOver(SectionEncoder& encoder, uint64_t bytes,
                              Put* put);
migstream_status PutConfig(SectionEncoder& encoder,
                           const migstream_config* config, Put* put);
migstream_status PutSubsection(SectionEncoder& encoder, const char* name,
                               uint32_t version, const void* payload,
                               size_t bytes, Put* put);
migstream_status PutConfigEnd(SectionEncoder& encoder, Put* put);

}  // namespace migstream::c

#endif  // MIGSTREAM_CODEC_C_EVENT_H_
