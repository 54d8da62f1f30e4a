#include "codec/qemu/vm_description.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "codec/qemu/vm_description.pb.h"
#include "flags/section_type.h"
#include "google/protobuf/util/json_util.h"

namespace migstream {
namespace {

// No section is this long; sums below it cannot overflow.
constexpr uint64_t kMaxBytes = uint64_t{1} << 48;

// Adds, and says whether the sum is still within measure.
bool Add(uint64_t size, uint64_t count, uint64_t& sum) {
  if (count != 0 && size > kMaxBytes / count) return false;
  sum += size * count;
  return sum <= kMaxBytes;
}

// The parser takes memory for each object and array, and more for deep ones.
absl::Status CheckShape(absl::string_view json, size_t max_objects) {
  constexpr int kMaxDepth = 64;
  size_t objects = 0;
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < json.size(); ++i) {
    char c = json[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++objects > max_objects) {
        return absl::ResourceExhaustedError(absl::StrCat(
            "more than ", max_objects, " objects and arrays in the JSON"));
      }
      if (++depth > kMaxDepth) {
        return absl::ResourceExhaustedError(
            absl::StrCat("JSON nested deeper than ", kMaxDepth));
      }
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return absl::OkStatus();
}

bool AddFields(const google::protobuf::RepeatedPtrField<vmdesc::Field>& fields,
               uint64_t& sum, Release& not_before) {
  for (const vmdesc::Field& field : fields) {
    uint64_t count = field.has_array_len() ? field.array_len() : 1;
    if (!Add(field.size(), count, sum)) return false;
    if (field.type() == "nullptr")
      not_before = std::max<Release>(not_before, 1000);
    if (field.type() == "ptr-marker") {
      not_before = std::max<Release>(not_before, 1101);
    }
  }
  return true;
}

bool AddSubsections(
    const google::protobuf::RepeatedPtrField<vmdesc::State>& subsections,
    uint64_t& sum, Release& not_before) {
  constexpr uint64_t kHeadBytes = 6;  // 05, the name's length, be32 version
  for (const vmdesc::State& state : subsections) {
    if (!Add(kHeadBytes + state.vmsd_name().size(), 1, sum) ||
        !AddFields(state.fields(), sum, not_before) ||
        !AddSubsections(state.subsections(), sum, not_before)) {
      return false;
    }
  }
  return true;
}

}  // namespace

absl::StatusOr<VmDescription> VmDescription::Parse(absl::string_view json,
                                                   size_t max_objects) {
  if (absl::Status status = CheckShape(json, max_objects); !status.ok()) {
    return status;
  }
  vmdesc::Description parsed;
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  auto status = google::protobuf::util::JsonStringToMessage(std::string(json),
                                                            &parsed, options);
  if (!status.ok()) {
    // The first line; what follows is an excerpt with a caret.
    std::string message = status.ToString();
    return absl::InvalidArgumentError(message.substr(0, message.find('\n')));
  }
  VmDescription description;
  description.page_bytes = parsed.page_size();
  description.has_configuration = parsed.has_configuration();
  description.devices.reserve(parsed.devices_size());
  for (const vmdesc::Device& device : parsed.devices()) {
    DescribedDevice described;
    described.name = device.name();
    described.instance_id = device.instance_id();
    if (device.size() != 0) {
      described.bytes = device.size();  // Old style; a field repeats it.
    } else if (!AddFields(device.fields(), described.bytes,
                          description.not_before) ||
               !AddSubsections(device.subsections(), described.bytes,
                               description.not_before)) {
      described.bytes = kMaxBytes + 1;
    }
    if (described.bytes > kMaxBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat("size of '", device.name(), "' is beyond measure"));
    }
    auto [known, added] = description.index_.try_emplace(
        {described.name, described.instance_id}, description.devices.size());
    if (!added && description.devices[known->second].bytes != described.bytes) {
      return absl::InvalidArgumentError(absl::StrCat(
          "'", described.name, "' instance ", described.instance_id,
          " is described twice, with different sizes"));
    }
    description.devices.push_back(std::move(described));
  }
  return description;
}

const DescribedDevice* VmDescription::Find(absl::string_view name,
                                           uint32_t instance_id) const {
  auto found = index_.find({std::string(name), instance_id});
  return found == index_.end() ? nullptr : &devices[found->second];
}

FoundDescription FindDescription(ByteSpan tail) {
  FoundDescription result;
  auto last_nul = std::find(tail.rbegin(), tail.rend(), 0);
  if (last_nul == tail.rend()) {
    result.longer_tail_needed = true;
    return result;
  }
  // The NUL is one of the length's four bytes; or the EOF's, two before it.
  size_t nul = tail.rend() - last_nul - 1;
  for (size_t before_json : {6, 4, 3, 2, 1}) {
    size_t length_at = nul + before_json - 4;
    if (nul + before_json < 6) {
      result.longer_tail_needed = true;
      return result;
    }
    size_t json_at = length_at + 4;
    if (json_at < tail.size() && tail[json_at] == '{' &&
        tail[length_at - 2] == static_cast<uint8_t>(SectionType::kEof) &&
        tail[length_at - 1] ==
            static_cast<uint8_t>(SectionType::kVmDescription) &&
        LoadBe32(&tail[length_at]) == tail.size() - json_at) {
      result.found = true;
      result.json_at = json_at;
      return result;
    }
  }
  return result;
}

}  // namespace migstream
