#include "codec/explain/log_lines.h"

#include <algorithm>
#include <string>

namespace migstream {

uint64_t ForEachLine(
    ByteSource& source,
    const std::function<void(uint64_t number, std::string_view line)>&
        on_line) {
  uint64_t lines = 0;
  std::string begun;  // Of a line that goes on in the next piece.
  bool open = false;
  auto take = [&](std::string_view line) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    on_line(++lines, line.substr(0, kMaxLineBytes));
  };
  while (true) {
    const ByteSpan piece = source.Peek(1);
    if (piece.empty()) break;
    std::string_view rest = AsText(piece);
    for (size_t end; (end = rest.find('\n')) != rest.npos;) {
      if (open) {
        begun.append(rest.substr(
            0, std::min(end, kMaxLineBytes -
                                 std::min(begun.size(), kMaxLineBytes))));
        take(begun);
        begun.clear();
        open = false;
      } else {
        take(rest.substr(0, end));
      }
      rest.remove_prefix(end + 1);
    }
    if (!rest.empty()) {
      open = true;
      begun.append(rest.substr(
          0, kMaxLineBytes - std::min(begun.size(), kMaxLineBytes)));
    }
    source.Consume(piece.size());
  }
  if (open) take(begun);
  return lines;
}

}  // namespace migstream
