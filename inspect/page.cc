#include "inspect/page.h"

#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "codec/page/html_page.h"
#include "codec/report/report.pb.h"
#include "codec/report/report_builder.h"
#include "codec/wire/bytes.h"
#include "codec/wire/text.h"
#include "inspect/map.h"
#include "inspect/output_file.h"

namespace migstream {

ExitStatus WritePage(const Arguments& arguments, Inputs& inputs) {
  for (const std::string& file : arguments.files) {
    std::error_code error;
    const std::filesystem::file_status status =
        std::filesystem::status(file, error);
    if (file == "-" || std::filesystem::is_fifo(status) ||
        std::filesystem::is_character_file(status)) {
      PrintError(StrCat(file,
                        ": --html reads its input twice: it takes files "
                        "alone"));
      return kUnusable;
    }
    if (std::filesystem::equivalent(file, arguments.html, error)) {
      PrintError(StrCat(file, ": is an input, and --html would replace it"));
      return kUnusable;
    }
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
  inputs = OpenInputs(arguments);
  if (!inputs.main) return kUnusable;
  report::Report report;
  Error error = ReadReport(arguments, inputs, {}, report);
  if (IsUnusable(error)) {
    PrintError(ErrorLine(inputs.file, error));
    return kUnusable;
  }
  output.Write(AsBytes(HtmlPage(report, files)));
  if (!IsFine(output.Commit())) return kUnusable;
  return HasFindings(report) ? kFindings : kFine;
}

}  // namespace migstream
