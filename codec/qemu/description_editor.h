// Keeps a VMDESCRIPTION true when the FULL sections of VFIO devices have
// changed: their sizes, entries of devices that are gone, and of such as have a
// FULL only now. Every other byte of the JSON stays. FORMAT.md section 7.

#ifndef MIGSTREAM_CODEC_QEMU_DESCRIPTION_EDITOR_H_
#define MIGSTREAM_CODEC_QEMU_DESCRIPTION_EDITOR_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace migstream {

// A FULL section of a VFIO device, as it was written.
struct WrittenFull {
  std::string idstr;
  uint32_t instance_id = 0;
  uint64_t content_bytes = 0;
};

// `fulls` are all that there are, in the order of the stream; entries of other
// VFIO devices are removed. JSON of which nothing has to change is given back
// as it is. An error says what is wrong with the JSON (InvalidArgument), or why
// no JSON of its shape can be made true (FailedPrecondition): an entry whose
// sizes are no plain numbers, two FULLs that one entry would describe.
absl::StatusOr<std::string> EditDescription(
    std::string_view json, const std::vector<WrittenFull>& fulls);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_QEMU_DESCRIPTION_EDITOR_H_
