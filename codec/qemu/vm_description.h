// The VMDESCRIPTION at the end of a stream: it alone says how long the FULL
// sections are. FORMAT.md section 7.

#ifndef MIGSTREAM_CODEC_QEMU_VM_DESCRIPTION_H_
#define MIGSTREAM_CODEC_QEMU_VM_DESCRIPTION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "codec/wire/bytes.h"
#include "flags/dialect.h"

namespace migstream {

struct DescribedDevice {
  std::string name;  // The section's idstr.
  uint32_t instance_id = 0;
  uint64_t bytes = 0;  // Of the FULL section's content.
};

class VmDescription {
 public:
  // The JSON has errors, or a length in it is beyond any measure.
  // `max_objects` bounds the memory that it takes to find out.
  static absl::StatusOr<VmDescription> Parse(absl::string_view json,
                                             size_t max_objects = 1 << 18);

  // Null if it names no such section.
  const DescribedDevice* Find(absl::string_view name,
                              uint32_t instance_id) const;

  // In the order of the FULL sections.
  std::vector<DescribedDevice> devices;
  uint64_t page_bytes = 0;
  bool has_configuration = false;  // Later than 7.2.
  // The oldest release that knows a field type that occurs; 0 if all do.
  Release not_before = 0;

 private:
  absl::flat_hash_map<std::pair<std::string, uint32_t>, size_t> index_;
};

// Where the VMDESCRIPTION's JSON begins in the last bytes of a stream; nothing
// if there is none, or it begins before `tail`. Found from the end: the JSON
// holds no NUL, and its length before it holds one.
struct FoundDescription {
  bool found = false;
  size_t json_at = 0;  // In `tail`; the section's byte is 5 before it.
  // More of the stream's end has to be looked at.
  bool longer_tail_needed = false;
};
FoundDescription FindDescription(ByteSpan tail);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_QEMU_VM_DESCRIPTION_H_
