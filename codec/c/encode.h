// One call of an encoder whose errors alone allocate.

#ifndef MIGSTREAM_CODEC_C_ENCODE_H_
#define MIGSTREAM_CODEC_C_ENCODE_H_

#include "codec/c/handle.h"
#include "codec/c/migstream.h"
#include "codec/wire/step.h"

namespace migstream::c {

// `run` gives a status and, if that is OK, what the encoder said. A handle's
// FailEncoder() keeps why it failed.
template <typename T, typename Run>
migstream_status EncodeWith(T* handle, Run run) {
  return Call(handle, [&]() -> migstream_status {
    Put put = Put::kError;
    if (handle->encoder.ok()) {
      const migstream_status status = run(handle->encoder, &put);
      if (status != MIGSTREAM_OK || put == Put::kDone) return status;
    }
    return put == Put::kFull ? migstream_status{MIGSTREAM_FULL}
                             : handle->FailEncoder();
  });
}

}  // namespace migstream::c

#endif  // MIGSTREAM_CODEC_C_ENCODE_H_
