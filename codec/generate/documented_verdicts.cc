#include "codec/generate/documented_verdicts.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <span>
#include <string_view>
#include <vector>

#include "absl/strings/str_replace.h"
#include "codec/device/subsection.h"
#include "codec/generate/damage.h"
#include "codec/io/absl_view.h"
#include "codec/loader/loader_row.h"
#include "codec/wire/bytes.h"
#include "codec/wire/error.h"
#include "codec/wire/text.h"
#include "flags/machine_type.h"
#include "flags/tag.h"

namespace migstream {
namespace {

using recipe::Expectation;

// What loaders from one release to another say.
struct LoaderVerdict {
  Release first = 502;
  Release last = kNewestRelease;
  Expectation::Verdict verdict = Expectation::UNKNOWN;
  Basis basis = Basis::kNotKnown;
  // Part of the message; "$0" is what the damage put there.
  std::string_view message = "";
  // What the destination must be for that.
  std::string_view provided = "";
};

constexpr auto kLoads = Expectation::LOADS;
constexpr auto kRefuses = Expectation::REFUSES;
constexpr auto kWaits = Expectation::WAITS;
constexpr auto kUnknown = Expectation::UNKNOWN;
constexpr auto kSeen = Basis::kSeen;
constexpr auto kRead = Basis::kRead;
constexpr auto kInferred = Basis::kInferred;
constexpr auto kNotKnown = Basis::kNotKnown;

// Seen with 7.2, 8.2, 10.0 and 11.1; what is older was read.
constexpr std::array<LoaderVerdict, 2> Always(Expectation::Verdict verdict,
                                              std::string_view message = "",
                                              std::string_view provided = "") {
  return {{{502, 701, verdict, kRead, message, provided},
           {702, kNewestRelease, verdict, kSeen, message, provided}}};
}
constexpr auto kAlwaysLoads = Always(kLoads);
constexpr auto kUnknownTag = Always(kRefuses, "Unknown tag $0");
constexpr auto kSetupNotEnded =
    Always(kRefuses, "SETUP STATE: EOS not found $0");
constexpr auto kConfigNotEnded = Always(
    kRefuses, "Failed loading device config space, end flag incorrect $0");
constexpr auto kEndOfFile = Always(kRefuses, "Input/output error");
constexpr auto kFooterMismatch =
    Always(kRefuses, "Mismatched section id in footer for $0");
constexpr auto kBadConfig = Always(kRefuses, "Bad config data: $0",
                                   "the device's config space as generated");
constexpr LoaderVerdict kReadFooter[] = {
    {502, kNewestRelease, kRefuses, kRead, "Missing section footer for $0"}};
constexpr LoaderVerdict kInitDataSentVerdicts[] = {
    {502, 800, kRefuses, kRead, "Unknown tag 0xffffffffef100005"},
    {801, kNewestRelease, kRefuses, kSeen,
     "Received INIT_DATA_SENT but switchover ack is not used",
     "switchover-ack off"}};
constexpr LoaderVerdict kLoadReadyVerdicts[] = {
    {502, 1000, kRefuses, kRead, "Unknown tag 0xffffffffef100006"},
    {1001, kNewestRelease, kRefuses, kRead,
     "got DEV_CONFIG_LOAD_READY outside multifd transfer"}};
constexpr LoaderVerdict kConfigInEndVerdicts[] = {
    {502, 599, kUnknown, kNotKnown},
    {600, 701, kRefuses, kRead, "Missing section footer for $0"},
    {702, kNewestRelease, kRefuses, kSeen, "Missing section footer for $0"}};
constexpr LoaderVerdict kIrq[] = {
    {502, kNewestRelease, kRefuses, kRead, "irq state 2: must be 0 or 1."}};
constexpr LoaderVerdict kSpells[] = {
    {502, 701, kRefuses, kInferred, "Failed to load VFIOPCIDevice:pdev"},
    {702, 702, kRefuses, kSeen, "Failed to load VFIOPCIDevice:pdev"},
    {800, 999, kRefuses, kInferred, "Failed to load VFIOPCIDevice:pdev"},
    {1000, 1000, kRefuses, kSeen, "Failed to load VFIOPCIDevice:pdev"},
    {1001, 1100, kRefuses, kInferred, ""},
    {1101, kNewestRelease, kRefuses, kSeen,
     "VM subsection 'PCIDevice/' in 'PCIDevice' does not exist"}};
constexpr LoaderVerdict kSubsection[] = {
    {502, 999, kRefuses, kInferred, ""},
    {1000, 1000, kRefuses, kSeen, "Failed to load device config space"},
    {1001, 1100, kRefuses, kInferred, ""},
    {1101, kNewestRelease, kRefuses, kSeen, "VM subsection '$0' in"}};
constexpr LoaderVerdict kMagic[] = {
    {502, kNewestRelease, kRefuses, kRead, "Not a migration stream"}};
constexpr LoaderVerdict kObsolete[] = {
    {502, kNewestRelease, kRefuses, kRead, "SaveVM v2 format is obsolete"}};
constexpr LoaderVerdict kVersion[] = {{502, kNewestRelease, kRefuses, kRead,
                                       "unsupported version 2 for '$0' v1"}};
constexpr LoaderVerdict kSection[] = {
    {502, 999, kRefuses, kRead, "Unknown savevm section $0"},
    {1000, 1000, kRefuses, kSeen, "Unknown savevm section $0"},
    {1001, 1100, kRefuses, kInferred, ""},
    {1101, kNewestRelease, kRefuses, kSeen, "Unknown section $0"}};
constexpr LoaderVerdict kType[] = {
    {502, 1099, kRefuses, kRead, "Unknown savevm section type $0"},
    {1100, kNewestRelease, kRefuses, kRead, "Unknown section type $0"}};
constexpr LoaderVerdict kWaiting[] = {{1000, 1100, kWaits, kInferred},
                                      {1101, kNewestRelease, kWaits, kSeen}};
constexpr LoaderVerdict kTooShort[] = {
    {1000, 1100, kRefuses, kRead, "packet too short at 8 (min is 12)"},
    {1101, kNewestRelease, kRefuses, kSeen,
     "packet too short at 8 (min is 12)"}};
constexpr LoaderVerdict kPacketEosVerdicts[] = {
    {1000, 1100, kRefuses, kInferred}, {1101, kNewestRelease, kRefuses, kSeen}};
constexpr LoaderVerdict kPacketLoads[] = {
    {1000, 1100, kLoads, kInferred}, {1101, kNewestRelease, kLoads, kSeen}};

struct VerdictRow {
  recipe::Damage::Kind kind;
  std::span<const LoaderVerdict> verdicts;
};

constexpr VerdictRow kVerdicts[] = {
    {recipe::Damage::BAD_TAG, kUnknownTag},
    {recipe::Damage::SETUP_EOS, kSetupNotEnded},
    {recipe::Damage::CONFIG_EOS, kConfigNotEnded},
    {recipe::Damage::SIZE_PLUS_1, kUnknownTag},
    {recipe::Damage::DROP_RECORD, kAlwaysLoads},
    {recipe::Damage::SWAP_RECORDS, kAlwaysLoads},
    {recipe::Damage::MERGE_RECORDS, kAlwaysLoads},
    {recipe::Damage::SPLIT_RECORD, kAlwaysLoads},
    {recipe::Damage::EMPTY_RECORD, kAlwaysLoads},
    {recipe::Damage::FLIP_PAYLOAD, kAlwaysLoads},
    {recipe::Damage::INIT_DATA_SENT, kInitDataSentVerdicts},
    {recipe::Damage::LOAD_READY, kLoadReadyVerdicts},
    {recipe::Damage::CONFIG_IN_END, kConfigInEndVerdicts},
    {recipe::Damage::TRUNCATE, kEndOfFile},
    {recipe::Damage::VENDOR_ID, kBadConfig},
    {recipe::Damage::COMMAND_REGISTER, kAlwaysLoads},
    {recipe::Damage::IRQ_STATE, kIrq},
    {recipe::Damage::MSIX_SPELLS, kSpells},
    {recipe::Damage::UNKNOWN_SUBSECTION, kSubsection},
    {recipe::Damage::BAD_MAGIC, kMagic},
    {recipe::Damage::OLD_VERSION, kObsolete},
    {recipe::Damage::FOOTER_ID, kFooterMismatch},
    {recipe::Damage::DROP_FOOTER, kReadFooter},
    {recipe::Damage::VERSION_ID, kVersion},
    {recipe::Damage::SECTION_ID, kSection},
    {recipe::Damage::SECTION_TYPE, kType},
    {recipe::Damage::DROP_PACKET, kWaiting},
    {recipe::Damage::REPEAT_PACKET, kWaiting},
    {recipe::Damage::PACKET_VERSION, kWaiting},
    {recipe::Damage::PACKET_DEVICE, kWaiting},
    {recipe::Damage::SHORT_PACKET, kTooShort},
    {recipe::Damage::PACKET_EOS, kPacketEosVerdicts},
    {recipe::Damage::FLIP_PACKET, kPacketLoads},
};

// What is in a channel comes after all that the main channel says at once.
constexpr uint64_t kInChannel = ~uint64_t{0} - 1;
constexpr uint64_t kNowhere = ~uint64_t{0};

struct Outcome {
  uint64_t offset = 0;
  Expectation::Verdict verdict = Expectation::LOADS;
  Basis basis = Basis::kSeen;
  std::string message;
  std::string because;
};

class Documents {
 public:
  Documents(const Generated& stream, Release loader)
      : stream_(stream), loader_(loader), row_(*FindLoader(loader)) {}

  DocumentedVerdict Run() {
    Provide(stream_.machine_type.empty()
                ? ""
                : StrCat("machine type ", stream_.machine_type));
    for (size_t i = 0; i < stream_.devices.size(); ++i) {
      Provide(StrCat("a device at ", stream_.devices[i].idstr));
      OfDevice(stream_.devices[i], static_cast<int>(i));
    }
    OfStream();
    for (size_t i = 0; i < stream_.damages.size(); ++i) OfDamage(i);
    const Outcome* first = nullptr;
    Basis basis = Basis::kSeen;
    for (const Outcome& outcome : outcomes_) {
      basis = std::max(basis, outcome.basis);
      if (outcome.verdict == Expectation::LOADS) continue;
      // A damage comes before what was there.
      if (first == nullptr || outcome.offset < first->offset ||
          (outcome.offset == first->offset && first->because.empty())) {
        first = &outcome;
      }
    }
    DocumentedVerdict documented = {.basis = basis};
    if (first != nullptr) {
      documented = {first->verdict, first->basis, first->message,
                    first->because};
    }
    documented.provided = std::move(provided_);
    return documented;
  }

 private:
  // What the stream is before any damage.
  void OfDevice(const GeneratedDevice& device, int i) {
    const Dialect& dialect = *device.dialect;
    const Mark* config_in_end = Find(i, SectionType::kEnd, MarkKind::kConfig);
    if (!dialect.released() && dialect.id != DialectId::kE1) {
      // Nobody has loaded one, and the proposals had loaders of their own.
      Add(0, Expectation::UNKNOWN, kNotKnown, "");
      return;
    }
    if (dialect.multifd_device_state) {
      if (loader_ < 1000) {
        Add(0, Expectation::UNKNOWN, kNotKnown, "");
        return;
      }
      Provide(StrCat("multifd with ", stream_.channels.size(), " channels"));
      Provide("x-migration-multifd-transfer on");
    }
    if (dialect.id == DialectId::kV52 && config_in_end != nullptr &&
        loader_ >= 600) {
      // It stops after the config, and takes what follows for a footer.
      Add(config_in_end->offset + config_in_end->bytes + kTagBytes,
          Expectation::REFUSES, loader_ >= 702 ? kSeen : kRead,
          HasFooters() ? StrCat("Missing section footer for ", device.idstr)
                       : StrCat("Unknown ", row_.savevm_words ? "savevm " : "",
                                "section type 255"));
    }
    const Mark* config_in_full = Find(i, SectionType::kFull, MarkKind::kConfig);
    if (config_in_full != nullptr && loader_ < 600) {
      // It goes on after the config, and takes what follows for a tag.
      uint64_t next =
          config_in_full->offset + config_in_full->bytes + kTagBytes;
      Add(next, Expectation::REFUSES, kInferred,
          next + 8 <= stream_.main.bytes.size()
              ? StrCat("Unknown tag ",
                       Hex(LoadBe64(AsBytes(stream_.main.bytes).data() + next)))
              : "");
    }
    if (device.init_data_sent) {
      Provide("switchover-ack on");
      const Mark* sent = FindInitDataSent(i);
      if (loader_ < 801 && sent != nullptr) {
        Add(sent->offset, Expectation::REFUSES, kRead,
            "Unknown tag 0xffffffffef100005");
      }
    }
    if (device.config_load_ready) {
      Provide("x-migration-load-config-after-iter on");
      const Mark* end = Find(i, SectionType::kFull, MarkKind::kEnd);
      if (loader_ < 1001 && end != nullptr) {
        Add(end->offset, Expectation::REFUSES, kRead,
            "Unknown tag 0xffffffffef100006");
      }
    }
    for (const std::string& name : device.subsections) {
      const Mark* mark = config_in_full;
      if (name == kDisplaySubsection && loader_ >= 802) {
        Provide("ramfb on");
        continue;
      }
      // A damage may have taken it.
      if (mark == nullptr && !dialect.multifd_device_state) continue;
      Add(mark == nullptr ? kInChannel : mark->offset, Expectation::REFUSES,
          kRead,
          row_.names_subsections ? StrCat("VM subsection '", name, "' in")
                                 : "Failed to load device config space");
    }
  }

  // What belongs to no device.
  void OfStream() {
    const bool counts = row_.counts_switchover_acks ||
                        HasSwitchoverAckLegacy(stream_.machine_type);
    size_t sent = 0;
    for (const Mark& mark : stream_.main.marks) {
      if (mark.kind == MarkKind::kSwitchoverStart &&
          row_.last_command < Command::kSwitchoverStart) {
        Add(mark.offset, Expectation::REFUSES, kRead,
            "MIG_CMD 0xb unknown (len 0x0)");
      }
      if (IsInitDataSent(mark) && ++sent > stream_.devices.size() && counts) {
        Add(mark.offset, Expectation::REFUSES, kRead,
            "qemu_loadvm_approve_switchover failed, err=-22");
      }
    }
  }

  bool HasFooters() const {
    return std::any_of(
        stream_.main.marks.begin(), stream_.main.marks.end(),
        [](const Mark& mark) { return mark.kind == MarkKind::kFooter; });
  }

  bool IsInitDataSent(const Mark& mark) const {
    return mark.kind == MarkKind::kEnd && mark.section == SectionType::kPart &&
           mark.offset + kTagBytes <= stream_.main.bytes.size() &&
           stream_.devices[mark.device].dialect->Meaning(
               LoadBe64(AsBytes(stream_.main.bytes).data() + mark.offset)) ==
               Element::kInitDataSent;
  }

  const Mark* FindInitDataSent(int device) const {
    for (const Mark& mark : stream_.main.marks) {
      if (mark.device == device && IsInitDataSent(mark)) return &mark;
    }
    return nullptr;
  }

  // Where a damage was done; kNowhere if another one has taken it away.
  uint64_t OffsetOf(size_t number) const {
    auto find = [number](const MarkedBytes& stream) {
      return std::find_if(
          stream.marks.begin(), stream.marks.end(), [number](const Mark& mark) {
            return mark.kind == MarkKind::kDamage && mark.number == number;
          });
    };
    auto found = find(stream_.main);
    if (found != stream_.main.marks.end()) return found->offset;
    for (const MarkedBytes& channel : stream_.channels) {
      if (find(channel) != channel.marks.end()) return kInChannel;
    }
    return kNowhere;
  }

  void OfDamage(size_t number) {
    const DoneDamage& done = stream_.damages[number];
    const uint64_t offset = OffsetOf(number);
    if (offset == kNowhere) return;
    const std::string name = DamageName(done.damage.kind());
    for (const VerdictRow& row : kVerdicts) {
      if (row.kind != done.damage.kind()) continue;
      for (const LoaderVerdict& verdict : row.verdicts) {
        if (loader_ < verdict.first || loader_ > verdict.last) continue;
        Add(offset, verdict.verdict, verdict.basis,
            absl::StrReplaceAll(AbslView(verdict.message),
                                {{"$0", done.found}}),
            name);
        Provide(verdict.provided);
        return;
      }
    }
    Add(offset, Expectation::UNKNOWN, kNotKnown, "", name);
  }

  // One of which a damage has left something.
  const Mark* Find(int device, SectionType section, MarkKind kind) const {
    for (const Mark& mark : stream_.main.marks) {
      if (mark.bytes != 0 && mark.device == device && mark.section == section &&
          mark.kind == kind) {
        return &mark;
      }
    }
    return nullptr;
  }

  void Add(uint64_t offset, Expectation::Verdict verdict, Basis basis,
           std::string message, std::string because = "") {
    outcomes_.push_back(
        {offset, verdict, basis, std::move(message), std::move(because)});
  }

  void Provide(std::string_view what) {
    if (what.empty() || std::find(provided_.begin(), provided_.end(), what) !=
                            provided_.end()) {
      return;
    }
    provided_.emplace_back(what);
  }

  const Generated& stream_;
  const Release loader_;
  const LoaderRow& row_;
  std::vector<Outcome> outcomes_;
  std::vector<std::string> provided_;
};

}  // namespace

DocumentedVerdict Documented(const Generated& stream, Release loader) {
  assert(FindLoader(loader) != nullptr);
  return Documents(stream, loader).Run();
}

}  // namespace migstream
