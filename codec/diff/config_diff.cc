#include "codec/diff/config_diff.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "codec/device/config_layout.h"
#include "codec/device/pci_register.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

// "0x0007": a register is little-endian; empty where the space ends before.
std::string RegisterText(const std::string& config, const PciRegister& where) {
  if (where.offset + where.bytes > config.size()) return "";
  std::string digits = config.substr(where.offset, where.bytes);
  std::reverse(digits.begin(), digits.end());
  return StrCat("0x", absl::BytesToHexString(digits));
}

void CompareRegisters(const std::string& prefix, const std::string& a,
                      const std::string& b, Differences& out) {
  out.Compare(StrCat(prefix, "config space bytes"), a.size(), b.size());
  DifferenceKind registers(out, "registers");
  const size_t common = std::min(a.size(), b.size());
  for (size_t i = 0; i < common; ++i) {
    if (a[i] == b[i]) continue;
    PciRegister where = PciRegisterAt(AsBytes(a), static_cast<uint32_t>(i));
    registers.Add(StrCat(prefix, "config ", Hex(where.offset), " ", where.name),
                  RegisterText(a, where), RegisterText(b, where));
    i = where.offset + where.bytes - 1;
  }
}

void CompareVectors(const std::string& prefix, const std::string& a,
                    const std::string& b, Differences& out) {
  out.Compare(StrCat(prefix, "MSI-X vectors"), a.size() / kMsixEntryBytes,
              b.size() / kMsixEntryBytes);
  DifferenceKind vectors(out, "MSI-X vectors");
  const size_t common = std::min(a.size(), b.size());
  for (size_t at = 0; at < common; at += kMsixEntryBytes) {
    std::string entry_a = a.substr(at, kMsixEntryBytes);
    std::string entry_b = b.substr(at, kMsixEntryBytes);
    if (entry_a == entry_b) continue;
    vectors.Add(StrCat(prefix, "MSI-X vector ", at / kMsixEntryBytes),
                absl::BytesToHexString(entry_a),
                absl::BytesToHexString(entry_b));
  }
}

// The values of either map by their keys: null where one has none.
template <typename Value, typename Both>
void ForEachOfBoth(const std::map<std::string, Value>& a,
                   const std::map<std::string, Value>& b, Both both) {
  auto value = [](const std::map<std::string, Value>& map,
                  const std::string& name) {
    auto found = map.find(name);
    return found == map.end() ? nullptr : &found->second;
  };
  for (const auto& [name, in_a] : a) both(name, &in_a, value(b, name));
  for (const auto& [name, in_b] : b) {
    if (a.count(name) == 0) {
      both(name, static_cast<const Value*>(nullptr), &in_b);
    }
  }
}

}  // namespace

void CompareConfigs(const std::string& prefix, const ConfigState& a,
                    const ConfigState& b, bool cuts, Differences& out) {
  if (cuts) out.Compare(StrCat(prefix, "CONFIG is in"), a.place, b.place);
  out.Compare(StrCat(prefix, "CONFIG subflag"), a.subflag, b.subflag);
  if (a.has_payload != b.has_payload) {
    return out.Add(StrCat(prefix, "CONFIG payload"),
                   a.has_payload ? "present" : "",
                   b.has_payload ? "present" : "");
  }
  ForEachOfBoth(
      a.numbers, b.numbers,
      [&](const std::string& name, const uint64_t* in_a, const uint64_t* in_b) {
        out.Compare(StrCat(prefix, "CONFIG ", name), in_a ? Hex(*in_a) : "",
                    in_b ? Hex(*in_b) : "");
      });
  CompareRegisters(prefix, a.pci_config, b.pci_config, out);
  out.Compare(StrCat(prefix, "IRQ states"), a.irq_states, b.irq_states);
  CompareVectors(prefix, a.msix_table, b.msix_table, out);
  out.Compare(StrCat(prefix, "MSI-X pending"),
              absl::BytesToHexString(a.msix_pba),
              absl::BytesToHexString(b.msix_pba));
  using Subsection = ConfigState::Subsection;
  DifferenceKind subsections(out, "subsections");
  auto text = [](const Subsection* subsection) {
    return subsection == nullptr
               ? ""
               : StrCat("0x", absl::BytesToHexString(subsection->bytes));
  };
  ForEachOfBoth(
      a.subsections, b.subsections,
      [&](const std::string& name, const Subsection* in_a,
          const Subsection* in_b) {
        std::string what = StrCat(prefix, "subsection ", Printable(name));
        if (in_a && in_b && in_a->version != in_b->version) {
          subsections.Add(StrCat(what, " version"), StrCat(in_a->version),
                          StrCat(in_b->version));
        }
        if (text(in_a) != text(in_b)) {
          subsections.Add(what, text(in_a), text(in_b));
        }
      });
}

}  // namespace migstream
