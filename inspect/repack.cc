#include "absl/strings/str_cat.h"
#include "codec/qemu/stream_writer.h"
#include "inspect/inputs.h"
#include "inspect/output_file.h"
#include "inspect/progress.h"
#include "inspect/verb.h"

namespace migstream {
namespace {

ExitStatus Run(const Arguments& arguments) {
  std::unique_ptr<ByteSource> source = OpenInput(arguments.files[0]);
  if (!source) return kUnusable;
  OutputFile output;
  if (absl::Status status = output.Open(arguments.output, arguments.force);
      !status.ok()) {
    Complain(status.message());
    return kUnusable;
  }
  ReaderOptions options;
  options.dialect = arguments.dialect;
  Error error;
  {
    Progress progress(*source, arguments.quiet);
    error = Repack(*source, output, options, nullptr);
  }
  if (!error.ok()) Complain(ErrorLine(arguments.files[0], error));
  if (IsUnusable(error)) return kUnusable;
  // What is cut short is copied up to the cut; what is wrong is not copied.
  if (!error.ok() && error.code != ErrorCode::kTruncated) return kFindings;
  if (absl::Status status = output.Commit(); !status.ok()) {
    Complain(status.message());
    return kUnusable;
  }
  return error.ok() ? kFine : kFindings;
}

const Option kOptions[] = {kOutputOption, kForceOption};

}  // namespace

const Verb kRepackVerb = {
    "repack", "FILE", "decode a stream and encode it again", 1, kOptions, Run};

}  // namespace migstream
