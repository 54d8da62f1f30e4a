// How a damaged stream is read behind its damage; codec/recover/ finds it out.
// FORMAT.md section 8.

#ifndef MIGSTREAM_CODEC_QEMU_RECOVERY_PLAN_H_
#define MIGSTREAM_CODEC_QEMU_RECOVERY_PLAN_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "codec/wire/error.h"

namespace migstream {

// Bytes that are not read.
struct StreamGap {
  uint64_t from = 0;  // Offsets from the stream's first byte on, as always.
  uint64_t to = 0;    // A section begins here, or it is the input's end.
  bool last = false;  // Nothing behind it can be read.
  Error error;        // Why.
};

struct RecoveryPlan {
  // In the order of the stream; none where it is sound.
  std::vector<StreamGap> gaps;

  // Sections whose START is lost or names another device, by their FULLs.
  struct Name {
    uint32_t id = 0;
    std::string idstr;
    uint32_t instance_id = 0;
    uint32_t version_id = 0;
  };
  std::vector<Name> names;
  // Whether sections have footers, if their headers show it.
  std::optional<bool> footers;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_QEMU_RECOVERY_PLAN_H_
