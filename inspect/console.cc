#include "inspect/console.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iostream>
#include <string_view>

#include "codec/report/answers.pb.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "inspect/terminal.h"

namespace migstream {

namespace {

// What is kept of what was said.
constexpr int kMostMessages = 16;

report::Failure& Said() {
  static auto* said = new report::Failure;
  return *said;
}

bool& Printed() {
  static bool printed = false;
  return printed;
}

void Keep(const report::ErrorPlace& place) {
  report::ErrorPlace& error = *Said().mutable_error();
  report::ErrorPlace now = place;
  *now.mutable_also() = error.also();
  if (!error.message().empty() && now.also_size() < kMostMessages) {
    now.add_also(error.message());
  }
  error = now;
}

}  // namespace

void PrintError(std::string_view message) {
  report::ErrorPlace place;
  place.set_message(Printable(message));
  Keep(place);
  std::cerr << WrappedLines(StrCat("migstream: ", Printable(message)),
                            LineColumns(STDERR_FILENO))
            << "\n";
}

void PrintError(std::string_view file, const Error& error) {
  PrintError(ErrorLine(file, error));
  report::ErrorPlace& place = *Said().mutable_error();
  place.set_file(Printable(error.file.empty() ? file : error.file));
  if (!error.section.empty()) place.set_offset(error.offset);
  place.set_section(Printable(error.section));
  place.set_message(Printable(error.reason));
}

report::Failure TakeFailure() { return Said(); }

bool HasPrinted() { return Printed(); }

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
      Printed() = true;
      text.remove_prefix(wrote);
    } else if (errno == EPIPE) {
      return status;  // Whoever read it has seen enough.
    } else if (errno != EINTR) {
      Printed() = true;  // What failed could not be printed either.
      PrintError(StrCat("standard output: ", std::strerror(errno)));
      return kUnusable;
    }
  }
  return status;
}

}  // namespace migstream
