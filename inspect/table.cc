#include "inspect/table.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "codec/wire/text.h"

namespace migstream {

namespace {

// A longer cell moves the rest of its own line alone.
constexpr size_t kMaxWidth = 60;

}  // namespace

std::string Table::Text() const {
  std::vector<size_t> widths(alignment_.size());
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) {
      if (row[i].size() > kMaxWidth) continue;
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  std::string text;
  for (const auto& row : rows_) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      std::string space(std::max(widths[i], row[i].size()) - row[i].size(),
                        ' ');
      bool right = alignment_[i] == 'r';
      StrAppend(&line, i == 0 ? "" : "  ", right ? space : "", row[i],
                right ? "" : space);
    }
    absl::StripTrailingAsciiWhitespace(&line);
    StrAppend(&text, line, "\n");
  }
  return text;
}

}  // namespace migstream
