#include "codec/diff/stream_diff.h"

#include <algorithm>
#include <functional>
#include <string_view>

#include "codec/diff/config_diff.h"
#include "codec/diff/diff_text.h"
#include "codec/diff/payload_diff.h"
#include "codec/diff/ram_difference.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

class Comparison {
 public:
  Comparison(StreamState& a, StreamState& b, const DiffOptions& options,
             std::vector<Difference>& differences)
      : a_(a),
        b_(b),
        cuts_(!options.ignore_cuts),
        threads_(options.threads),
        out_(options.max_of_a_kind, differences) {}

  Error Run() {
    out_.SetDevice("stream");
    CompareEnds();
    if (cuts_) {
      CompareCommands();
      if (!IsShort()) out_.Compare("sections", a_.sections, b_.sections);
      CompareDescriptions();
    }
    CompareAll<VfioState>(
        "VFIO device", a_.vfio, b_.vfio,
        [&](const VfioState& a, const VfioState& b) { CompareVfio(a, b); });
    CompareAll<DeviceState>("device", a_.devices, b_.devices,
                            [&](const DeviceState& a, const DeviceState& b) {
                              CompareDevice(a, b);
                            });
    CompareRam();
    out_.SetDevice("stream");
    TellCutOff(unreached_);
    return error_;
  }

 private:
  // Whether one ends early: what it lacks need not be a difference.
  bool a_short() const { return !a_.end.ok(); }
  bool b_short() const { return !b_.end.ok(); }
  bool IsShort() const { return a_short() || b_short(); }
  // Whether a is less than b only since it ends early, or b than a.
  bool IsCutOff(uint64_t a, uint64_t b) const {
    return (a < b && a_short()) || (b < a && b_short());
  }

  void CompareEnds() {
    auto text = [](const Error& end) {
      if (end.ok()) return std::string("complete");
      if (end.section.empty()) return Printable(end.reason);
      return Printable(StrCat(end.file, end.file.empty() ? "" : ":",
                              Hex(end.offset), " in ", end.section));
    };
    out_.Compare("ends", text(a_.end), text(b_.end));
  }

  void CompareCommands() {
    const std::vector<CommandState>& a = a_.commands;
    const std::vector<CommandState>& b = b_.commands;
    auto same = [](const CommandState& x, const CommandState& y) {
      return x.command == y.command && x.data == y.data;
    };
    size_t first = 0;
    while (first < std::min(a.size(), b.size()) && same(a[first], b[first])) {
      ++first;
    }
    if (first == a.size() && first == b.size()) return;
    if ((first == a.size() && a_short()) || (first == b.size() && b_short())) {
      return;
    }
    size_t end_a = a.size(), end_b = b.size();
    while (end_a > first && end_b > first && same(a[end_a - 1], b[end_b - 1])) {
      --end_a;
      --end_b;
    }
    auto text = [first](const std::vector<CommandState>& all, size_t end) {
      std::vector<std::string> texts;
      for (size_t i = first; i < end; ++i) texts.push_back(CommandText(all[i]));
      return ListText(texts);
    };
    std::string text_a = text(a, end_a), text_b = text(b, end_b);
    // Texts are short, and may leave out what differs.
    out_.Add(StrCat("command ", first + 1), text_a,
             text_a == text_b ? "differ" : text_b);
  }

  void CompareDescriptions() {
    if (IsShort()) return;
    if (a_.description.has_value() != b_.description.has_value()) {
      return out_.Add("description", a_.description ? "present" : "",
                      b_.description ? "present" : "");
    }
    if (!a_.description || IsSame(*a_.description, *b_.description)) return;
    auto text = [](const StoredBytes& json) {
      return StrCat(json.size(), " bytes");
    };
    std::string text_a = text(*a_.description), text_b = text(*b_.description);
    out_.Add("description", text_a, text_a == text_b ? "differ" : text_b);
  }

  // "WHAT bytes", and the ranges that differ.
  void CompareBytes(const std::string& what, const StoredBytes& a,
                    const StoredBytes& b) {
    if (!CutOff(a.size(), b.size(), StrCat("bytes of ", what))) {
      out_.Compare(StrCat(what, " bytes"), a.size(), b.size());
    }
    Keep(CompareStored(what, a_.kept, a, b_.kept, b, out_));
  }

  bool IsSame(const StoredBytes& a, const StoredBytes& b) {
    bool same = false;
    Keep(IsSameStored(a_.kept, a, b_.kept, b, same));
    return same;
  }

  // Whether one has fewer only since it ends early; said on the device's one
  // line for such things.
  bool CutOff(uint64_t a, uint64_t b, std::string_view things) {
    if (!IsCutOff(a, b)) return false;
    if (a < b) cut_off_.a.push_back(StrCat(b - a, " ", things));
    if (b < a) cut_off_.b.push_back(StrCat(a - b, " ", things));
    return true;
  }

  struct CutOffThings {
    std::vector<std::string> a, b;  // What each lacks.
  };
  void TellCutOff(CutOffThings& things) {
    if (!things.a.empty() || !things.b.empty()) {
      out_.Add("cut off", StrJoin(things.a, ", "), StrJoin(things.b, ", "));
    }
    things = {};
  }

  // A VFIO device is known by its name.
  static bool IsKnown(const VfioState&) { return true; }
  static bool IsKnown(const DeviceState& device) { return device.is_known; }

  template <typename Device>
  void CompareAll(
      std::string_view what, const std::map<DeviceName, Device>& a,
      const std::map<DeviceName, Device>& b,
      const std::function<void(const Device&, const Device&)>& both) {
    for (const auto& [name, device] : a) {
      auto other = b.find(name);
      if (other == b.end()) continue;
      out_.SetDevice(NameText(name, IsKnown(device) || IsKnown(other->second)));
      both(device, other->second);
      TellCutOff(cut_off_);
    }
    std::vector<std::string> only_a = NamesOnlyIn(a, b);
    std::vector<std::string> only_b = NamesOnlyIn(b, a);
    AddOnly(what, only_a, b_short(), true);
    AddOnly(what, only_b, a_short(), false);
  }

  template <typename Device>
  static std::vector<std::string> NamesOnlyIn(
      const std::map<DeviceName, Device>& devices,
      const std::map<DeviceName, Device>& others) {
    std::vector<std::string> names;
    for (const auto& [name, device] : devices) {
      if (others.count(name) != 0) continue;
      names.push_back(NameText(name, IsKnown(device)));
    }
    return names;
  }

  void AddOnly(std::string_view what, const std::vector<std::string>& names,
               bool other_short, bool in_a) {
    auto add = [&](std::string line) {
      out_.Add(std::move(line), in_a ? "present" : "", in_a ? "" : "present");
    };
    if (names.empty()) return;
    if (other_short) {
      (in_a ? unreached_.b : unreached_.a)
          .push_back(StrCat(names.size(), " ", what,
                            names.size() == 1 ? " (" : "s (", ListText(names),
                            ")"));
      return;
    }
    const size_t listed = std::min(names.size(), out_.max_of_a_kind());
    for (size_t i = 0; i < listed; ++i) {
      out_.SetDevice(names[i]);
      add(std::string(what));
    }
    if (listed == names.size()) return;
    out_.SetDevice("stream");
    add(StrCat(names.size() - listed, " more ", what, "s"));
  }

  void CompareVfio(const VfioState& a, const VfioState& b) {
    if (cuts_) CompareCuts(a, b);
    out_.Compare("version_id", VersionsText(a.versions),
                 VersionsText(b.versions));
    ComparePayload(a, b);
    const size_t both = std::min(a.configs.size(), b.configs.size());
    for (size_t i = 0; i < both; ++i) {
      CompareConfigs(i == 0 ? "" : StrCat("CONFIG ", i + 1, ": "), a.configs[i],
                     b.configs[i], cuts_, out_);
    }
    if (CutOff(a.configs.size(), b.configs.size(), "CONFIG")) return;
    auto text = [](size_t configs) -> std::string {
      return configs == 0   ? ""
             : configs == 1 ? "present"
                            : StrCat(configs, " times");
    };
    out_.Compare("CONFIG", text(a.configs.size()), text(b.configs.size()));
  }

  // By record and field, if both are whole and of a driver that is known.
  void ComparePayload(const VfioState& a, const VfioState& b) {
    if (IsShort()) return CompareBytes("payload", a.payload, b.payload);
    if (IsSame(a.payload, b.payload)) return;
    PayloadSide side_a, side_b;
    Keep(ReadPayload(a_.kept, a, side_a));
    Keep(ReadPayload(b_.kept, b, side_b));
    if (!error_.ok()) return;
    if (!IsComparable(side_a, side_b)) {
      out_.Compare("payload's driver", std::string(side_a.report.format->name),
                   std::string(side_b.report.format->name));
      return CompareBytes("payload", a.payload, b.payload);
    }
    out_.Compare("payload bytes", a.payload.size(), b.payload.size());
    Keep(ComparePayloads(side_a, side_b, out_));
  }

  void Keep(const Error& error) {
    if (error_.ok()) error_ = error;
  }

  void CompareCuts(const VfioState& a, const VfioState& b) {
    std::map<std::string, std::pair<uint64_t, uint64_t>> counts;
    for (const auto& [what, count] : a.counts) counts[what].first = count;
    for (const auto& [what, count] : b.counts) counts[what].second = count;
    for (const auto& [what, count] : counts) {
      if (IsCutOff(count.first, count.second)) continue;
      out_.Compare(what, count.first, count.second);
    }
    size_t both = std::min(a.record_bytes.size(), b.record_bytes.size());
    for (size_t i = 0; i < both; ++i) {
      if (a.record_bytes[i] == b.record_bytes[i]) continue;
      return out_.Compare(StrCat("bytes of DATA record ", i), a.record_bytes[i],
                          b.record_bytes[i]);
    }
  }

  void CompareDevice(const DeviceState& a, const DeviceState& b) {
    out_.Compare("version_id", VersionsText(a.versions),
                 VersionsText(b.versions));
    if (IsSame(a.content, b.content) && a.content.size() != 0) return;
    const size_t before = out_.size();
    if (!a.values.empty() && !b.values.empty()) {
      bool cut_off = CutOff(a.content.size(), b.content.size(), "bytes");
      CompareValues(a.values, b.values, cut_off);
      if (cut_off) return;
    }
    // Fields may not show all: versions of subsections, for one.
    if (out_.size() == before) CompareBytes("state", a.content, b.content);
  }

  using Values = std::map<std::string, StateValue>;

  void CompareValues(const Values& a, const Values& b, bool cut_off) {
    DifferenceKind fields(out_, "fields");
    for (const auto& [path, value] : a) {
      auto other = b.find(path);
      if (other == b.end()) {
        if (!cut_off) fields.Add(path, ValueText(value, 0), "");
      } else if (value.bytes != other->second.bytes) {
        CompareValue(path, value, other->second, fields);
      }
    }
    if (cut_off) return;
    for (const auto& [path, value] : b) {
      if (a.count(path) == 0) fields.Add(path, "", ValueText(value, 0));
    }
  }

  // Long ones from where they begin to differ.
  static void CompareValue(const std::string& path, const StateValue& a,
                           const StateValue& b, DifferenceKind& fields) {
    if (!a.text.empty() && !b.text.empty()) {
      return fields.Add(path, ValueText(a, 0), ValueText(b, 0));
    }
    auto [differs, unused] = std::mismatch(a.bytes.begin(), a.bytes.end(),
                                           b.bytes.begin(), b.bytes.end());
    size_t at = differs - a.bytes.begin();
    const std::string_view field =
        std::string_view(path).substr(0, path.size() - a.offset_characters);
    fields.Add(StrCat(field, " from byte ", Hex(a.offset + at)),
               ValueText(a, at), ValueText(b, at));
  }

  // Blocks of one stream only are in the list of blocks, a value of "ram".
  void CompareRam() {
    out_.SetDevice("ram");
    DifferenceKind blocks(out_, "blocks");
    for (const auto& [name, block_a] : a_.ram_store.blocks()) {
      auto found = b_.ram_store.blocks().find(name);
      if (found == b_.ram_store.blocks().end()) continue;
      const RamState& state_a = a_.ram[name];
      const RamState& state_b = b_.ram[name];
      const uint64_t page_bytes =
          std::max({state_a.page_bytes, state_b.page_bytes,
                    RamStore::Block::kUnitBytes});
      RamDifference difference =
          CompareBlocks(*block_a, *found->second, page_bytes, threads_);
      Keep(difference.error);
      if (!difference.error.ok()) break;
      if (difference.pages != 0) {
        uint64_t pages =
            std::min(block_a->bytes(), found->second->bytes()) / page_bytes;
        blocks.Add(StrCat("pages of ", Printable(name)),
                   StrCat(difference.pages, " of ", pages, ", the first at ",
                          Hex(difference.first)),
                   "differ");
      }
      if (state_a.missing_pages != state_b.missing_pages) {
        blocks.Add(StrCat("pages of ", Printable(name), " that never came"),
                   StrCat(state_a.missing_pages),
                   StrCat(state_b.missing_pages));
      }
    }
    Keep(a_.ram_store.error());
    Keep(b_.ram_store.error());
  }

  StreamState& a_;
  StreamState& b_;
  const bool cuts_;
  const int threads_;
  Differences out_;
  CutOffThings cut_off_;    // Of the device at hand.
  CutOffThings unreached_;  // Devices.
  Error error_;
};

}  // namespace

Error CompareStreams(StreamState& a, StreamState& b, const DiffOptions& options,
                     std::vector<Difference>& differences) {
  return Comparison(a, b, options, differences).Run();
}

Error CompareSnapshots(const StreamState& state, const DiffOptions& options,
                       std::vector<Difference>& differences, size_t& devices) {
  Differences out(options.max_of_a_kind, differences);
  devices = 0;
  for (const auto& [name, device] : state.vfio) {
    PayloadSide side;
    Error error = ReadPayload(state.kept, device, side);
    if (!error.ok()) return error;
    if (!HasSnapshots(side)) continue;
    ++devices;
    out.SetDevice(NameText(name, true));
    error = CompareWithin(side, out);
    if (!error.ok()) return error;
  }
  return {};
}

}  // namespace migstream
