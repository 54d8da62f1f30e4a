#include "codec/generate/damage.h"

#include <array>
#include <span>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_replace.h"
#include "codec/generate/damage_marks.h"
#include "codec/generate/damages.h"
#include "codec/io/absl_view.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

using recipe::Damage;
using recipe::Expectation;

constexpr auto kLoads = Expectation::LOADS;
constexpr auto kRefuses = Expectation::REFUSES;
constexpr auto kWaits = Expectation::WAITS;
constexpr auto kUnknown = Expectation::UNKNOWN;
constexpr auto kSeen = Expectation::SEEN;
constexpr auto kRead = Expectation::READ;
constexpr auto kInferred = Expectation::INFERRED;
constexpr auto kNotKnown = Expectation::NOT_KNOWN;

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

constexpr DamageRow kRows[] = {
    {Damage::BAD_TAG, "the nth record's tag becomes 0xffffffffef100009",
     kUnknownTag, BadTag},
    {Damage::SETUP_EOS, "the END_OF_STATE after SETUP becomes …07",
     kSetupNotEnded, SetupEos},
    {Damage::CONFIG_EOS, "the END_OF_STATE after CONFIG becomes …07",
     kConfigNotEnded, ConfigEos},
    {Damage::SIZE_PLUS_1, "the nth record's size is one too large", kUnknownTag,
     SizePlus1},
    {Damage::DROP_RECORD, "the nth record goes", kAlwaysLoads, DropRecord},
    {Damage::SWAP_RECORDS, "two records of one section change places",
     kAlwaysLoads, SwapRecords},
    {Damage::MERGE_RECORDS, "two records of one section become one",
     kAlwaysLoads, MergeRecords},
    {Damage::SPLIT_RECORD, "one record becomes two", kAlwaysLoads, SplitRecord},
    {Damage::EMPTY_RECORD, "a record of size 0 before the nth", kAlwaysLoads,
     EmptyRecord},
    {Damage::FLIP_PAYLOAD, "the nth record's first byte is inverted",
     kAlwaysLoads, FlipPayload},
    {Damage::INIT_DATA_SENT, "INIT_DATA_SENT ends the nth PART, unasked",
     kInitDataSentVerdicts, InitDataSent},
    {Damage::LOAD_READY, "CONFIG_LOAD_READY in CONFIG's place, without multifd",
     kLoadReadyVerdicts, LoadReady},
    {Damage::CONFIG_IN_END, "the config once more, at the front of END",
     kConfigInEndVerdicts, ConfigInEnd},
    {Damage::TRUNCATE, "the stream ends within the nth record", kEndOfFile,
     Truncate},
    {Damage::VENDOR_ID, "another vendor id in the config space", kBadConfig,
     VendorId},
    {Damage::COMMAND_REGISTER, "another command register in the config space",
     kAlwaysLoads, CommandRegister},
    {Damage::IRQ_STATE, "an IRQ state is 2", kIrq, IrqState},
    {Damage::MSIX_SPELLS, "the MSI-X table begins like a subsection", kSpells,
     MsixSpells},
    {Damage::UNKNOWN_SUBSECTION, "the display subsection has another name",
     kSubsection, UnknownSubsection},
    {Damage::BAD_MAGIC, "the magic is wrong", kMagic, BadMagic},
    {Damage::OLD_VERSION, "the stream's version is 2", kObsolete, OldVersion},
    {Damage::FOOTER_ID, "the nth footer names another section", kFooterMismatch,
     FooterId},
    {Damage::DROP_FOOTER, "the nth footer goes", kReadFooter, DropFooter},
    {Damage::VERSION_ID, "the nth START or FULL is of version 2", kVersion,
     VersionId},
    {Damage::SECTION_ID, "the nth PART or END is of no section", kSection,
     SectionId},
    {Damage::SECTION_TYPE, "the nth section is of no type", kType,
     SetSectionType},
    {Damage::DROP_PACKET, "packet n goes", kWaiting, DropPacket},
    {Damage::REPEAT_PACKET, "packet n comes twice", kWaiting, RepeatPacket},
    {Damage::PACKET_VERSION, "packet n is of version 1", kWaiting,
     PacketVersion},
    {Damage::PACKET_DEVICE, "packet n is for another device", kWaiting,
     PacketDevice},
    {Damage::SHORT_PACKET, "packet n has 8 bytes", kTooShort, ShortPacket},
    {Damage::PACKET_EOS, "the config packet's END_OF_STATE becomes …07",
     kPacketEosVerdicts, PacketEos},
    {Damage::FLIP_PACKET, "packet n's first byte is inverted", kPacketLoads,
     FlipPacket},
};

}  // namespace

std::span<const DamageRow> DamageRows() { return kRows; }

std::string DamageName(recipe::Damage::Kind kind) {
  return absl::StrReplaceAll(
      absl::AsciiStrToLower(recipe::Damage::Kind_Name(kind)), {{"_", "-"}});
}

const DamageRow* FindDamage(std::string_view name) {
  for (const DamageRow& row : kRows) {
    if (DamageName(row.kind) == name) return &row;
  }
  return nullptr;
}

absl::Status Inflict(const recipe::Damage& damage, Generated& stream) {
  if (damage.kind() == recipe::Damage::NONE) return absl::OkStatus();
  for (const DamageRow& row : kRows) {
    if (row.kind != damage.kind()) continue;
    bool none = stream.main.bytes.size() < 8 || stream.devices.empty();
    if (none || damage.device() >= stream.devices.size()) {
      return NothingThere(StrCat("damage ", DamageName(row.kind),
                                 ": there is no device ", damage.device()));
    }
    // Done twice, it may undo itself.
    for (const DoneDamage& before : stream.damages) {
      if (before.damage.SerializeAsString() == damage.SerializeAsString()) {
        return NothingThere(
            StrCat("damage ", DamageName(row.kind), ": is done already"));
      }
    }
    DoneDamage done = {damage, ""};
    if (absl::Status status = row.inflict(stream, done); !status.ok()) {
      return NothingThere(StrCat("damage ", DamageName(row.kind), ": ",
                                 StdView(status.message())));
    }
    stream.damages.push_back(std::move(done));
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      StrCat("there is no damage ", static_cast<int>(damage.kind())));
}

}  // namespace migstream
