// Files that are named by what a stream says.

#ifndef MIGSTREAM_INSPECT_SAFE_FILE_NAME_H_
#define MIGSTREAM_INSPECT_SAFE_FILE_NAME_H_

#include <string>
#include <string_view>

namespace migstream {

// A name off the wire as a file's: letters, digits and a few signs. It has no
// slash, begins with neither a dot nor a dash, and is no longer than file
// systems allow.
inline std::string SafeFileName(std::string_view name) {
  constexpr size_t kLongest = 200;
  constexpr std::string_view kSigns = "._-:@+";
  std::string safe;
  if (name.empty() || name[0] == '.' || name[0] == '-') safe += '_';
  for (char c : name.substr(0, kLongest)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       (c >= '0' && c <= '9') ||
                       kSigns.find(c) != std::string_view::npos;
    safe += plain ? c : '_';
  }
  return safe;
}

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_SAFE_FILE_NAME_H_
