#include "inspect/console.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iostream>
#include <string_view>

#include "codec/io/absl_view.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "inspect/terminal.h"

namespace migstream {

void PrintError(std::string_view message) {
  std::cerr << WrappedLines(StrCat("migstream: ", Printable(message)),
                            LineColumns(STDERR_FILENO))
            << "\n";
}

bool IsFine(const absl::Status& status) {
  if (!status.ok()) PrintError(StdView(status.message()));
  return status.ok();
}

std::string ChannelsHint(bool channels_given) {
  return channels_given ? "" : "; multifd channels have files of their own";
}

bool IsUnusable(const Error& error) {
  return error.code == ErrorCode::kNotAStream ||
         error.code == ErrorCode::kUnknownVersion ||
         error.code == ErrorCode::kReadFailed ||
         error.code == ErrorCode::kBadOptions;
}

ExitStatus Print(std::string_view text, ExitStatus status) {
  while (!text.empty()) {
    ssize_t wrote = write(STDOUT_FILENO, text.data(), text.size());
    if (wrote >= 0) {
      text.remove_prefix(wrote);
    } else if (errno == EPIPE) {
      return status;  // Whoever read it has seen enough.
    } else if (errno != EINTR) {
      PrintError(StrCat("standard output: ", std::strerror(errno)));
      return kUnusable;
    }
  }
  return status;
}

}  // namespace migstream
