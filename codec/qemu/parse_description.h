// Makes a VmDescription of the VMDESCRIPTION's JSON. FORMAT.md section 7.
//
//   auto description = ParseDescription(json, {.keep_fields = true});
//   if (!description.ok()) return description.status();

#ifndef MIGSTREAM_CODEC_QEMU_PARSE_DESCRIPTION_H_
#define MIGSTREAM_CODEC_QEMU_PARSE_DESCRIPTION_H_

#include <cstddef>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "codec/qemu/vm_description.h"

namespace migstream {

struct DescriptionOptions {
  // Objects and arrays, and how deep they may be.
  size_t max_objects = 1 << 20;
  size_t max_depth = 256;
  // Bytes of a field's name or type.
  size_t max_name_bytes = 1024;
  // Without it the fields only count for the devices' sizes.
  bool keep_fields = false;
};

// RESOURCE_EXHAUSTED if it is beyond the options, INVALID_ARGUMENT if the JSON
// has errors or a length in it is beyond any measure.
absl::StatusOr<VmDescription> ParseDescription(
    std::string json, const DescriptionOptions& options = {});

// The same of JSON with kNulsBehindJson NULs behind it, which is parsed where
// it stands and destroyed.
constexpr size_t kNulsBehindJson = 4;
absl::StatusOr<VmDescription> ParseDescriptionInPlace(
    std::span<char> json_and_nuls, const DescriptionOptions& options = {});

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_QEMU_PARSE_DESCRIPTION_H_
