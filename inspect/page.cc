#include "inspect/page.h"

#include <algorithm>
#include <string>
#include <vector>

#include "codec/page/html_page.h"
#include "codec/report/report_builder.h"
#include "codec/wire/bytes.h"
#include "codec/wire/text.h"
#include "inspect/map.h"
#include "inspect/output_file.h"

namespace migstream {

ExitStatus WritePage(const Arguments& arguments, Inputs& inputs) {
  if (std::count(arguments.files.begin(), arguments.files.end(), "-") != 0) {
    PrintError("--html reads its input twice: it takes files alone");
    return kUnusable;
  }
  OutputFile output;
  if (!IsFine(output.Open(arguments.html, arguments.force,
                          ModeOf(arguments.files)))) {
    return kUnusable;
  }
  // The map is made first; what is wrong then is among the findings.
  const size_t rows = PageRows(arguments.files.size());
  std::vector<PageFile> files;
  const ExitStatus mapped = MapInputs(
      arguments, inputs,
      [&](const std::string& name) {
        files.push_back({name, FoldedMap(rows)});
      },
      [&](const MapRange& range) { files.back().map.Add(range); });
  if (mapped == kUnusable) return mapped;
  for (PageFile& file : files) file.map.Fold();
  Inputs again = OpenInputs(arguments);
  if (!again.main) return kUnusable;
  report::Report report;
  Error error = ReadReport(arguments, again, {}, report);
  if (IsUnusable(error)) {
    PrintError(ErrorLine(inputs.file, error));
    return kUnusable;
  }
  output.Write(AsBytes(HtmlPage(report, files)));
  if (!IsFine(output.Commit())) return kUnusable;
  return HasFindings(report) ? kFindings : kFine;
}

}  // namespace migstream
