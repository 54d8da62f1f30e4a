// A stream held against what a destination's QEMU says that it can load.
//
//   auto description = ParseDescription(json, {.keep_fields = true});
//   DumpVerdict verdict = CheckAgainstDump(*description, dump);
//   for (const DumpRefusal& refusal : verdict.refusals) Say(refusal);
//
// Versions and subsections are what a loader itself compares. A number of
// another size is what it would stumble over later. What a device does with its
// values, and whether the destination's machine has the device at all, is in no
// dump.

#ifndef MIGSTREAM_CODEC_DESTINATION_STREAM_CHECK_H_
#define MIGSTREAM_CODEC_DESTINATION_STREAM_CHECK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "codec/destination/vmstate_dump.h"
#include "codec/qemu/vm_description.h"

namespace migstream {

struct DumpRefusal {
  std::string section;  // The section's idstr.
  std::string message;  // In QEMU's words, where it has some.
};

struct DumpVerdict {
  std::vector<DumpRefusal> refusals;  // In the order of the sections.
  // Sections that the dump says nothing of.
  std::vector<std::string> unknown;
  size_t compared = 0;  // The others.
};

// `stream` has its fields.
DumpVerdict CheckAgainstDump(const VmDescription& stream,
                             const VmstateDump& dump);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_DESTINATION_STREAM_CHECK_H_
