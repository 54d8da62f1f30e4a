#include "codec/generate/damage.h"

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
constexpr DamageRow kRows[] = {
    {Damage::BAD_TAG, "the nth record's tag becomes 0xffffffffef100009",
     BadTag},
    {Damage::SETUP_EOS, "the END_OF_STATE after SETUP becomes …07", SetupEos},
    {Damage::CONFIG_EOS, "the END_OF_STATE after CONFIG becomes …07",
     ConfigEos},
    {Damage::SIZE_PLUS_1, "the nth record's size is one too large", SizePlus1},
    {Damage::DROP_RECORD, "the nth record goes", DropRecord},
    {Damage::SWAP_RECORDS, "two records of one section change places",
     SwapRecords},
    {Damage::MERGE_RECORDS, "two records of one section become one",
     MergeRecords},
    {Damage::SPLIT_RECORD, "one record becomes two", SplitRecord},
    {Damage::EMPTY_RECORD, "a record of size 0 before the nth", EmptyRecord},
    {Damage::FLIP_PAYLOAD, "the nth record's first byte is inverted",
     FlipPayload},
    {Damage::INIT_DATA_SENT, "INIT_DATA_SENT ends the nth PART, unasked",
     InitDataSent},
    {Damage::LOAD_READY, "CONFIG_LOAD_READY in CONFIG's place, without multifd",
     LoadReady},
    {Damage::CONFIG_IN_END, "the config once more, at the front of END",
     ConfigInEnd},
    {Damage::TRUNCATE, "the stream ends within the nth record", Truncate},
    {Damage::VENDOR_ID, "another vendor id in the config space", VendorId},
    {Damage::COMMAND_REGISTER, "another command register in the config space",
     CommandRegister},
    {Damage::IRQ_STATE, "an IRQ state is 2", IrqState},
    {Damage::MSIX_SPELLS, "the MSI-X table begins like a subsection",
     MsixSpells},
    {Damage::UNKNOWN_SUBSECTION, "the display subsection has another name",
     UnknownSubsection},
    {Damage::BAD_MAGIC, "the magic is wrong", BadMagic},
    {Damage::OLD_VERSION, "the stream's version is 2", OldVersion},
    {Damage::FOOTER_ID, "the nth footer names another section", FooterId},
    {Damage::DROP_FOOTER, "the nth footer goes", DropFooter},
    {Damage::VERSION_ID, "the nth START or FULL is of version 2", VersionId},
    {Damage::SECTION_ID, "the nth PART or END is of no section", SectionId},
    {Damage::SECTION_TYPE, "the nth section is of no type", SetSectionType},
    {Damage::DROP_PACKET, "packet n goes", DropPacket},
    {Damage::REPEAT_PACKET, "packet n comes twice", RepeatPacket},
    {Damage::PACKET_VERSION, "packet n is of version 1", PacketVersion},
    {Damage::PACKET_DEVICE, "packet n is for another device", PacketDevice},
    {Damage::SHORT_PACKET, "packet n has 8 bytes", ShortPacket},
    {Damage::PACKET_EOS, "the config packet's END_OF_STATE becomes …07",
     PacketEos},
    {Damage::FLIP_PACKET, "packet n's first byte is inverted", FlipPacket},
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
