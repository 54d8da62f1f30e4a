#include "codec/explain/line_matcher.h"

#include <algorithm>
#include <bitset>
#include <cassert>
#include <deque>

#include "codec/wire/text.h"

namespace migstream {
namespace {

constexpr size_t kMostLines = 512;

std::string_view LongestPart(std::string_view pattern) {
  std::string_view longest;
  for (std::string_view part : Split(pattern, '*')) {
    if (part.size() > longest.size()) longest = part;
  }
  return longest;
}

// Bytes of the pattern that are not a *.
size_t WordsOf(const KnownLine& line) {
  return line.pattern.size() -
         std::count(line.pattern.begin(), line.pattern.end(), '*');
}

}  // namespace

bool Matches(std::string_view pattern, std::string_view line) {
  for (std::string_view part : Split(pattern, '*')) {
    const size_t at = line.find(part);
    if (at == line.npos) return false;
    line.remove_prefix(at + part.size());
  }
  return true;
}

LineMatcher::LineMatcher() {
  for (std::span<const KnownLine> table :
       {StreamLines(), VfioLines(), HostLines()}) {
    for (const KnownLine& line : table) lines_.push_back(&line);
  }
  assert(lines_.size() <= kMostLines);
  for (const KnownLine* line : lines_) {
    for (char c : LongestPart(line->pattern)) {
      uint8_t& known = classes_[static_cast<uint8_t>(c)];
      if (known == 0) known = static_cast<uint8_t>(class_count_++);
    }
  }
  states_.push_back({std::vector<uint16_t>(class_count_), {}});
  for (size_t i = 0; i < lines_.size(); ++i) {
    states_[Add(LongestPart(lines_[i]->pattern))].found.push_back(
        static_cast<uint16_t>(i));
  }
  Link();
}

uint16_t LineMatcher::Add(std::string_view part) {
  uint16_t at = 0;
  for (char c : part) {
    const uint8_t byte = classes_[static_cast<uint8_t>(c)];
    if (states_[at].next[byte] == 0) {
      const auto added = static_cast<uint16_t>(states_.size());
      states_.push_back({std::vector<uint16_t>(class_count_), {}});
      states_[at].next[byte] = added;
    }
    at = states_[at].next[byte];
  }
  return at;
}

// Where a part does not go on, the automaton goes on in the longest other one
// that has begun meanwhile.
void LineMatcher::Link() {
  std::vector<uint16_t> otherwise(states_.size());
  std::deque<uint16_t> open;
  for (uint16_t next : states_[0].next) {
    if (next != 0) open.push_back(next);
  }
  while (!open.empty()) {
    const uint16_t at = open.front();
    open.pop_front();
    State& state = states_[at];
    const State& fallback = states_[otherwise[at]];
    state.found.insert(state.found.end(), fallback.found.begin(),
                       fallback.found.end());
    for (size_t byte = 0; byte < class_count_; ++byte) {
      uint16_t& next = state.next[byte];
      if (next == 0) {
        next = fallback.next[byte];
      } else {
        otherwise[next] = fallback.next[byte];
        open.push_back(next);
      }
    }
  }
}

const KnownLine* LineMatcher::Find(std::string_view line) const {
  const KnownLine* best = nullptr;
  // A hostile line has one part a thousand times.
  std::bitset<kMostLines> seen;
  uint16_t at = 0;
  for (char c : line) {
    at = states_[at].next[classes_[static_cast<uint8_t>(c)]];
    for (uint16_t found : states_[at].found) {
      if (seen[found]) continue;
      seen[found] = true;
      const KnownLine* known = lines_[found];
      if ((best == nullptr || WordsOf(*known) > WordsOf(*best)) &&
          Matches(known->pattern, line)) {
        best = known;
      }
    }
  }
  return best;
}

}  // namespace migstream
