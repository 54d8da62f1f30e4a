// The outcomes of one step of an incremental decoder, and of one call of an
// encoder. FORMAT.md section 15.

#ifndef MIGSTREAM_CODEC_WIRE_STEP_H_
#define MIGSTREAM_CODEC_WIRE_STEP_H_

#include <cstdint>

namespace migstream {

enum class Step : uint8_t {
  kEvent,      // Something was found, and its bytes were taken from the input.
  kNeedInput,  // What is left of the input has to come again, with more.
  kDone,       // It has ended; the input begins with what follows.
  kError,      // It is damaged. This is final.
};

enum class Put : uint8_t {
  kDone,
  kFull,   // It does not fit into what is left of the buffers; nothing changed.
  kError,  // It may not stand here. This is final.
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_WIRE_STEP_H_
