// What `check` prints for people: the cause first, the verdict last.

#ifndef MIGSTREAM_INSPECT_CHECK_TEXT_H_
#define MIGSTREAM_INSPECT_CHECK_TEXT_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "codec/report/check.pb.h"

namespace migstream {

struct CheckStyle {
  bool all = false;  // Every finding, not the first ones of a kind.
  // Findings that are less than that are counted alone.
  std::string_view min_severity = "note";
  size_t columns = 0;  // 0: a finding is one line, however long.
  bool color = false;
};

// A finding a line, and below an error or a warning what to do about it, once
// for each id; the last line is the verdict.
std::string CheckText(const report::Check& check, const CheckStyle& style);

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_CHECK_TEXT_H_
