#include "inspect/stale_channels.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "codec/wire/text.h"
#include "inspect/console.h"
#include "inspect/inputs.h"

namespace migstream {
namespace {

constexpr size_t kMostChannels = 256;  // A channel's id is one byte.

bool IsOneOf(const std::string& file, const std::vector<std::string>& files) {
  return std::any_of(files.begin(), files.end(), [&](const std::string& other) {
    std::error_code error;
    return std::filesystem::equivalent(file, other, error);
  });
}

}  // namespace

absl::Status StaleChannels::Find(
    const std::string& main, size_t first,
    const std::function<std::string(size_t number)>& name, bool force,
    const std::vector<std::string>& inputs) {
  main_ = main;
  const bool in_place = IsOneOf(main, inputs);
  // A main channel that replaces itself alone keeps the channels that it has.
  if (in_place && inputs.size() == 1 && first == 1) return absl::OkStatus();
  for (size_t number = first; number <= kMostChannels; ++number) {
    std::string file = name(number);
    if (!IsChannelFile(file)) continue;
    if (in_place && !IsOneOf(file, inputs)) {
      return absl::AlreadyExistsError(
          StrCat(file, ": stands beside ", main,
                 ", which is to be replaced, and was not given"));
    }
    if (!in_place && IsOneOf(file, inputs)) {
      return absl::AlreadyExistsError(StrCat(
          file, ": is an input, and would be taken for a channel of ", main));
    }
    if (!force) {
      return absl::AlreadyExistsError(
          StrCat(file, ": exists, and would be taken for a channel of ", main,
                 "; --force removes it"));
    }
    files_.push_back(std::move(file));
  }
  return absl::OkStatus();
}

absl::Status StaleChannels::Remove() {
  for (const std::string& file : files_) {
    if (unlink(file.c_str()) != 0 && errno != ENOENT) {
      return absl::UnavailableError(StrCat(file, ": ", std::strerror(errno)));
    }
  }
  if (!files_.empty()) {
    PrintError(StrCat("removed, as they are no channels of the new ", main_,
                      ": ", StrJoin(files_, ", ")));
  }
  return absl::OkStatus();
}

}  // namespace migstream
