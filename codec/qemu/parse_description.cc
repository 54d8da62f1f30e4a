#include "codec/qemu/parse_description.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "codec/io/absl_view.h"
#include "codec/qemu/limits.h"
#include "codec/wire/json.h"
#include "codec/wire/text.h"
#include "flags/release.h"

namespace migstream {
namespace {

// A character in UTF-8 that the JSON ends in the middle of is looked at to its
// end.
static_assert(kNulsBehindJson >= 4);

// No section is this long; sums below it cannot overflow.
constexpr uint64_t kMaxBytes = uint64_t{1} << 48;
constexpr size_t kMaxSubsectionName = 255;
// Each has a section.
constexpr size_t kMaxDevices = StreamLimits().sections;
constexpr uint64_t kSubsectionHeadBytes = 6;  // 05, name's length, be32 version

// Adds, and says whether the sum is in bounds.
bool Add(uint64_t size, uint64_t count, uint64_t& sum) {
  if (count != 0 && size > kMaxBytes / count) return false;
  sum += size * count;
  return sum <= kMaxBytes;
}

FieldKind KindOf(std::string_view type, uint64_t bytes) {
  struct Row {
    std::string_view type;
    FieldKind kind;
  };
  // "int64 equal" is QEMU's name for an unsigned one too.
  static constexpr Row kRows[] = {
      {"uint8", FieldKind::kUnsigned},
      {"uint16", FieldKind::kUnsigned},
      {"uint32", FieldKind::kUnsigned},
      {"uint64", FieldKind::kUnsigned},
      {"uint8 equal", FieldKind::kUnsigned},
      {"uint16 equal", FieldKind::kUnsigned},
      {"uint32 equal", FieldKind::kUnsigned},
      {"int8", FieldKind::kSigned},
      {"int16", FieldKind::kSigned},
      {"int32", FieldKind::kSigned},
      {"int64", FieldKind::kSigned},
      {"int32 equal", FieldKind::kSigned},
      {"int64 equal", FieldKind::kSigned},
      {"int32 le", FieldKind::kSigned},
      {"bool", FieldKind::kBool},
      {"nullptr", FieldKind::kPointer},
      {"ptr-marker", FieldKind::kPointer},
      {"struct", FieldKind::kStruct},
      {"tmp", FieldKind::kTmp},
  };
  for (const Row& row : kRows) {
    if (row.type != type) continue;
    switch (row.kind) {
      case FieldKind::kUnsigned:
      case FieldKind::kSigned:
        return bytes >= 1 && bytes <= 8 ? row.kind : FieldKind::kBytes;
      case FieldKind::kBool:
      case FieldKind::kPointer:
        return bytes == 1 ? row.kind : FieldKind::kBytes;
      default:
        return row.kind;
    }
  }
  return FieldKind::kBytes;
}

// What a value of the JSON is, by where it stands.
enum class Place : uint8_t {
  kTop,
  kDevices,
  kDevice,
  kFields,
  kField,
  kStruct,
  kSubsections,
  kSubsection,
  kOther,  // Nothing that is needed.
};

enum class JsonKey : uint8_t {
  kOther,
  kPageSize,
  kDevices,
  kConfiguration,
  kName,
  kInstanceId,
  kVersion,
  kSize,
  kType,
  kArrayLength,
  kVmsdName,
  kFields,
  kSubsections,
  kStruct,
};

JsonKey KeyOf(Place place, std::string_view name) {
  struct Row {
    std::string_view name;
    JsonKey key;
    uint32_t places;
  };
  constexpr auto in = [](auto... all) {
    return ((uint32_t{1} << static_cast<int>(all)) | ...);
  };
  static constexpr Row kRows[] = {
      {"name", JsonKey::kName, in(Place::kDevice, Place::kField)},
      {"type", JsonKey::kType, in(Place::kField)},
      {"size", JsonKey::kSize, in(Place::kDevice, Place::kField)},
      {"array_len", JsonKey::kArrayLength, in(Place::kField)},
      {"struct", JsonKey::kStruct, in(Place::kField)},
      {"fields", JsonKey::kFields,
       in(Place::kDevice, Place::kField, Place::kStruct, Place::kSubsection)},
      {"subsections", JsonKey::kSubsections,
       in(Place::kDevice, Place::kField, Place::kStruct, Place::kSubsection)},
      {"vmsd_name", JsonKey::kVmsdName, in(Place::kSubsection)},
      {"instance_id", JsonKey::kInstanceId, in(Place::kDevice)},
      {"version", JsonKey::kVersion, in(Place::kDevice)},
      {"page_size", JsonKey::kPageSize, in(Place::kTop)},
      {"devices", JsonKey::kDevices, in(Place::kTop)},
      {"configuration", JsonKey::kConfiguration, in(Place::kTop)},
  };
  for (const Row& row : kRows) {
    if (row.name == name && (row.places & in(place)) != 0) return row.key;
  }
  return JsonKey::kOther;
}

}  // namespace

// Takes the JSON's values as RapidJSON finds them. What is open is a stack.
class DescriptionParser {
 public:
  static absl::StatusOr<VmDescription> Parse(std::span<char> text,
                                             const DescriptionOptions& options);

  DescriptionParser(VmDescription& description,
                    const DescriptionOptions& options, char* text)
      : description_(description), options_(options), text_(text) {}

  const absl::Status& status() const { return status_; }

  // RapidJSON's handler. Each returns whether to go on.
  bool Null() { return Scalar(); }
  bool Bool(bool) { return Scalar(); }
  bool Double(double) { return Scalar(); }
  bool Int(int) { return Scalar(); }
  bool Int64(int64_t) { return Scalar(); }
  bool Uint(unsigned value) { return Uint64(value); }
  bool RawNumber(const char*, unsigned, bool) { return Scalar(); }
  bool Uint64(uint64_t value);
  bool String(const char* text, unsigned length, bool);
  bool Key(const char* text, unsigned length, bool);
  bool StartObject();
  bool EndObject(unsigned);
  bool StartArray();
  bool EndArray(unsigned) {
    open_.pop_back();
    return true;
  }

 private:
  struct Open {
    Place place = Place::kOther;
    JsonKey key = JsonKey::kOther;  // The last one.
    uint32_t node = 0;
    uint32_t name = 0;
    uint32_t type = 0;
    uint32_t instance_id = 0;
    std::optional<uint32_t> version = std::nullopt;
    uint64_t name_bytes = 0;
    uint64_t size = 0;
    uint64_t count = 1;
    uint64_t content = 0;         // Bytes of the fields and subsections in it.
    uint64_t struct_content = 0;  // Of the member "struct".
    bool has_subsections = false;
  };

  bool Wrong(std::string_view what) {
    status_ = absl::InvalidArgumentError(AbslView(what));
    return false;
  }
  bool TooMuch(std::string_view what) {
    status_ = absl::ResourceExhaustedError(AbslView(what));
    return false;
  }
  // A value that nobody looks at.
  bool Scalar();
  bool Push(Place place);
  bool EndField(const Open& field);
  bool EndSubsection(const Open& subsection);
  bool EndDevice(const Open& device);
  bool Index();
  bool SetNode(const Open& open, FieldKind kind, uint64_t bytes,
               uint64_t count);
  // What the object that has just been closed stands in, past the array.
  Open& Owner() { return open_[open_.size() - 2]; }
  std::string_view Text(uint32_t at) const {
    return at == kEmpty ? std::string_view() : text_ + at;
  }
  uint32_t Keep(std::string_view text);

  // Where the empty name is, which any has until it comes.
  static constexpr uint32_t kEmpty = 0;

  VmDescription& description_;
  const DescriptionOptions& options_;
  // The JSON; what was read of it makes room for what is kept.
  char* const text_;
  size_t kept_bytes_ = 1;
  // Most come again: where the last one of a hash is.
  std::array<uint32_t, 1 << 12> last_kept_ = {};
  absl::Status status_;
  std::vector<Open> open_;
  size_t objects_ = 0;
  size_t device_names_ = 0;  // SectionsOfName() of all.
};

bool DescriptionParser::Scalar() {
  if (open_.empty()) return Wrong("the description is no object");
  const Open& open = open_.back();
  if (open.place == Place::kDevices || open.place == Place::kFields ||
      open.place == Place::kSubsections) {
    return Wrong("a device, field or subsection that is no object");
  }
  if (open.key != JsonKey::kOther) {
    return Wrong("a value of another type than its key has");
  }
  return true;
}

bool DescriptionParser::Uint64(uint64_t value) {
  if (open_.empty()) return Scalar();
  Open& open = open_.back();
  switch (open.key) {
    case JsonKey::kPageSize:
      description_.page_bytes = value;
      return true;
    case JsonKey::kInstanceId:
      if (value > UINT32_MAX) return Wrong("instance_id beyond 32 bits");
      open.instance_id = static_cast<uint32_t>(value);
      return true;
    case JsonKey::kVersion:
      if (value > UINT32_MAX) return Wrong("version beyond 32 bits");
      open.version = static_cast<uint32_t>(value);
      return true;
    case JsonKey::kSize:
      open.size = value;
      return true;
    case JsonKey::kArrayLength:
      open.count = value;
      return true;
    default:
      return Scalar();
  }
}

bool DescriptionParser::String(const char* text, unsigned length, bool) {
  if (open_.empty()) return Scalar();
  Open& open = open_.back();
  bool named = open.key == JsonKey::kName || open.key == JsonKey::kVmsdName;
  if (!named && open.key != JsonKey::kType) return Scalar();
  if (length > options_.max_name_bytes) {
    return TooMuch(StrCat("a name of ", length, " bytes, the limit is ",
                          options_.max_name_bytes));
  }
  if (std::memchr(text, 0, length) != nullptr) return Wrong("a NUL in a name");
  const uint32_t at = Keep({text, length});
  if (named) {
    open.name = at;
    open.name_bytes = length;
  } else {
    open.type = at;
  }
  return true;
}

uint32_t DescriptionParser::Keep(std::string_view text) {
  if (text.empty()) return kEmpty;
  uint32_t& at =
      last_kept_[std::hash<std::string_view>()(text) % last_kept_.size()];
  if (Text(at) == text) return at;
  // In the JSON there are quotes around it, so it never moves up.
  at = static_cast<uint32_t>(kept_bytes_);
  std::memmove(text_ + at, text.data(), text.size());
  kept_bytes_ += text.size() + 1;
  text_[kept_bytes_ - 1] = 0;
  return at;
}

bool DescriptionParser::Key(const char* text, unsigned length, bool) {
  Open& open = open_.back();
  open.key = KeyOf(open.place, std::string_view(text, length));
  return true;
}

bool DescriptionParser::Push(Place place) {
  if (++objects_ > options_.max_objects) {
    return TooMuch(StrCat("more than ", options_.max_objects,
                          " objects and arrays in the JSON"));
  }
  if (open_.size() >= options_.max_depth) {
    return TooMuch(StrCat("JSON nested deeper than ", options_.max_depth));
  }
  Open open;
  open.place = place;
  if (!open_.empty()) open.node = open_.back().node;
  bool is_node = place == Place::kDevice || place == Place::kField ||
                 place == Place::kSubsection;
  if (is_node && options_.keep_fields) {
    open.node = static_cast<uint32_t>(description_.nodes_.size());
    description_.nodes_.emplace_back();
  }
  open.name = open.type = kEmpty;
  open_.push_back(open);
  return true;
}

bool DescriptionParser::StartObject() {
  if (open_.empty()) return Push(Place::kTop);
  const Open& open = open_.back();
  switch (open.place) {
    case Place::kDevices:
      return Push(Place::kDevice);
    case Place::kFields:
      return Push(Place::kField);
    case Place::kSubsections:
      return Push(Place::kSubsection);
    default:
      break;
  }
  switch (open.key) {
    case JsonKey::kStruct:
      return Push(Place::kStruct);
    case JsonKey::kConfiguration:
      description_.has_configuration = true;
      return Push(Place::kOther);
    default:
      return Scalar() && Push(Place::kOther);
  }
}

bool DescriptionParser::StartArray() {
  if (open_.empty()) return Scalar();
  switch (open_.back().key) {
    case JsonKey::kDevices:
      return Push(Place::kDevices);
    case JsonKey::kFields:
      return Push(Place::kFields);
    case JsonKey::kSubsections:
      return Push(Place::kSubsections);
    default:
      return Scalar() && Push(Place::kOther);
  }
}

bool DescriptionParser::EndObject(unsigned) {
  Open closed = open_.back();
  open_.pop_back();
  switch (closed.place) {
    case Place::kDevice:
      return EndDevice(closed);
    case Place::kField:
      return EndField(closed);
    case Place::kStruct:
      open_.back().struct_content = closed.content;
      return true;
    case Place::kSubsection:
      return EndSubsection(closed);
    default:
      return true;
  }
}

bool DescriptionParser::EndField(const Open& field) {
  std::string_view type = Text(field.type);
  const Feature*& marker = description_.null_marker;
  if (type == "nullptr" && marker == nullptr) marker = &feature::kNullptrField;
  if (type == "ptr-marker") marker = &feature::kPtrMarkerField;
  if (!Add(field.size, field.count, Owner().content)) {
    return Wrong("a size that overflows");
  }
  FieldKind kind = KindOf(type, field.size);
  // What is in it has to be all of it; what is not, is bytes.
  uint64_t inside =
      kind == FieldKind::kTmp ? field.content : field.struct_content;
  bool open = kind == FieldKind::kTmp || kind == FieldKind::kStruct;
  if (open && inside != field.size) kind = FieldKind::kBytes;
  // Which no device has, and a script's bytes of it would lack their heads.
  if (kind == FieldKind::kTmp && field.has_subsections) {
    kind = FieldKind::kBytes;
  }
  return SetNode(field, kind, field.size, field.count);
}

bool DescriptionParser::EndSubsection(const Open& subsection) {
  if (subsection.name_bytes > kMaxSubsectionName) {
    return Wrong("a subsection's name of more than 255 bytes");
  }
  uint64_t bytes =
      kSubsectionHeadBytes + subsection.name_bytes + subsection.content;
  if (!Add(bytes, 1, Owner().content)) return Wrong("a size that overflows");
  Owner().has_subsections = true;
  return SetNode(subsection, FieldKind::kSubsection, bytes, 1);
}

bool DescriptionParser::EndDevice(const Open& device) {
  DescribedDevice described;
  described.name = std::string(Text(device.name));
  described.instance_id = device.instance_id;
  described.version = device.version;
  described.node = device.node;
  // An old-style one says it, and a field repeats it.
  described.bytes = device.size != 0 ? device.size : device.content;
  device_names_ += SectionsOfName(described.name.size());
  if (device_names_ > kMaxDevices) {
    return TooMuch(StrCat("more than ", kMaxDevices,
                          " devices; 32 bytes of a name count as one"));
  }
  if (described.bytes > kMaxBytes) {
    return Wrong(StrCat("size of '", described.name, "' overflows"));
  }
  const bool all_fields = device.content == described.bytes;
  const uint64_t bytes = described.bytes;
  description_.devices.push_back(std::move(described));
  return SetNode(device, all_fields ? FieldKind::kStruct : FieldKind::kBytes,
                 bytes, 1);
}

// Once all devices are there.
bool DescriptionParser::Index() {
  const std::vector<DescribedDevice>& devices = description_.devices;
  std::vector<uint32_t>& index = description_.index_;
  index.resize(devices.size());
  std::iota(index.begin(), index.end(), 0);
  std::sort(index.begin(), index.end(), [&](uint32_t a, uint32_t b) {
    return std::tie(devices[a].name, devices[a].instance_id, a) <
           std::tie(devices[b].name, devices[b].instance_id, b);
  });
  for (size_t i = 1; i < index.size(); ++i) {
    const DescribedDevice& before = devices[index[i - 1]];
    const DescribedDevice& device = devices[index[i]];
    if (device.name == before.name &&
        device.instance_id == before.instance_id &&
        device.bytes != before.bytes) {
      return Wrong(StrCat("'", device.name, "' instance ", device.instance_id,
                          " is described twice, with different sizes"));
    }
  }
  return true;
}

bool DescriptionParser::SetNode(const Open& open, FieldKind kind,
                                uint64_t bytes, uint64_t count) {
  // Elements without bytes do not count, however many they claim to be.
  if (bytes == 0 && count > 1) count = 0;
  if (count > UINT32_MAX) return Wrong("an array that is too long");
  if (!options_.keep_fields) return true;
  VmDescription::Node& node = description_.nodes_[open.node];
  node.name = open.name;
  node.type = open.type;
  node.end = static_cast<uint32_t>(description_.nodes_.size());
  node.count = static_cast<uint32_t>(count);
  node.bytes = bytes;
  node.kind = kind;
  return true;
}

absl::StatusOr<VmDescription> DescriptionParser::Parse(
    std::span<char> text, const DescriptionOptions& options) {
  const std::string_view json(text.data(), text.size() - kNulsBehindJson);
  if (json.find('\0') != json.npos) {
    return absl::InvalidArgumentError("a NUL in the JSON");
  }
  VmDescription description;
  if (options.keep_fields) {
    size_t most = std::count(json.begin(), json.end(), '{');
    description.nodes_.reserve(std::min(most, options.max_objects));
  }
  DescriptionParser parser(description, options, text.data());
  rapidjson::Reader reader;
  rapidjson::InsituStringStream stream(text.data());
  constexpr unsigned kFlags = rapidjson::kParseInsituFlag |
                              rapidjson::kParseIterativeFlag |
                              rapidjson::kParseValidateEncodingFlag;
  rapidjson::ParseResult result = reader.Parse<kFlags>(stream, parser);
  if (!parser.status().ok()) return parser.status();
  if (result.IsError()) {
    return absl::InvalidArgumentError(
        StrCat("JSON: ", rapidjson::GetParseError_En(result.Code()),
               " (at its byte ", result.Offset(), ")"));
  }
  if (!parser.Index()) return parser.status();
  if (options.keep_fields) {
    text[kEmpty] = 0;
    description.text_ =
        std::make_unique<std::string>(text.data(), parser.kept_bytes_);
  }
  return description;
}

absl::StatusOr<VmDescription> ParseDescription(
    std::string json, const DescriptionOptions& options) {
  json.append(kNulsBehindJson, '\0');
  return ParseDescriptionInPlace(json, options);
}

absl::StatusOr<VmDescription> ParseDescriptionInPlace(
    std::span<char> json_and_nuls, const DescriptionOptions& options) {
  return DescriptionParser::Parse(json_and_nuls, options);
}

}  // namespace migstream
