// Finds known lines, in one pass over each line, however many are known.
//
//   LineMatcher matcher;
//   const KnownLine* known = matcher.Find(line);   // Null: nobody knows it.
//
// Any bytes may stand in a line. What is kept does not grow with the input.

#ifndef MIGSTREAM_CODEC_EXPLAIN_LINE_MATCHER_H_
#define MIGSTREAM_CODEC_EXPLAIN_LINE_MATCHER_H_

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "codec/explain/known_line.h"

namespace migstream {

class LineMatcher {
 public:
  LineMatcher();

  // The one that says most of the line: of several that match, that with the
  // longest words of its own.
  const KnownLine* Find(std::string_view line) const;

  const std::vector<const KnownLine*>& lines() const { return lines_; }

 private:
  // An automaton runs over a line and stops at the longest part of each
  // pattern, a part being without a *.
  struct State {
    std::vector<uint16_t> next;   // By the class of the byte.
    std::vector<uint16_t> found;  // Lines whose part ends here.
  };

  uint16_t Add(std::string_view part);
  void Link();

  std::vector<const KnownLine*> lines_;
  std::vector<State> states_;
  std::array<uint8_t, 256> classes_ = {};  // 0: a byte that is in no part.
  size_t class_count_ = 1;
};

// Whether the pattern stands anywhere in a line.
bool Matches(std::string_view pattern, std::string_view line);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_EXPLAIN_LINE_MATCHER_H_
