// The event that the end of a stream's input brings to light: what gives events
// has taken it from what was left, and keeps it until it is asked for the next.

#ifndef MIGSTREAM_CODEC_C_END_EVENT_H_
#define MIGSTREAM_CODEC_C_END_EVENT_H_

#include <cstddef>
#include <optional>

#include "codec/c/migstream.h"
#include "codec/qemu/stream_decoder.h"
#include "codec/wire/bytes.h"
#include "codec/wire/error.h"
#include "codec/wire/step.h"

namespace migstream::c {

// `From` is the decoder, or a session that has it.
class EndEvent {
 public:
  // migstream_at_end_of_input(); ERROR with `*error`.
  template <typename From, typename Event>
  migstream_status Find(From& from, StreamDecoder& decoder, ByteSpan left,
                        Event& event, Error* error) {
    if (pending_) return MIGSTREAM_EVENT;
    decoder.SetEndOfInput();
    ByteSpan rest = left;
    const Step step = from.Next(rest, event);
    left_ = left;
    taken_ = left.size() - rest.size();
    switch (step) {
      case Step::kEvent:
        pending_ = has_event_ = true;
        return MIGSTREAM_EVENT;
      case Step::kDone:
        return MIGSTREAM_OK;
      case Step::kError:
        *error = from.error();
        return MIGSTREAM_ERROR;
      case Step::kNeedInput:
        break;
    }
    std::optional<Error> end = decoder.AtEndOfInput(rest);
    pending_ = !end;
    if (pending_) return MIGSTREAM_EVENT;
    if (end->ok()) return MIGSTREAM_OK;
    *error = std::move(*end);
    return MIGSTREAM_ERROR;
  }

  // Whether `input` is what was left then: the event views it.
  bool MayBeGiven(ByteSpan input) const {
    return !pending_ || left_.empty() ||
           (input.data() == left_.data() && input.size() >= taken_);
  }

  // The next event, that one before all others. MayBeGiven(input) holds.
  template <typename From, typename Event>
  Step Next(From& from, ByteSpan& input, Event& event) {
    if (!pending_) [[likely]]
      return from.Next(input, event);
    input = input.subspan(taken_);
    pending_ = false;
    if (!has_event_) return from.Next(input, event);
    has_event_ = false;
    return Step::kEvent;
  }

 private:
  bool pending_ = false;
  bool has_event_ = false;  // It was found, and takes the last of `taken_`.
  ByteSpan left_;
  size_t taken_ = 0;
};

}  // namespace migstream::c

#endif  // MIGSTREAM_CODEC_C_END_EVENT_H_
