// Debian builds Abseil with a string_view of its own: the ways there and back.

#ifndef MIGSTREAM_CODEC_IO_ABSL_VIEW_H_
#define MIGSTREAM_CODEC_IO_ABSL_VIEW_H_

#include <string_view>

#include "absl/strings/string_view.h"

namespace migstream {

inline absl::string_view AbslView(std::string_view text) {
  return {text.data(), text.size()};
}

inline std::string_view StdView(absl::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_IO_ABSL_VIEW_H_
