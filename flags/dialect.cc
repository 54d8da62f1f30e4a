#include "flags/dialect.h"

#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "flags/names.h"
#include "flags/trigger_flags.h"

namespace migstream {
namespace {

using enum Element;

// Grammars are written as "after this element, one of those".
struct Rule {
  Element after;
  ElementSet next;
};

constexpr SectionGrammar Make(std::initializer_list<Rule> rules) {
  SectionGrammar grammar = {};
  for (const Rule& rule : rules) {
    grammar.next[static_cast<int>(rule.after)] = rule.next;
  }
  return grammar;
}

constexpr SectionGrammar kAbsent = {};

// START
constexpr SectionGrammar kSetupOnly =
    Make({{kNone, {kSetup}}, {kSetup, {kEndOfState}}});
constexpr SectionGrammar kSetupAndConfig =
    Make({{kNone, {kSetup}}, {kSetup, {kConfig, kEndOfState}}});

// PART, END
constexpr SectionGrammar kRecords = Make({
    {kNone, {kData, kEndOfState}},
    {kData, {kData, kEndOfState}},
});
constexpr SectionGrammar kRecordsOrInitDataSent = Make({
    {kNone, {kData, kEndOfState, kInitDataSent}},
    {kData, {kData, kEndOfState, kInitDataSent}},
});
constexpr SectionGrammar kConfigThenRecords = Make({
    {kNone, {kConfig}},
    {kConfig, {kData, kEndOfState}},
    {kData, {kData, kEndOfState}},
});
constexpr SectionGrammar kMaybeConfigThenRecords = Make({
    {kNone, {kConfig, kData, kEndOfState}},
    {kConfig, {kData, kEndOfState}},
    {kData, {kData, kEndOfState}},
});
constexpr SectionGrammar kRecordsAndConfigs = Make({
    {kNone, {kConfig, kData, kEndOfState}},
    {kConfig, {kConfig, kData, kEndOfState}},
    {kData, {kConfig, kData, kEndOfState}},
});
constexpr SectionGrammar kRecordsOrComplete = Make({
    {kNone, {kData, kEndOfState, kDataStateComplete}},
    {kData, {kData, kEndOfState}},
    {kDataStateComplete, {kEndOfState}},
});

// END, FULL
constexpr SectionGrammar kEndOfStateOnly = Make({{kNone, {kEndOfState}}});

// FULL
constexpr SectionGrammar kConfigOnly = Make({{kNone, {kConfig}}});
constexpr SectionGrammar kTriggerOnly =
    Make({{kNone, {kTrigger}}, {kTrigger, {kEndOfState}}});
constexpr SectionGrammar kEndOfStateOrLoadReady =
    Make({{kNone, {kEndOfState, kConfigLoadReady}}});
constexpr SectionGrammar kConfigOrEndOfState =
    Make({{kNone, {kConfig, kEndOfState}}});
constexpr SectionGrammar kConfigOrEndOfStateOrLoadReady =
    Make({{kNone, {kConfig, kEndOfState, kConfigLoadReady}}});

// What all dialects have, and `more`.
using TagMeaning = std::pair<Tag, Element>;
constexpr std::array<Element, kTagNumbers> Meanings(
    std::initializer_list<TagMeaning> more) {
  std::array<Element, kTagNumbers> meanings = {};
  for (auto list :
       {std::initializer_list<TagMeaning>{{Tag::kEndOfState, kEndOfState},
                                          {Tag::kDevConfigState, kConfig},
                                          {Tag::kDevSetupState, kSetup},
                                          {Tag::kDevDataState, kData}},
        more}) {
    for (auto [tag, element] : list) {
      meanings[static_cast<uint64_t>(tag) - kTagPrefix] = element;
    }
  }
  return meanings;
}

constexpr uint64_t kMiB = 1 << 20;
constexpr WriterHabits kV1Habits = {
    .min_part_records = 1,
    .max_part_records = 1,
    .empty_records = true,
    .max_record_bytes = 0,
    .init_data_sent_repeats = false,
    .max_configs = 1,
    .max_ends = 1,
};
constexpr WriterHabits kV2Habits = {
    .min_part_records = 0,
    .max_part_records = 1,
    .empty_records = false,
    .max_record_bytes = kMiB,
    .init_data_sent_repeats = false,
    .max_configs = 1,
    .max_ends = 1,
};
constexpr WriterHabits kRepeatingHabits = {
    .min_part_records = 0,
    .max_part_records = 1,
    .empty_records = false,
    .max_record_bytes = kMiB,
    .init_data_sent_repeats = true,
    .max_configs = 1,
    .max_ends = 1,
};

constexpr Subflag kDefaultSubflag = {
    .width = 4,
    .values = {{{1, kTriggerEnableInterrupts},
                {2, kTriggerConfigFollows},
                {3, kTriggerEnableInterrupts | kTriggerConfigFollows}}},
    .value_count = 3,
};

// The two ancestors; every other row says where it departs from one of them.
constexpr Dialect kV52 = {
    .id = DialectId::kV52,
    .name = "V52",
    .writer = "QEMU 5.2",
    .first_release = 502,
    .last_release = 502,
    .protocol = VfioProtocol::kV1,
    .multifd_device_state = false,
    .record_boundaries_matter = true,
    .host_endian_packets = false,
    .start = kSetupOnly,
    .part = kRecords,
    .end = kConfigThenRecords,
    .full = kAbsent,
    .meanings = Meanings({}),
    .config_layout = ConfigLayoutKind::kReleased,
    .subflag = {},
    .habits = kV1Habits,
};

constexpr Dialect kV81 = {
    .id = DialectId::kV81,
    .name = "V81",
    .writer = "QEMU 8.1 to 9.2",
    .first_release = 801,
    .last_release = 902,
    .protocol = VfioProtocol::kV2,
    .multifd_device_state = false,
    .record_boundaries_matter = false,
    .host_endian_packets = false,
    .start = kSetupOnly,
    .part = kRecordsOrInitDataSent,
    .end = kRecords,
    .full = kConfigOnly,
    .meanings = Meanings({{Tag::kDevInitDataSent, kInitDataSent}}),
    .config_layout = ConfigLayoutKind::kReleased,
    .subflag = {},
    .habits = kV2Habits,
};

constexpr Dialect From(Dialect row, DialectId id, std::string_view name,
                       std::string_view writer, Release first, Release last) {
  row.id = id;
  row.name = name;
  row.writer = writer;
  row.first_release = first;
  row.last_release = last;
  return row;
}

constexpr Dialect kV60 = [] {
  Dialect row = From(kV52, DialectId::kV60, "V60", "QEMU 6.0 to 7.2", 600, 702);
  row.end = kRecords;
  row.full = kConfigOnly;
  return row;
}();

constexpr Dialect kV80 = [] {
  Dialect row = From(kV81, DialectId::kV80, "V80", "QEMU 8.0", 800, 800);
  row.part = kAbsent;
  row.meanings = Meanings({});
  return row;
}();

constexpr Dialect kV100 =
    From(kV81, DialectId::kV100, "V100", "QEMU 10.0 to 11.0", 1000, 1100);

constexpr Dialect kV100M = [] {
  Dialect row = From(kV100, DialectId::kV100M, "V100M",
                     "QEMU 10.0, device state over multifd", 1000, 1000);
  row.multifd_device_state = true;
  row.end = kEndOfStateOnly;
  row.full = kEndOfStateOnly;
  return row;
}();

constexpr Dialect kV101M = [] {
  Dialect row =
      From(kV100M, DialectId::kV101M, "V101M",
           "QEMU 10.1 to 11.0, device state over multifd", 1001, 1100);
  row.full = kEndOfStateOrLoadReady;
  row.meanings = Meanings({{Tag::kDevInitDataSent, kInitDataSent},
                           {Tag::kDevConfigLoadReady, kConfigLoadReady}});
  return row;
}();

constexpr Dialect kV111 = [] {
  Dialect row = From(kV100, DialectId::kV111, "V111", "QEMU 11.1 and later",
                     1101, kNewestRelease);
  row.habits = kRepeatingHabits;
  return row;
}();

constexpr Dialect kV111M = [] {
  Dialect row = From(kV101M, DialectId::kV111M, "V111M",
                     "QEMU 11.1 and later, device state over multifd", 1101,
                     kNewestRelease);
  row.habits = kRepeatingHabits;
  return row;
}();

constexpr Dialect kE1 =
    From(kV60, DialectId::kE1, "E1", "proposal: config in FULL", 0, 0);

constexpr Dialect kE2 = [] {
  Dialect row =
      From(kV52, DialectId::kE2, "E2", "proposal: trigger in FULL", 0, 0);
  row.full = kTriggerOnly;
  row.meanings = Meanings({{Tag::kStateTrigger, kTrigger}});
  return row;
}();

constexpr Dialect kE3 = [] {
  Dialect row =
      From(kV52, DialectId::kE3, "E3", "proposal: subflag after CONFIG", 0, 0);
  row.part = kRecordsAndConfigs;
  row.end = kRecordsAndConfigs;
  row.full = kConfigOnly;
  row.subflag = kDefaultSubflag;
  row.habits.max_configs = 255;
  return row;
}();

constexpr Dialect kE4 = [] {
  Dialect row = From(kV52, DialectId::kE4, "E4",
                     "proposal: config in START as well", 0, 0);
  row.start = kSetupAndConfig;
  row.habits.max_configs = 2;
  row.full = kConfigOnly;
  return row;
}();

constexpr Dialect kE5V7 = [] {
  Dialect row = From(kV52, DialectId::kE5V7, "E5-v7",
                     "proposal: config layout of July 2019", 0, 0);
  row.config_layout = ConfigLayoutKind::kE5V7;
  return row;
}();

constexpr Dialect kE5V26 = [] {
  Dialect row = From(kV52, DialectId::kE5V26, "E5-v26",
                     "proposal: config layout of September 2020", 0, 0);
  row.config_layout = ConfigLayoutKind::kE5V26;
  return row;
}();

constexpr Dialect kE6 = [] {
  Dialect row = From(kV81, DialectId::kE6, "E6",
                     "proposal: DATA_STATE_COMPLETE in END", 0, 0);
  row.multifd_device_state = true;
  row.host_endian_packets = true;
  row.end = kRecordsOrComplete;
  row.habits.max_ends = 2;
  row.full = kConfigOrEndOfState;
  row.meanings = Meanings({{Tag::kDevInitDataSent, kInitDataSent},
                           {Tag::kDataStateComplete, kDataStateComplete}});
  return row;
}();

constexpr Dialect kE7 = [] {
  Dialect row =
      From(kV100M, DialectId::kE7, "E7", "QEMU master, early March 2025", 0, 0);
  row.host_endian_packets = true;
  return row;
}();

constexpr Dialect kAuto = [] {
  Dialect row =
      From(kV111M, DialectId::kAuto, "auto", "any QEMU from 5.2 on", 0, 0);
  row.protocol = VfioProtocol::kEither;
  row.record_boundaries_matter = true;
  row.end = kMaybeConfigThenRecords;
  row.full = kConfigOrEndOfStateOrLoadReady;
  row.habits = {.min_part_records = 0,
                .max_part_records = 255,
                .empty_records = true,
                .max_record_bytes = 0,
                .init_data_sent_repeats = true,
                .max_configs = 1,
                .max_ends = 1};
  return row;
}();

constexpr Dialect kDialects[] = {
    kV52, kV60, kV80, kV81, kV100, kV100M, kV101M, kV111, kV111M,
    kE1,  kE2,  kE3,  kE4,  kE5V7, kE5V26, kE6,    kE7,   kAuto,
};

constexpr bool InOrder() {
  int index = 0;
  for (const Dialect& row : kDialects) {
    if (static_cast<int>(row.id) != index++) return false;
  }
  return true;
}
static_assert(InOrder(), "GetDialect indexes the table by id");

}  // namespace

std::string_view ToString(Element element) {
  switch (element) {
    case kNone:
      return "nothing";
    case kSetup:
      return "SETUP";
    case kConfig:
      return "CONFIG";
    case kTrigger:
      return "TRIGGER";
    case kDataStateComplete:
      return "DATA_STATE_COMPLETE";
    case kData:
      return "DATA";
    case kEndOfState:
      return "END_OF_STATE";
    case kInitDataSent:
      return "INIT_DATA_SENT";
    case kConfigLoadReady:
      return "CONFIG_LOAD_READY";
  }
  return "";
}

std::string ToString(ElementSet elements) {
  std::string text;
  for (int i = 0; i < kMaxElements; ++i) {
    Element element = static_cast<Element>(i);
    if (!elements.Contains(element)) continue;
    elements.Remove(element);
    if (!text.empty()) text += elements.empty() ? " or " : ", ";
    text += ToString(element);
  }
  return text.empty() ? "nothing" : text;
}

Tag Dialect::TagOf(Element element) const {
  for (size_t number = 0; number < meanings.size(); ++number) {
    if (meanings[number] == element) {
      return static_cast<Tag>(kTagPrefix + number);
    }
  }
  return static_cast<Tag>(kTagPrefix);
}

const Dialect& GetDialect(DialectId id) {
  return kDialects[static_cast<int>(id)];
}

std::span<const Dialect> AllDialects() { return kDialects; }

const Dialect* FindDialect(std::string_view name) {
  for (const Dialect& row : kDialects) {
    if (EqualsIgnoringCase(row.name, name)) return &row;
  }
  return nullptr;
}

}  // namespace migstream
