#include "codec/payload/qat.h"

#include <algorithm>

namespace migstream {
namespace {

using payload::Body;
using payload::Field;
using payload::Generation;
using payload::Level;
using payload::Likeness;
using payload::Look;
using payload::Moment;
using payload::NameKey;
using payload::PciRow;
using payload::Reader;
using payload::Record;
using payload::Refusal;
using payload::Show;
using Id = PayloadFindingId;

constexpr uint64_t kMagic = 0xadf5caea;
constexpr uint64_t kVersion = 1, kPreambleBytes = 16;
constexpr uint64_t kAllBytes = 4096;
constexpr uint64_t kSlaBytes = 24, kMaxSlas = 4;

constexpr Field kPreamble[] = {
    {"magic", 0, 4, Show::kHex}, {"version", 4, 4}, {"preh_len", 8, 2},
    {"n_sects", 10, 2},          {"size", 12, 4},
};
constexpr Field kSection[] = {
    {"id", 0, 8, Show::kBytes}, {"size", 8, 4}, {"sub_sects", 12, 4}};

constexpr Field kGencap[] = {{"gencap", 0, 4, Show::kHex}};
constexpr Field kSvcmap[] = {{"svcmap", 0, 2, Show::kHex}};
constexpr Field kExtdc[] = {{"extdc", 0, 4, Show::kHex}};
constexpr Field kIovinit[] = {{"iovinit", 0, 1}};
constexpr Field kCompver[] = {{"compver", 0, 1}};
constexpr Field kRegister[] = {{"value", 0, 4, Show::kHex}};
constexpr Field kSlas[] = {
    {"sla0_service", 0, 4},  {"sla0_rp_mask", 8, 8, Show::kHex},
    {"sla0_cir", 16, 4},     {"sla0_pir", 20, 4},
    {"sla1_service", 24, 4}, {"sla1_rp_mask", 32, 8, Show::kHex},
    {"sla1_cir", 40, 4},     {"sla1_pir", 44, 4},
    {"sla2_service", 48, 4}, {"sla2_rp_mask", 56, 8, Show::kHex},
    {"sla2_cir", 64, 4},     {"sla2_pir", 68, 4},
    {"sla3_service", 72, 4}, {"sla3_rp_mask", 80, 8, Show::kHex},
    {"sla3_cir", 88, 4},     {"sla3_pir", 92, 4},
};
constexpr Field kBankRegisters[] = {
    {"ringstat0", 0, 4, Show::kHex},
    {"ringstat1", 4, 4, Show::kHex},
    {"ringuostat", 8, 4, Show::kHex},
    {"ringestat", 12, 4, Show::kHex},
    {"ringnestat", 16, 4, Show::kHex},
    {"ringnfstat", 20, 4, Show::kHex},
    {"ringfstat", 24, 4, Show::kHex},
    {"ringcstat", 28, 4, Show::kHex, 4},
    {"iaintflagen", 44, 4, Show::kHex},
    {"iaintflagreg", 48, 4, Show::kHex},
    {"iaintflagsrcsel", 52, 4, Show::kHex, 2},
    {"iaintcolen", 60, 4, Show::kHex},
    {"iaintcolctl", 64, 4, Show::kHex},
    {"iaintflagandcolen", 68, 4, Show::kHex},
    {"ringexpstat", 72, 4, Show::kHex},
    {"ringexpintenable", 76, 4, Show::kHex},
    {"ringsrvarben", 80, 4, Show::kHex},
    {"reserved0", 84, 4, Show::kHex},
    {"rings", 88, 384, Show::kBytes},
};

// What has records inside without a row.
extern const Level kAnySections;
constexpr Level kSectionRow(std::span<const Record> records) {
  return {.header_bytes = 16,
          .size = {8, 4},
          .key = {0, 8},
          .count = {12, 4},
          .unknown = "section ",
          .header = kSection,
          .records = records,
          .unknown_list = &kAnySections};
}
constinit const Level kAnySections = kSectionRow({});

constexpr Record Leaf(std::string_view name, uint32_t bytes,
                      std::span<const Field> fields,
                      std::string_view note = {}) {
  return {.name = name,
          .key = NameKey(name),
          .body = Body::kFields,
          .bytes = bytes,
          .fields = fields,
          .note = note};
}
constexpr Record List(std::string_view name, const Level* list) {
  return {
      .name = name, .key = NameKey(name), .body = Body::kList, .list = list};
}

constexpr Record kConfigLeaves[] = {
    Leaf("gencap", 4, kGencap, "the destination's must be a superset"),
    Leaf("svcmap", 2, kSvcmap, "the destination's must be equal"),
    Leaf("extdc", 4, kExtdc, "the destination's must be a superset"),
};
constexpr Level kConfig = kSectionRow(kConfigLeaves);
constexpr Record kSetupSections[] = {List("CONFIG", &kConfig)};
constexpr Level kSetup = kSectionRow(kSetupSections);

constexpr Record kGenerLeaves[] = {
    Leaf("iovinit", 1, kIovinit),
    Leaf("compver", 1, kCompver, "0: the VF's driver had not negotiated"),
    Leaf("sla", 0, kSlas, "24 bytes each, four at the most"),
};
constexpr Level kGener = kSectionRow(kGenerLeaves);
constexpr Record kMiscLeaves[] = {
    Leaf("visrc", 4, kRegister, "not restored"),
    Leaf("vimsk", 4, kRegister),
    Leaf("vispv", 4, kRegister, "not restored"),
    Leaf("vimpv", 4, kRegister),
    Leaf("pf2vm", 4, kRegister),
    Leaf("vm2pf", 4, kRegister),
};
constexpr Level kMisc = kSectionRow(kMiscLeaves);
constexpr Record kBankLeaves[] = {
    Leaf("mregs", 472, kBankRegisters, "the kernel does not look at its size")};
constexpr Level kBank = kSectionRow(kBankLeaves);
constexpr Record kBanks[] = {List("bnk0", &kBank), List("bnk1", &kBank),
                             List("bnk2", &kBank), List("bnk3", &kBank)};
constexpr Level kEtr = kSectionRow(kBanks);
constexpr Record kStateSections[] = {
    List("GENER", &kGener), List("MISCBAR", &kMisc), List("ETRBAR", &kEtr)};
constexpr Level kState = kSectionRow(kStateSections);

constexpr Record kBlocks[] = {
    {.name = "setup", .body = Body::kList, .list = &kSetup},
    {.name = "state", .body = Body::kList, .list = &kState},
    {.name = "zero fill", .bare = true},
};
constexpr Level kRoot = {.header_bytes = kPreambleBytes,
                         .size = {12, 4},
                         .count = {10, 2},
                         .header = kPreamble,
                         .records = kBlocks};

constexpr PciRow kIds[] = {{0x8086, 0x4941, "4xxx VF"},
                           {0x8086, 0x4943, "401xx VF"},
                           {0x8086, 0x4945, "402xx VF"},
                           {0x8086, 0x4947, "420xx VF", {6, 18}},
                           {0x8086, 0x4949, "6xxx VF", {6, 18}}};
constexpr Generation kGenerations[] = {
    {"mstate version 1", "qat_vfio_pci >= 6.10",
     "gencap and extdc supersets, svcmap equal, each SLA present and at least "
     "as large"}};
constexpr Reader kReaders[] = {{{6, 10}, 1 << 0, {}, {}}};

constexpr Refusal kSetupRefused = {Moment::kWrite, "EINVAL", "Invalid setup"};
constexpr Refusal kConfigRefused = {Moment::kWrite, "EINVAL",
                                    "Failed to load config"};
constexpr Refusal kStateRefused = {Moment::kStop, "EINVAL", "Invalid state"};

Look LookAt(ByteSpan head) {
  bool fits =
      head.size() >= 4 && payload::LoadNumber(head.data(), 4, false) == kMagic;
  return {fits ? Likeness::kSure : Likeness::kNo};
}

// Every section that a destination looks up, with where it stands.
struct Wanted {
  const Level* level;
  size_t row;
  bool setup;
};
constexpr Wanted kWanted[] = {
    {&kSetup, 0, true},  {&kConfig, 0, true}, {&kConfig, 1, true},
    {&kConfig, 2, true}, {&kState, 0, false}, {&kGener, 0, false},
    {&kGener, 1, false}, {&kGener, 2, false}, {&kState, 1, false},
    {&kMisc, 1, false},  {&kMisc, 3, false},  {&kMisc, 4, false},
    {&kMisc, 5, false},  {&kState, 2, false}, {&kEtr, 0, false},
    {&kEtr, 1, false},   {&kEtr, 2, false},   {&kEtr, 3, false},
};

}  // namespace

constexpr payload::Format kQatFormat = {
    .driver = payload::Driver::kQat,
    .name = "qat",
    .module = "qat_vfio_pci",
    .source =
        "drivers/vfio/pci/qat, drivers/crypto/intel/qat/qat_common/"
        "adf_mstate_mgr.c",
    .root = &kRoot,
    .ids = kIds,
    .look = LookAt,
    .pre_copy = payload::PreCopy::kPrefix,
    .prefix_bytes = 90,
    .length_law = "4096",
    .generations = kGenerations,
    .readers = kReaders,
    .not_in_stream = "what the bits of the registers mean",
};

void QatRules::Add(const PayloadEvent& event, RuleOutput& out) {
  switch (event.kind) {
    case PayloadEventKind::kRecord:
      event.depth == 0 ? Block(event, out) : Section(event, out);
      break;
    case PayloadEventKind::kFields:
      Value(event, out);
      break;
    case PayloadEventKind::kOpaque: {
      if (event.record != &kBlocks[2] || tail_dirty) break;
      auto dirty = std::find_if(event.view.begin(), event.view.end(),
                                [](uint8_t byte) { return byte != 0; });
      if (dirty == event.view.end()) break;
      tail_dirty = true;
      out.Warn(Id::kReserved, event.offset + (dirty - event.view.begin()),
               "the fill after the last section is not zero");
      break;
    }
    case PayloadEventKind::kRecordEnd:
    case PayloadEventKind::kOverrun:
      break;
  }
}

void QatRules::Block(const PayloadEvent& event, RuleOutput& out) {
  if (event.record == &kBlocks[2]) return;
  in_state = event.record == &kBlocks[1];
  const Refusal& refusal = in_state ? kStateRefused : kSetupRefused;
  uint64_t end = event.offset + kPreambleBytes + event.bytes;
  (in_state ? state_end : setup_end) = end;
  if (!in_state) out.initial_bytes = end;
  if (event.Number(0, 4) != kMagic) {
    // The first one's is looked at when the payload is recognised.
    if (in_state) {
      out.Error(
          Id::kMissing, event.offset,
          StrCat("no state block: its magic is ", Hex(event.Number(0, 4))),
          refusal);
    }
    setup_sound = in_state;
    return;
  }
  uint64_t version = event.Number(4, 4);
  if (version > kVersion) {
    out.Error(Id::kVersion, event.offset + 4,
              StrCat(event.record->name, " block version ", version,
                     ", newer than 1"),
              refusal);
  }
  if (uint64_t bytes = event.Number(8, 2); bytes != kPreambleBytes) {
    out.Error(Id::kValue, event.offset + 8,
              StrCat("preh_len ", bytes,
                     ", 16 expected; no kernel writes that, "
                     "and what follows is not read right here"));
  }
}

void QatRules::Section(const PayloadEvent& event, RuleOutput& out) {
  const Record* record = event.record;
  const Refusal& refusal = in_state ? kStateRefused : kConfigRefused;
  if (!record) {
    out.Note(Id::kUnknownTag, event.offset,
             "a section that no known kernel reads: skipped");
    return;
  }
  if (record->key != event.key) {
    out.Warn(Id::kReserved, event.offset,
             StrCat("the fill of the id ", record->name, " is not zero"));
  }
  for (size_t i = 0; i < std::size(kWanted); ++i) {
    if (record == &kWanted[i].level->records[kWanted[i].row]) seen |= 1u << i;
  }
  if (event.level == &kEtr) ++banks;
  if (event.level == &kBank) ++bank_registers;
  if (event.level == &kBank && event.bytes != record->bytes) {
    out.Error(Id::kSectionSize, event.offset,
              StrCat("mregs of ", event.bytes,
                     " bytes, not 472: the kernel does not look, and loads "
                     "what follows as registers"));
    return;
  }
  if (event.level == &kConfig && event.bytes != record->bytes &&
      event.bytes <= 8) {
    // Capabilities of any width up to this are taken.
    out.Warn(Id::kSectionSize, event.offset,
             StrCat(record->name, " of ", event.bytes, " bytes, not ",
                    record->bytes));
    return;
  }
  bool sla = record == &kGenerLeaves[2];
  if (sla) slas = event.bytes / kSlaBytes;
  bool wrong = sla ? event.bytes % kSlaBytes != 0 || slas > kMaxSlas
                   : record->bytes != 0 && event.bytes != record->bytes;
  if (wrong) {
    out.Error(Id::kSectionSize, event.offset,
              StrCat(record->name, " of ", event.bytes, " bytes"), refusal);
  }
}

void QatRules::Value(const PayloadEvent& event, RuleOutput& out) {
  if (event.record == &kGenerLeaves[1] && event.Number(0, 1) == 0) {
    out.Warn(Id::kValue, event.record_offset,
             "compver 0: the VF's driver had not negotiated; the destination "
             "warns \"Unable to determine the version of VF\"");
  }
}

void QatRules::Finish(const PayloadEnd& end, RuleOutput& out) {
  if (end.bytes > kAllBytes) {
    out.Error(Id::kLength, kAllBytes,
              StrCat(end.bytes - kAllBytes, " bytes after the 4096"),
              {Moment::kWrite, "ENOMEM", {}});
  } else if (end.bytes < kAllBytes && end.sound()) {
    out.Warn(Id::kLength, end.bytes,
             StrCat(end.bytes,
                    " bytes of 4096; only zero fill is missing "
                    "(used ",
                    state_end, ")"));
  }
  if (end.fault.code == ErrorCode::kPayloadNesting ||
      end.fault.code == ErrorCode::kPayloadCount) {
    const Record* record = end.fault.record;
    std::string_view name = record ? record->name : "a section";
    bool counted = end.fault.code == ErrorCode::kPayloadCount;
    // The state block's own size and count are not looked at, as long as its
    // sections are in the buffer.
    bool of_block =
        counted ? record == &kBlocks[1]
                : std::any_of(
                      std::begin(kStateSections), std::end(kStateSections),
                      [record](const Record& row) { return record == &row; });
    uint64_t section_end = end.fault.offset + kPreambleBytes + end.fault.wanted;
    bool taken = of_block && (counted || section_end <= kAllBytes);
    out.Error(Id::kNesting, end.fault.offset,
              counted ? StrCat(name, " has ", end.fault.wanted,
                               " sections fewer than it says")
                      : StrCat(name, " of ", end.fault.wanted,
                               " bytes runs over its block or section (",
                               end.fault.found, ")"),
              taken      ? Refusal()
              : in_state ? kStateRefused
                         : kSetupRefused);
  }
  if (end.sound() && setup_sound) {
    for (size_t i = 0; i < std::size(kWanted); ++i) {
      const Wanted& wanted = kWanted[i];
      if (seen >> i & 1) continue;
      if (!wanted.setup && out.findings.Has(Id::kMissing)) break;
      out.Error(Id::kMissing, wanted.setup ? 0 : setup_end,
                StrCat("no section ", wanted.level->records[wanted.row].name),
                wanted.setup ? kConfigRefused : kStateRefused);
    }
  }
  if (end.sound() && bank_registers < banks) {
    out.Error(Id::kMissing, setup_end, "a bank without mregs", kStateRefused);
  }
  out.Fact("banks", banks);
  out.Fact("setup_bytes", setup_end);
  out.Fact("state_bytes", state_end > setup_end ? state_end - setup_end : 0);
  out.Fact("used", state_end);
  out.Fact("slas", slas);
}

}  // namespace migstream
