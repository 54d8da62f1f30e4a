#include "codec/qemu/description_loader.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/status/status.h"

namespace migstream {
namespace {

constexpr uint64_t kFirstTailBytes = 256 << 10;
// The section's type and its length.
constexpr uint64_t kHeaderBytes = 5;

}  // namespace

DescriptionLoader::Outcome DescriptionLoader::Load(ByteSource& source) {
  if (description_) return Outcome::kThere;
  if (absent_) return Outcome::kAbsent;
  // A source that cannot seek holds all up to its end; if that is too much
  // now, it may not be later.
  if (!source.ReachEnd(limits_.held_bytes)) return Outcome::kOutOfReach;
  uint64_t longest =
      std::min<uint64_t>(limits_.description_bytes, ~uint32_t{0}) +
      kHeaderBytes + 1;
  for (uint64_t bytes = kFirstTailBytes;; bytes *= 4) {
    bytes = std::min(bytes, longest);
    std::vector<uint8_t> tail = source.Tail(bytes);
    FoundDescription found = FindDescription(tail);
    if (found.found) {
      ByteSpan json = ByteSpan(tail).subspan(found.json_at);
      size_t json_bytes = json.size();
      std::string text(AsText(json));
      tail = {};
      absl::StatusOr<VmDescription> parsed = Parse(std::move(text));
      if (parsed.ok()) {
        description_ = std::make_shared<VmDescription>(*std::move(parsed));
        used_json_bytes_ = json_bytes;
        return Outcome::kThere;
      }
      // Where it stands, it will be reported.
      break;
    }
    if (!found.longer_tail_needed || tail.size() < bytes) break;
    if (bytes == longest) {
      too_long_ = true;
      break;
    }
  }
  absent_ = true;
  return Outcome::kAbsent;
}

Error DescriptionLoader::Take(uint64_t offset, ByteSpan json) {
  if (!description_) {
    absl::StatusOr<VmDescription> parsed = Parse(std::string(AsText(json)));
    if (!parsed.ok()) {
      return {absl::IsResourceExhausted(parsed.status())
                  ? ErrorCode::kDescriptionLimit
                  : ErrorCode::kBadDescription,
              offset + kHeaderBytes, "VMDESCRIPTION",
              std::string(parsed.status().message())};
    }
    description_ = std::make_shared<VmDescription>(*std::move(parsed));
  }
  if (used_json_bytes_ != 0 && used_json_bytes_ != json.size()) {
    return {ErrorCode::kOutOfStep, offset, "VMDESCRIPTION",
            "another one, at the input's end, was used so far"};
  }
  return {};
}

absl::StatusOr<VmDescription> DescriptionLoader::Parse(std::string json) const {
  DescriptionOptions options;
  options.max_objects = limits_.description_objects;
  options.max_depth = limits_.description_depth;
  options.max_name_bytes = limits_.description_name_bytes;
  options.keep_fields = visitor_.wants_fields();
  return VmDescription::Parse(std::move(json), options);
}

}  // namespace migstream
