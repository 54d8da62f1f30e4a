// Two QEMUs compared by their dumps: what the second may not load of what the
// first writes. QEMU's vmstate-static-checker.py finds the same.
//
//   for (const DumpDifference& d : CompareDumps(source, destination)) Say(d);
//
// Names are compared, which a loader does not: where a field has another name,
// or moved into a struct of its own, the bytes may be the same. Renames that
// are known to change nothing are left out.

#ifndef MIGSTREAM_CODEC_DESTINATION_DUMP_COMPARE_H_
#define MIGSTREAM_CODEC_DESTINATION_DUMP_COMPARE_H_

#include <string>
#include <vector>

#include "codec/destination/vmstate_dump.h"

namespace migstream {

struct DumpDifference {
  std::string section;      // "e1000e".
  std::string description;  // Within it: "e1000e/tx"; empty: the section.
  std::string text;         // In the checker's words.
};

// `Section "e1000e" Description "PCIDevice": version error: 3 > 2`.
std::string ToString(const DumpDifference& difference);

// In the order of the source's dump.
std::vector<DumpDifference> CompareDumps(const VmstateDump& source,
                                         const VmstateDump& destination);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_DESTINATION_DUMP_COMPARE_H_
