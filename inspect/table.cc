#include "inspect/table.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "codec/wire/text.h"

namespace migstream {

namespace {

// A longer cell moves the rest of its own line alone.
constexpr size_t kMaxWidth = 60;
// A text that goes on in further lines has at least that.
constexpr size_t kLeastText = 16;
constexpr size_t kBetween = 2;

size_t TotalOf(const std::vector<size_t>& widths) {
  size_t total = 0;
  for (size_t width : widths) total += width + kBetween;
  return total == 0 ? 0 : total - kBetween;
}

}  // namespace

std::vector<size_t> Table::Widths(size_t columns) const {
  std::vector<size_t> widths(alignment_.size());
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) {
      const char alignment = alignment_[i];
      if (alignment == 'p') continue;
      if (alignment != 'w' && row[i].size() > kMaxWidth) continue;
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  // The widest text gives way first.
  for (size_t total; (total = TotalOf(widths)) > columns;) {
    size_t widest = 0, second = kLeastText;
    for (size_t i = 0; i < widths.size(); ++i) {
      if (alignment_[i] != 'w') continue;
      if (alignment_[widest] != 'w' || widths[i] > widths[widest]) widest = i;
    }
    if (widths.empty() || alignment_[widest] != 'w' ||
        widths[widest] <= kLeastText) {
      break;
    }
    for (size_t i = 0; i < widths.size(); ++i) {
      if (i != widest && alignment_[i] == 'w') {
        second = std::max(second, widths[i]);
      }
    }
    const size_t excess = total - columns;
    widths[widest] -=
        std::max<size_t>(1, std::min(excess, widths[widest] - second));
  }
  return widths;
}

std::string Table::Part(std::span<const size_t> shown,
                        const std::vector<size_t>& widths) const {
  std::string text;
  for (const auto& row : rows_) {
    std::vector<std::vector<std::string_view>> cells;
    std::vector<std::string> folded(shown.size());
    size_t height = 1;
    for (size_t n = 0; n < shown.size(); ++n) {
      const size_t i = shown[n];
      const std::string_view cell =
          i < row.size() ? row[i] : std::string_view();
      folded[n] = alignment_[i] == 'w' && widths[i] != 0
                      ? Folded(cell, widths[i])
                      : std::string(cell);
      cells.push_back(Split(folded[n], '\n'));
      height = std::max(height, cells.back().size());
    }
    for (size_t y = 0; y < height; ++y) {
      std::string line;
      for (size_t n = 0; n < shown.size(); ++n) {
        const size_t i = shown[n];
        const std::string_view cell =
            y < cells[n].size() ? cells[n][y] : std::string_view();
        std::string space(std::max(widths[i], cell.size()) - cell.size(), ' ');
        bool right = alignment_[i] == 'r';
        StrAppend(&line, n == 0 ? "" : "  ", right ? space : "", cell,
                  right ? "" : space);
      }
      absl::StripTrailingAsciiWhitespace(&line);
      StrAppend(&text, line, "\n");
    }
  }
  return text;
}

std::string Table::Text(size_t columns) const {
  const std::vector<size_t> widths = Widths(columns);
  std::string text;
  std::vector<size_t> shown;
  size_t used = 0;
  for (size_t i = 0; i < widths.size(); ++i) {
    // The first column, and one beside it, stand whatever their widths are.
    if (shown.size() > 1 && used + kBetween + widths[i] > columns) {
      StrAppend(&text, Part(shown, widths), "\n");
      shown = {0};
      used = widths[0];
    }
    used += (shown.empty() ? 0 : kBetween) + widths[i];
    shown.push_back(i);
  }
  return text + Part(shown, widths);
}

}  // namespace migstream
