// Finds the entries of a VMDESCRIPTION's devices in its JSON, and where in it
// the numbers stand that a change of a device's size would change.
// FORMAT.md section 7.4.

#ifndef MIGSTREAM_CODEC_QEMU_DESCRIBED_ENTRIES_H_
#define MIGSTREAM_CODEC_QEMU_DESCRIBED_ENTRIES_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace migstream {

// Bytes of the JSON, from `begin` up to `end`.
struct JsonSpan {
  size_t begin = 0;
  size_t end = 0;
};

// An entry of "devices".
struct DescribedEntry {
  std::string name;
  uint32_t instance_id = 0;
  JsonSpan object;
  // In the entry itself, and in its fields: "size" as often as it stands there.
  std::vector<JsonSpan> sizes;
  std::optional<uint64_t> size;  // Its own, the last.
  uint64_t field_bytes = 0;      // All fields together.
  size_t fields = 0;
  // Why its sizes cannot be exchanged: "has a size that is no whole number";
  // empty if they can. `unknown`: nor does bytes() say what they are.
  std::string problem;
  bool unknown = false;

  // The content's length, as a reader would take it.
  uint64_t bytes() const { return size.value_or(0) ? *size : field_bytes; }
};

struct DescribedEntries {
  std::vector<DescribedEntry> entries;
  size_t arrays = 0;  // How often there is "devices".
  size_t end = 0;     // Of the last one's ']'.
};

// InvalidArgument: what is wrong with the JSON.
absl::StatusOr<DescribedEntries> FindDescribedEntries(std::string_view json);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_QEMU_DESCRIBED_ENTRIES_H_
