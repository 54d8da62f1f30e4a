// An event of a stream as the C interface gives it.

#ifndef MIGSTREAM_CODEC_C_STREAM_EVENT_H_
#define MIGSTREAM_CODEC_C_STREAM_EVENT_H_

#include "codec/c/event.h"
#include "codec/c/migstream.h"
#include "codec/qemu/stream_decoder.h"
#include "codec/qemu/stream_event.h"
#include "codec/wire/bytes.h"

namespace migstream::c {

migstream_section SectionOf(const SectionView& view);

// How long a section's content is, as the caller's function says.
using LengthFunction = int32_t (*)(void* context,
                                   const migstream_section* section,
                                   const void* input, size_t input_bytes,
                                   uint64_t* bytes);
ContentLength AskLength(LengthFunction ask, void* context,
                        const SectionView& view, ByteSpan input);

// Lives in the decoder's handle, beside the event that the decoder fills in.
class StreamEventOut {
 public:
  explicit StreamEventOut(const StreamEvent& event)
      : from_(event), device_(event.device) {}

  // What the event is now.
  const migstream_stream_event* Give();

 private:
  void GiveRam(const StreamEvent& event);

  const StreamEvent& from_;
  migstream_stream_event event_ = {};
  migstream_section section_ = {};
  EventOut device_;
};

}  // namespace migstream::c

#endif  // MIGSTREAM_CODEC_C_STREAM_EVENT_H_
