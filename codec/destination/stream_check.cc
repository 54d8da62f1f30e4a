#include "codec/destination/stream_check.h"

#include <map>
#include <optional>
#include <string_view>

#include "codec/wire/printable.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

using Node = VmDescription::Node;

// A device of the stream against one description of the dump.
class DeviceCheck {
 public:
  DeviceCheck(const VmDescription& stream, const VmstateDump& dump,
              const DescribedDevice& device)
      : stream_(stream), dump_(dump), device_(device) {}

  // The first refusal; nothing if there is none.
  std::optional<std::string> Against(const DumpedState& state) const;

 private:
  std::optional<std::string> Within(uint32_t node,
                                    const DumpedState& state) const;
  std::optional<std::string> Field(uint32_t node,
                                   const DumpedState& state) const;
  std::optional<std::string> Subsection(uint32_t node,
                                        const DumpedState& state) const;

  const VmDescription& stream_;
  const VmstateDump& dump_;
  const DescribedDevice& device_;
};

std::optional<std::string> DeviceCheck::Subsection(
    uint32_t node, const DumpedState& state) const {
  std::string_view name = stream_.text(stream_.node(node).name);
  if (state.subsections) {
    for (size_t each : *state.subsections) {
      const DumpedState& known = dump_.states[each];
      if (known.name == name) return Within(node, known);
    }
  }
  return StrCat("VM subsection '", Printable(name), "' in '", state.name,
                "' does not exist");
}

std::optional<std::string> DeviceCheck::Field(uint32_t index,
                                              const DumpedState& state) const {
  const Node& node = stream_.node(index);
  std::string_view name = stream_.text(node.name);
  const bool number = node.kind == FieldKind::kUnsigned ||
                      node.kind == FieldKind::kSigned ||
                      node.kind == FieldKind::kBool;
  bool sizes_differ = false;
  int64_t theirs = 0;
  for (const DumpedField& field : *state.fields) {
    if (field.name != name) continue;
    // One name may stand for several fields, of which one is there at a time.
    if (field.state) return Within(index, dump_.states[*field.state]);
    theirs = field.bytes;
    sizes_differ = theirs != static_cast<int64_t>(node.bytes);
    if (!sizes_differ) return std::nullopt;
  }
  if (!number || node.count != 1 || !sizes_differ) return std::nullopt;
  return StrCat("'", Printable(name), "' of '", state.name, "' has ",
                uint64_t{node.bytes}, " bytes, the destination's ", theirs);
}

// Calls itself no deeper than the dump is.
std::optional<std::string> DeviceCheck::Within(uint32_t parent,
                                               const DumpedState& state) const {
  const uint32_t end = stream_.node(parent).end;
  for (uint32_t node = parent + 1; node < end; node = stream_.node(node).end) {
    std::optional<std::string> refusal;
    if (stream_.node(node).kind == FieldKind::kSubsection) {
      refusal = Subsection(node, state);
    } else if (state.fields) {
      refusal = Field(node, state);
    }
    if (refusal) return refusal;
  }
  return std::nullopt;
}

std::optional<std::string> DeviceCheck::Against(
    const DumpedState& state) const {
  if (device_.version && *device_.version > state.version_id) {
    return StrCat("savevm: unsupported version ", *device_.version, " for '",
                  Printable(device_.name), "' v", state.version_id);
  }
  if (device_.version && *device_.version < state.minimum_version_id) {
    return StrCat(state.name, ": incoming version_id ", *device_.version,
                  " is too old for local minimum version_id  ",
                  state.minimum_version_id);
  }
  return Within(device_.node, state);
}

}  // namespace

DumpVerdict CheckAgainstDump(const VmDescription& stream,
                             const VmstateDump& dump) {
  // Classes share descriptions, and one name may stand for different ones.
  std::multimap<std::string_view, const DumpedState*> states;
  for (const DumpedDevice& device : dump.devices) {
    if (!device.state) continue;
    const DumpedState& state = dump.states[*device.state];
    states.emplace(state.name, &state);
  }
  DumpVerdict verdict;
  for (const DescribedDevice& device : stream.devices) {
    // "0000:00:02.0/e1000e": where the device is, then its description's name.
    std::string_view name = device.name;
    while (states.count(name) == 0 && name.find('/') != name.npos) {
      name.remove_prefix(name.find('/') + 1);
    }
    auto [first, last] = states.equal_range(name);
    if (first == last) {
      verdict.unknown.push_back(device.name);
      continue;
    }
    ++verdict.compared;
    std::optional<std::string> refusal;
    for (auto it = first; it != last; ++it) {
      std::optional<std::string> said =
          DeviceCheck(stream, dump, device).Against(*it->second);
      if (it == first || !said) refusal = said;
      if (!said) break;
    }
    if (refusal) verdict.refusals.push_back({device.name, *refusal});
  }
  return verdict;
}

}  // namespace migstream
