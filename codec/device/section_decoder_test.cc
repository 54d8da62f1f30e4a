#include "codec/device/section_decoder.h"

#include <string>
#include <vector>

#include "codec/device/config_bytes.h"
#include "codec/device/section_bytes.h"
#include "flags/trigger_flags.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

using enum SectionType;

const Dialect& Row(DialectId id) { return GetDialect(id); }

std::vector<EventKind> Kinds(const Decoded& decoded) {
  std::vector<EventKind> kinds;
  for (const WholeEvent& event : decoded.events) kinds.push_back(event.kind);
  return kinds;
}

using Strings = std::vector<std::string>;

Strings Elements(const Decoded& decoded) {
  Strings names;
  for (const WholeEvent& event : decoded.events) names.push_back(event.element);
  return names;
}

std::string ConfigElement(const ConfigBytes& config = {}) {
  return TagBytes(2) + config.Payload() + kEos;
}

TEST(SectionDecoderTest, StartIsSetupAndEndOfState) {
  Decoded start = DecodeAllWays(kSetupTag + kEos + "next", kStart,
                                Row(DialectId::kV81), {.offset = 0x100});
  EXPECT_TRUE(start.done);
  ASSERT_EQ(Elements(start), (Strings{"SETUP", "END_OF_STATE"}));
  EXPECT_EQ(start.events[1].offset, 0x108);
  EXPECT_EQ(start.left, "next");
}

TEST(SectionDecoderTest, PartIsOneRecordAndEndOfState) {
  Decoded part =
      DecodeAllWays(DataBytes("abc") + kEos, kPart, Row(DialectId::kV81));
  EXPECT_TRUE(part.done);
  ASSERT_EQ(part.events.size(), 2);
  EXPECT_EQ(part.events[0].payload, "abc");
  EXPECT_EQ(part.events[0].record_bytes, 3);
  EXPECT_EQ(part.events[1].offset, 8 + 8 + 3);
}

TEST(SectionDecoderTest, APartOfEndOfStateAloneIsNormal) {
  Decoded part = DecodeAllWays(kEos, kPart, Row(DialectId::kV81));
  EXPECT_TRUE(part.done);
  EXPECT_EQ(Elements(part), (Strings{"END_OF_STATE"}));
}

TEST(SectionDecoderTest, AnEmptyRecordIsARecord) {
  Decoded part =
      DecodeAllWays(DataBytes("") + kEos, kPart, Row(DialectId::kV60));
  EXPECT_TRUE(part.done);
  ASSERT_EQ(Elements(part), (Strings{"DATA", "END_OF_STATE"}));
  EXPECT_EQ(part.events[0].record_bytes, 0);
}

TEST(SectionDecoderTest, RecordsMayBeMergedAndSplit) {
  for (const std::string& bytes :
       {DataBytes("abcdef"), DataBytes("abc") + DataBytes("def"),
        DataBytes("a") + DataBytes("") + DataBytes("bcdef")}) {
    Decoded end = DecodeAllWays(bytes + kEos, kEnd, Row(DialectId::kV100));
    EXPECT_TRUE(end.done);
    std::string payload;
    for (const WholeEvent& event : end.events) payload += event.payload;
    EXPECT_EQ(payload, "abcdef");
  }
}

TEST(SectionDecoderTest, InitDataSentTakesEndOfStatesPlace) {
  Decoded part = DecodeAllWays(DataBytes("abc") + TagBytes(5) + "\x7e", kPart,
                               Row(DialectId::kV81));
  EXPECT_TRUE(part.done);
  EXPECT_EQ(Elements(part), (Strings{"DATA", "INIT_DATA_SENT"}));
  EXPECT_EQ(part.left, "\x7e");
}

TEST(SectionDecoderTest, InitDataSentIsRefusedWhereSwitchoverAckIsOff) {
  Decoded part = DecodeAllWays(TagBytes(5), kPart, Row(DialectId::kV81),
                               {.switchover_ack_off = true});
  EXPECT_EQ(part.error.code, ErrorCode::kSwitchoverAckOff);
  EXPECT_EQ(ToString(part.error),
            "0x0: device PART: INIT_DATA_SENT, but switchover-ack is not used");
}

TEST(SectionDecoderTest, Number5InFullIsATriggerInE2AndNothingElsewhere) {
  std::string bytes = TagBytes(5) + kEos;
  Decoded e2 = DecodeAllWays(bytes, kFull, Row(DialectId::kE2));
  EXPECT_TRUE(e2.done);
  EXPECT_EQ(Elements(e2), (Strings{"TRIGGER", "END_OF_STATE"}));
  EXPECT_EQ(e2.events[0].trigger_flags, kTriggerEnableInterrupts);
  for (DialectId id : {DialectId::kV60, DialectId::kV111, DialectId::kAuto}) {
    EXPECT_FALSE(DecodeAllWays(bytes, kFull, Row(id)).done);
  }
}

TEST(SectionDecoderTest, Number6IsLoadReadyInFullAndCompleteInEndOfE6) {
  Decoded ready = DecodeAllWays(TagBytes(6), kFull, Row(DialectId::kV111M));
  EXPECT_TRUE(ready.done);
  EXPECT_EQ(Elements(ready), (Strings{"CONFIG_LOAD_READY"}));

  Decoded complete =
      DecodeAllWays(TagBytes(6) + kEos, kEnd, Row(DialectId::kE6));
  EXPECT_TRUE(complete.done);
  EXPECT_EQ(Elements(complete),
            (Strings{"DATA_STATE_COMPLETE", "END_OF_STATE"}));
  EXPECT_EQ(
      DecodeAllWays(TagBytes(6), kFull, Row(DialectId::kV100M)).error.code,
      ErrorCode::kUnknownTag);
}

TEST(SectionDecoderTest, FullIsTheConfigAlone) {
  Decoded full = DecodeAllWays(ConfigElement(), kFull, Row(DialectId::kV60));
  EXPECT_TRUE(full.done);
  ASSERT_EQ(Kinds(full),
            (std::vector{EventKind::kConfig, EventKind::kConfigEnd}));
  EXPECT_EQ(full.events[0].payload, ConfigBytes().Payload());
}

TEST(SectionDecoderTest, V52HasConfigBeforeDataInEnd) {
  std::string bytes = ConfigElement() + DataBytes("abc") + kEos;
  for (DialectId id : {DialectId::kV52, DialectId::kAuto}) {
    Decoded end = DecodeAllWays(bytes + "next", kEnd, Row(id));
    EXPECT_TRUE(end.done);
    EXPECT_EQ(Kinds(end),
              (std::vector{EventKind::kConfig, EventKind::kConfigEnd,
                           EventKind::kData, EventKind::kTag}));
    EXPECT_EQ(end.left, "next");
  }
  EXPECT_EQ(DecodeAllWays(bytes, kEnd, Row(DialectId::kV60)).error.code,
            ErrorCode::kMisplacedTag);
}

TEST(SectionDecoderTest, PciConfigOf256BytesIsFoundToo) {
  ConfigBytes config = {.pci_config_bytes = 256};
  Decoded full =
      DecodeAllWays(ConfigElement(config), kFull, Row(DialectId::kV60));
  EXPECT_TRUE(full.done);
  EXPECT_EQ(full.events[0].payload.size(), 357);
}

TEST(SectionDecoderTest, SubsectionsAreEvents) {
  ConfigBytes config;
  config.subsections =
      Subsection("VFIOPCIDevice/VFIODisplay", std::string(28, 'r'));
  Decoded full =
      DecodeAllWays(ConfigElement(config), kFull, Row(DialectId::kV111));
  EXPECT_TRUE(full.done);
  ASSERT_EQ(Kinds(full),
            (std::vector{EventKind::kConfig, EventKind::kSubsection,
                         EventKind::kConfigEnd}));
  EXPECT_EQ(full.events[1].name, "VFIOPCIDevice/VFIODisplay");
  EXPECT_EQ(full.events[1].payload, std::string(28, 'r'));
}

TEST(SectionDecoderTest, AnUnknownSubsectionGoesOnToTheKnownEnd) {
  ConfigBytes config;
  config.subsections =
      Subsection("VFIOPCIDevice/VFIODisplay", std::string(28, 'r')) +
      Subsection("VFIOPCIDevice/VFIOFuture", "12345");
  std::string bytes = ConfigElement(config);
  DecoderOptions options;
  options.config.content_bytes = bytes.size();
  Decoded full = DecodeAllWays(bytes, kFull, Row(DialectId::kV111), options);
  EXPECT_TRUE(full.done);
  ASSERT_EQ(full.events.size(), 4);
  EXPECT_EQ(full.events[2].name, "VFIOPCIDevice/VFIOFuture");
  EXPECT_EQ(full.events[2].payload, "12345");

  Decoded unknown = DecodeAllWays(bytes, kFull, Row(DialectId::kV111));
  EXPECT_EQ(unknown.error.code, ErrorCode::kUnknownSubsection);
  EXPECT_EQ(unknown.error.offset, 8 + 4197 + 59);
}

TEST(SectionDecoderTest, MultifdModeLeavesEndAndFullEmpty) {
  for (DialectId id : {DialectId::kV100M, DialectId::kV101M, DialectId::kE7}) {
    EXPECT_TRUE(DecodeAllWays(kEos, kEnd, Row(id)).done);
    EXPECT_TRUE(DecodeAllWays(kEos, kFull, Row(id)).done);
    EXPECT_EQ(DecodeAllWays(ConfigElement(), kFull, Row(id)).error.code,
              ErrorCode::kMisplacedTag);
  }
}

TEST(SectionDecoderTest, V80HasNoPart) {
  Decoded part = DecodeAllWays(kEos, kPart, Row(DialectId::kV80));
  EXPECT_EQ(part.error.code, ErrorCode::kUnexpectedSection);
}

TEST(SectionDecoderTest, E4HasConfigInStart) {
  Decoded start =
      DecodeAllWays(kSetupTag + ConfigElement(), kStart, Row(DialectId::kE4));
  EXPECT_TRUE(start.done);
  EXPECT_EQ(Kinds(start), (std::vector{EventKind::kTag, EventKind::kConfig,
                                       EventKind::kConfigEnd}));
}

TEST(SectionDecoderTest, E3HasASubflagAfterConfig) {
  std::string payload = ConfigBytes().Payload();
  for (int width : {1, 2, 4, 8}) {
    Dialect row = Row(DialectId::kE3);
    row.subflag.width = static_cast<uint8_t>(width);
    auto subflag = [width](char value) {
      return std::string(width - 1, '\0') + value;
    };
    // Only enable interrupts: no payload.
    Decoded trigger =
        DecodeAllWays(TagBytes(2) + subflag(1) + kEos, kFull, row);
    EXPECT_TRUE(trigger.done);
    ASSERT_EQ(trigger.events.size(), 2);
    EXPECT_EQ(trigger.events[0].trigger_flags, kTriggerEnableInterrupts);
    EXPECT_EQ(trigger.events[0].payload, "");
    // A config without enabling, in PART, and a record.
    Decoded part = DecodeAllWays(
        TagBytes(2) + subflag(2) + payload + kEos + DataBytes("abc") + kEos,
        kPart, row);
    EXPECT_TRUE(part.done);
    ASSERT_EQ(part.events.size(), 4);
    EXPECT_EQ(part.events[0].trigger_flags, kTriggerConfigFollows);
    EXPECT_EQ(part.events[0].payload, payload);
    // Both.
    Decoded both =
        DecodeAllWays(TagBytes(2) + subflag(3) + payload + kEos, kFull, row);
    EXPECT_TRUE(both.done);
    EXPECT_EQ(both.events[0].trigger_flags, 3);

    Decoded unknown =
        DecodeAllWays(TagBytes(2) + subflag(4) + kEos, kFull, row);
    EXPECT_EQ(unknown.error.code, ErrorCode::kUnknownSubflag);
    EXPECT_EQ(unknown.error.offset, 8);
  }
}

TEST(SectionDecoderTest, E5HasItsOwnLayouts) {
  std::string v7 = std::string(24, '\1') + std::string("\0\0\0\1", 4) + "\4\6";
  Decoded end = DecodeAllWays(TagBytes(2) + v7 + kEos + DataBytes("abc") + kEos,
                              kEnd, Row(DialectId::kE5V7));
  EXPECT_TRUE(end.done);
  EXPECT_EQ(end.events[0].payload, v7);

  std::string v26 = std::string("\0\0\0\2", 4) + ConfigBytes().PciConfig() +
                    std::string(16, '\0') + std::string("\0\0\0\1\0\0\0\3", 8) +
                    ConfigBytes().Msix();
  end = DecodeAllWays(TagBytes(2) + v26 + kEos + kEos, kEnd,
                      Row(DialectId::kE5V26));
  EXPECT_TRUE(end.done);
  EXPECT_EQ(end.events[0].payload, v26);
}

TEST(SectionDecoderTest, PayloadThatSpellsTagsIsPayload) {
  std::string markers;
  for (int number = 1; number <= 6; ++number) markers += TagBytes(number);
  Decoded end =
      DecodeAllWays(DataBytes(markers) + kEos, kEnd, Row(DialectId::kAuto));
  EXPECT_TRUE(end.done);
  EXPECT_EQ(end.events[0].payload, markers);
}

// The damages that a real QEMU refuses.

TEST(SectionDecoderTest, AnUnknownTagIsRefused) {
  Decoded end = DecodeAllWays(TagBytes(9) + kEos, kEnd, Row(DialectId::kV111),
                              {.offset = 0x2e41});
  EXPECT_EQ(ToString(end.error),
            "0x2e41: device END: unknown tag 0xffffffffef100009, expected DATA "
            "or END_OF_STATE");
}

TEST(SectionDecoderTest, SetupIsFollowedByEndOfState) {
  Decoded start =
      DecodeAllWays(kSetupTag + TagBytes(7), kStart, Row(DialectId::kV60));
  EXPECT_EQ(start.error.code, ErrorCode::kSetupNotEnded);
  EXPECT_EQ(start.error.offset, 8);
}

TEST(SectionDecoderTest, ASizeOneTooLargeIsFoundAtTheNextTag) {
  std::string bytes =
      TagBytes(4) + Be64Bytes(4) + "abc" + DataBytes("x") + kEos;
  Decoded end = DecodeAllWays(bytes, kEnd, Row(DialectId::kV111));
  EXPECT_EQ(end.error.code, ErrorCode::kUnknownTag);
  EXPECT_EQ(end.error.offset, 16 + 4);
}

TEST(SectionDecoderTest, ConfigIsFollowedByEndOfState) {
  Decoded full = DecodeAllWays(
      TagBytes(2) + ConfigBytes().Payload() + TagBytes(7) + "footer", kFull,
      Row(DialectId::kV111));
  EXPECT_EQ(full.error.code, ErrorCode::kConfigNotEnded);
  EXPECT_EQ(full.error.offset, 8 + 4197);
}

TEST(SectionDecoderTest, AKnownTagInAWrongPlaceIsNamed) {
  Decoded part = DecodeAllWays(kSetupTag + kEos, kPart, Row(DialectId::kV81));
  EXPECT_EQ(part.error.code, ErrorCode::kMisplacedTag);
  EXPECT_EQ(part.error.reason,
            "SETUP (0xffffffffef100003), expected DATA, END_OF_STATE or "
            "INIT_DATA_SENT");
}

TEST(SectionDecoderTest, AClaimBeyondTheLimitIsRefusedAtOnce) {
  std::string bytes = TagBytes(4) + Be64Bytes(uint64_t{1} << 63);
  Decoded end = DecodeAllWays(bytes, kEnd, Row(DialectId::kV111));
  EXPECT_EQ(end.error.code, ErrorCode::kRecordLimit);
  EXPECT_EQ(end.error.offset, 8);
}

TEST(SectionDecoderTest, EveryTruncationAsksForMoreAndSaysWhere) {
  ConfigBytes config = {.pci_config_bytes = 256, .msix_vectors = 2};
  config.subsections =
      Subsection("VFIOPCIDevice/VFIODisplay", std::string(28, 'r'));
  struct Case {
    SectionType type;
    DialectId dialect;
    std::string bytes;
  };
  for (const Case& c :
       {Case{kStart, DialectId::kV60, kSetupTag + kEos},
        Case{kPart, DialectId::kV81, DataBytes("abcdefgh") + TagBytes(5)},
        Case{kEnd, DialectId::kV52,
             ConfigElement(config) + DataBytes("abc") + kEos},
        Case{kFull, DialectId::kV111, ConfigElement(config)}}) {
    for (size_t length = 0; length < c.bytes.size(); ++length) {
      Decoded cut = DecodeInPieces(c.bytes.substr(0, length), c.type,
                                   Row(c.dialect), {.offset = 1000}, {length});
      EXPECT_FALSE(cut.done);
      EXPECT_EQ(cut.error.code, ErrorCode::kTruncated)
          << length << ": " << ToString(cut.error);
      EXPECT_EQ(cut.error.offset, 1000 + length);
    }
  }
}

TEST(SectionDecoderTest, EveryErrorSaysWhatWasThere) {
  struct Case {
    std::string bytes;
    SectionType type;
    DialectId dialect;
    std::string reason;
  };
  std::string payload = ConfigBytes().Payload();
  std::string version = payload, irq = payload;
  version[3] = 3;
  irq[4 + 4096 + 3] = 7;
  ConfigBytes many;
  for (int i = 0; i < 17; ++i) {
    many.subsections +=
        Subsection("VFIOPCIDevice/VFIODisplay", std::string(28, 'r'));
  }
  for (const Case& c :
       {Case{kEos, kPart, DialectId::kV80,
             "dialect V80 has no PART section for a device"},
        Case{TagBytes(2) + version + kEos, kFull, DialectId::kV60,
             "config payload of version 3, expected at most 2"},
        Case{TagBytes(2) + irq + kEos, kFull, DialectId::kV60,
             "IRQ state is 7, expected 0 or 1"},
        Case{ConfigElement(many), kFull, DialectId::kV60,
             "more than 16 subsections in a config payload"},
        Case{TagBytes(4) + Be64Bytes(uint64_t{1} << 41), kEnd, DialectId::kV60,
             "DATA record claims 2199023255552 bytes, the limit is "
             "1099511627776"},
        Case{TagBytes(2) + Be64Bytes(9), kFull, DialectId::kE3,
             "unknown subflag 0x0 after CONFIG"}}) {
    EXPECT_EQ(DecodeAllWays(c.bytes, c.type, Row(c.dialect)).error.reason,
              c.reason);
  }
}

TEST(SectionDecoderTest, ATruncatedRecordSaysHowMuchIsMissing) {
  Decoded end = DecodeAllWays(DataBytes("abcdef").substr(0, 18), kEnd,
                              Row(DialectId::kV111));
  EXPECT_EQ(end.error.reason,
            "input ends in a DATA record of 6 bytes, 4 of them missing");
}

TEST(SectionDecoderTest, TheCallerMayMovePayloadItself) {
  std::string bytes = TagBytes(4) + Be64Bytes(1000);
  SectionDecoder decoder(kEnd, Row(DialectId::kV111));
  ByteSpan input = AsBytes(bytes);
  Event event;
  ASSERT_EQ(decoder.Next(input, event), Step::kEvent);
  EXPECT_EQ(event.record_bytes, 1000);
  EXPECT_TRUE(event.payload.empty());
  EXPECT_EQ(decoder.payload_left(), 1000);
  EXPECT_EQ(decoder.TakeOver(999), Step::kEvent);
  std::string rest = "x" + kEos;
  input = AsBytes(rest);
  ASSERT_EQ(decoder.Next(input, event), Step::kEvent);
  EXPECT_EQ(event.record_offset, 999);
  EXPECT_EQ(event.payload.size(), 1);
  ASSERT_EQ(decoder.Next(input, event), Step::kEvent);
  EXPECT_EQ(event.offset, 1016);
  EXPECT_EQ(decoder.TakeOver(1), Step::kError);
  EXPECT_EQ(decoder.error("device").code, ErrorCode::kRecordOverrun);
}

TEST(SectionDecoderTest, ABatchIsTheWholeRecordsThatComeNext) {
  std::string bytes =
      DataBytes("abc") + DataBytes("") + DataBytes("defg") + kEos;
  SectionDecoder decoder(kEnd, Row(DialectId::kV111), {.offset = 0x100});
  ByteSpan input = AsBytes(bytes);
  iovec records[2];
  ASSERT_EQ(decoder.NextBatch(input, records), 2) << "as many as have room";
  EXPECT_EQ(records[0].iov_base, bytes.data() + 16) << "a view of the input";
  EXPECT_EQ(records[0].iov_len, 3);
  EXPECT_EQ(records[1].iov_len, 0);
  EXPECT_EQ(decoder.offset(), 0x100 + 16 + 3 + 16);
  ASSERT_EQ(decoder.NextBatch(input, records), 1) << "as many as there are";
  EXPECT_EQ(records[0].iov_len, 4);
  EXPECT_EQ(decoder.NextBatch(input, records), 0) << "another element";
  EXPECT_EQ(AsText(input), kEos);
  Event event;
  EXPECT_EQ(decoder.Next(input, event), Step::kEvent);
  EXPECT_EQ(decoder.NextBatch(input, records), 0) << "the section has ended";
}

TEST(SectionDecoderTest, WhatIsNotAWholeRecordIsLeftToNext) {
  iovec records[4];
  Event event;
  for (size_t length = 0; length < 16 + 3; ++length) {
    SectionDecoder decoder(kEnd, Row(DialectId::kV111));
    std::string bytes = DataBytes("abc").substr(0, length);
    ByteSpan input = AsBytes(bytes);
    EXPECT_EQ(decoder.NextBatch(input, records), 0);
    EXPECT_EQ(input.size(), length) << "nothing is taken";
    EXPECT_EQ(decoder.Next(input, event),
              length < 16 ? Step::kNeedInput : Step::kEvent);
  }
  // The rest of a record that began in an earlier input.
  std::string cut = DataBytes("abc").substr(0, 17), rest = "bc" + DataBytes("");
  SectionDecoder decoder(kEnd, Row(DialectId::kV111));
  ByteSpan input = AsBytes(cut);
  ASSERT_EQ(decoder.Next(input, event), Step::kEvent);
  input = AsBytes(rest);
  EXPECT_EQ(decoder.NextBatch(input, records), 0);
  ASSERT_EQ(decoder.Next(input, event), Step::kEvent);
  EXPECT_EQ(AsText(event.payload), "bc");
  EXPECT_EQ(decoder.NextBatch(input, records), 1);
}

TEST(SectionDecoderTest, ABatchEndsBeforeWhatIsDamaged) {
  iovec records[4];
  Event event;
  struct Case {
    std::string damage;
    ErrorCode code;
    uint64_t offset;
  };
  for (const Case& c :
       {Case{TagBytes(4) + Be64Bytes(5), ErrorCode::kRecordLimit, 20 + 8},
        Case{TagBytes(4) + Be64Bytes(~uint64_t{0}), ErrorCode::kRecordLimit,
             20 + 8},
        Case{TagBytes(9), ErrorCode::kUnknownTag, 20}}) {
    SectionDecoder decoder(kEnd, Row(DialectId::kV111),
                           {.limits = {.record_bytes = 4}});
    std::string bytes = DataBytes("abcd") + c.damage + "efghi";
    ByteSpan input = AsBytes(bytes);
    EXPECT_EQ(decoder.NextBatch(input, records), 1);
    EXPECT_EQ(decoder.Next(input, event), Step::kError);
    EXPECT_EQ(decoder.error("device").code, c.code);
    EXPECT_EQ(decoder.error("device").offset, c.offset);
    EXPECT_EQ(decoder.NextBatch(input, records), 0) << "sticky";
  }
}

TEST(SectionDecoderTest, ABatchHasNoMoreRecordsThanTheDialectAllows) {
  // A row in which one record ends a PART's data.
  Dialect row = Row(DialectId::kV111);
  row.part.next[static_cast<int>(Element::kData)] = {Element::kEndOfState};
  std::string bytes = DataBytes("a") + DataBytes("b") + kEos;
  Decoded part = DecodeAllWays(bytes, kPart, row);
  EXPECT_EQ(part.events.size(), 1);
  EXPECT_EQ(part.error.code, ErrorCode::kMisplacedTag);
  // Sections that have none at all.
  iovec records[4];
  SectionDecoder start(kStart, row);
  ByteSpan input = AsBytes(bytes);
  EXPECT_EQ(start.NextBatch(input, records), 0);
}

TEST(SectionDecoderTest, ARecordAloneIsWhatNextGivesOfTheSameInput) {
  // A tag between records, an empty one, the section's end, a damaged one.
  const std::string sections[] = {
      DataBytes("abc") + DataBytes("") + TagBytes(5) + DataBytes("defgh") +
          kEos,
      DataBytes("abcd") + TagBytes(4) + Be64Bytes(~uint64_t{0}) + "efghi",
      DataBytes("abcd") + TagBytes(9) + Be64Bytes(1) + "efghi"};
  for (const std::string& section : sections) {
    for (size_t length = 0; length <= section.size(); ++length) {
      const DecoderOptions options = {.offset = 0x100,
                                      .limits = {.record_bytes = 8}};
      SectionDecoder one(kEnd, Row(DialectId::kV111), options);
      SectionDecoder other(kEnd, Row(DialectId::kV111), options);
      ByteSpan input = AsBytes(section).first(length);
      ByteSpan rest = input;
      Step step = Step::kEvent;
      while (step == Step::kEvent) {
        Event event;
        step = other.Next(rest, event);
        ByteSpan payload;
        const ByteSpan before = input;
        if (one.NextRecord(input, payload)) {
          ASSERT_EQ(step, Step::kEvent);
          EXPECT_EQ(event.kind, EventKind::kData);
          EXPECT_TRUE(event.starts_record);
          EXPECT_EQ(event.record_bytes, payload.size()) << "a whole one";
          EXPECT_EQ(event.payload.data(), payload.data());
          EXPECT_EQ(event.payload.size(), payload.size());
        } else {
          EXPECT_EQ(input.data(), before.data()) << "nothing is taken";
          EXPECT_EQ(input.size(), before.size());
          EXPECT_EQ(one.Next(input, event), step);
        }
        ASSERT_EQ(input.size(), rest.size());
        EXPECT_EQ(one.offset(), other.offset());
        EXPECT_EQ(one.payload_left(), other.payload_left());
      }
      EXPECT_EQ(one.error("device").code, other.error("device").code);
    }
  }
}

TEST(SectionDecoderTest, PayloadIsAViewOfTheInput) {
  std::string bytes = DataBytes("abc") + kEos;
  SectionDecoder decoder(kEnd, Row(DialectId::kV111));
  ByteSpan input = AsBytes(bytes);
  Event event;
  ASSERT_EQ(decoder.Next(input, event), Step::kEvent);
  EXPECT_EQ(event.payload.data(), AsBytes(bytes).data() + 16);
}

}  // namespace
}  // namespace migstream
