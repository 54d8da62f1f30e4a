#include "inspect/progress.h"

#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>

#include "absl/strings/str_format.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

constexpr auto kFirst = std::chrono::seconds(1);
constexpr auto kNext = std::chrono::milliseconds(250);

// Removed from the terminal when it goes.
class Line {
 public:
  ~Line() {
    if (shown_) Show("\r\033[K");
  }

  void Look(const ByteSource& source) {
    auto now = std::chrono::steady_clock::now();
    if (now < next_) return;
    next_ = now + kNext;
    double mib = static_cast<double>(source.raw_offset()) / (1 << 20);
    std::string line = absl::StrFormat("\r\033[K%.0f MiB", mib);
    if (auto size = source.raw_size(); size && *size > 0) {
      absl::StrAppendFormat(&line, ", %d%%", source.raw_offset() * 100 / *size);
    }
    Show(line);
    shown_ = true;
  }

 private:
  static void Show(const std::string& line) {
    // Nothing depends on it.
    (void)!write(STDERR_FILENO, line.data(), line.size());
  }

  bool shown_ = false;
  std::chrono::steady_clock::time_point next_ =
      std::chrono::steady_clock::now() + kFirst;
};

}  // namespace

void ShowProgress(ByteSource& source, bool quiet) {
  if (quiet || !isatty(STDERR_FILENO)) return;
  source.SetWatcher(
      [&source, line = std::make_shared<Line>()] { line->Look(source); });
}

}  // namespace migstream
