#include "codec/rewrite/description_editor.h"

#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "codec/qemu/stream_reader.h"
#include "codec/wire/json.h"

namespace migstream {
namespace {

struct Span {
  size_t begin = 0;
  size_t end = 0;
};

// An entry of "devices", and where it stands.
struct Entry {
  std::string name;
  uint32_t instance_id = 0;
  Span object;
  std::vector<Span> sizes;  // Its own, and those of its fields.
};

// The iterative reader, which no nesting can harm, tells of a bracket before it
// takes it, and of a number after.
//
// Finds the entries, by depth: the root object is 1, "devices" 2, an entry 3,
// its "fields" 4, a field 5.
class EntryFinder
    : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, EntryFinder> {
 public:
  EntryFinder(absl::string_view json, const rapidjson::MemoryStream& stream)
      : json_(json), stream_(stream) {}

  bool StartObject() {
    ++depth_;
    if (depth_ == kEntry && in_devices_) {
      entry_ = {};
      entry_.object.begin = stream_.Tell();
    }
    return true;
  }
  bool EndObject(rapidjson::SizeType) {
    if (depth_ == kEntry && in_devices_) {
      entry_.object.end = stream_.Tell() + 1;
      entries.push_back(std::move(entry_));
    }
    --depth_;
    return true;
  }
  bool StartArray() {
    ++depth_;
    if (depth_ == kDevices && key_ == "devices") in_devices_ = true;
    return true;
  }
  bool EndArray(rapidjson::SizeType) {
    if (depth_ == kDevices && in_devices_) {
      in_devices_ = false;
      devices_end = stream_.Tell();
    }
    --depth_;
    return true;
  }
  bool Key(const char* text, rapidjson::SizeType length, bool) {
    if (depth_ == kRoot || depth_ == kEntry || depth_ == kField) {
      key_.assign(text, length);
    }
    return true;
  }
  bool String(const char* text, rapidjson::SizeType length, bool) {
    if (in_devices_ && depth_ == kEntry && key_ == "name") {
      entry_.name.assign(text, length);
    }
    return true;
  }
  bool Uint(unsigned value) { return Number(value); }
  bool Uint64(uint64_t value) { return Number(value); }

  std::vector<Entry> entries;
  size_t devices_end = 0;  // Of its ']'; 0 if there is none.

 private:
  static constexpr int kRoot = 1, kDevices = 2, kEntry = 3, kField = 5;

  bool Number(uint64_t value) {
    if (!in_devices_) return true;
    if (depth_ == kEntry && key_ == "instance_id") {
      entry_.instance_id = static_cast<uint32_t>(value);
    }
    if ((depth_ == kEntry || depth_ == kField) && key_ == "size") {
      size_t end = stream_.Tell();
      size_t begin = end;
      while (begin > 0 && absl::ascii_isdigit(json_[begin - 1])) --begin;
      entry_.sizes.push_back({begin, end});
    }
    return true;
  }

  const absl::string_view json_;
  const rapidjson::MemoryStream& stream_;
  int depth_ = 0;
  bool in_devices_ = false;
  std::string key_;
  Entry entry_;
};

std::string NewEntry(const WrittenFull& full) {
  rapidjson::StringBuffer name;
  rapidjson::Writer<rapidjson::StringBuffer> writer(name);
  writer.String(full.idstr.data(),
                static_cast<rapidjson::SizeType>(full.idstr.size()));
  return absl::StrCat(
      "{\"name\": ", name.GetString(), ", \"instance_id\": ", full.instance_id,
      ", \"size\": ", full.content_bytes,
      ", \"fields\": [{\"name\": \"data\", \"size\": ", full.content_bytes,
      ", \"type\": \"buffer\"}]}");
}

}  // namespace

absl::StatusOr<std::string> EditDescription(
    absl::string_view json, const std::vector<WrittenFull>& fulls) {
  rapidjson::MemoryStream stream(json.data(), json.size());
  EntryFinder finder(json, stream);
  rapidjson::Reader reader;
  rapidjson::ParseResult parsed =
      reader.Parse<rapidjson::kParseIterativeFlag>(stream, finder);
  if (!parsed) {
    return absl::InvalidArgumentError(
        absl::StrCat("JSON at byte ", parsed.Offset(), ": ",
                     rapidjson::GetParseError_En(parsed.Code())));
  }
  if (finder.devices_end == 0) {
    return absl::InvalidArgumentError("the JSON has no \"devices\"");
  }
  absl::flat_hash_map<std::pair<std::string, uint32_t>, uint64_t> missing;
  for (const WrittenFull& full : fulls) {
    missing[{full.idstr, full.instance_id}] = full.content_bytes;
  }
  const std::vector<Entry>& entries = finder.entries;
  size_t head = entries.empty() ? finder.devices_end : entries[0].object.begin;
  size_t tail =
      entries.empty() ? finder.devices_end : entries.back().object.end;
  std::string edited(json.substr(0, head));
  bool first = true;
  for (size_t i = 0; i < entries.size(); ++i) {
    auto found = missing.find({entries[i].name, entries[i].instance_id});
    if (found == missing.end() && IsVfioIdstr(entries[i].name)) continue;
    size_t copied = entries[i].object.begin;
    if (!first) {
      size_t comma = entries[i - 1].object.end;
      absl::StrAppend(&edited, json.substr(comma, copied - comma));
    }
    first = false;
    if (found != missing.end()) {
      for (const Span& size : entries[i].sizes) {
        absl::StrAppend(&edited, json.substr(copied, size.begin - copied),
                        found->second);
        copied = size.end;
      }
      missing.erase(found);
    }
    absl::StrAppend(&edited,
                    json.substr(copied, entries[i].object.end - copied));
  }
  for (const WrittenFull& full : fulls) {
    if (missing.erase({full.idstr, full.instance_id}) == 0) continue;
    absl::StrAppend(&edited, first ? "" : ", ", NewEntry(full));
    first = false;
  }
  absl::StrAppend(&edited, json.substr(tail));
  return edited;
}

}  // namespace migstream
