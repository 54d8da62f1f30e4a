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
    constexpr double kMiB = 1 << 20;
    const auto done = static_cast<double>(source.raw_offset());
    const double rate =
        done / std::chrono::duration<double>(now - begin_).count();
    std::string line = absl::StrFormat("\r\033[K%.0f MiB, %.0f MiB/s",
                                       done / kMiB, rate / kMiB);
    if (auto size = source.raw_size(); size && *size > 0) {
      const auto all = static_cast<double>(*size);
      absl::StrAppendFormat(&line, ", %.0f%%", 100 * done / all);
      if (rate > 0 && all > done) {
        absl::StrAppendFormat(&line, ", %.0f s left", (all - done) / rate);
      }
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
  const std::chrono::steady_clock::time_point begin_ =
      std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point next_ = begin_ + kFirst;
};

}  // namespace

void ShowProgress(ByteSource& source, bool quiet) {
  if (quiet || !isatty(STDERR_FILENO)) return;
  source.SetWatcher(
      [&source, line = std::make_shared<Line>()] { line->Look(source); });
}

}  // namespace migstream
