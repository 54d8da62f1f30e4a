// Lines that QEMU, libvirt and the kernel log about migration, as rows: how
// each begins, what it means, who says it since when, and what to do.

#ifndef MIGSTREAM_CODEC_EXPLAIN_KNOWN_LINE_H_
#define MIGSTREAM_CODEC_EXPLAIN_KNOWN_LINE_H_

#include <span>
#include <string_view>

namespace migstream {

struct KnownLine {
  // It may stand anywhere in a line; each * is any text, also none.
  std::string_view pattern;
  std::string_view meaning;
  // "QEMU 8.1"; "QEMU up to 10.3"; without a release: every one that is known.
  std::string_view who;
  std::string_view advice;
};

// By what somebody would look for: the stream, VFIO devices, the destination's
// other devices, channels and network; libvirt; the kernel.
std::span<const KnownLine> StreamLines();
std::span<const KnownLine> VfioLines();
std::span<const KnownLine> HostLines();

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_EXPLAIN_KNOWN_LINE_H_
