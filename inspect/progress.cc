#include "inspect/progress.h"

#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace migstream {
namespace {

constexpr auto kFirst = std::chrono::seconds(1);
constexpr auto kNext = std::chrono::milliseconds(250);

void Show(const std::string& line) {
  // Nothing depends on it.
  (void)!write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace

Progress::Progress(ByteSource& source, bool quiet)
    : source_(source), next_(std::chrono::steady_clock::now() + kFirst) {
  if (!quiet && isatty(STDERR_FILENO)) {
    source_.SetWatcher([this] { Look(); });
  }
}

Progress::~Progress() {
  source_.SetWatcher(nullptr);
  if (shown_) Show("\r\033[K");
}

void Progress::Look() {
  auto now = std::chrono::steady_clock::now();
  if (now < next_) return;
  next_ = now + kNext;
  double mib = static_cast<double>(source_.raw_offset()) / (1 << 20);
  std::string line = absl::StrFormat("\r\033[K%.0f MiB", mib);
  if (auto size = source_.raw_size(); size && *size > 0) {
    absl::StrAppendFormat(&line, ", %d%%", source_.raw_offset() * 100 / *size);
  }
  Show(line);
  shown_ = true;
}

}  // namespace migstream
