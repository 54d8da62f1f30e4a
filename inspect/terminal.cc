#include "inspect/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <vector>

#include "codec/wire/text.h"

namespace migstream {
namespace {

constexpr size_t kUsual = 80;
// In less than that nothing can be read.
constexpr size_t kLeast = 40;

// Spaces before its first word.
size_t IndentOf(std::string_view line) {
  return std::min(line.find_first_not_of(' '), line.size());
}

}  // namespace

size_t LineColumns(int fd) {
  if (const char* columns = std::getenv("COLUMNS")) {
    const std::string_view text = columns;
    size_t number = 0;
    auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size() &&
        number != 0) {
      return std::max(number, kLeast);
    }
  }
  if (isatty(fd) == 0) return 0;
  winsize size = {};
  if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kUsual;
  return std::max<size_t>(size.ws_col, kLeast);
}

size_t TableColumns() {
  const size_t columns = LineColumns(STDOUT_FILENO);
  return columns == 0 ? kUsual : columns;
}

std::string WrappedLines(std::string_view text, size_t columns, size_t indent) {
  if (columns == 0) return std::string(text);
  std::string wrapped;
  bool first = true;
  for (std::string_view line : Split(text, '\n')) {
    if (!first) wrapped += "\n";
    first = false;
    const std::string space(std::min(IndentOf(line) + indent, columns / 2),
                            ' ');
    std::string_view before;
    while (before.size() + line.size() > columns) {
      const size_t room = columns - before.size();
      size_t cut = line.rfind(' ', room);
      // Nothing but the line's own indent stands before the word.
      if (cut == line.npos || cut < std::max<size_t>(IndentOf(line), 1)) {
        cut = line.find(' ', room);
      }
      if (cut == line.npos) break;
      StrAppend(&wrapped, before, line.substr(0, cut), "\n");
      line.remove_prefix(cut + 1);
      before = space;
    }
    StrAppend(&wrapped, before, line);
  }
  return wrapped;
}

std::string Folded(std::string_view text, size_t columns) {
  std::vector<std::string> lines;
  while (text.size() > columns) {
    size_t cut = text.rfind(' ', columns);
    const bool at_space = cut != text.npos && cut != 0;
    if (!at_space) cut = columns;
    lines.emplace_back(text.substr(0, cut));
    text.remove_prefix(cut + (at_space ? 1 : 0));
  }
  lines.emplace_back(text);
  return StrJoin(lines, "\n");
}

bool WantsColor(std::string_view mode) {
  if (mode != "auto") return mode == "always";
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return isatty(STDOUT_FILENO) != 0 &&
         (no_color == nullptr || *no_color == '\0') &&
         (term == nullptr || std::string_view(term) != "dumb");
}

}  // namespace migstream
