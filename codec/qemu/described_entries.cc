#include "codec/qemu/described_entries.h"

#include <limits>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "codec/wire/json.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

// The iterative reader, which no nesting can harm, tells of a bracket before it
// takes it, and of a number after.
//
// By depth: the root object is 1, "devices" 2, an entry 3, its "fields" 4, a
// field 5.
class EntryFinder
    : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, EntryFinder> {
 public:
  EntryFinder(std::string_view json, const rapidjson::MemoryStream& stream)
      : json_(json), stream_(stream) {}

  bool StartObject() {
    NoNumber();
    ++depth_;
    if (!in_devices_) return true;
    if (depth_ == kEntry) {
      entry_ = {};
      entry_.object.begin = stream_.Tell();
    } else if (depth_ == kField) {
      ++entry_.fields;
      field_bytes_ = 0;
      elements_ = 1;
    } else if (depth_ == kEntry + 1) {
      Problem("holds an object of its own", false);
    }
    return true;
  }
  bool EndObject(rapidjson::SizeType) {
    if (in_devices_ && depth_ == kField) EndField();
    if (in_devices_ && depth_ == kEntry) {
      entry_.object.end = stream_.Tell() + 1;
      found.entries.push_back(std::move(entry_));
    }
    --depth_;
    return true;
  }
  bool StartArray() {
    NoNumber();
    ++depth_;
    if (depth_ == kDevices && key_ == "devices") {
      in_devices_ = true;
      ++found.arrays;
    } else if (in_devices_ && depth_ == kEntry + 1 && key_ != "fields") {
      Problem(StrCat("has ", key_), !entry_.size);
    }
    return true;
  }
  bool EndArray(rapidjson::SizeType) {
    if (depth_ == kDevices && in_devices_) {
      in_devices_ = false;
      found.end = stream_.Tell();
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
    return NoNumber();
  }
  bool Uint(unsigned value) { return Number(value); }
  bool Uint64(uint64_t value) { return Number(value); }
  bool Null() { return NoNumber(); }
  bool Bool(bool) { return NoNumber(); }
  bool Int(int) { return NoNumber(); }
  bool Int64(int64_t) { return NoNumber(); }
  bool Double(double) { return NoNumber(); }

  DescribedEntries found;

 private:
  static constexpr int kRoot = 1, kDevices = 2, kEntry = 3, kField = 5;

  bool At(int depth, std::string_view key) const {
    return in_devices_ && depth_ == depth && key_ == key;
  }

  bool Number(uint64_t value) {
    if (At(kEntry, "instance_id")) {
      entry_.instance_id = static_cast<uint32_t>(value);
      if (value != entry_.instance_id)
        Problem("has an instance_id too large", true);
    } else if (At(kEntry, "size")) {
      entry_.size = value;
      AddSize();
    } else if (At(kField, "size")) {
      field_bytes_ = value;
      AddSize();
    } else if (At(kField, "array_len")) {
      elements_ = value;
      Problem("is of a field with array_len", false);
    }
    return true;
  }

  void AddSize() {
    size_t end = stream_.Tell();
    size_t begin = end;
    while (begin > 0 && absl::ascii_isdigit(json_[begin - 1])) --begin;
    entry_.sizes.push_back({begin, end});
  }

  // Something that is no whole number has come: was there to be one?
  bool NoNumber() {
    if (At(kEntry, "size") || At(kField, "size")) {
      Problem("has a size that is no whole number", true);
    } else if (At(kEntry, "instance_id")) {
      Problem("has an instance_id that is no whole number", true);
    } else if (At(kField, "array_len")) {
      Problem("has an array_len that is no whole number", true);
    } else if (At(kField, "struct")) {
      Problem("is of a field with a struct", false);
    }
    return true;
  }

  void EndField() {
    constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
    uint64_t& all = entry_.field_bytes;
    if (elements_ != 0 && field_bytes_ > (kMost - all) / elements_) {
      return Problem("has sizes that overflow", true);
    }
    all += field_bytes_ * elements_;
  }

  void Problem(std::string problem, bool unknown) {
    if (entry_.problem.empty()) entry_.problem = std::move(problem);
    entry_.unknown |= unknown;
  }

  const std::string_view json_;
  const rapidjson::MemoryStream& stream_;
  int depth_ = 0;
  bool in_devices_ = false;
  std::string key_;
  DescribedEntry entry_;
  uint64_t field_bytes_ = 0;  // Of the field that is open, one element.
  uint64_t elements_ = 1;
};

}  // namespace

absl::StatusOr<DescribedEntries> FindDescribedEntries(std::string_view json) {
  rapidjson::MemoryStream stream(json.data(), json.size());
  EntryFinder finder(json, stream);
  rapidjson::Reader reader;
  rapidjson::ParseResult parsed =
      reader.Parse<rapidjson::kParseIterativeFlag>(stream, finder);
  if (!parsed) {
    return absl::InvalidArgumentError(
        StrCat("JSON at byte ", parsed.Offset(), ": ",
               rapidjson::GetParseError_En(parsed.Code())));
  }
  return std::move(finder.found);
}

}  // namespace migstream
