#include "codec/explain/explain.h"

#include <charconv>
#include <vector>

#include "codec/device/pci_config.h"
#include "codec/device/pci_register.h"
#include "codec/report/finding_ids.h"
#include "codec/wire/text.h"
#include "flags/dialect.h"
#include "flags/element.h"
#include "flags/section_type.h"

namespace migstream {
namespace {

struct ElementRow {
  Element element;
  std::string_view meaning;
};

constexpr ElementRow kElements[] = {
    {Element::kSetup, "opens a device's START; nothing is in it"},
    {Element::kConfig,
     "the device's PCI config space, interrupts and MSI-X table follow, and "
     "END_OF_STATE"},
    {Element::kTrigger, "interrupts are enabled; a proposal's"},
    {Element::kDataStateComplete,
     "no more data comes on the main channel; a proposal's"},
    {Element::kData, "a record: its size, and as many bytes of the driver's"},
    {Element::kEndOfState,
     "ends a section of the device; alone in a PART it says that there was "
     "nothing to send"},
    {Element::kInitDataSent,
     "the device's initial data has been sent; with switchover-ack the "
     "destination answers when it is loaded"},
    {Element::kConfigLoadReady,
     "all other devices' states came: the config that waits on multifd "
     "channels may be loaded"},
};

// The dialects in which the number has that meaning, or any.
std::string WritersOf(Element element) {
  std::vector<std::string> released, proposed;
  for (const Dialect& row : AllDialects()) {
    if (row.id == DialectId::kAuto) continue;
    bool has = false;
    for (Element meaning : row.meanings) has |= meaning == element;
    if (!has) continue;
    (row.released() ? released : proposed).emplace_back(row.name);
  }
  return StrCat("dialects ",
                StrJoin(released.empty() ? proposed : released, ", "));
}

std::optional<Explanation> ExplainDialect(std::string_view text) {
  const Dialect* row = FindDialect(text);
  if (row == nullptr || row->id == DialectId::kAuto) return {};
  Explanation about;
  about.kind = "dialect";
  about.who = std::string(row->writer);
  about.meaning = StrCat(
      "how a VFIO device's sections are written, in the kernel's protocol ",
      row->protocol == VfioProtocol::kV1   ? "v1"
      : row->protocol == VfioProtocol::kV2 ? "v2"
                                           : "v1 or v2",
      row->multifd_device_state
          ? "; what moves while the guest is stopped is on multifd channels"
          : "",
      row->record_boundaries_matter
          ? "; a record is one transaction of the driver and stays as it is"
          : "; records may be cut anywhere",
      row->released() ? "" : "; a proposal that no release had");
  about.advice = row->released()
                     ? "repack --dialect= writes another, where that can be"
                     : "only --dialect= reads it";
  return about;
}

std::optional<Explanation> ExplainElement(std::string_view text) {
  if (text.starts_with("VFIO_MIG_FLAG_")) text.remove_prefix(14);
  if (text.starts_with("DEV_")) text.remove_prefix(4);
  if (text.ends_with("_STATE") && text != "END_OF_STATE") {
    text.remove_suffix(6);
  }
  for (const ElementRow& row : kElements) {
    if (ToString(row.element) != text) continue;
    return Explanation{"tag", std::string(row.meaning), WritersOf(row.element),
                       ""};
  }
  return {};
}

// "0xffffffffef100004".
std::optional<Explanation> ExplainTag(std::string_view text) {
  if (!text.starts_with("0x")) return {};
  text.remove_prefix(2);
  uint64_t tag = 0;
  auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), tag, 16);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  Explanation about;
  for (const ElementRow& row : kElements) {
    for (const Dialect& dialect : AllDialects()) {
      if (dialect.id == DialectId::kAuto ||
          dialect.Meaning(tag) != row.element) {
        continue;
      }
      // Two numbers have a second meaning.
      StrAppend(&about.meaning, about.meaning.empty() ? "" : "; or ",
                ToString(row.element), ": ", row.meaning);
      StrAppend(&about.who, about.who.empty() ? "" : "; ",
                WritersOf(row.element));
      break;
    }
  }
  if (about.meaning.empty()) return {};
  about.kind = "tag";
  return about;
}

// Which register a line about config space is of; empty if it is of none.
std::string RegisterIn(std::string_view line) {
  constexpr std::string_view kBefore = "Bad config data: i=0x";
  constexpr uint8_t kHeader[0x40] = {};
  const size_t at = line.find(kBefore);
  if (at == line.npos) return "";
  line.remove_prefix(at + kBefore.size());
  uint32_t offset = 0;
  if (std::from_chars(line.data(), line.data() + line.size(), offset, 16).ec !=
      std::errc()) {
    return "";
  }
  if (offset >= kPciConfigBytes) {
    return StrCat("; ", Hex(offset), " is in the extended space");
  }
  if (offset >= std::size(kHeader)) {
    return StrCat("; ", Hex(offset), " is in a capability");
  }
  return StrCat("; ", Hex(offset), " is the ",
                PciRegisterAt(kHeader, offset).name);
}

std::optional<Explanation> ExplainFinding(std::string_view text) {
  if (text.starts_with("[") && text.ends_with("]")) {
    text = text.substr(1, text.size() - 2);
  }
  const FindingKind* kind = FindFinding(text);
  if (kind == nullptr) return {};
  return Explanation{
      "finding", std::string(kind->meaning),
      StrCat("migstream check: ", SeverityText(*kind),
             kind->kernel.empty() ? "" : "; the kernel ", kind->kernel),
      std::string(kind->advice)};
}

}  // namespace

Explanation ExplainLine(const KnownLine& known, std::string_view line) {
  // "QEMU 8.1" is the first release that says so.
  const bool since = known.who.starts_with("QEMU ") && known.who.size() > 5 &&
                     known.who[5] >= '0' && known.who[5] <= '9';
  return {"line", StrCat(known.meaning, RegisterIn(line)),
          StrCat(known.who, since ? " and later" : ""),
          std::string(known.advice)};
}

std::optional<Explanation> Explain(std::string_view text) {
  for (auto explain :
       {ExplainFinding, ExplainDialect, ExplainElement, ExplainTag}) {
    if (std::optional<Explanation> about = explain(text)) return about;
  }
  const KnownLine* line = LineMatcher().Find(text);
  if (line == nullptr) return {};
  return ExplainLine(*line, text);
}

}  // namespace migstream
