// For a test and for findings_doc, which prints it: codec/FINDINGS.md, made
// from the table.

#ifndef MIGSTREAM_CODEC_REPORT_FINDINGS_DOC_H_
#define MIGSTREAM_CODEC_REPORT_FINDINGS_DOC_H_

#include <string>

#include "codec/report/finding_ids.h"
#include "codec/wire/text.h"

namespace migstream {

inline std::string FindingsDoc() {
  std::string text =
      "# Findings\n"
      "\n"
      "What `migstream check` can report; `migstream check --list` prints the "
      "same table. The ids do not\n"
      "change between versions of the program. [FORMAT.md](FORMAT.md) "
      "specifies "
      "the wire,\n"
      "[LOADERS.md](LOADERS.md) says how QEMU's loaders answer.\n"
      "\n"
      "| severity | meaning | exit status |\n"
      "|---|---|---|\n"
      "| note | worth knowing; the stream loads all the same | 0 |\n"
      "| warning | the stream loads, but no release writes it like this, or "
      "something may be lost | 1 |\n"
      "| error | a loader refuses the stream, or the stream is incomplete | 1 "
      "|\n"
      "\n"
      "This page is made from "
      "[report/finding_ids.cc](report/finding_ids.cc). After a change there:\n"
      "\n"
      "    bazel run //codec/report:findings_doc > codec/FINDINGS.md\n"
      "\n"
      "| id | severity | meaning | what to do |\n"
      "|---|---|---|---|\n";
  for (const FindingKind& kind : AllFindings()) {
    if (!kind.kernel.empty()) continue;
    StrAppend(&text, "| `", kind.id, "` | ", SeverityText(kind), " | ",
              kind.meaning, " | ", kind.advice, " |\n");
  }
  text +=
      "\n"
      "## Inside a payload\n"
      "\n"
      "What a device's driver put inside DATA can be wrong where nothing in "
      "the "
      "stream is. These are held\n"
      "against its rules ([payload/PAYLOADS.md](payload/PAYLOADS.md)); QEMU "
      "looks at none of it. Offsets are the\n"
      "stream's, and behind the device's name stands that in its payload.\n"
      "\n"
      "| id | severity | meaning | the destination's kernel | what to do |\n"
      "|---|---|---|---|---|\n";
  for (const FindingKind& kind : AllFindings()) {
    if (kind.kernel.empty()) continue;
    StrAppend(&text, "| `", kind.id, "` | ", SeverityText(kind), " | ",
              kind.meaning, " | ", kind.kernel, " | ", kind.advice, " |\n");
  }
  return text;
}

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_REPORT_FINDINGS_DOC_H_
