// How a migration ended, for one of its two sides.
//
// A virtual machine must run in one place. The source may resume by itself as
// long as it has not written EOF, or when the destination has said that it
// failed; the destination may run once all is loaded and judged. In between
// lies what the source cannot know: it says kUnknown, and somebody who can ask
// the destination decides. The point where the connection is cut, and what each
// side says then:
//
//   cut                                source       destination
//   before or in the STARTs            aborted      aborted
//   in a PART, between PARTs           aborted      aborted
//   before or in the switchover        aborted      aborted
//   in an END, between ENDs            aborted      aborted
//   in a channel's packet              aborted      aborted
//   in a FULL, between FULLs           aborted      aborted
//   before EOF was written             aborted      aborted
//   EOF was written, and did not come  unknown      aborted
//   EOF came, a driver rejects it      unknown (1)  aborted
//   EOF came, SHUT was not written     unknown      completed
//   SHUT 0 was written, did not come   unknown      completed
//   SHUT 0 came                        completed (2)  completed
//
// (1) aborted, once SHUT 1 has come. (2) Over one channel. With multifd it is
// unknown unless the caller trusts it: QEMU's destination, 10.0 to 11.1, says
// SHUT 0 although a device's config was refused.

#ifndef MIGSTREAM_CODEC_SESSION_OUTCOME_H_
#define MIGSTREAM_CODEC_SESSION_OUTCOME_H_

#include <string>
#include <vector>

#include "codec/session/device_control.h"
#include "codec/wire/error.h"

namespace migstream {

struct Outcome {
  enum Kind : uint8_t {
    kCompleted,  // The guest runs, or will run, at the destination.
    kAborted,    // It does not run there; at the source it may.
    kUnknown,    // It may: nobody may run it at the source by himself.
  };
  Kind kind = kAborted;
  Error error = {};  // Why, unless kCompleted.
  std::vector<DeviceReport> devices = {};
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_SESSION_OUTCOME_H_
