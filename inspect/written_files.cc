#include "inspect/written_files.h"

#include <sys/stat.h>

#include "codec/report/answers.pb.h"
#include "codec/wire/printable.h"
#include "inspect/json_output.h"

namespace migstream {
namespace {

bool WantsAnswer(const Arguments& arguments) {
  return arguments.format.starts_with("json") ||
         arguments.format == "textproto";
}

}  // namespace

ExitStatus SayWritten(const Arguments& arguments,
                      std::span<OutputFile* const> files, ExitStatus status) {
  if (!WantsAnswer(arguments)) return status;
  report::Written written;
  for (const OutputFile* file : files) {
    report::WrittenFile& row = *written.add_files();
    row.set_file(Printable(file->name()));
    struct stat info;
    if (stat(file->name().c_str(), &info) == 0 && S_ISREG(info.st_mode)) {
      row.set_bytes(static_cast<uint64_t>(info.st_size));
    }
  }
  if (status != kFine) *written.mutable_error() = TakeFailure().error();
  return PrintMessage(written, "written", arguments.format, status);
}

std::string NoPlaceForAnswer(const Arguments& arguments) {
  return arguments.output == "-" && WantsAnswer(arguments)
             ? "standard output takes OUT, or what was written of it"
             : "";
}

}  // namespace migstream
