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

std::vector<std::string> PayloadPaths(const PayloadReport& report) {
  std::vector<std::string> paths, lists;
  for (const PayloadRecord& record : report.records) {
    lists.resize(std::min<size_t>(lists.size(), record.depth));
    lists.push_back(lists.empty() ? record.name
                                  : StrCat(lists.back(), "/", record.name));
    paths.push_back(lists.back());
  }
  return paths;
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
