#include "codec/extract/lspci_text.h"

#include <algorithm>
#include <cctype>

#include "codec/device/pci_config.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

// Whether `text` is as `form`, in which 'x' stands for a hexadecimal digit.
bool HasForm(std::string_view text, std::string_view form) {
  return text.size() == form.size() &&
         std::equal(text.begin(), text.end(), form.begin(),
                    [](unsigned char c, char f) {
                      return f == 'x' ? std::isxdigit(c) != 0 : c == f;
                    });
}

// "0000:00:05.0" of "0000:00:05.0/vfio". Behind a bridge a name has the slots
// of the way, "0000:00:01.0:00.0/vfio", and the last is the device's.
std::string SlotOf(std::string_view idstr) {
  constexpr std::string_view kWhole = "xxxx:xx:xx.x";
  constexpr std::string_view kShort = "xx.x";
  const std::string_view path = idstr.substr(0, idstr.find('/'));
  if (HasForm(path, kWhole)) return std::string(path);
  const std::string_view last =
      path.substr(path.size() - std::min(path.size(), kShort.size()));
  return HasForm(last, kShort) ? StrCat("00:", last) : "00:00.0";
}

std::string Digits(uint64_t value, size_t digits) {
  return Hex(value, digits).substr(2);
}

}  // namespace

std::string LspciText(std::string_view idstr, ByteSpan config) {
  constexpr size_t kLine = 16;
  const PciConfig pci = PciConfig::Parse(config);
  std::string text =
      StrCat(SlotOf(idstr), " ", PciClassName(pci.class_code), ": Device ",
             Digits(pci.vendor_id, 4), ":", Digits(pci.device_id, 4));
  if (pci.revision != 0) {
    StrAppend(&text, " (rev ", Digits(pci.revision, 2), ")");
  }
  for (size_t at = 0; at < config.size(); ++at) {
    if (at % kLine == 0) StrAppend(&text, "\n", Digits(at, 2), ":");
    StrAppend(&text, " ", Digits(config[at], 2));
  }
  return StrCat(text, "\n");
}

}  // namespace migstream
