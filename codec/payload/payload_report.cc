#include "codec/payload/payload_report.h"

#include <algorithm>

#include "codec/wire/text.h"

namespace migstream {

std::optional<PayloadPlace> FindPlace(const PayloadReport& report,
                                      uint64_t offset) {
  auto after = std::upper_bound(
      report.runs.begin(), report.runs.end(), offset,
      [](uint64_t at, const PayloadRun& run) { return at < run.at; });
  if (after == report.runs.begin() || offset > report.runs_end) {
    return std::nullopt;
  }
  const PayloadRun& run = *std::prev(after);
  return PayloadPlace{run.place.stream_offset + (offset - run.at),
                      run.place.channel};
}

std::string PayloadPath(const PayloadReport& report, size_t record) {
  const PayloadRecord& at = report.records[record];
  std::string path = at.name;
  int depth = at.depth;
  for (size_t i = record; depth > 0 && i-- > 0;) {
    if (report.records[i].depth >= depth) continue;
    path = StrCat(report.records[i].name, "/", path);
    depth = report.records[i].depth;
  }
  return path;
}

std::string PayloadAlso(const PayloadReport& report) {
  std::string also(report.format->generations[report.generation].also);
  for (const PayloadFact& fact : report.facts) {
    if (fact.name == "ports") StrAppend(&also, ", ", fact.value);
  }
  return also;
}

std::string PayloadNeeds(const PayloadReport& report) {
  const payload::Generation& generation =
      report.format->generations[report.generation];
  std::string text = StrCat("needs ", generation.needs, " on the destination");
  // The device may be younger than its driver.
  if (report.pci && report.pci->since > KernelRelease()) {
    StrAppend(&text, " (for ", ToString(*report.id),
              " >= ", ToString(report.pci->since), ")");
  }
  std::string also = PayloadAlso(report);
  if (!also.empty()) StrAppend(&text, "; ", also);
  return text;
}

}  // namespace migstream
