#include "absl/strings/str_cat.h"
#include "codec/qemu/payload_extractor.h"
#include "codec/qemu/stream_reader.h"
#include "inspect/output_file.h"
#include "inspect/progress.h"
#include "inspect/verb.h"

namespace migstream {

ExitStatus RunExtract(const Arguments& arguments) {
  std::unique_ptr<ByteSource> source = OpenInput(arguments);
  if (!source) return kUnusable;
  OutputFile output;
  if (absl::Status status = output.Open(arguments.output, arguments.force);
      !status.ok()) {
    Complain(status.message());
    return kUnusable;
  }
  PayloadExtractor extractor(output, arguments.device,
                             arguments.what == "config"
                                 ? PayloadExtractor::kConfig
                                 : PayloadExtractor::kPayload);
  ReaderOptions options;
  options.dialect = arguments.dialect;
  StreamReader reader(*source, extractor, options);
  Error error;
  {
    Progress progress(*source, arguments.quiet);
    error = reader.Read();
  }
  if (error.ok()) error = extractor.Verdict();
  if (!error.ok()) {
    Complain(ErrorLine(arguments.files[0], error));
    return IsUnusable(error) || error.code == ErrorCode::kUnknownSection
               ? kUnusable
               : kFindings;
  }
  if (absl::Status status = output.Commit(); !status.ok()) {
    Complain(status.message());
    return kUnusable;
  }
  return kFine;
}

}  // namespace migstream
