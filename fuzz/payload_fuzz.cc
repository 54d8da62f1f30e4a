// A payload of any driver's format, any bytes: however the input is cut, the
// walk is the same, and the same as a second reader's; the events' views
// rebuild the bytes; and the report on it is bounded, speaks of bytes that
// there are, and does not depend on the cut either.

#include <algorithm>

#include "codec/payload/formats.h"
#include "codec/payload/others.h"
#include "codec/payload/payload_trace.h"
#include "codec/payload/payload_verdict.h"
#include "codec/payload/report_lines.h"
#include "codec/payload/slow_reader.h"
#include "fuzz/fuzzing.h"

using namespace migstream;  // NOLINT: this file is a program.

namespace {

void CheckWalk(const payload::Format& format, bool legacy, ByteSpan bytes,
               uint64_t split, uint32_t seed) {
  const payload::Level& root = legacy ? *format.legacy_root : *format.root;
  PayloadTrace whole = TracePayload(root, bytes, bytes.size() + 1, 0, split);
  REQUIRE(AsText(bytes.first(whole.offset)) == whole.rebuilt);
  REQUIRE(whole.steps <= 3 * bytes.size() + 4);
  for (size_t longest : {size_t{1}, size_t{30}, size_t{600}}) {
    PayloadTrace cut = TracePayload(root, bytes, longest, seed, split);
    REQUIRE(cut.lines == whole.lines);
    REQUIRE(cut.error_text == whole.error_text);
    REQUIRE(cut.rebuilt == whole.rebuilt);
  }
  // SPDK's header has no second description.
  if (format.driver == payload::Driver::kSpdkNvme) return;
  REQUIRE(whole.lines == ReadSlowly(format.driver, legacy, bytes));
}

void CheckReport(const payload::Format& format, ByteSpan bytes, uint64_t split,
                 uint8_t choice) {
  std::optional<PciId> id;
  if (!format.ids.empty()) id = {format.ids[0].vendor, format.ids[0].device};
  PayloadReport report = TallyInPieces(bytes, id, split, bytes.size() + 1);
  REQUIRE(report.findings.size() <= PayloadFindings::kMaxFindings);
  REQUIRE(report.records.size() <= bytes.size() + 1);
  for (const PayloadRecord& record : report.records) {
    REQUIRE(record.offset + record.header_bytes <= bytes.size());
    REQUIRE(record.there <= bytes.size());
    REQUIRE(record.cut || record.there == record.bytes ||
            report.unread_from.has_value());
  }
  for (const PayloadValue& value : report.values) {
    REQUIRE(value.offset + value.bytes <= bytes.size());
  }
  for (const PayloadFinding& finding : report.findings) {
    REQUIRE(finding.offset <= bytes.size());
    REQUIRE(!finding.text.empty());
  }
  for (KernelRelease release : {KernelRelease{5, 4}, KernelRelease{6, 2},
                                KernelRelease{6, 12}, kNewestKernel}) {
    REQUIRE(!Judge(report, release).text.empty());
  }
  PayloadReport cut = TallyInPieces(bytes, id, split, 1 + choice);
  REQUIRE(ReportLines(cut) == ReportLines(report));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzInput input(data, size);
  uint8_t choice = input.Choice();
  uint64_t split = input.Choice();
  uint8_t seed = input.Choice();
  size_t index = choice % (AllFormats().size() + 1);
  const payload::Format& format =
      index < AllFormats().size() ? *AllFormats()[index] : kOpaqueFormat;
  bool legacy = choice >= 0x80 && format.legacy_root;
  CheckWalk(format, legacy, input.Rest(), split, seed);
  CheckReport(format, input.Rest(), split, seed);
  return 0;
}
