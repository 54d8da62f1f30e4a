#include "codec/diff/stream_diff.h"

#include <algorithm>
#include <set>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "codec/device/config_layout.h"
#include "codec/device/pci_register.h"
#include "codec/diff/payload_cursor.h"
#include "codec/wire/printable.h"

namespace migstream {
namespace {

constexpr size_t kCompareBytes = 64 << 10;
constexpr size_t kShownBytes = 12;  // Of a long value.

std::string Name(const DeviceName& device) {
  return absl::StrCat(
      Printable(device.first),
      device.second == 0 ? "" : absl::StrCat("#", device.second));
}

// "0x0007": a register is little-endian; empty where the space ends before.
std::string RegisterText(const std::string& config, const PciRegister& where) {
  if (where.offset + where.bytes > config.size()) return "";
  std::string digits = config.substr(where.offset, where.bytes);
  std::reverse(digits.begin(), digits.end());
  return absl::StrCat("0x", absl::BytesToHexString(digits));
}

std::string SubsectionText(const VfioState& device, const std::string& name) {
  auto found = device.subsections.find(name);
  if (found == device.subsections.end()) return "";
  return absl::StrCat("0x", absl::BytesToHexString(found->second));
}

class Comparison {
 public:
  Comparison(const StreamState& a, const StreamState& b,
             const DiffOptions& options, std::vector<Difference>& differences)
      : a_(a), b_(b), options_(options), differences_(differences) {}

  Error Run() {
    if (!options_.ignore_cuts) {
      device_ = "stream";
      Compare("commands", absl::StrJoin(a_.commands, ", "),
              absl::StrJoin(b_.commands, ", "));
      Compare("sections", a_.sections, b_.sections);
    }
    Error error;
    CompareDevices("VFIO device", a_.vfio, b_.vfio,
                   [&](const VfioState& a, const VfioState& b) {
                     if (error.ok()) error = CompareVfio(a, b);
                   });
    CompareDevices(
        "device", a_.values, b_.values,
        [&](const Values& a, const Values& b) { CompareValues(a, b); });
    return error;
  }

 private:
  using Values = std::map<std::string, StateValue>;

  void Add(std::string what, std::string a, std::string b) {
    differences_.push_back(
        {device_, std::move(what), std::move(a), std::move(b)});
  }
  void Compare(std::string what, const std::string& a, const std::string& b) {
    if (a != b) Add(std::move(what), a, b);
  }
  void Compare(std::string what, uint64_t a, uint64_t b) {
    if (a != b) Add(std::move(what), absl::StrCat(a), absl::StrCat(b));
  }

  template <typename Device, typename Both>
  void CompareDevices(const char* what, const std::map<DeviceName, Device>& a,
                      const std::map<DeviceName, Device>& b, Both both) {
    for (const auto& [name, device] : a) {
      device_ = Name(name);
      auto other = b.find(name);
      if (other == b.end()) {
        Add(what, "present", "");
      } else {
        both(device, other->second);
      }
    }
    for (const auto& [name, device] : b) {
      device_ = Name(name);
      if (a.count(name) == 0) Add(what, "", "present");
    }
  }

  Error CompareVfio(const VfioState& a, const VfioState& b) {
    if (!options_.ignore_cuts) CompareCuts(a, b);
    Compare("payload bytes", a.payload_bytes, b.payload_bytes);
    Error error = ComparePayload(a, b);
    Compare("CONFIG", a.has_config ? "present" : "",
            b.has_config ? "present" : "");
    if (a.has_config && b.has_config) CompareConfig(a, b);
    return error;
  }

  void CompareCuts(const VfioState& a, const VfioState& b) {
    Compare("PART sections", a.parts, b.parts);
    Compare("INIT_DATA_SENT", a.init_data_sent, b.init_data_sent);
    Compare("pre-copy bytes", a.pre_copy_bytes, b.pre_copy_bytes);
    Compare("DATA records", a.records, b.records);
    size_t both = std::min(a.record_bytes.size(), b.record_bytes.size());
    for (size_t i = 0; i < both; ++i) {
      if (a.record_bytes[i] == b.record_bytes[i]) continue;
      return Compare(absl::StrCat("bytes of DATA record ", i),
                     a.record_bytes[i], b.record_bytes[i]);
    }
  }

  Error ComparePayload(const VfioState& a, const VfioState& b) {
    PayloadCursor cursor_a(a_.payload, a);
    PayloadCursor cursor_b(b_.payload, b);
    std::vector<uint8_t> bytes_a, bytes_b;
    const uint64_t common = std::min(a.payload_bytes, b.payload_bytes);
    size_t ranges = 0;
    uint64_t first = 0;
    bool open = false;
    auto close = [&](uint64_t end) {
      if (open && ++ranges <= options_.max_ranges) {
        Add(absl::StrCat("payload ", Hex(first), "-", Hex(end - 1)),
            absl::StrCat(end - first, " bytes"), "differ");
      }
      open = false;
    };
    for (uint64_t offset = 0; offset < common; offset += bytes_a.size()) {
      bytes_a.resize(std::min<uint64_t>(kCompareBytes, common - offset));
      bytes_b.resize(bytes_a.size());
      Error error = cursor_a.Read(absl::MakeSpan(bytes_a));
      if (error.ok()) error = cursor_b.Read(absl::MakeSpan(bytes_b));
      if (!error.ok()) return error;
      if (!open && bytes_a == bytes_b) continue;
      for (size_t i = 0; i < bytes_a.size(); ++i) {
        bool differs = bytes_a[i] != bytes_b[i];
        if (differs && !open) first = offset + i;
        if (!differs) close(offset + i);
        open |= differs;
      }
    }
    close(common);
    if (ranges > options_.max_ranges) {
      Add("payload", absl::StrCat(ranges - options_.max_ranges, " more ranges"),
          "differ");
    }
    return {};
  }

  void CompareConfig(const VfioState& a, const VfioState& b) {
    Compare("config space bytes", a.pci_config.size(), b.pci_config.size());
    size_t common = std::min(a.pci_config.size(), b.pci_config.size());
    for (size_t i = 0; i < common; ++i) {
      if (a.pci_config[i] == b.pci_config[i]) continue;
      PciRegister where =
          PciRegisterAt(AsBytes(a.pci_config), static_cast<uint32_t>(i));
      Add(absl::StrCat("config ", Hex(where.offset), " ", where.name),
          RegisterText(a.pci_config, where), RegisterText(b.pci_config, where));
      i = where.offset + where.bytes - 1;
    }
    Compare("IRQ states", a.irq_states, b.irq_states);
    Compare("MSI-X vectors", a.msix_table.size() / kMsixEntryBytes,
            b.msix_table.size() / kMsixEntryBytes);
    common = std::min(a.msix_table.size(), b.msix_table.size());
    for (size_t at = 0; at < common; at += kMsixEntryBytes) {
      Compare(absl::StrCat("MSI-X vector ", at / kMsixEntryBytes),
              absl::BytesToHexString(a.msix_table.substr(at, kMsixEntryBytes)),
              absl::BytesToHexString(b.msix_table.substr(at, kMsixEntryBytes)));
    }
    Compare("MSI-X pending", absl::BytesToHexString(a.msix_pba),
            absl::BytesToHexString(b.msix_pba));
    std::set<std::string> names;
    for (const VfioState* device : {&a, &b}) {
      for (const auto& [name, bytes] : device->subsections) names.insert(name);
    }
    for (const std::string& name : names) {
      Compare(absl::StrCat("subsection ", Printable(name)),
              SubsectionText(a, name), SubsectionText(b, name));
    }
  }

  void CompareValues(const Values& a, const Values& b) {
    for (const auto& [path, value] : a) {
      auto other = b.find(path);
      if (other == b.end()) {
        Add(path, TextOf(value, 0), "");
      } else if (value.bytes != other->second.bytes) {
        CompareValue(path, value, other->second);
      }
    }
    for (const auto& [path, value] : b) {
      if (a.count(path) == 0) Add(path, "", TextOf(value, 0));
    }
  }

  // Long ones from where they begin to differ.
  void CompareValue(const std::string& path, const StateValue& a,
                    const StateValue& b) {
    if (!a.text.empty() && !b.text.empty()) return Add(path, a.text, b.text);
    auto [differs, unused] = std::mismatch(a.bytes.begin(), a.bytes.end(),
                                           b.bytes.begin(), b.bytes.end());
    size_t at = differs - a.bytes.begin();
    Add(absl::StrCat(path, " from byte ", Hex(at)), TextOf(a, at),
        TextOf(b, at));
  }

  static std::string TextOf(const StateValue& value, size_t at) {
    if (!value.text.empty() && at == 0) return value.text;
    if (at >= value.bytes.size()) return "ends";
    absl::string_view left = absl::string_view(value.bytes).substr(at);
    return absl::StrCat(absl::BytesToHexString(left.substr(0, kShownBytes)),
                        left.size() > kShownBytes ? "..." : "");
  }

  const StreamState& a_;
  const StreamState& b_;
  const DiffOptions& options_;
  std::vector<Difference>& differences_;
  std::string device_;
};

}  // namespace

Error CompareStreams(const StreamState& a, const StreamState& b,
                     const DiffOptions& options,
                     std::vector<Difference>& differences) {
  return Comparison(a, b, options, differences).Run();
}

}  // namespace migstream
