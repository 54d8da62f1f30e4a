#include "inspect/nearest_word.h"

#include <algorithm>

namespace migstream {
namespace {

size_t Distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> rows(a.size() + 1,
                                        std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) rows[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) rows[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      const bool same = a[i - 1] == b[j - 1];
      rows[i][j] = std::min({rows[i - 1][j] + 1, rows[i][j - 1] + 1,
                             rows[i - 1][j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        rows[i][j] = std::min(rows[i][j], rows[i - 2][j - 2] + 1);
      }
    }
  }
  return rows[a.size()][b.size()];
}

}  // namespace

std::string NearestWord(std::string_view word,
                        const std::vector<std::string>& choices) {
  constexpr size_t kLongest = 100;
  constexpr size_t kBeginning = 3;
  if (word.size() > kLongest) return "";
  std::string nearest;
  size_t least = word.size() / 3 + 1;
  for (const std::string& choice : choices) {
    const size_t distance = Distance(word, choice);
    if (distance >= least) continue;
    least = distance;
    nearest = choice;
  }
  if (!nearest.empty() || word.size() < kBeginning) return nearest;
  for (const std::string& choice : choices) {
    if (choice.starts_with(word)) return choice;
  }
  return "";
}

}  // namespace migstream
