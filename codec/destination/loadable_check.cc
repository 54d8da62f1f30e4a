#include "codec/destination/loadable_check.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <string_view>

#include "codec/destination/emulated_masks.h"
#include "codec/device/config_compare.h"
#include "codec/device/pci_config.h"
#include "codec/device/pci_register.h"
#include "codec/qemu/loader_words.h"
#include "codec/wire/bytes.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "flags/machine_type.h"

namespace migstream {
namespace {

// Sections that an idle QEMU has handlers of, and may have nothing to save for.
constexpr std::string_view kMayBeIdle[] = {"block", "dirty-bitmap",
                                           "globalstate", "dbus-vmstate",
                                           "virtio-mem-device-early"};

// Blocks that take the length of the stream's: what firmware reads.
constexpr std::string_view kResizable = "/rom@";

bool MayBeIdle(std::string_view idstr) {
  const std::string_view name = idstr.substr(idstr.rfind('/') + 1);
  return std::find(std::begin(kMayBeIdle), std::end(kMayBeIdle), name) !=
         std::end(kMayBeIdle);
}

// A register is little-endian.
std::string RegisterText(ByteSpan config, const PciRegister& where) {
  uint64_t number = 0;
  for (uint32_t i = where.bytes; i-- != 0;) {
    if (where.offset + i >= config.size()) return "";
    number = number << 8 | config[where.offset + i];
  }
  return Hex(number, size_t{2} * where.bytes);
}

class Comparer {
 public:
  Comparer(const LoadableState& stream, const LoadableState& destination,
           Release release)
      : stream_(stream), destination_(destination) {
    savevm_ = feature::kSavevmInMessages.In(release);
    const Release machine = MachineTypeRelease(destination.machine_type);
    skip_vendor_ =
        !feature::kComparesVendorCapabilities.In(release) &&
        (machine == 0 || !feature::kComparesVendorCapabilities.In(machine));
  }

  LoadComparison Compare() {
    for (const LoadableSection& section : stream_.sections) {
      const LoadableSection* own =
          destination_.Find(section.idstr, section.instance_id);
      if (own != nullptr) {
        ++found_.sections;
        CompareVersion(section, *own);
        if (section.idstr == "ram") CompareBlocks(section);
        CompareEqual(section, *own);
        CompareConfig(section, *own);
        CompareKeys(section, *own);
        ComparePlaces(section, *own);
      } else if (!MayBeIdle(section.idstr)) {
        Refuse(section, section.offset,
               UnknownSection(savevm_, section.shown, section.instance_id),
               "section", "present", "");
      }
    }
    for (const LoadableSection& own : destination_.sections) {
      if (stream_.Find(own.idstr, own.instance_id) == nullptr) {
        found_.untouched.push_back(own.name);
      }
    }
    std::stable_sort(found_.refusals.begin(), found_.refusals.end(),
                     [](const LoadRefusal& a, const LoadRefusal& b) {
                       return a.offset < b.offset;
                     });
    return std::move(found_);
  }

 private:
  void Refuse(const LoadableSection& section, uint64_t offset,
              std::string message, std::string what, std::string stream,
              std::string destination) {
    const SectionType in =
        offset == section.offset ? section.type : section.pci_config_in;
    found_.refusals.push_back({offset, StrCat(section.name, " ", ToString(in)),
                               std::move(message), std::move(what),
                               std::move(stream), std::move(destination)});
  }

  void CompareVersion(const LoadableSection& section,
                      const LoadableSection& own) {
    if (section.version <= own.version) return;
    Refuse(section, section.offset,
           UnsupportedVersion(savevm_, section.version, section.idstr,
                              own.version),
           "version", StrCat(section.version), StrCat(own.version));
  }

  void CompareBlocks(const LoadableSection& section) {
    std::map<std::string_view, uint64_t> own;
    for (const LoadableState::Block& block : destination_.blocks) {
      own[block.name] = block.bytes;
    }
    for (const LoadableState::Block& block : stream_.blocks) {
      auto found = own.find(block.name);
      const std::string what = StrCat("RAM block ", Printable(block.name));
      if (found == own.end()) {
        Refuse(section, section.offset, UnknownRamBlock(block.name), what,
               Hex(block.bytes), "");
        continue;
      }
      ++found_.blocks;
      if (found->second == block.bytes || block.name.starts_with(kResizable)) {
        continue;
      }
      Refuse(section, section.offset,
             StrCat("Size mismatch: ", block.name, ": ", Hex(block.bytes),
                    " != ", Hex(found->second)),
             what, Hex(block.bytes), Hex(found->second));
    }
  }

  void CompareEqual(const LoadableSection& section,
                    const LoadableSection& own) {
    const size_t both = std::min(section.equal.size(), own.equal.size());
    for (size_t i = 0; i < both; ++i) {
      const auto& field = section.equal[i];
      // Fields that only one of them has shift those behind.
      if (field.name != own.equal[i].name) return;
      const std::string stream = Hex(field.number);
      const std::string mine = Hex(own.equal[i].number);
      if (stream == mine) continue;
      // QEMU's own value comes first, and there is no prefix.
      Refuse(section, field.offset,
             StrCat(mine.substr(2), " != ", stream.substr(2)),
             Printable(field.name), stream, mine);
    }
  }

  void CompareConfig(const LoadableSection& section,
                     const LoadableSection& own) {
    if (section.pci_config.empty() || own.pci_config.empty()) return;
    ++found_.config_spaces;
    ByteSpan saved = AsBytes(section.pci_config);
    ByteSpan mine = AsBytes(own.pci_config);
    if (!section.vfio) {
      saved = saved.first(std::min<size_t>(saved.size(), kPciConfigBytes));
      mine = mine.first(std::min<size_t>(mine.size(), kPciConfigBytes));
    }
    const ConfigMasks masks =
        section.vfio ? DeviceMasks(mine, skip_vendor_) : EmulatedMasks(mine);
    std::optional<ConfigMismatch> mismatch =
        migstream::CompareConfig(saved, mine, masks);
    if (!mismatch) return;
    if (mismatch->offset >= masks.check.size() ||
        mismatch->offset >= saved.size()) {
      Refuse(section, section.offset, "Failed to load device config space",
             "config space bytes", StrCat(saved.size()), StrCat(mine.size()));
      return;
    }
    const PciRegister where = PciRegisterAt(mine, mismatch->offset);
    // What is in a channel has no place here.
    const uint64_t at = section.pci_config_offset;
    Refuse(section, at == 0 ? section.offset : at + mismatch->offset,
           BadConfigData(*mismatch, masks),
           StrCat("config ", Hex(where.offset), " ", where.name),
           RegisterText(saved, where), RegisterText(mine, where));
  }

  // A loader goes on at the wrong byte, and finds that out at the end.
  void ComparePlaces(const LoadableSection& section,
                     const LoadableSection& own) {
    if (section.places == 0 || own.places == 0 ||
        section.places == own.places) {
      return;
    }
    Refuse(section, section.offset,
           StrCat("Missing section footer for ", section.idstr),
           "places for CPUs or memory", StrCat(section.places),
           StrCat(own.places));
  }

  // The release's words differ, and most say none.
  void CompareKeys(const LoadableSection& section, const LoadableSection& own) {
    if (own.keys.empty()) return;
    std::vector<std::string> unknown;
    for (uint64_t key : section.keys) {
      if (own.keys.count(key) == 0) unknown.push_back(Hex(key));
    }
    if (unknown.empty()) return;
    constexpr size_t kMost = 8;
    const size_t more = unknown.size() - std::min(unknown.size(), kMost);
    unknown.resize(unknown.size() - more);
    std::string list = StrJoin(unknown, ", ");
    if (more != 0) StrAppend(&list, " and ", more, " more");
    Refuse(section, section.offset,
           StrCat("error while loading state for instance ",
                  Hex(section.instance_id), " of device '", section.idstr, "'"),
           "registers", list, "");
  }

  const LoadableState& stream_;
  const LoadableState& destination_;
  bool savevm_ = false;
  bool skip_vendor_ = false;
  LoadComparison found_;
};

}  // namespace

LoadComparison CheckLoadable(const LoadableState& stream,
                             const LoadableState& destination,
                             Release release) {
  return Comparer(stream, destination, release).Compare();
}

}  // namespace migstream
