#include "codec/qemu/description_editor.h"

#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "codec/io/absl_view.h"
#include "codec/qemu/described_entries.h"
#include "codec/qemu/stream_reader.h"
#include "codec/wire/json.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

using Key = std::pair<std::string, uint32_t>;  // idstr, instance id.

std::string NewEntry(const WrittenFull& full) {
  rapidjson::StringBuffer name;
  rapidjson::Writer<rapidjson::StringBuffer> writer(name);
  writer.String(full.idstr.data(),
                static_cast<rapidjson::SizeType>(full.idstr.size()));
  return StrCat(
      "{\"name\": ", name.GetString(), ", \"instance_id\": ", full.instance_id,
      ", \"size\": ", full.content_bytes,
      ", \"fields\": [{\"name\": \"data\", \"size\": ", full.content_bytes,
      ", \"type\": \"buffer\"}]}");
}

std::string Name(std::string_view idstr, uint32_t instance_id) {
  return StrCat("'", Printable(idstr), "' instance ", instance_id);
}

absl::Status Refusal(std::string_view reason) {
  return absl::FailedPreconditionError(AbslView(reason));
}

// What has to be done about one entry.
struct Change {
  bool remove = false;
  std::optional<uint64_t> bytes;  // Its new size.
};

class Editor {
 public:
  Editor(std::string_view json, const DescribedEntries& found)
      : json_(json), found_(found) {}

  absl::StatusOr<std::string> Edit(const std::vector<WrittenFull>& fulls) {
    for (const WrittenFull& full : fulls) {
      auto [known, added] = bytes_.try_emplace(
          Key(full.idstr, full.instance_id), full.content_bytes);
      if (added || known->second == full.content_bytes) continue;
      return Refusal(StrCat(
          Name(full.idstr, full.instance_id), " has FULLs of ", known->second,
          " and of ", full.content_bytes,
          " bytes, which its entry in the description cannot both describe"));
    }
    if (absl::Status status = Plan(fulls); !status.ok()) return status;
    if (!changes_) return std::string(json_);
    if (found_.arrays == 0) {
      return absl::InvalidArgumentError("the JSON has no \"devices\"");
    }
    if (found_.arrays > 1) {
      return Refusal("the JSON has \"devices\" more than once");
    }
    return Apply();
  }

 private:
  absl::Status Plan(const std::vector<WrittenFull>& fulls) {
    std::set<Key> described;
    for (const DescribedEntry& entry : found_.entries) {
      Change& change = plan_.emplace_back();
      auto full = bytes_.find(Key(entry.name, entry.instance_id));
      if (full == bytes_.end()) {
        change.remove = IsVfioIdstr(entry.name);
        changes_ |= change.remove;
        continue;
      }
      described.insert(full->first);
      if (!entry.unknown && entry.bytes() == full->second) continue;
      std::string problem = entry.problem;
      if (problem.empty() && entry.fields > 1) problem = "has several fields";
      if (problem.empty() && entry.sizes.empty()) problem = "has no size";
      if (!problem.empty()) {
        return Refusal(StrCat(
            "the entry of ", Name(entry.name, entry.instance_id),
            " cannot be made to say ", full->second, " bytes: it ", problem));
      }
      change.bytes = full->second;
      changes_ = true;
    }
    for (const WrittenFull& full : fulls) {
      if (described.contains(Key(full.idstr, full.instance_id))) continue;
      added_.push_back(&full);
      changes_ = true;
    }
    return absl::OkStatus();
  }

  // There is one array.
  std::string Apply() const {
    const std::vector<DescribedEntry>& entries = found_.entries;
    const bool none = entries.empty();
    const size_t head = none ? found_.end : entries[0].object.begin;
    const size_t tail = none ? found_.end : entries.back().object.end;
    std::string edited(json_.substr(0, head));
    bool first = true;
    for (size_t i = 0; i < entries.size(); ++i) {
      if (plan_[i].remove) continue;
      size_t copied = entries[i].object.begin;
      auto copy = [&](size_t up_to) {
        StrAppend(&edited, json_.substr(copied, up_to - copied));
        copied = up_to;
      };
      if (!first) {
        copied = entries[i - 1].object.end;  // The comma.
        copy(entries[i].object.begin);
      }
      first = false;
      if (plan_[i].bytes) {
        for (const JsonSpan& size : entries[i].sizes) {
          copy(size.begin);
          StrAppend(&edited, *plan_[i].bytes);
          copied = size.end;
        }
      }
      copy(entries[i].object.end);
    }
    for (const WrittenFull* full : added_) {
      StrAppend(&edited, first ? "" : ", ", NewEntry(*full));
      first = false;
    }
    StrAppend(&edited, json_.substr(tail));
    return edited;
  }

  const std::string_view json_;
  const DescribedEntries& found_;
  std::map<Key, uint64_t> bytes_;  // Of each device's FULLs.
  std::vector<Change> plan_;       // One for each entry.
  std::vector<const WrittenFull*> added_;
  bool changes_ = false;
};

}  // namespace

absl::StatusOr<std::string> EditDescription(
    std::string_view json, const std::vector<WrittenFull>& fulls) {
  absl::StatusOr<DescribedEntries> found = FindDescribedEntries(json);
  if (!found.ok()) return found.status();
  return Editor(json, *found).Edit(fulls);
}

}  // namespace migstream
