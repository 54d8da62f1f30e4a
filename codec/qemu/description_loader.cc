#include "codec/qemu/description_loader.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "codec/qemu/parse_description.h"
#include "flags/section_type.h"

namespace migstream {
namespace {

constexpr uint64_t kFirstTailBytes = 256 << 10;
// A byte is in sight at most so often while a description is searched for.
constexpr uint64_t kSearches = 64;
// The section's type and its length.
constexpr uint64_t kHeaderBytes = 5;

// `device` is one of the description's.
void Mark(const VmDescription& description, const DescribedDevice& device,
          std::vector<bool>& marks) {
  marks.resize(description.devices.size());
  marks[&device - description.devices.data()] = true;
}

DescriptionOptions OptionsOf(const StreamVisitor& visitor,
                             const StreamLimits& limits) {
  DescriptionOptions options;
  options.max_objects = limits.description_objects;
  options.max_depth = limits.description_depth;
  options.max_name_bytes = limits.description_name_bytes;
  options.keep_fields = visitor.wants_fields();
  return options;
}

absl::StatusOr<VmDescription> Parse(ByteSpan json, const StreamVisitor& visitor,
                                    const StreamLimits& limits) {
  std::string text;
  text.reserve(json.size() + kNulsBehindJson);
  text = AsText(json);
  return ParseDescription(std::move(text), OptionsOf(visitor, limits));
}

}  // namespace

DescriptionLoader::Outcome DescriptionLoader::Load(ByteSource& source) {
  if (description_) return Outcome::kThere;
  if (absent_) return Outcome::kAbsent;
  // A source that cannot seek holds all up to its end; if that is too much
  // now, it may not be later.
  out_of_reach_ = !source.ReachEnd(limits_.held_bytes);
  if (out_of_reach_) return Outcome::kOutOfReach;
  uint64_t longest =
      std::min<uint64_t>(limits_.description_bytes, ~uint32_t{0}) +
      kHeaderBytes + 1;
  for (uint64_t bytes = kFirstTailBytes;; bytes *= 4) {
    bytes = std::min(bytes, longest);
    std::vector<uint8_t> tail = source.Tail(bytes);
    FoundDescription found = FindDescription(tail);
    if (found.found) {
      const size_t json_bytes = tail.size() - found.json_at;
      static_assert(kNulsBehindJson <= kHeaderBytes);
      std::memmove(tail.data(), &tail[found.json_at], json_bytes);
      std::memset(&tail[json_bytes], 0, kNulsBehindJson);
      absl::StatusOr<VmDescription> parsed = ParseDescriptionInPlace(
          {reinterpret_cast<char*>(tail.data()), json_bytes + kNulsBehindJson},
          OptionsOf(visitor_, limits_));
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

struct DescriptionLoader::Place {
  const SectionView& section;
  std::optional<bool> footers;
  const GuessContext& context;
  ByteSource& source;
};

DescribedLength DescriptionLoader::LengthOf(const SectionView& section,
                                            std::optional<bool> footers,
                                            const GuessContext& context,
                                            ByteSource& source) {
  const Place place = {section, footers, context, source};
  DescribedLength length;
  switch (Load(source)) {
    case Outcome::kThere:
      length = Ask(*description_, place);
      break;
    case Outcome::kAbsent:
    case Outcome::kOutOfReach:
      break;
  }
  if (length.kind != DescribedLength::kFits &&
      (LoadPassed(place) || LoadAhead(place))) {
    length = Ask(*description_, place);
  }
  if (length.kind == DescribedLength::kFits) {
    Mark(*description_, *description_->Find(section.idstr, section.instance_id),
         used_);
  }
  return length;
}

DescribedLength DescriptionLoader::Ask(const VmDescription& description,
                                       const Place& place) const {
  const DescribedDevice* device =
      description.Find(place.section.idstr, place.section.instance_id);
  if (device == nullptr) return {DescribedLength::kNotNamed, 0};
  // What is longer than may be looked at is believed, if so much is there.
  const uint64_t looked_at = std::min(device->bytes, limits_.guessed_bytes);
  const ByteSpan content = place.source.Peek(looked_at + kFooterBytes);
  const bool fits =
      device->bytes > looked_at
          ? content.size() >= looked_at + kFooterBytes
          : MayEndAt(content, looked_at, place.footers, place.context) ||
                HasVersionTwice(place, content, looked_at);
  return {fits ? DescribedLength::kFits : DescribedLength::kContradicts,
          device->bytes};
}

// Whether the section's version stands there a second time, with all of the
// content that is described behind it.
bool DescriptionLoader::HasVersionTwice(const Place& place, ByteSpan content,
                                        uint64_t described) {
  constexpr size_t kVersionBytes = 4;
  return content.size() >= kVersionBytes &&
         LoadBe32(content.data()) == place.section.version_id &&
         MayEndAt(place.source.Peek(kVersionBytes + described + kFooterBytes),
                  kVersionBytes + described, true, place.context);
}

bool DescriptionLoader::LoadPassed(const Place& place) {
  const uint64_t start = place.source.offset();
  for (const Candidate& passed : passed_) {
    if (passed.offset < start || used_offset_ == passed.offset ||
        passed.json_bytes > retry_bytes_left_) {
      continue;
    }
    const uint64_t json_at = passed.offset - start + kHeaderBytes;
    const ByteSpan bytes = place.source.Peek(json_at + passed.json_bytes);
    if (bytes.size() < json_at + passed.json_bytes) continue;
    retry_bytes_left_ -= passed.json_bytes;
    if (TakeAhead(place, bytes.subspan(json_at, passed.json_bytes), json_at)) {
      return true;
    }
  }
  return false;
}

// Looks for a description that fits behind the section.
bool DescriptionLoader::LoadAhead(const Place& place) {
  // EOF, the type, the length, and an object with a member.
  constexpr size_t kHead = 1 + kHeaderBytes + 2;
  constexpr uint8_t kType = static_cast<uint8_t>(SectionType::kVmDescription);
  const uint64_t start = place.source.offset();
  const uint64_t limit = limits_.held_bytes;
  size_t at = searched_to_ > start ? searched_to_ - start : 0;
  // For less it is not worth looking so far ahead again.
  if (searched_all_ || at + limit / kSearches > limit) return false;
  for (uint64_t wanted = kFirstTailBytes;; wanted *= 4) {
    wanted = std::min(wanted, limit);
    auto look = [&] {
      const ByteSpan bytes = place.source.Peek(wanted);
      return bytes.first(std::min<uint64_t>(wanted, bytes.size()));
    };
    ByteSpan window = look();
    const bool all = window.size() < wanted || wanted == limit;
    for (; at + kHead <= window.size(); ++at) {
      const void* type =
          std::memchr(&window[at + 1], kType, window.size() - kHead - at + 1);
      if (type == nullptr) {
        at = window.size() - kHead + 1;
        break;
      }
      at = static_cast<const uint8_t*>(type) - window.data() - 1;
      if (window[at] != 0 || window[at + 6] != '{' || window[at + 7] != '"') {
        continue;
      }
      const uint64_t json_bytes = LoadBe32(&window[at + 2]);
      if (json_bytes > limits_.description_bytes) continue;
      const uint64_t end = at + 1 + kHeaderBytes + json_bytes;
      if (end > window.size() && !all) break;
      if (end > window.size() || window[end - 1] != '}') continue;
      if (tries_left_ > 0) {
        --tries_left_;
        const size_t json_at = at + 1 + kHeaderBytes;
        // The one at the input's end need not be parsed again.
        const bool at_end = all && end == window.size() && end < wanted;
        if (at_end && description_ && !used_offset_ &&
            json_bytes == used_json_bytes_) {
          used_offset_ = start + at + 1;
        } else if (TakeAhead(place, window.subspan(json_at, json_bytes),
                             json_at)) {
          return true;
        }
        passed_.push_back({start + at + 1, json_bytes});
      }
      // What was looked at is no longer there.
      window = look();
    }
    searched_to_ = std::max<uint64_t>(searched_to_, start + at);
    if (!all) continue;
    searched_all_ = window.size() < wanted && !place.source.nothing_yet();
    return false;
  }
}

bool DescriptionLoader::TakeAhead(const Place& place, ByteSpan json,
                                  size_t json_at) {
  const size_t json_bytes = json.size();
  absl::StatusOr<VmDescription> parsed = Parse(json, visitor_, limits_);
  if (!parsed.ok() || Ask(*parsed, place).kind != DescribedLength::kFits ||
      !Replace(*std::move(parsed))) {
    return false;
  }
  used_json_bytes_ = json_bytes;
  used_offset_ = place.source.offset() + json_at - kHeaderBytes;
  return true;
}

Error DescriptionLoader::Take(uint64_t offset, ByteSpan json, bool last) {
  if (description_ && used_json_bytes_ == json.size() &&
      (used_offset_ ? *used_offset_ == offset : last)) {
    return {};
  }
  absl::StatusOr<VmDescription> parsed = Parse(json, visitor_, limits_);
  if (!parsed.ok()) {
    return {absl::IsResourceExhausted(parsed.status())
                ? ErrorCode::kDescriptionLimit
                : ErrorCode::kBadDescription,
            offset + kHeaderBytes, "VMDESCRIPTION",
            std::string(parsed.status().message())};
  }
  if (!Replace(*std::move(parsed))) {
    return {ErrorCode::kOutOfStep, offset, "VMDESCRIPTION",
            "another one, which stands further on, was used so far"};
  }
  return {};
}

bool DescriptionLoader::Replace(VmDescription description) {
  auto other = std::make_shared<const VmDescription>(std::move(description));
  std::vector<bool> used;
  for (size_t i = 0; i < used_.size(); ++i) {
    if (!used_[i]) continue;
    const DescribedDevice& device = description_->devices[i];
    const DescribedDevice* same = other->Find(device.name, device.instance_id);
    if (same == nullptr || same->bytes != device.bytes) return false;
    Mark(*other, *same, used);
  }
  used_ = std::move(used);
  former_ = std::exchange(description_, std::move(other));
  return true;
}

}  // namespace migstream
