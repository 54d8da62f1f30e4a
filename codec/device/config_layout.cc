#include "codec/device/config_layout.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "codec/device/pci_config.h"
#include "codec/device/subsection.h"
#include "codec/wire/cursor.h"
#include "flags/section_type.h"
#include "flags/tag.h"

namespace migstream {
namespace {

// Whatever a caller allows: offsets in a payload are 32 bits wide.
constexpr uint64_t kMaxConfigBytes = 1 << 30;
constexpr uint32_t kVersionBytes = 4;
constexpr uint32_t kIrqStateBytes = 16;

// E5-v26: a second be32 version and a be32 interrupt type.
constexpr uint32_t kV26ExtraBytes = 8;
// E5-v7: six be32 BARs and a be32 interrupt type; at the end a be16 command.
constexpr uint32_t kV7HeadBytes = 28;
constexpr uint32_t kV7MsiBytes = 12;
constexpr uint32_t kV7MsixFlagsBytes = 2;
constexpr uint32_t kV7CommandBytes = 2;

// One way to read the payload, and how far it led.
class Attempt {
 public:
  enum State { kFits, kNeedInput, kFails };

  Attempt(ByteSpan bytes, uint64_t config_bytes, const DeviceLimits& limits)
      : bytes_(bytes), config_bytes_(config_bytes), limits_(limits) {}

  State state() const { return state_; }
  const ConfigLayout& layout() const { return layout_; }
  ConfigLayout& layout() { return layout_; }
  uint32_t at() const { return at_; }
  ByteSpan rest() const { return bytes_.subspan(at_); }

  // The next `count` bytes; nothing if they are not there or not allowed.
  std::optional<ByteSpan> Take(uint64_t count) {
    if (state_ == kFails || !Need(count)) return std::nullopt;
    ByteSpan bytes = bytes_.subspan(at_, count);
    at_ += count;
    return bytes;
  }

  // Whether `count` more bytes are there and allowed.
  bool Need(uint64_t count) {
    uint64_t limit =
        std::min<uint64_t>(limits_.config_bytes, kMaxConfigBytes) + kTagBytes;
    if (count > limit || at_ + count > limit) {
      Fail(ErrorCode::kConfigLimit, at_, at_ + count);
      return false;
    }
    if (config_bytes_ != 0 && at_ + count > config_bytes_ + kTagBytes) {
      Fail(ErrorCode::kConfigSize, at_, config_bytes_);
      return false;
    }
    if (at_ + count > bytes_.size()) {
      state_ = kNeedInput;
      needed_ = at_ + count;
      return false;
    }
    return true;
  }

  void Fail(ErrorCode code, uint64_t offset, uint64_t found) {
    state_ = kFails;
    code_ = code;
    offset_ = offset;
    found_ = found;
  }

  // All that must come after the fixed part: subsections, then END_OF_STATE.
  void FinishFrom(uint32_t fixed_bytes) {
    layout_.fixed_bytes = fixed_bytes;
    uint32_t subsections = 0;
    while (true) {
      switch (StartsSubsection(rest(), kVfioPciVmstate)) {
        case SubsectionStart::kMore:
          // Either way END_OF_STATE is still to come.
          Need(std::max<uint64_t>(rest().size() + 1, kTagBytes));
          return;
        case SubsectionStart::kYes:
          if (++subsections > limits_.subsections) {
            return Fail(ErrorCode::kSubsectionLimit, at_, subsections);
          }
          if (!TakeSubsection()) return;
          continue;
        case SubsectionStart::kNo:
          return ExpectEndOfState();
      }
    }
  }

  ConfigDeduction Result() const {
    ConfigDeduction result;
    switch (state_) {
      case kFits:
        result.outcome = ConfigDeduction::kFits;
        result.layout = layout_;
        break;
      case kNeedInput:
        result.outcome = ConfigDeduction::kNeedInput;
        result.bytes_needed = needed_;
        break;
      case kFails:
        result.outcome = ConfigDeduction::kError;
        result.code = code_;
        result.offset = offset_;
        result.found = found_;
        break;
    }
    return result;
  }

 private:
  bool TakeSubsection() {
    ByteSpan here = rest();
    bool last = false;
    if (config_bytes_ > at_) {
      uint64_t left = config_bytes_ - at_;
      if (SubsectionBytes(here.first(std::min<uint64_t>(here.size(), left)),
                          false) == 0) {
        // Not one whose length is known: it goes on to the payload's end.
        if (!Need(left)) return false;
        here = rest().first(left);
        last = true;
      }
    }
    uint64_t name_and_version = 2 + rest()[1] + 4;
    if (!Need(name_and_version)) return false;
    uint64_t size = SubsectionBytes(here, last);
    if (size == 0) {
      Fail(ErrorCode::kUnknownSubsection, at_, 0);
      return false;
    }
    return Take(size).has_value();
  }

  void ExpectEndOfState() {
    layout_.total_bytes = at_;
    if (config_bytes_ != 0 && config_bytes_ != at_) {
      return Fail(ErrorCode::kConfigSize, at_, config_bytes_);
    }
    std::optional<ByteSpan> tag = Take(kTagBytes);
    if (!tag) return;
    uint64_t found = LoadBe64(tag->data());
    if (found != static_cast<uint64_t>(Tag::kEndOfState)) {
      return Fail(ErrorCode::kConfigNotEnded, at_ - kTagBytes, found);
    }
    state_ = kFits;
  }

  ByteSpan bytes_;
  uint64_t config_bytes_;
  const DeviceLimits& limits_;
  ConfigLayout layout_;
  uint32_t at_ = 0;
  State state_ = kNeedInput;
  uint64_t needed_ = 0;
  ErrorCode code_ = ErrorCode::kNone;
  uint64_t offset_ = 0;
  uint64_t found_ = 0;
};

bool TakeVersion(Attempt& attempt) {
  std::optional<ByteSpan> bytes = attempt.Take(kVersionBytes);
  if (!bytes) return false;
  uint32_t version = LoadBe32(bytes->data());
  if (version > kNewestConfigVersion) {
    attempt.Fail(ErrorCode::kConfigVersion, 0, version);
    return false;
  }
  return true;
}

bool TakeIrqState(Attempt& attempt) {
  std::optional<ByteSpan> bytes = attempt.Take(kIrqStateBytes);
  if (!bytes) return false;
  for (uint32_t at = 0; at < kIrqStateBytes; at += 4) {
    uint32_t state = LoadBe32(&(*bytes)[at]);
    if (state > 1) {
      attempt.Fail(ErrorCode::kConfigIrqState,
                   attempt.at() - kIrqStateBytes + at, state);
      return false;
    }
  }
  return true;
}

// Everything of the released layout and E5-v26 with one certain size of the
// PCI configuration space.
Attempt TrySize(ByteSpan bytes, ConfigLayoutKind kind,
                uint32_t pci_config_bytes, uint64_t config_bytes,
                const ConfigHints& hints, const DeviceLimits& limits,
                bool trust_type) {
  Attempt attempt(bytes, config_bytes, limits);
  attempt.layout().kind = kind;
  attempt.layout().pci_config_bytes = pci_config_bytes;
  if (!TakeVersion(attempt)) return attempt;
  std::optional<ByteSpan> config = attempt.Take(pci_config_bytes);
  if (!config || !TakeIrqState(attempt)) return attempt;

  bool has_msix = true;
  if (kind == ConfigLayoutKind::kE5V26) {
    std::optional<ByteSpan> extra = attempt.Take(kV26ExtraBytes);
    if (!extra) return attempt;
    has_msix = (LoadBe32(extra->data() + 4) == kInterruptMsix) == trust_type;
  }
  if (has_msix) {
    uint32_t vectors =
        hints.msix_vectors >= 0
            ? std::min<uint32_t>(hints.msix_vectors, kMaxMsixVectors)
            : PciConfig::Parse(*config).msix.vectors;
    attempt.layout().msix_vectors = vectors;
    if (!attempt.Take(MsixBytes(vectors))) return attempt;
  }
  attempt.FinishFrom(attempt.at());
  return attempt;
}

// E5-v26's word for the interrupt type may be anything: is it the other way
// round than it says?
Attempt TryBothTypes(ByteSpan bytes, ConfigLayoutKind kind,
                     uint32_t pci_config_bytes, uint64_t config_bytes,
                     const ConfigHints& hints, const DeviceLimits& limits,
                     bool end_of_input) {
  Attempt attempt =
      TrySize(bytes, kind, pci_config_bytes, config_bytes, hints, limits, true);
  // What runs past the input's end does not fit either.
  auto possible = [end_of_input](const Attempt& tried) {
    return tried.state() == Attempt::kFits ||
           (tried.state() == Attempt::kNeedInput && !end_of_input);
  };
  if (kind != ConfigLayoutKind::kE5V26 || possible(attempt)) return attempt;
  Attempt other = TrySize(bytes, kind, pci_config_bytes, config_bytes, hints,
                          limits, false);
  return possible(other) ? other : attempt;
}

// Bytes after END_OF_STATE by which to decide between two sizes.
size_t BytesThatDecide(const ConfigHints& hints) {
  if (hints.footer_expected) return kFooterBytes;
  return hints.element_expected ? kTagBytes : 0;
}

// Whether what must come after the payload's END_OF_STATE does.
bool RightThingFollows(ByteSpan bytes, const ConfigLayout& layout,
                       const ConfigHints& hints) {
  uint64_t at = uint64_t{layout.total_bytes} + kTagBytes;
  if (bytes.size() < at + BytesThatDecide(hints)) return false;
  if (hints.footer_expected) {
    return bytes[at] == static_cast<uint8_t>(SectionType::kSectionFooter) &&
           LoadBe32(&bytes[at + 1]) == hints.footer_section_id;
  }
  if (!hints.element_expected) return false;
  uint64_t tag = LoadBe64(&bytes[at]);
  return tag == static_cast<uint64_t>(Tag::kDevDataState) ||
         tag == static_cast<uint64_t>(Tag::kDevConfigState) ||
         tag == static_cast<uint64_t>(Tag::kEndOfState);
}

bool IsExpress(ByteSpan bytes) {
  return PciConfig::Parse(bytes.subspan(kVersionBytes, kPciConfigBytes))
      .express;
}

// Both sizes fit: what must follow decides, then whether the device is a
// PCI Express one. The other size is reported in either case.
ConfigLayout Choose(ByteSpan bytes, const ConfigLayout& small,
                    const ConfigLayout& large, const ConfigHints& hints) {
  bool take_large = IsExpress(bytes);
  bool after_small = RightThingFollows(bytes, small, hints);
  bool after_large = RightThingFollows(bytes, large, hints);
  if (after_small != after_large) take_large = after_large;
  ConfigLayout layout = take_large ? large : small;
  layout.other_pci_config_bytes =
      take_large ? small.pci_config_bytes : large.pci_config_bytes;
  return layout;
}

// How far a reading led that failed; a size that is known, then the IRQ states,
// tell a wrong one first.
int HowFar(const ConfigDeduction& failed) {
  switch (failed.code) {
    case ErrorCode::kConfigSize:
      return 0;
    case ErrorCode::kConfigIrqState:
      return 1;
    default:
      return 2;
  }
}

ConfigDeduction DeduceSize(ByteSpan bytes, bool end_of_input,
                           ConfigLayoutKind kind, uint64_t config_bytes,
                           const ConfigHints& hints,
                           const DeviceLimits& limits) {
  auto attempt = [&](uint32_t size) {
    return TryBothTypes(bytes, kind, size, config_bytes, hints, limits,
                        end_of_input);
  };
  if (hints.pci_config_bytes != 0) {
    return attempt(hints.pci_config_bytes).Result();
  }
  Attempt small = attempt(kPciConfigBytes);
  if (small.state() == Attempt::kNeedInput && !end_of_input) {
    return small.Result();
  }
  Attempt large = attempt(kPcieConfigBytes);

  if (small.state() == Attempt::kFits) {
    if (large.state() == Attempt::kFails) return small.Result();
    if (large.state() == Attempt::kNeedInput) {
      return end_of_input ? small.Result() : large.Result();
    }
    size_t needed =
        size_t{large.layout().total_bytes} + kTagBytes + BytesThatDecide(hints);
    ConfigDeduction result;
    if (bytes.size() < needed && !end_of_input) {
      result.outcome = ConfigDeduction::kNeedInput;
      result.bytes_needed = needed;
      return result;
    }
    result.outcome = ConfigDeduction::kFits;
    result.layout = Choose(bytes, small.layout(), large.layout(), hints);
    return result;
  }
  if (large.state() == Attempt::kFits) return large.Result();
  if (small.state() == Attempt::kNeedInput) return small.Result();
  // The small size does not fit. Was it meant all the same?
  ConfigDeduction a = small.Result();
  ConfigDeduction b = large.Result();
  bool express =
      bytes.size() >= kVersionBytes + kPciConfigBytes && IsExpress(bytes);
  if (large.state() == Attempt::kNeedInput) {
    return end_of_input && !express && HowFar(a) > 1 ? a : b;
  }
  // In a space of 4096 bytes the IRQ states of 256 are mostly zero, and right
  // by chance: a PCI Express device was meant to have the large one.
  if (HowFar(a) == 0 || HowFar(b) == 0) return HowFar(a) > HowFar(b) ? a : b;
  if (express) return b;
  return HowFar(a) >= HowFar(b) ? a : b;
}

// One reading of the E5-v7 layout, with `vectors` in the MSI-X table.
Attempt TryV7(ByteSpan bytes, uint32_t vectors, uint64_t config_bytes,
              const DeviceLimits& limits) {
  Attempt attempt(bytes, config_bytes, limits);
  attempt.layout().kind = ConfigLayoutKind::kE5V7;
  std::optional<ByteSpan> head = attempt.Take(kV7HeadBytes);
  if (!head) return attempt;
  uint32_t type = LoadBe32(head->data() + kV7HeadBytes - 4);
  if (type == kInterruptMsi && !attempt.Take(kV7MsiBytes)) return attempt;
  if (type == kInterruptMsix) {
    attempt.layout().msix_vectors = vectors;
    if (!attempt.Take(kV7MsixFlagsBytes + uint64_t{MsixBytes(vectors)})) {
      return attempt;
    }
  }
  if (!attempt.Take(kV7CommandBytes)) return attempt;
  attempt.FinishFrom(attempt.at());
  return attempt;
}

// Whether neither END_OF_STATE nor a subsection begins at `at`; false if not
// all of it is there.
bool CannotFinishAt(ByteSpan bytes, uint64_t at) {
  return at + kTagBytes <= bytes.size() &&
         bytes[at] != static_cast<uint8_t>(SectionType::kSubsection) &&
         LoadBe64(&bytes[at]) != static_cast<uint64_t>(Tag::kEndOfState);
}

// The vector count is not on the wire. The flags word holds bits 10 to 8 of it,
// so that 256 counts are possible; exactly one may fit.
ConfigDeduction DeduceV7(ByteSpan bytes, bool end_of_input,
                         uint64_t config_bytes, const ConfigHints& hints,
                         const DeviceLimits& limits) {
  ConfigDeduction need;
  need.outcome = ConfigDeduction::kNeedInput;
  need.bytes_needed = kV7HeadBytes + kV7MsixFlagsBytes;
  if (bytes.size() < need.bytes_needed) return need;
  uint32_t type = LoadBe32(bytes.data() + kV7HeadBytes - 4);
  if (type != kInterruptMsix || hints.msix_vectors >= 0) {
    uint32_t vectors = hints.msix_vectors >= 0 ? hints.msix_vectors : 0;
    return TryV7(bytes, std::min(vectors, kMaxMsixVectors), config_bytes,
                 limits)
        .Result();
  }
  uint32_t high_bits = LoadBe16(bytes.data() + kV7HeadBytes) & 7;
  std::optional<ConfigDeduction> fit;
  ConfigDeduction first_error;
  for (uint32_t low = 0; low < 256; ++low) {
    uint32_t vectors = (high_bits << 8 | low) + 1;
    // Nearly all are out at a glance, and what is wrong with them is not told.
    if (low != 0 &&
        CannotFinishAt(bytes, kV7HeadBytes + kV7MsixFlagsBytes +
                                  MsixBytes(vectors) + kV7CommandBytes)) {
      continue;
    }
    ConfigDeduction result =
        TryV7(bytes, vectors, config_bytes, limits).Result();
    if (result.outcome == ConfigDeduction::kNeedInput) {
      if (!end_of_input) return result;
      if (fit) break;
      return result;
    }
    if (result.outcome == ConfigDeduction::kError) {
      if (low == 0) first_error = result;
      continue;
    }
    if (fit) {
      ConfigDeduction ambiguous;
      ambiguous.code = ErrorCode::kConfigAmbiguous;
      ambiguous.offset = kV7HeadBytes;
      ambiguous.found = vectors;
      return ambiguous;
    }
    fit = result;
  }
  return fit ? *fit : first_error;
}

}  // namespace

uint32_t MsixBytes(uint32_t vectors) {
  return vectors * kMsixEntryBytes + (vectors + 7) / 8;
}

uint64_t SubsectionBytes(ByteSpan bytes, bool last) {
  Cursor cursor(bytes);
  cursor.U8();
  std::string_view name = cursor.Str8();
  cursor.Be32();
  if (!cursor.ok()) return 0;
  if (last) return bytes.size();
  return name == kDisplaySubsection ? cursor.offset() + kRamfbBytes : 0;
}

ConfigDeduction DeduceConfigLayout(ByteSpan bytes, bool end_of_input,
                                   ConfigLayoutKind kind, uint64_t config_bytes,
                                   const ConfigHints& hints,
                                   const DeviceLimits& limits) {
  if (kind == ConfigLayoutKind::kE5V7) {
    return DeduceV7(bytes, end_of_input, config_bytes, hints, limits);
  }
  // A device without configuration hooks: no version begins like a tag.
  if (bytes.size() >= kTagBytes &&
      LoadBe64(bytes.data()) == static_cast<uint64_t>(Tag::kEndOfState)) {
    ConfigDeduction empty;
    empty.layout.kind = kind;
    if (config_bytes == 0) {
      empty.outcome = ConfigDeduction::kFits;
    } else {
      empty.code = ErrorCode::kConfigSize;
      empty.found = config_bytes;
    }
    return empty;
  }
  if (bytes.size() < kTagBytes) {
    ConfigDeduction need;
    need.outcome = ConfigDeduction::kNeedInput;
    need.bytes_needed = kTagBytes;
    return need;
  }
  return DeduceSize(bytes, end_of_input, kind, config_bytes, hints, limits);
}

}  // namespace migstream
