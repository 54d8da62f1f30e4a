#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "codec/device/subsection.h"
#include "codec/generate/damage_marks.h"
#include "codec/generate/damages.h"
#include "codec/wire/text.h"
#include "flags/tag.h"

namespace migstream {
namespace {

// Where the PCI config space begins; kNone if the device has none here.
uint64_t FindConfigSpace(const Generated& stream, const DoneDamage& done) {
  const GeneratedDevice& device = stream.devices[done.damage.device()];
  uint64_t head = kTagBytes + device.dialect->subflag.width + 4;
  size_t at =
      FindMark(stream.main, done, MarkKind::kConfig, [&](const Mark& mark) {
        return !device.pci_config.empty() &&
               mark.bytes >= head + device.pci_config.size();
      });
  return at == kNone ? kNone : stream.main.marks[at].offset + head;
}

absl::Status FlipConfigByte(Generated& stream, DoneDamage& done, uint64_t i) {
  uint64_t config = FindConfigSpace(stream, done);
  if (config == kNone)
    return NothingThere("no config space on the main channel");
  uint8_t before = stream.main.bytes[config + i];
  uint8_t after = before ^ 1;
  stream.main.bytes[config + i] = static_cast<char>(after);
  done.found = absl::StrFormat("i=0x%x read: %x device: %x", i, after, before);
  MarkDamage(stream.main, stream, config + i);
  return absl::OkStatus();
}

}  // namespace

absl::Status VendorId(Generated& stream, DoneDamage& done) {
  return FlipConfigByte(stream, done, 0);
}

absl::Status CommandRegister(Generated& stream, DoneDamage& done) {
  return FlipConfigByte(stream, done, 4);
}

absl::Status IrqState(Generated& stream, DoneDamage& done) {
  uint64_t config = FindConfigSpace(stream, done);
  if (config == kNone)
    return NothingThere("no config space on the main channel");
  uint64_t at = config + stream.devices[done.damage.device()].pci_config.size();
  stream.main.Replace(at, 4, Be32Text(2));
  MarkDamage(stream.main, stream, at);
  return absl::OkStatus();
}

absl::Status MsixSpells(Generated& stream, DoneDamage& done) {
  constexpr std::string_view kSpelt("\x05\x0aPCIDevice/", 12);
  const GeneratedDevice& device = stream.devices[done.damage.device()];
  uint64_t config = FindConfigSpace(stream, done);
  if (config == kNone || device.msix_vectors == 0 ||
      device.dialect->config_layout != ConfigLayoutKind::kReleased) {
    return NothingThere("no MSI-X table on the main channel");
  }
  uint64_t at = config + device.pci_config.size() + 16;
  stream.main.Replace(at, kSpelt.size(), kSpelt);
  MarkDamage(stream.main, stream, at);
  return absl::OkStatus();
}

absl::Status UnknownSubsection(Generated& stream, DoneDamage& done) {
  size_t at = FindMark(stream.main, done, MarkKind::kConfig);
  if (at == kNone) return NothingThere("no CONFIG on the main channel");
  const Mark& config = stream.main.marks[at];
  const uint64_t tail = 4 + kRamfbBytes;
  const uint64_t head = 2 + kDisplaySubsection.size();
  if (config.bytes < head + tail) return NothingThere("no display subsection");
  uint64_t name =
      config.offset + config.bytes - tail - kDisplaySubsection.size();
  if (stream.main.bytes.compare(name, kDisplaySubsection.size(),
                                kDisplaySubsection.data(),
                                kDisplaySubsection.size()) != 0) {
    return NothingThere("no display subsection");
  }
  stream.main.bytes[name + kDisplaySubsection.size() - 1] = 'x';
  done.found = stream.main.bytes.substr(name, kDisplaySubsection.size());
  MarkDamage(stream.main, stream, name);
  return absl::OkStatus();
}

}  // namespace migstream
