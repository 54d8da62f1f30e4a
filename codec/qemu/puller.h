// Pulls from a source what an incremental decoder takes, an event at a time.
//
//   Puller puller(source);
//   while (puller.Next(decoder, event) == Pulled::kEvent) {
//     Use(event);
//     puller.Consume();  // Its views are good until now.
//   }

#ifndef MIGSTREAM_CODEC_QEMU_PULLER_H_
#define MIGSTREAM_CODEC_QEMU_PULLER_H_

#include <cstdint>
#include <utility>

#include "codec/io/byte_source.h"
#include "codec/qemu/content_walk.h"
#include "codec/qemu/stream_event.h"
#include "codec/wire/error.h"
#include "codec/wire/step.h"

namespace migstream {

enum class Pulled : uint8_t {
  kEvent,
  kDone,   // As the decoder says, which has
  kError,  // the error.
  // The source has nothing more, now or at all, and the decoder wants more.
  kNothingYet,
  kEnded,
};

class Puller {
 public:
  // The source must outlive it.
  explicit Puller(ByteSource& source) : source_(source) {}

  // `decoder` has Next(input, event) and bytes_needed(); SetEndOfInput() as
  // well, if it looks ahead.
  template <typename Decoder, typename Event>
  Pulled Next(Decoder& decoder, Event& event) {
    while (true) {
      ByteSpan input = source_.Peek(needed_);
      const size_t before = input.size();
      const bool ended = before < needed_;
      if (ended) {
        if (source_.nothing_yet()) return Pulled::kNothingYet;
        if constexpr (requires { decoder.SetEndOfInput(); }) {
          decoder.SetEndOfInput();
        }
      }
      const Step step = decoder.Next(input, event);
      taken_ = before - input.size();
      needed_ = step == Step::kNeedInput ? decoder.bytes_needed() : 1;
      switch (step) {
        case Step::kEvent:
          return Pulled::kEvent;
        case Step::kDone:
          return Pulled::kDone;
        case Step::kError:
          return Pulled::kError;
        case Step::kNeedInput:
          Consume();
          if (ended) return Pulled::kEnded;
      }
    }
  }

  // The source was moved, and the decoder with it.
  void Restart() {
    needed_ = 1;
    taken_ = 0;
  }

  // What the last event has taken.
  void Consume() { source_.Consume(std::exchange(taken_, 0)); }

 private:
  ByteSource& source_;
  size_t needed_ = 1;  // Bytes of input with which the decoder goes on.
  size_t taken_ = 0;
};

// Pulls the content of a section out of a source, up to where `decode`, a step
// of a decoder of content, says kDone. `on_event` says whether the payload that
// is due is to be skipped. The error's section is left open.
template <typename Decode, typename OnEvent>
Error PullContent(ByteSource& source, ContentWalk& walk, Decode decode,
                  OnEvent on_event) {
  struct {
    Step Next(ByteSpan& input, StreamEvent& event) {
      return walk.payload_left != 0 ? walk.Piece(input, event)
                                    : decode(input, walk, event);
    }
    size_t bytes_needed() const { return walk.bytes_needed; }
    void SetEndOfInput() { walk.end_of_input = true; }

    ContentWalk& walk;
    Decode& decode;
  } decoder{walk, decode};
  Puller puller(source);
  StreamEvent event;
  while (true) {
    switch (puller.Next(decoder, event)) {
      case Pulled::kEvent:
        break;
      case Pulled::kDone:
        return {};
      case Pulled::kError:
        return walk.error;
      case Pulled::kNothingYet:
      case Pulled::kEnded:
        return walk.Truncated(source.Peek(1).size());
    }
    const bool skips = on_event(event);
    puller.Consume();
    if (skips) walk.Passed(source.Skip(walk.payload_left));
  }
}

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_QEMU_PULLER_H_
