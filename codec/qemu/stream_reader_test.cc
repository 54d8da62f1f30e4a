#include "codec/qemu/stream_reader.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "codec/device/config_bytes.h"
#include "codec/io/byte_source.h"
#include "codec/qemu/stream_bytes.h"
#include "codec/qemu/stream_recording.h"
#include "codec/qemu/stream_writer.h"
#include "codec/wire/text.h"
#include "flags/ram_flags.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

using Lines = std::vector<std::string>;

// What the reader calls, a line a call; the pieces of a content are put
// together.
class Trace : public StreamVisitor {
 public:
  bool wants_content() const override { return true; }
  bool wants_payload() const override { return true; }

  void OnHeader(uint32_t version) override {
    lines.push_back(StrCat("header ", version));
  }
  void OnConfiguration(const ConfigurationView& configuration) override {
    lines.push_back(StrCat(Hex(configuration.offset), " configuration ",
                           configuration.machine_type));
  }
  void OnSection(const SectionView& section) override {
    lines.push_back(StrCat(Hex(section.offset), " ", ToString(section.type),
                           " ", section.id, " ", section.idstr, " ",
                           section.instance_id, " v", section.version_id,
                           section.vfio ? " vfio" : ""));
  }
  void OnDeviceEvent(const SectionView&, const Event& event) override {
    if (event.kind == EventKind::kData && !event.starts_record) return;
    lines.push_back(StrCat("  ", Hex(event.offset), " ", ToString(event)));
  }
  void OnContent(ByteSpan bytes) override { content_ += bytes.size(); }
  void OnSectionEnd(const SectionView&, uint64_t content_bytes,
                    bool footer) override {
    if (content_ != 0) lines.push_back(StrCat("  ", content_, " bytes"));
    content_ = 0;
    lines.push_back(StrCat("  end ", content_bytes, footer ? " footer" : ""));
  }
  void OnCommand(const CommandView& command) override {
    lines.push_back(StrCat(Hex(command.offset), " ", ToString(command.command),
                           " ", command.data.size()));
  }
  void OnEof(uint64_t offset) override {
    lines.push_back(StrCat(Hex(offset), " EOF"));
  }
  void OnDescription(uint64_t offset, ByteSpan json) override {
    lines.push_back(StrCat(Hex(offset), " description ", json.size()));
  }
  void OnFinding(const Finding& finding) override {
    findings.push_back(finding);
  }
  void OnRest(ByteSpan bytes) override { rest += bytes.size(); }

  Lines lines;
  std::vector<Finding> findings;
  size_t rest = 0;

 private:
  size_t content_ = 0;
};

struct Seen {
  Error error;
  Lines lines;
  std::vector<Finding> findings;
  Lines full_sections;  // "timer 0: 24"
  RamStats ram;
  uint64_t page_bytes = 0;
  std::optional<bool> footers;
  bool has_description = false;
  uint64_t trailing_bytes = 0;

  // Whether a finding, or the error, is about this byte.
  bool IsReportedAt(uint64_t offset) const {
    return (!error.ok() && error.offset == offset) ||
           std::any_of(
               findings.begin(), findings.end(),
               [offset](const Finding& f) { return f.offset == offset; });
  }
  std::string Findings() const {
    std::string ids;
    for (const Finding& finding : findings) {
      StrAppend(&ids, ids.empty() ? "" : " ", finding.id);
    }
    return ids;
  }
};

Seen ReadFrom(ByteSource& source, const ReaderOptions& options = {}) {
  Seen seen;
  Trace trace;
  StreamReader reader(source, trace, options);
  seen.error = reader.Read();
  seen.lines = trace.lines;
  seen.findings = trace.findings;
  seen.ram = reader.ram();
  seen.page_bytes = reader.page_bytes();
  seen.footers = reader.footers();
  seen.has_description = reader.description() != nullptr;
  seen.trailing_bytes = reader.trailing_bytes();
  return seen;
}

// From memory, from pipes that cut anywhere, and without asking for content;
// expects the same of all, and that the same bytes are written again.
Seen Read(const std::string& bytes, const ReaderOptions& options = {}) {
  MemorySource memory(AsBytes(bytes));
  Seen seen = ReadFrom(memory, options);
  MemorySource again(AsBytes(bytes));
  Recorded whole = Record(again, options);
  seen.full_sections = whole.recording.full_sections;
  for (size_t longest : {1, 7, 300, 100000}) {
    ShortReadSource pipe(AsBytes(bytes), longest);
    Recorded piped = Record(pipe, options);
    EXPECT_EQ(ToString(piped.error), ToString(whole.error)) << longest;
    EXPECT_EQ(piped.recording.Text(), whole.recording.Text()) << longest;
  }
  class NothingWanted : public StreamVisitor {
  } nothing;
  MemorySource skipped(AsBytes(bytes));
  StreamReader skipping(skipped, nothing, options);
  EXPECT_EQ(ToString(skipping.Read()), ToString(seen.error)) << "skipping";
  if (seen.error.ok() || seen.error.code == ErrorCode::kTruncated) {
    MemorySource packed(AsBytes(bytes));
    StringSink sink;
    Repack(packed, sink, options, nullptr);
    EXPECT_TRUE(sink.bytes() ==
                bytes.substr(0, bytes.size() - seen.trailing_bytes))
        << "written again";
  }
  return seen;
}

const std::string kConfiguration = ConfigurationBytes(
    "pc-q35-8.2",
    ConfigurationSubsectionBytes("target-page-bits", Be32Bytes(10)));
const HandlerBytes kRam = {.id = 2, .idstr = "ram", .version = 4};
const HandlerBytes kVfio = {.id = 7, .idstr = "0000:00:05.0/vfio"};
const HandlerBytes kTimer = {.id = 0, .idstr = "timer", .version = 2};
const HandlerBytes kSerial = {
    .id = 9, .idstr = "serial", .instance = 1016, .version = 3};

const std::string kEosRecord = Be64Bytes(kRamEos);
const std::string kSetup = kSetupTag + kEos;
const std::string kTimerState = "0123456789abcdef01234567";

// One block of 4 KiB.
std::string BlockList() {
  return Be64Bytes(0x1000 | kRamMemSize) + Str8Bytes("pc.ram") +
         Be64Bytes(0x1000) + kEosRecord;
}

std::string Config() {
  ConfigBytes config = {.pci_config_bytes = 256, .msix_vectors = 2};
  return TagBytes(2) + config.Payload() + kEos;
}

std::string ToStart() { return HeaderBytes() + kConfiguration; }

// The iterable part.
std::string Iterations() {
  return kRam.Start(BlockList()) + kVfio.Start(kSetup) +
         kRam.Part(Be64Bytes(0x400 | kRamPage) + Str8Bytes("pc.ram") +
                   std::string(1024, '\x04') + kEosRecord) +
         kVfio.Part(DataBytes("precopy") + TagBytes(5)) + kVfio.Part(kEos) +
         CommandBytes(11) +
         kRam.End(Be64Bytes(0x800 | kRamZero | kRamContinue) + U8Bytes(0) +
                  kEosRecord) +
         kVfio.End(DataBytes("stop") + DataBytes("copy") + kEos);
}

std::string SmallJson() {
  return DescriptionJson(
      {kTimer.Json(kTimerState.size()), kVfio.Json(Config().size())});
}

// All of a migration to a file.
std::string SmallStream() {
  return ToStart() + Iterations() + kTimer.Full(kTimerState) +
         kVfio.Full(Config()) + EofBytes() + DescriptionBytes(SmallJson());
}

TEST(StreamReaderTest, TellsEverythingInOrder) {
  std::string bytes = HeaderBytes() +                     // 0x0
                      ConfigurationBytes("pc-q35-8.2") +  // 0x8, 15 bytes
                      CommandBytes(1) +                   // 0x17, 5
                      CommandBytes(2, Be32Bytes(1)) +     // 0x1c, 9
                      kVfio.Start(kSetup) +               // 0x25, 31 + 16 + 5
                      kVfio.Part(DataBytes("abc") + kEos) +  // 0x59, 5 + 27 + 5
                      CommandBytes(11) +                     // 0x7e, 5
                      kVfio.End(kEos) +                      // 0x83, 5 + 8 + 5
                      kTimer.Full(kTimerState) +  // 0x95, 19 + 24 + 5
                      EofBytes() +                // 0xc5
                      DescriptionBytes(DescriptionJson({kTimer.Json(24)}));
  Seen seen = Read(bytes);
  ASSERT_TRUE(seen.error.ok()) << ToString(seen.error);
  EXPECT_EQ(seen.lines,
            (Lines{"header 3",
                   "0x8 configuration pc-q35-8.2",
                   "0x17 OPEN_RETURN_PATH 0",
                   "0x1c PING 4",
                   "0x25 START 7 0000:00:05.0/vfio 0 v1 vfio",
                   "  0x44 SETUP",
                   "  0x4c END_OF_STATE",
                   "  end 16 footer",
                   "0x59 PART 7 0000:00:05.0/vfio 0 v1 vfio",
                   "  0x5e DATA",
                   "  0x71 END_OF_STATE",
                   "  end 27 footer",
                   "0x7e SWITCHOVER_START 0",
                   "0x83 END 7 0000:00:05.0/vfio 0 v1 vfio",
                   "  0x88 END_OF_STATE",
                   "  end 8 footer",
                   "0x95 FULL 0 timer 0 v2",
                   "  24 bytes",
                   "  end 24 footer",
                   "0xc5 EOF",
                   StrCat("0xc6 description ",
                          DescriptionJson({kTimer.Json(24)}).size())}));
  EXPECT_TRUE(seen.findings.empty()) << seen.Findings();
  EXPECT_EQ(seen.footers, true);
  EXPECT_TRUE(seen.has_description);
}

TEST(StreamReaderTest, ASmallStreamIsReadToItsEnd) {
  Seen seen = Read(SmallStream());
  ASSERT_TRUE(seen.error.ok()) << ToString(seen.error);
  EXPECT_TRUE(seen.findings.empty()) << seen.Findings();
  EXPECT_EQ(seen.page_bytes, 1024);
  EXPECT_EQ(seen.ram.pages, 1);
  EXPECT_EQ(seen.ram.zero_pages, 1);
  EXPECT_EQ(
      seen.full_sections,
      (Lines{"timer 0: 24", StrCat("0000:00:05.0/vfio 0: ", Config().size())}));
}

TEST(StreamReaderTest, AStreamMayEndWithTheHeaderAndEof) {
  Seen seen = Read(HeaderBytes() + EofBytes());
  EXPECT_TRUE(seen.error.ok()) << ToString(seen.error);
  EXPECT_EQ(seen.footers, std::nullopt);
  EXPECT_FALSE(seen.has_description);
}

TEST(StreamReaderTest, TheConfigurationMayBeMissing) {
  Seen seen = Read(HeaderBytes() + kVfio.Start(kSetup) + EofBytes());
  EXPECT_TRUE(seen.error.ok()) << ToString(seen.error);
  EXPECT_EQ(seen.page_bytes, 4096);
}

TEST(StreamReaderTest, AFullMayStandAnywhere) {
  std::string bytes = ToStart() + kTimer.Full(kTimerState) +
                      kRam.Start(BlockList()) + kSerial.Full("state") +
                      kRam.End(kEosRecord) + EofBytes();
  Seen seen = Read(bytes + DescriptionBytes(DescriptionJson(
                               {kTimer.Json(24), kSerial.Json(5)})));
  ASSERT_TRUE(seen.error.ok()) << ToString(seen.error);
  EXPECT_EQ(seen.full_sections, (Lines{"timer 0: 24", "serial 1016: 5"}));
  // And where its end has to be guessed.
  seen = Read(bytes);
  ASSERT_TRUE(seen.error.ok()) << ToString(seen.error);
  EXPECT_EQ(seen.full_sections, (Lines{"timer 0: 24", "serial 1016: 5"}));
  EXPECT_EQ(seen.Findings(), "guessed-end guessed-end");
}

TEST(StreamReaderTest, SectionIdsNeedNoOrder) {
  const HandlerBytes high = {.id = 0xffffffff, .idstr = "vfio"};
  Seen seen = Read(HeaderBytes() + high.Start(kSetup) + kVfio.Start(kSetup) +
                   high.End(kEos) + kVfio.End(kEos) + EofBytes());
  EXPECT_TRUE(seen.error.ok()) << ToString(seen.error);
}

TEST(StreamReaderTest, KnowsAVfioDeviceByItsIdstr) {
  EXPECT_TRUE(IsVfioIdstr("vfio"));
  EXPECT_TRUE(IsVfioIdstr("0000:00:03.0:00.0/vfio"));
  EXPECT_FALSE(IsVfioIdstr("0000:00:03.0/vfio-cpr-pci"));
  EXPECT_FALSE(IsVfioIdstr("xvfio"));
  EXPECT_FALSE(IsVfioIdstr("vfio-container"));
  EXPECT_FALSE(IsVfioIdstr(""));
}

// The header.

TEST(StreamReaderTest, WhatIsNoStreamIsRefusedAtItsFirstByte) {
  for (const std::string& bytes :
       {std::string(), std::string("MVEQ\0\0\0\3", 8), std::string(100, '\0'),
        "\x11\x22\x33\x44" + Be32Bytes(1), "QCPR" + Be32Bytes(1),
        std::string("LibvirtQemudSave")}) {
    Seen seen = Read(bytes);
    EXPECT_EQ(seen.error.code, ErrorCode::kNotAStream) << bytes;
    EXPECT_EQ(seen.error.offset, 0);
    EXPECT_TRUE(seen.lines.empty());
  }
}

TEST(StreamReaderTest, OnlyVersion3IsRead) {
  EXPECT_EQ(ToString(Read(HeaderBytes(2) + EofBytes()).error),
            "0x4: header: stream version 2, which is obsolete");
  EXPECT_EQ(ToString(Read(HeaderBytes(4) + EofBytes()).error),
            "0x4: header: stream version 4, expected 3");
}

TEST(StreamReaderTest, AHeaderThatIsCutIsTruncated) {
  for (size_t length = 4; length < 8; ++length) {
    Seen seen = Read(HeaderBytes().substr(0, length));
    EXPECT_EQ(seen.error.code, ErrorCode::kTruncated) << length;
    EXPECT_EQ(seen.error.offset, length);
  }
}

// Footers.

TEST(StreamReaderTest, FootersMayBeOff) {
  HandlerBytes ram = kRam;
  HandlerBytes vfio = kVfio;
  HandlerBytes timer = kTimer;
  ram.footers = vfio.footers = timer.footers = false;
  std::string bytes =
      HeaderBytes() + ram.Start(BlockList()) + vfio.Start(kSetup) +
      ram.End(kEosRecord) + vfio.End(DataBytes("stop") + kEos) +
      timer.Full(kTimerState) + vfio.Full(Config()) + EofBytes();
  Seen seen = Read(bytes + DescriptionBytes(SmallJson()));
  ASSERT_TRUE(seen.error.ok()) << ToString(seen.error);
  EXPECT_EQ(seen.footers, false);
  EXPECT_TRUE(seen.findings.empty());

  // As of pc-i440fx-2.3, and with suppress-vmdesc besides.
  seen = Read(bytes);
  ASSERT_TRUE(seen.error.ok()) << ToString(seen.error);
  EXPECT_EQ(seen.footers, false);
  EXPECT_EQ(
      seen.full_sections,
      (Lines{"timer 0: 24", StrCat("0000:00:05.0/vfio 0: ", Config().size())}));
  ASSERT_EQ(seen.Findings(), "guessed-end");
  uint64_t content = bytes.find(kTimerState);
  EXPECT_EQ(seen.findings[0].severity, Severity::kNote);
  EXPECT_EQ(seen.findings[0].offset, content);
  EXPECT_EQ(seen.findings[0].section, "timer FULL");
  EXPECT_EQ(seen.findings[0].message,
            StrCat("no description; its end at ", Hex(content + 24),
                   " is a guess by what seems to follow"));
}

TEST(StreamReaderTest, AMissingFooterIsAnErrorOnceOneWasSeen) {
  HandlerBytes plain = kVfio;
  plain.footers = false;
  std::string before =
      HeaderBytes() + kVfio.Start(kSetup) + plain.End(DataBytes("x") + kEos);
  Seen seen = Read(before + EofBytes());
  EXPECT_EQ(seen.error.code, ErrorCode::kMissingFooter);
  EXPECT_EQ(ToString(seen.error),
            StrCat(Hex(before.size()),
                   ": 0000:00:05.0/vfio END: missing section footer, "
                   "found byte 0x0"));
}

TEST(StreamReaderTest, AFooterIsAnErrorOnceOneWasMissing) {
  HandlerBytes plain = kVfio;
  plain.footers = false;
  std::string before = HeaderBytes() + plain.Start(kSetup) + plain.End(kEos);
  Seen seen = Read(before + kVfio.Footer() + EofBytes());
  EXPECT_EQ(seen.error.code, ErrorCode::kUnknownSectionType);
  EXPECT_EQ(ToString(seen.error),
            StrCat(Hex(before.size()),
                   ": stream: unknown section type 0x7e after "
                   "0000:00:05.0/vfio END"));
}

TEST(StreamReaderTest, AFooterHasTheSectionsId) {
  HandlerBytes plain = kVfio;
  plain.footers = false;
  for (bool first : {true, false}) {
    std::string before = HeaderBytes() + (first ? "" : kVfio.Start(kSetup)) +
                         plain.Start(kSetup);
    Seen seen = Read(before + "\x7e" + Be32Bytes(0xffff) + EofBytes());
    EXPECT_EQ(seen.error.code, ErrorCode::kMismatchedFooter);
    EXPECT_EQ(ToString(seen.error),
              StrCat(Hex(before.size() + 1),
                     ": 0000:00:05.0/vfio START: mismatched section id "
                     "in footer: read 0xffff, expected 0x7"));
  }
}

// Sections.

TEST(StreamReaderTest, APartOrAnEndNeedsItsStart) {
  for (bool part : {true, false}) {
    std::string before = HeaderBytes() + kVfio.Start(kSetup);
    Seen seen =
        Read(before + (part ? kRam.Part(kEosRecord) : kRam.End(kEosRecord)));
    EXPECT_EQ(ToString(seen.error),
              StrCat(Hex(before.size()), ": ", part ? "PART" : "END",
                     " section: section id 0x2 was never started"));
    EXPECT_EQ(seen.error.code, ErrorCode::kUnknownSection);
  }
}

TEST(StreamReaderTest, AFullIsNoStart) {
  std::string before = HeaderBytes() + kVfio.Full(Config());
  Seen seen = Read(before + kVfio.Part(kEos));
  EXPECT_EQ(seen.error.code, ErrorCode::kUnknownSection);
  EXPECT_EQ(seen.error.offset, before.size());
}

TEST(StreamReaderTest, AnIdBelongsToOneHandler) {
  // ram's id, taken by another: whatever comes of it, it is reported.
  const HandlerBytes thief = {.id = 2, .idstr = "timer"};
  std::string before = HeaderBytes() + kRam.Start(BlockList());
  Seen seen = Read(before + thief.Full("state") + kRam.Part(kEosRecord) +
                   kRam.End(kEosRecord) + EofBytes() +
                   DescriptionBytes(DescriptionJson({thief.Json(5)})));
  EXPECT_TRUE(seen.IsReportedAt(before.size())) << ToString(seen.error);
}

TEST(StreamReaderTest, UnknownSectionTypesAreRefused) {
  std::string before = HeaderBytes() + kRam.Start(BlockList());
  for (uint8_t type : {0x05, 0x06, 0x07, 0x09, 0x7d, 0x7e, 0xff}) {
    Seen seen = Read(before + U8Bytes(type) + Be32Bytes(0) + Be32Bytes(0));
    EXPECT_EQ(seen.error.code, ErrorCode::kUnknownSectionType);
    EXPECT_EQ(ToString(seen.error),
              StrCat(Hex(before.size()), ": stream: unknown section type ",
                     Hex(type), " after ram START"));
  }
  EXPECT_EQ(ToString(Read(HeaderBytes() + "\x7e").error),
            "0x8: stream: unknown section type 0x7e");
}

TEST(StreamReaderTest, AnUnknownHandlersStartCannotBeWalkedPast) {
  const HandlerBytes other = {.id = 5, .idstr = "other"};
  std::string before = HeaderBytes() + kRam.Start(BlockList());
  // Not even if a description names its FULL.
  Seen seen = Read(before + other.Start("x") + EofBytes() +
                   DescriptionBytes(DescriptionJson({other.Json(1)})));
  EXPECT_EQ(seen.error.code, ErrorCode::kUnwalkable);
  EXPECT_EQ(seen.error.offset, before.size());
  EXPECT_EQ(seen.error.section, "other START");
  EXPECT_NE(seen.error.reason.find("other"), std::string::npos);
}

TEST(StreamReaderTest, TheNumberOfDifferentSectionsHasALimit) {
  ReaderOptions options;
  options.limits.sections = 3;
  std::string bytes = HeaderBytes();
  for (uint32_t id = 0; id < 3; ++id) {
    HandlerBytes device = {.id = id, .idstr = StrCat(id, "/vfio")};
    for (int i = 0; i < 5; ++i) bytes += device.Start(kSetup);
  }
  EXPECT_TRUE(Read(bytes + EofBytes(), options).error.ok());
  Seen seen = Read(bytes + kVfio.Start(kSetup), options);
  EXPECT_EQ(seen.error.code, ErrorCode::kSectionLimit);
  EXPECT_EQ(seen.error.offset, bytes.size());
}

TEST(StreamReaderTest, ManyPartsAreNoManySections) {
  std::string bytes = HeaderBytes() + kVfio.Start(kSetup);
  for (int i = 0; i < 120'000; ++i) bytes += kVfio.Part(kEos);
  bytes += EofBytes();
  MemorySource whole(AsBytes(bytes));
  Recorded recorded = Record(whole);
  EXPECT_TRUE(recorded.error.ok()) << ToString(recorded.error);
}

TEST(StreamReaderTest, AnErrorInADeviceSaysWhereItStandsInTheStream) {
  std::string before = HeaderBytes() + kVfio.Start(kSetup) + "\x03" +
                       Be32Bytes(7) + DataBytes("abc");
  Seen seen = Read(before + TagBytes(9) + kVfio.Footer());
  EXPECT_EQ(ToString(seen.error),
            StrCat(Hex(before.size()),
                   ": 0000:00:05.0/vfio END: unknown tag "
                   "0xffffffffef100009, expected DATA or END_OF_STATE"));
}

// Commands.

TEST(StreamReaderTest, AnUnknownCommandIsReportedAndSkipped) {
  for (uint16_t number : {0, 12, 0xffff}) {
    Seen seen = Read(HeaderBytes() + CommandBytes(number, "data") + EofBytes());
    EXPECT_TRUE(seen.error.ok()) << ToString(seen.error);
    ASSERT_EQ(seen.Findings(), "unknown-command");
    EXPECT_EQ(seen.findings[0].severity, Severity::kError);
    EXPECT_EQ(seen.findings[0].offset, 8);
  }
}

TEST(StreamReaderTest, ACommandsLengthIsFixed) {
  struct Case {
    uint16_t command;
    size_t bytes;
    std::string reason;
  };
  for (const Case& c :
       {Case{1, 1, "COMMAND OPEN_RETURN_PATH: 1 bytes of data, expected 0"},
        Case{2, 0, "COMMAND PING: 0 bytes of data, expected 4"},
        Case{2, 8, "COMMAND PING: 8 bytes of data, expected 4"},
        Case{3, 8,
             "COMMAND POSTCOPY_ADVISE: 8 bytes of data, expected 0 or "
             "16"},
        Case{4, 4, "COMMAND POSTCOPY_LISTEN: 4 bytes of data, expected 0"},
        Case{5, 4, "COMMAND POSTCOPY_RUN: 4 bytes of data, expected 0"},
        Case{7, 0, "COMMAND PACKAGED: 0 bytes of data, expected 4"},
        Case{8, 1, "COMMAND ENABLE_COLO: 1 bytes of data, expected 0"},
        Case{9, 1, "COMMAND POSTCOPY_RESUME: 1 bytes of data, expected 0"},
        Case{11, 65535,
             "COMMAND SWITCHOVER_START: 65535 bytes of data, expected 0"}}) {
    Seen seen = Read(HeaderBytes() +
                     CommandBytes(c.command, std::string(c.bytes, '\x08')) +
                     EofBytes());
    EXPECT_EQ(seen.error.code, ErrorCode::kBadCommand);
    EXPECT_EQ(ToString(seen.error), "0xb: " + c.reason);
  }
}

TEST(StreamReaderTest, SomeCommandsHaveAnyLength) {
  std::string discard = U8Bytes(0) + Str8Bytes("pc.ram") + U8Bytes(0) +
                        Be64Bytes(0) + Be64Bytes(4096);
  Seen seen = Read(HeaderBytes() + CommandBytes(3) + CommandBytes(6, discard) +
                   CommandBytes(10, Str8Bytes("pc.ram")) + EofBytes());
  EXPECT_TRUE(seen.error.ok()) << ToString(seen.error);
  EXPECT_TRUE(seen.findings.empty()) << seen.Findings();
}

TEST(StreamReaderTest, PostcopyAdviceTellsTheTargetsPageSize) {
  Seen seen =
      Read(HeaderBytes() +
           CommandBytes(3, Be64Bytes(0x2000) + Be64Bytes(0x2000)) + EofBytes());
  EXPECT_TRUE(seen.error.ok()) << ToString(seen.error);
  EXPECT_EQ(seen.page_bytes, 0x2000);
  for (uint64_t size : {uint64_t{0}, uint64_t{1}, uint64_t{128}, uint64_t{5000},
                        uint64_t{1} << 17, uint64_t{1} << 63}) {
    seen = Read(HeaderBytes() +
                CommandBytes(3, Be64Bytes(0x1000) + Be64Bytes(size)));
    EXPECT_EQ(seen.error.code, ErrorCode::kBadCommand) << size;
    EXPECT_EQ(seen.error.offset, 8 + 5 + 8);
  }
}

TEST(StreamReaderTest, PageSizesThatDisagreeAreReported) {
  // The configuration says 1 KiB.
  Seen advised =
      Read(ToStart() + CommandBytes(3, Be64Bytes(4096) + Be64Bytes(4096)) +
           EofBytes());
  EXPECT_TRUE(!advised.error.ok() || !advised.findings.empty());
  Seen described =
      Read(ToStart() + kTimer.Full("x") + EofBytes() +
           DescriptionBytes(DescriptionJson({kTimer.Json(1)}, 65536)));
  EXPECT_TRUE(!described.error.ok() || !described.findings.empty());
}

// PACKAGED.

std::string Package() {
  return CommandBytes(4) + kTimer.Full(kTimerState) + kVfio.Full(Config()) +
         kSerial.Full("state") + CommandBytes(2, Be32Bytes(3)) +
         CommandBytes(5);
}

std::string ToPackage() {
  return HeaderBytes() + ConfigurationBytes("pc") +
         CommandBytes(3, Be64Bytes(4096) + Be64Bytes(4096)) +
         kRam.Start(BlockList()) + kVfio.Start(kSetup) +
         kVfio.End(DataBytes("stop") + kEos) + CommandBytes(2, Be32Bytes(2));
}

TEST(StreamReaderTest, APackageHoldsSections) {
  Seen seen =
      Read(ToPackage() + PackagedBytes(Package()) +
           CommandBytes(2, Be32Bytes(4)) + kRam.End(kEosRecord) + EofBytes());
  ASSERT_TRUE(seen.error.ok()) << ToString(seen.error);
  EXPECT_EQ(
      seen.full_sections,
      (Lines{"timer 0: 24", StrCat("0000:00:05.0/vfio 0: ", Config().size()),
             "serial 1016: 5"}));
  EXPECT_EQ(seen.Findings(), "guessed-end guessed-end");
}

TEST(StreamReaderTest, APackageMayEndWithAFull) {
  Seen seen = Read(ToPackage() + PackagedBytes(kSerial.Full("state")) +
                   kRam.End(kEosRecord) + EofBytes());
  ASSERT_TRUE(seen.error.ok()) << ToString(seen.error);
  EXPECT_EQ(seen.full_sections, (Lines{"serial 1016: 5"}));
}

TEST(StreamReaderTest, APackageMayBeEmpty) {
  Seen seen = Read(ToPackage() + PackagedBytes("") + EofBytes());
  EXPECT_TRUE(seen.error.ok()) << ToString(seen.error);
}

TEST(StreamReaderTest, ASectionDoesNotGoOnPastItsPackage) {
  std::string full = kVfio.Full(Config());
  for (size_t missing : {size_t{1}, size_t{5}, size_t{6}, full.size() - 1}) {
    std::string bytes =
        ToPackage() +
        CommandBytes(7,
                     Be32Bytes(static_cast<uint32_t>(full.size() - missing)));
    Seen seen = Read(bytes + full + EofBytes());
    EXPECT_EQ(seen.error.code, ErrorCode::kOutOfStep) << missing;
    EXPECT_EQ(seen.error.offset, bytes.size() + full.size() - missing);
    EXPECT_NE(ToString(seen.error).find("package"), std::string::npos);
  }
}

TEST(StreamReaderTest, APackageInAPackageIsRefused) {
  std::string before = ToPackage() + CommandBytes(7, Be32Bytes(100));
  Seen seen = Read(before + PackagedBytes(CommandBytes(4)) + EofBytes());
  EXPECT_EQ(seen.error.code, ErrorCode::kBadCommand);
  EXPECT_EQ(seen.error.offset, before.size());
}

TEST(StreamReaderTest, APackageHasNoEof) {
  std::string before =
      ToPackage() + CommandBytes(7, Be32Bytes(5 + 1)) + CommandBytes(4);
  Seen seen = Read(before + EofBytes() + kRam.End(kEosRecord) + EofBytes());
  EXPECT_FALSE(seen.error.ok());
  EXPECT_EQ(seen.error.offset, before.size()) << ToString(seen.error);
  // The same byte as the last of all.
  EXPECT_FALSE(Read(before + EofBytes()).error.ok());
}

TEST(StreamReaderTest, APackageOf4GiBIsNotBackedByItsInput) {
  std::string before = ToPackage() + CommandBytes(7, Be32Bytes(0xffffffff));
  Seen cut = Read(before + Package());
  EXPECT_EQ(cut.error.code, ErrorCode::kTruncated) << ToString(cut.error);
  EXPECT_EQ(cut.error.offset, (before + Package()).size());
  EXPECT_FALSE(Read(before + Package() + EofBytes()).error.ok());
}

TEST(StreamReaderTest, APackageThatIsCutIsTruncated) {
  std::string bytes = ToPackage() + PackagedBytes(Package());
  for (size_t cut : {size_t{1}, size_t{5}, size_t{13}}) {
    Seen seen = Read(bytes.substr(0, bytes.size() - cut));
    EXPECT_EQ(seen.error.code, ErrorCode::kTruncated) << ToString(seen.error);
    EXPECT_EQ(seen.error.offset, bytes.size() - cut);
  }
}

// A snapshot: what savevm writes.

TEST(StreamReaderTest, ASnapshotIsTheSameStreamWithoutAReturnPath) {
  std::string bytes =
      HeaderBytes() + ConfigurationBytes("pc") + kRam.Start(BlockList()) +
      kVfio.Start(kSetup) + CommandBytes(11) + kRam.End(kEosRecord) +
      kVfio.End(DataBytes("stop") + kEos) + kTimer.Full(kTimerState) +
      kVfio.Full(Config()) + EofBytes() +
      DescriptionBytes(
          DescriptionJson({kTimer.Json(24), kVfio.Json(Config().size())}));
  Seen seen = Read(bytes);
  ASSERT_TRUE(seen.error.ok()) << ToString(seen.error);
  EXPECT_EQ(seen.Findings(), "");

  // The rest of an image's last cluster.
  seen = Read(bytes + std::string(1000, '\0'));
  EXPECT_TRUE(seen.error.ok()) << ToString(seen.error);
  EXPECT_EQ(seen.Findings(), "trailing-bytes");
  EXPECT_EQ(seen.trailing_bytes, 1000);
}

// EOF and the description.

TEST(StreamReaderTest, NothingButADescriptionFollowsEof) {
  std::string bytes = HeaderBytes() + kVfio.Start(kSetup) + EofBytes();
  for (const std::string& rest : {std::string(1, '\0'), std::string("x")}) {
    Seen seen = Read(bytes + rest);
    EXPECT_TRUE(seen.error.ok()) << ToString(seen.error);
    EXPECT_EQ(seen.Findings(), "trailing-bytes");
    EXPECT_EQ(seen.trailing_bytes, rest.size());
    EXPECT_EQ(seen.lines.back(), Hex(bytes.size() - 1) + " EOF");
  }
}

TEST(StreamReaderTest, AnEofBehindWhichSectionsComeIsReported) {
  std::string bytes = HeaderBytes() + kVfio.Start(kSetup) + EofBytes();
  Seen seen = Read(bytes + kVfio.End(kEos));
  EXPECT_TRUE(seen.error.ok()) << ToString(seen.error);
  EXPECT_EQ(seen.Findings(), "early-eof trailing-bytes");
  EXPECT_TRUE(seen.IsReportedAt(bytes.size() - 1));
}

TEST(StreamReaderTest, NothingFollowsTheDescription) {
  std::string bytes =
      HeaderBytes() + EofBytes() + DescriptionBytes(DescriptionJson({}));
  ASSERT_TRUE(Read(bytes).error.ok());
  for (const std::string& rest :
       {std::string(1, '\0'), std::string("x"), bytes}) {
    Seen seen = Read(bytes + rest);
    EXPECT_TRUE(seen.error.ok()) << ToString(seen.error);
    EXPECT_EQ(seen.Findings(), "trailing-bytes");
    EXPECT_EQ(seen.trailing_bytes, rest.size());
  }
}

// The description is that of this stream, whatever stands behind it: nothing,
// zeros, or a longer stream that this one was written over.
TEST(StreamReaderTest, OfSeveralDescriptionsTheOneThatFitsIsUsed) {
  const std::string stream = SmallStream();
  const std::string other =
      kTimer.Full(kTimerState + "longer") + EofBytes() +
      DescriptionBytes(DescriptionJson(
          {kTimer.Json(30), kSerial.Json(7), kVfio.Json(1000)}));
  for (const std::string& rest : {std::string(5000, '\0'), other, stream}) {
    Seen alone = Read(stream);
    Seen seen = Read(stream + rest);
    EXPECT_TRUE(seen.error.ok()) << ToString(seen.error);
    EXPECT_EQ(seen.lines, alone.lines);
    EXPECT_EQ(seen.Findings(), "trailing-bytes");
  }
}

// What follows the stream is its description's only if it fits; that it
// describes one section wrongly is no reason to have none for the others.
TEST(StreamReaderTest, ADescriptionThatDoesNotFitOneSectionFitsTheNext) {
  const HandlerBytes clock = {.id = 7, .idstr = "clock"};
  // Its state looks as if the section ended, and another one began.
  const std::string state = kTimerState + kTimer.Footer() + kSerial.Full("x");
  const std::string timer = kTimer.Json(state.size());
  for (const std::string& json :
       {DescriptionJson({timer}), DescriptionJson({clock.Json(99), timer})}) {
    const std::string stream = ToStart() + clock.Full("tick") +
                               kTimer.Full(state) + EofBytes() +
                               DescriptionBytes(json);
    for (const std::string& rest : {std::string(), std::string(5000, '\0')}) {
      Seen seen = Read(stream + rest);
      EXPECT_TRUE(seen.error.ok()) << ToString(seen.error);
      EXPECT_EQ(seen.full_sections,
                (Lines{"clock 0: 4", StrCat("timer 0: ", state.size())}))
          << json << rest.size();
    }
  }
}

// A loader reads the second version as the first of the fields, and finds no
// footer where they end.
TEST(StreamReaderTest, ASectionWithItsVersionTwiceHasNoFooter) {
  const std::string before = ToStart() + kRam.Start(BlockList());
  const std::string full = kTimer.Full(Be32Bytes(kTimer.version) + kTimerState);
  Seen seen = Read(before + full + EofBytes() +
                   DescriptionBytes(DescriptionJson({kTimer.Json(24)})));
  EXPECT_EQ(seen.error.code, ErrorCode::kMissingFooter) << ToString(seen.error);
  EXPECT_EQ(seen.error.offset, before.size() + full.size() - 5 - 4);
}

// Without a description, a last section with anything behind it ends at its
// footer.
TEST(StreamReaderTest, TheLastSectionEndsWhateverFollows) {
  const std::string stream = ToStart() + kTimer.Full(kTimerState) + EofBytes();
  for (const std::string& rest : {std::string("\n"), std::string(70'000, '\0'),
                                  std::string("\x33rest"), stream}) {
    Seen seen = Read(stream + rest);
    EXPECT_TRUE(seen.error.ok()) << ToString(seen.error);
    EXPECT_EQ(seen.Findings(), "guessed-end trailing-bytes");
    EXPECT_EQ(seen.full_sections, Lines{"timer 0: 24"});
  }
}

TEST(StreamReaderTest, ADescriptionOf4GiBIsBeyondTheLimit) {
  std::string bytes = HeaderBytes() + EofBytes() + "\x06";
  Seen seen = Read(bytes + Be32Bytes(0xffffffff) + "{}");
  EXPECT_EQ(seen.error.code, ErrorCode::kDescriptionLimit);
  EXPECT_EQ(ToString(seen.error),
            StrCat(Hex(bytes.size()),
                   ": VMDESCRIPTION: claims 4294967295 bytes, the limit "
                   "is 16777216"));
}

TEST(StreamReaderTest, ADescriptionThatIsTooLongToWalkByIsNamed) {
  ReaderOptions options;
  options.limits.description_bytes = 64;
  options.limits.guessed_bytes = 16;
  const std::string state(100, 't');
  const std::string json = DescriptionJson({kTimer.Json(state.size())}, 4096) +
                           std::string(400, ' ');
  Seen seen =
      Read(ToStart() + kTimer.Full(state) + EofBytes() + DescriptionBytes(json),
           options);
  EXPECT_EQ(seen.error.code, ErrorCode::kUnwalkable);
  EXPECT_NE(seen.error.reason.find("the description has more than 64 bytes"),
            std::string::npos)
      << seen.error.reason;
}

TEST(StreamReaderTest, ADescriptionMayBeWithoutAnyLimit) {
  ReaderOptions options;
  options.limits.description_bytes = ~uint64_t{0};
  Seen seen = Read(SmallStream(), options);
  EXPECT_TRUE(seen.error.ok()) << ToString(seen.error);
  EXPECT_TRUE(seen.findings.empty()) << seen.Findings();
}

TEST(StreamReaderTest, ADamagedDescriptionIsReportedWhereItStands) {
  // A longer one than fits the first look at what follows a section.
  for (size_t size : {size_t{10}, size_t{100'000}}) {
    std::string before = ToStart() + kTimer.Full(kTimerState) + EofBytes();
    std::string json = "{" + std::string(size, '!');
    Seen seen = Read(before + DescriptionBytes(json));
    EXPECT_EQ(seen.error.code, ErrorCode::kBadDescription)
        << ToString(seen.error);
    EXPECT_EQ(seen.error.offset, before.size() + 5);
    EXPECT_EQ(ToString(seen.error).find('\n'), std::string::npos);
  }
}

TEST(StreamReaderTest, ASectionThatTheDescriptionDoesNotNameEndsAtItsFooter) {
  std::string before = ToStart() + kTimer.Full(kTimerState);
  Seen seen =
      Read(before + kSerial.Full("state") + EofBytes() +
           DescriptionBytes(DescriptionJson(
               {kTimer.Json(24), HandlerBytes{.idstr = "serial"}.Json(5)})));
  EXPECT_TRUE(seen.error.ok()) << ToString(seen.error);
  EXPECT_EQ(seen.Findings(), "description-wrong");
  EXPECT_EQ(seen.full_sections, (Lines{"timer 0: 24", "serial 1016: 5"}));
}

// QEMU's loader does not look at it.
TEST(StreamReaderTest, WhereADescribedSizeIsWrongTheFooterCounts) {
  auto read = [&](uint64_t described) {
    return Read(ToStart() + kRam.Start(BlockList()) + kTimer.Full(kTimerState) +
                EofBytes() +
                DescriptionBytes(DescriptionJson({kTimer.Json(described)})));
  };
  EXPECT_EQ(read(24).Findings(), "");
  for (uint64_t wrong : {uint64_t{0}, uint64_t{23}, uint64_t{25},
                         uint64_t{10'000}, uint64_t{1} << 47}) {
    Seen seen = read(wrong);
    EXPECT_TRUE(seen.error.ok()) << wrong << ToString(seen.error);
    EXPECT_EQ(seen.Findings(), "description-wrong") << wrong;
    EXPECT_EQ(seen.full_sections, Lines{"timer 0: 24"}) << wrong;
  }
}

TEST(StreamReaderTest, AFooterWithAWrongByteIsNoWrongDescription) {
  const std::string before = ToStart() + kRam.Start(BlockList());
  for (size_t byte = 0; byte < 5; ++byte) {
    std::string full = kTimer.Full(kTimerState);
    full[full.size() - 5 + byte] ^= 0x40;
    Seen seen = Read(before + full + EofBytes() +
                     DescriptionBytes(DescriptionJson({kTimer.Json(24)})));
    EXPECT_EQ(seen.error.code, byte == 0 ? ErrorCode::kMissingFooter
                                         : ErrorCode::kMismatchedFooter);
    EXPECT_EQ(seen.error.offset,
              before.size() + full.size() - 5 + (byte == 0 ? 0 : 1));
  }
}

TEST(StreamReaderTest, ADevicesDescribedSizeThatIsWrongIsNotUsed) {
  std::string before = ToStart() + kVfio.Start(kSetup);
  Seen seen = Read(before + kVfio.Full(kEos) + EofBytes() +
                   DescriptionBytes(DescriptionJson({kVfio.Json(16)})));
  EXPECT_TRUE(seen.error.ok()) << ToString(seen.error);
  EXPECT_EQ(seen.Findings(), "description-wrong");
}

TEST(StreamReaderTest, TheWalkArrivesAtTheDescriptionThatItUsed) {
  // The last bytes look like a description, but stand inside of the true one.
  std::string forged =
      EofBytes() + DescriptionBytes(DescriptionJson({kTimer.Json(24)}));
  std::string outer = "{\"x\":\"" + forged;
  Seen seen = Read(ToStart() + kTimer.Full(kTimerState) + EofBytes() +
                   DescriptionBytes(outer));
  EXPECT_FALSE(seen.error.ok());
}

TEST(StreamReaderTest, ADescriptionInDeviceStateIsState) {
  std::string state = EofBytes() + DescriptionBytes(DescriptionJson({}));
  Seen seen =
      Read(ToStart() + kTimer.Full(state) + EofBytes() +
           DescriptionBytes(DescriptionJson({kTimer.Json(state.size())})));
  EXPECT_TRUE(seen.error.ok()) << ToString(seen.error);
}

// Claims.

TEST(StreamReaderTest, ARecordOf2To63BytesIsBeyondTheLimit) {
  std::string before =
      HeaderBytes() + kVfio.Start(kSetup) + "\x03" + Be32Bytes(7) + TagBytes(4);
  Seen seen = Read(before + Be64Bytes(uint64_t{1} << 63) + "abc");
  EXPECT_EQ(seen.error.code, ErrorCode::kRecordLimit);
  EXPECT_EQ(ToString(seen.error),
            StrCat(Hex(before.size()),
                   ": 0000:00:05.0/vfio END: DATA record claims "
                   "9223372036854775808 bytes, the limit is "
                   "1099511627776"));
}

TEST(StreamReaderTest, ARecordWithinTheLimitIsNotHeld) {
  std::string bytes = HeaderBytes() + kVfio.Start(kSetup) + "\x03" +
                      Be32Bytes(7) + TagBytes(4) +
                      Be64Bytes(uint64_t{1} << 39) + "abc";
  Seen seen = Read(bytes);
  EXPECT_EQ(seen.error.code, ErrorCode::kTruncated);
  EXPECT_EQ(seen.error.offset, bytes.size());
  EXPECT_EQ(seen.error.reason,
            "input ends in a DATA record of 549755813888 bytes, 549755813885 "
            "of them missing");
}

TEST(StreamReaderTest, AMachineTypeOf4GiBIsRefused) {
  Seen seen = Read(HeaderBytes() + "\x07" + Be32Bytes(0xffffffff) + "pc");
  EXPECT_EQ(seen.error.code, ErrorCode::kBadConfiguration);
  EXPECT_EQ(seen.error.offset, 9);
}

// What is held of an input that cannot seek.

TEST(StreamReaderTest, APipesDescriptionIsFoundWithinTheHoldLimit) {
  std::string large(100'000, '\x55');
  std::string bytes =
      ToStart() + kTimer.Full(large) + kSerial.Full("state") + EofBytes() +
      DescriptionBytes(
          DescriptionJson({kTimer.Json(large.size()), kSerial.Json(5)}));
  ReaderOptions options;
  // All from the first state's first byte on.
  uint64_t left = bytes.size() - ToStart().size() - 19;
  options.limits.held_bytes = left;
  ShortReadSource enough(AsBytes(bytes), 1000);
  Seen seen = ReadFrom(enough, options);
  EXPECT_TRUE(seen.error.ok()) << ToString(seen.error);
  EXPECT_TRUE(seen.findings.empty()) << seen.Findings();

  // One byte less: the first end is a guess. The second is not, for there is
  // less to hold by then.
  options.limits.held_bytes = left - 1;
  ShortReadSource pipe(AsBytes(bytes), 1000);
  seen = ReadFrom(pipe, options);
  EXPECT_TRUE(seen.error.ok()) << ToString(seen.error);
  EXPECT_EQ(seen.Findings(), "hold-limit guessed-end");
  EXPECT_EQ(seen.findings[0].severity, Severity::kNote);

  // What can seek has no such limit.
  MemorySource memory(AsBytes(bytes));
  seen = ReadFrom(memory, options);
  EXPECT_TRUE(seen.findings.empty()) << seen.Findings();
}

TEST(StreamReaderTest, APipesDescriptionMayBeLargerThanTheHoldLimit) {
  // The last section's end has to be guessed by an EOF whose description goes
  // on beyond the first look.
  for (size_t padding : {1000, 200'000}) {
    std::string json = DescriptionJson({kTimer.Json(24)});
    json += std::string(padding, ' ');
    std::string bytes = ToStart() + kTimer.Full(kTimerState) + EofBytes() +
                        DescriptionBytes(json);
    ReaderOptions options;
    options.limits.held_bytes = 8;
    ShortReadSource pipe(AsBytes(bytes), 100'000);
    Seen seen = ReadFrom(pipe, options);
    EXPECT_TRUE(seen.error.ok()) << ToString(seen.error);
    EXPECT_EQ(seen.Findings(), "hold-limit guessed-end");
  }
}

// As a file that is mapped: what is looked at is mapped anew.
class MappedBytes : public ByteSource {
 public:
  explicit MappedBytes(const std::string& bytes) : bytes_(AsBytes(bytes)) {}

  bool ReachEnd(uint64_t) override { return true; }
  std::vector<uint8_t> Tail(uint64_t count) override {
    const ByteSpan rest = bytes_.subspan(offset());
    const ByteSpan tail = rest.last(std::min<uint64_t>(count, rest.size()));
    return {tail.begin(), tail.end()};
  }
  uint64_t mapped_bytes() const { return mapped_bytes_; }

 private:
  size_t Read(uint8_t*, size_t) override { return 0; }
  std::optional<ByteSpan> View(size_t count) override {
    const ByteSpan rest = bytes_.subspan(offset());
    const ByteSpan view = rest.first(std::min(count, rest.size()));
    mapped_bytes_ += view.size();
    return view;
  }

  const ByteSpan bytes_;
  uint64_t mapped_bytes_ = 0;
};

TEST(StreamReaderTest, WhatIsLookedAtForGuessesIsLinearInTheInput) {
  constexpr uint32_t kSections = 2000;
  constexpr size_t kStateBytes = 4096;
  std::string bytes = HeaderBytes();
  for (uint32_t id = 0; id < kSections; ++id) {
    bytes += HandlerBytes{.id = id, .idstr = "device"}.Full(
        std::string(kStateBytes, '\0'));
  }
  bytes += EofBytes();
  MappedBytes source(bytes);
  StreamVisitor nobody;
  StreamReader reader(source, nobody, {});
  EXPECT_TRUE(reader.Read().ok());
  // A window of 64 KiB a section, and one search for a description.
  constexpr uint64_t kWindow = 64 << 10;
  EXPECT_LT(source.mapped_bytes(), kSections * kWindow + 8 * bytes.size());
}

TEST(StreamReaderTest, AGuessThatTheDescriptionContradictsIsFoundInTheEnd) {
  // The state spells its own footer, and a section that seems to follow.
  std::string state =
      "abcd" + kTimer.Full("").substr(kTimer.Full("").size() - 5);
  std::string inner = kSerial.Full(std::string(1000, 'y'));
  std::string full = kTimer.Full(state + inner);
  std::string bytes =
      ToStart() + kRam.Start(BlockList()) + full + EofBytes() +
      DescriptionBytes(
          DescriptionJson({kTimer.Json(state.size() + inner.size())}) +
          std::string(200'000, ' '));
  MemorySource memory(AsBytes(bytes));
  EXPECT_TRUE(ReadFrom(memory).error.ok());
  ReaderOptions options;
  options.limits.held_bytes = 8;
  ShortReadSource pipe(AsBytes(bytes), 1000);
  Seen seen = ReadFrom(pipe, options);
  EXPECT_FALSE(seen.error.ok()) << seen.Findings();

  // Even where the walk goes on as if nothing were wrong.
  bytes = ToStart() + kRam.Start(BlockList()) + kTimer.Full("abcd") +
          EofBytes() +
          DescriptionBytes(DescriptionJson({kTimer.Json(5)}) +
                           std::string(200'000, ' '));
  ShortReadSource wrong(AsBytes(bytes), 1000);
  seen = ReadFrom(wrong, options);
  EXPECT_TRUE(seen.error.ok()) << ToString(seen.error);
  EXPECT_EQ(seen.Findings(), "hold-limit guessed-end description-wrong");
}

TEST(StreamReaderTest, DevicesAreBounded) {
  ReaderOptions options;
  options.limits.devices = 2;
  std::string bytes = HeaderBytes();
  for (uint32_t id : {1, 2, 3}) {
    std::string idstr = StrCat("0000:00:0", id, ".0/vfio");
    bytes += HandlerBytes{.id = id, .idstr = idstr}.Start(kSetup);
  }
  MemorySource source(AsBytes(bytes));
  EXPECT_EQ(ReadFrom(source, options).error.code, ErrorCode::kDeviceLimit);
}

TEST(StreamReaderTest, AFailureWithinASectionIsTheError) {
  std::string bytes = HeaderBytes() + kVfio.Start(kSetup) + "\x02";
  FailingSource source(bytes);
  Seen seen = ReadFrom(source);
  EXPECT_EQ(seen.error.code, ErrorCode::kReadFailed);
  EXPECT_EQ(ToString(seen.error),
            StrCat(Hex(bytes.size()), ": PART section: out of luck"));
}

TEST(StreamReaderTest, AFailureAtTheFirstByteIsTheError) {
  FailingSource source("");
  EXPECT_EQ(ReadFrom(source).error.code, ErrorCode::kReadFailed);
}

TEST(StreamReaderTest, AFailureWithinADevicesStateIsTheError) {
  std::string bytes =
      ToStart() + kRam.Start(BlockList()) + kTimer.Full(kTimerState);
  FailingSource source(bytes.substr(0, bytes.size() - 10));
  Seen seen = ReadFrom(source);
  EXPECT_EQ(seen.error.code, ErrorCode::kReadFailed) << ToString(seen.error);
}

TEST(StreamReaderTest, AFailureWhereTheDescriptionMayStandIsTheError) {
  FailingSource source(HeaderBytes() + kVfio.Start(kSetup) + EofBytes());
  Seen seen = ReadFrom(source);
  EXPECT_EQ(seen.error.code, ErrorCode::kReadFailed) << ToString(seen.error);
}

// Truncation.

// How reading goes wrong with the beginnings of `bytes`, where a cut gives
// anything but kTruncated at its end; some of it, in words.
Lines WrongTruncations(const std::string& bytes, size_t from) {
  Lines wrong;
  for (size_t length = from; length < bytes.size(); ++length) {
    std::string cut = bytes.substr(0, length);
    // Right after EOF, the stream is a whole one without a description.
    bool after_eof = bytes[length - 1] == '\0' && bytes[length] == '\x06' &&
                     bytes.substr(length) == DescriptionBytes(SmallJson());
    MemorySource memory(AsBytes(cut));
    ShortReadSource pipe(AsBytes(cut), 50);
    for (ByteSource* source :
         {static_cast<ByteSource*>(&memory), static_cast<ByteSource*>(&pipe)}) {
      StringSink sink;
      Error error = Repack(*source, sink, {}, nullptr);
      bool right = after_eof ? error.ok()
                             : error.code == ErrorCode::kTruncated &&
                                   error.offset == length;
      if (right && sink.bytes() != cut) {
        right = false;
        error.reason += " (and bytes are lost)";
      }
      if (!right) {
        wrong.push_back(StrCat("cut at ", Hex(length), ": code ",
                               static_cast<int>(error.code), ", ",
                               ToString(error)));
      }
    }
  }
  size_t all = wrong.size();
  if (all > 6) {
    wrong.resize(6);
    wrong.push_back(StrCat("… ", all, " in all"));
  }
  return wrong;
}

TEST(StreamReaderTest, EveryCutBeforeOtherDevicesStatesIsTruncated) {
  std::string bytes = ToStart() + Iterations() + kVfio.Full(Config()) +
                      EofBytes() + DescriptionBytes(SmallJson());
  EXPECT_EQ(WrongTruncations(bytes, 8), Lines());
}

TEST(StreamReaderTest, EveryCutOfASmallStreamIsTruncated) {
  EXPECT_EQ(WrongTruncations(SmallStream(), 8), Lines());
}

TEST(StreamReaderTest, EveryCutIsTruncatedWhereAnotherDeviceIsLast) {
  std::string bytes = ToStart() + kVfio.Start(kSetup) + kVfio.Full(Config()) +
                      kTimer.Full(kTimerState) + EofBytes() +
                      DescriptionBytes(SmallJson());
  EXPECT_EQ(WrongTruncations(bytes, 8), Lines());
}

TEST(StreamReaderTest, EveryCutIsTruncatedWhereAnotherDeviceIsFirst) {
  // Whether there are footers is not known yet; that there is a CONFIGURATION
  // says that there are, for both came with the same release.
  std::string bytes = ToStart() + kTimer.Full(std::string(24, '\0')) +
                      kVfio.Start(kSetup) + EofBytes() +
                      DescriptionBytes(SmallJson());
  EXPECT_EQ(WrongTruncations(bytes, 8), Lines());
}

TEST(StreamReaderTest, EveryCutOfAPackageIsTruncated) {
  std::string bytes = ToPackage() + PackagedBytes(Package());
  EXPECT_EQ(WrongTruncations(bytes, ToPackage().size()), Lines());
}

TEST(StreamReaderTest, EveryCutWithoutFootersIsTruncated) {
  HandlerBytes ram = kRam;
  HandlerBytes vfio = kVfio;
  ram.footers = vfio.footers = false;
  std::string bytes = HeaderBytes() + ram.Start(BlockList()) +
                      vfio.Start(kSetup) + ram.End(kEosRecord) +
                      vfio.End(DataBytes("stop") + kEos) + vfio.Full(Config()) +
                      EofBytes() + DescriptionBytes(SmallJson());
  EXPECT_EQ(WrongTruncations(bytes, 8), Lines());
}

}  // namespace
}  // namespace migstream
