// What a word or a line means: a finding's id, a dialect, a tag by its name or
// number, or what somebody logged.
//
//   std::optional<Explanation> about = Explain("V100M");

#ifndef MIGSTREAM_CODEC_EXPLAIN_EXPLAIN_H_
#define MIGSTREAM_CODEC_EXPLAIN_EXPLAIN_H_

#include <optional>
#include <string>
#include <string_view>

#include "codec/explain/line_matcher.h"

namespace migstream {

struct Explanation {
  std::string kind;  // "finding", "dialect", "tag", "line"
  std::string meaning;
  std::string who;     // Who writes or says it, since when.
  std::string advice;  // Empty: nothing to do.
};

// Nothing if nobody knows it.
std::optional<Explanation> Explain(std::string_view text);

// `line` is what `known` was found in: what it says of its place is said in
// words.
Explanation ExplainLine(const KnownLine& known, std::string_view line);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_EXPLAIN_EXPLAIN_H_
