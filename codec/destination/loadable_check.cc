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

// Whether a register of an Arm CPU says which one it is: a loader writes it,
// and wants to read it back. The numbers are KVM's: of 32 bits in a
// coprocessor, or of 64.
bool IsIdentity(uint64_t key) {
  constexpr uint64_t kOf64Bits = 0x6030000000130000;
  constexpr uint32_t kSystemCoprocessor = 15;
  constexpr uint32_t kCacheControl[] = {9, 11};  // L2CTLR: how many CPUs.
  auto bits = [key](int from, int count) {
    return static_cast<uint32_t>(key >> from & ((1u << count) - 1));
  };
  const bool wide = (key & ~uint64_t{0xffff}) == kOf64Bits;
  const bool narrow = key >> 48 == 0x4020 && bits(15, 1) == 0 &&
                      bits(16, 4) == kSystemCoprocessor;
  if (wide ? bits(14, 2) != 3 : !narrow) return false;
  const uint32_t op1 = wide ? bits(11, 3) : bits(3, 4);
  const uint32_t crn = wide ? bits(7, 4) : bits(11, 4);
  const uint32_t crm = wide ? bits(3, 4) : bits(7, 4);
  const uint32_t op2 = bits(0, 3);
  // Those of op1 2 and 4 can be written: which cache, and a guest's own.
  if (crn == 0) return op1 == 0 || op1 == 1 || op1 == 3;
  return op1 == 1 && crn == kCacheControl[wide ? 1 : 0] && crm == 0 && op2 == 2;
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
        // A device looks at its registers when it has all fields.
        if (CompareEqual(section, *own)) CompareRegisters(section, *own);
        CompareConfig(section, *own);
        ComparePlaces(section, *own);
      } else if (!MayBeIdle(section.idstr)) {
        Refuse(section, section.offset,
               UnknownSection(savevm_, section.Shown(), section.instance_id),
               "section", "present", "");
      }
    }
    for (const LoadableSection& own : destination_.sections) {
      if (stream_.Find(own.idstr, own.instance_id) == nullptr) {
        found_.untouched.push_back(own.Name());
      }
    }
    std::stable_sort(found_.refusals.begin(), found_.refusals.end(),
                     [](const LoadRefusal& a, const LoadRefusal& b) {
                       return a.offset < b.offset;
                     });
    if (more_ != 0) {
      const LoadRefusal& last = found_.refusals.back();
      found_.refusals.push_back({last.offset, "stream",
                                 StrCat(more_, " more refusals"),
                                 StrCat(more_, " more")});
    }
    return std::move(found_);
  }

 private:
  void Refuse(const LoadableSection& section, uint64_t offset,
              std::string message, std::string what, std::string stream,
              std::string destination) {
    if (found_.refusals.size() == LoadComparison::kMaxRefusals) {
      ++more_;
      return;
    }
    const SectionType in =
        offset == section.offset ? section.type : section.pci_config_in;
    found_.refusals.push_back(
        {offset, StrCat(section.Name(), " ", ToString(in)), std::move(message),
         std::move(what), std::move(stream), std::move(destination)});
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

  bool CompareEqual(const LoadableSection& section,
                    const LoadableSection& own) {
    bool equal = true;
    const size_t both = std::min(section.equal.size(), own.equal.size());
    for (size_t i = 0; i < both; ++i) {
      const auto& field = section.equal[i];
      // Fields that only one of them has shift those behind.
      if (field.name != own.equal[i].name) break;
      if (field.or_less) {
        equal &= CompareOrLess(section, field, own.equal[i]);
        continue;
      }
      const std::string stream = Hex(field.number);
      const std::string mine = Hex(own.equal[i].number);
      if (stream == mine) continue;
      // QEMU's own value comes first, and there is no prefix.
      Refuse(section, field.offset,
             StrCat(mine.substr(2), " != ", stream.substr(2)),
             Printable(field.name), stream, mine);
      equal = false;
    }
    return equal;
  }

  // QEMU has only such fields of 32 bits.
  bool CompareOrLess(const LoadableSection& section,
                     const LoadableSection::Equal& field,
                     const LoadableSection::Equal& own) {
    const int32_t stream = static_cast<int32_t>(field.number);
    const int32_t mine = static_cast<int32_t>(own.number);
    if (stream >= 0 && stream <= mine) return true;
    Refuse(
        section, field.offset,
        StrCat("Invalid value ", stream, " expecting positive value <= ", mine),
        Printable(field.name), StrCat(stream), StrCat(mine));
    return false;
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
  void CompareRegisters(const LoadableSection& section,
                        const LoadableSection& own) {
    if (own.registers.empty()) return;
    std::vector<std::string> unknown, differ;
    for (const auto& [key, value] : section.registers) {
      auto found = own.registers.find(key);
      if (found == own.registers.end()) {
        unknown.push_back(Hex(key));
      } else if (value != found->second && IsIdentity(key)) {
        differ.push_back(StrCat(Hex(key), " (", Hex(value), ", not ",
                                Hex(found->second), ")"));
      }
    }
    if (!unknown.empty()) {
      RefuseRegisters(section, "registers", std::move(unknown));
    } else if (!differ.empty()) {
      RefuseRegisters(section, "registers' values", std::move(differ));
    }
  }

  void RefuseRegisters(const LoadableSection& section, std::string what,
                       std::vector<std::string> registers) {
    constexpr size_t kMost = 8;
    const size_t more = registers.size() - std::min(registers.size(), kMost);
    registers.resize(registers.size() - more);
    std::string list = StrJoin(registers, ", ");
    if (more != 0) StrAppend(&list, " and ", more, " more");
    Refuse(section, section.offset,
           StrCat("error while loading state for instance ",
                  Hex(section.instance_id), " of device '", section.idstr, "'"),
           std::move(what), list, "");
  }

  const LoadableState& stream_;
  const LoadableState& destination_;
  bool savevm_ = false;
  bool skip_vendor_ = false;
  LoadComparison found_;
  uint64_t more_ = 0;  // Refusals than are kept.
};

}  // namespace

LoadComparison CheckLoadable(const LoadableState& stream,
                             const LoadableState& destination,
                             Release release) {
  return Comparer(stream, destination, release).Compare();
}

}  // namespace migstream
