// Payloads as their drivers print them for people.

#include "codec/payload/text_dump.h"

#include <random>
#include <string>

#include "codec/payload/payload_summary.h"
#include "codec/payload/payload_tally.h"
#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testdata/payloads.h"

namespace migstream {
namespace {

using testing::Contains;
using testing::IsEmpty;

// One line of a hex dump: groups of `group` bytes, as a number each.
std::string Groups(std::string_view bytes, size_t group) {
  if (bytes.size() % group != 0) group = 1;
  std::string text;
  for (size_t at = 0; at < bytes.size(); at += group) {
    StrAppend(&text, at == 0 ? "" : " ");
    for (size_t i = group; i-- > 0;) {
      uint8_t byte = static_cast<uint8_t>(bytes[at + i]);
      StrAppend(&text, Hex(byte, 2).substr(2));
    }
  }
  return text;
}

std::string Numbered(std::string_view mark, std::string_view bytes,
                     size_t group = 1) {
  std::string text;
  for (size_t at = 0; at < bytes.size(); at += 16) {
    std::string_view line = bytes.substr(at, 16);
    StrAppend(&text, mark, Hex(at, 8).substr(2), ": ", Groups(line, group),
              group == 1 ? "\n" : "  ..add face text..\n");
  }
  return text;
}

PayloadReport Tally(std::string_view text) {
  std::optional<TextDump> dump = ParseTextDump(text);
  EXPECT_TRUE(dump.has_value());
  return dump ? TallyTextDump(*dump) : PayloadReport();
}

// The numbers that it has, "name value".
std::vector<std::string> Values(const PayloadReport& report) {
  std::vector<std::string> values;
  for (const PayloadValue& value : report.values) {
    if (value.bytes == 0) continue;
    values.push_back(StrCat(value.field->name, " ",
                            payload::FieldText(*value.field, value.value)));
  }
  return values;
}

PayloadReport Payload(std::string_view name) {
  PayloadTally tally;
  tally.BeginStopCopy();
  std::string bytes = ReadPayload(GetPayload(name));
  tally.Add(AsBytes(bytes), {});
  return tally.Finish();
}

TEST(TextDumpTest, HisiAccsMigratedDataHasAllButFourAddresses) {
  std::string bytes = ReadPayload(GetPayload("hisi-v2-zip"));
  std::string text = StrCat(Numbered("Mig Data:", bytes.substr(0, 144)),
                            "acc device:\nguest driver load: 0\n"
                            "device opened: 1\nmigrate data length: 176\n");
  PayloadReport report = Tally(text);
  EXPECT_EQ(report.format->name, "hisi_acc");
  EXPECT_EQ(report.generation, 1);
  EXPECT_FALSE(report.complete);
  EXPECT_THAT(report.findings, IsEmpty());
  std::vector<std::string> whole = Values(Payload("hisi-v2-zip"));
  // The addresses are the last four.
  whole.resize(whole.size() - 4);
  EXPECT_EQ(Values(report), whole);
}

TEST(TextDumpTest, HisiAccsLiveDataHasNoMoreOfTheMatchThanTheState) {
  std::string bytes = ReadPayload(GetPayload("hisi-v2-zip"));
  bytes.replace(0, 24, std::string(24, '\0'));
  bytes.replace(28, 12, std::string(12, '\0'));
  PayloadReport report = Tally(Numbered("Dev Data:", bytes.substr(0, 144)));
  EXPECT_THAT(report.findings, IsEmpty());
  std::vector<std::string> values = Values(report);
  EXPECT_EQ(values[0], "vf_qm_state 0 ready");
  EXPECT_TRUE(values[1].starts_with("aeq_int_mask")) << values[1];
}

TEST(TextDumpTest, XesPacketsHaveTheirHeadersAndFirstBytes) {
  std::string bytes = ReadPayload(GetPayload("xe-bmg"));
  PayloadReport whole = Payload("xe-bmg");
  std::string text = "xe 0000:03:00.0: [drm] Tile0: GT0: VF1 saved\n";
  for (const PayloadRecord& record : whole.records) {
    if (record.depth != 0) continue;
    std::string packet = bytes.substr(record.offset, 24 + record.bytes);
    size_t shown = std::min<size_t>(packet.size(), 24 + 64);
    for (size_t at = 0; at < shown;) {
      bool body = at >= 24;
      size_t count = std::min<size_t>(16, (body ? shown : 24) - at);
      StrAppend(&text, "[   12.345678] xe 0000:03:00.0: [drm] ",
                body ? "mig_data: " : "mig_hdr: ",
                Groups(packet.substr(at, count), 1), "\n");
      at += count;
    }
  }
  PayloadReport report = Tally(text);
  EXPECT_EQ(report.format->name, "xe");
  EXPECT_EQ(report.bytes, bytes.size());
  EXPECT_EQ(Values(report), Values(whole));
  EXPECT_EQ(report.records.size(), whole.records.size());
  EXPECT_THAT(report.findings, IsEmpty());
}

TEST(TextDumpTest, QatsOutermostSectionsHaveAllOfIt) {
  std::string bytes = ReadPayload(GetPayload("qat"));
  PayloadReport whole = Payload("qat");
  std::string text;
  for (const PayloadRecord& record : whole.records) {
    // The blocks' preambles are not printed; every section is, also in the
    // ones that hold it.
    if (record.depth == 0) continue;
    StrAppend(
        &text, "QAT: LM - Add QAT state section ", record.name, "\n",
        Numbered("h-", bytes.substr(record.offset, 16), 2),
        Numbered("s-", bytes.substr(record.offset + 16, record.bytes), 2));
  }
  PayloadReport report = Tally(text);
  EXPECT_EQ(report.format->name, "qat");
  EXPECT_THAT(report.findings, IsEmpty());
  std::vector<std::string> lines;
  for (const PayloadLine& line : Summarize(report)) {
    lines.push_back(StrCat(line.label, ": ", line.text));
  }
  EXPECT_THAT(lines, Contains("banks: 4"));
  size_t same = 0;
  std::vector<std::string> values = Values(report);
  for (const std::string& value : Values(whole)) {
    // The preambles' own are missing.
    if (same < values.size() && values[same] == value) ++same;
  }
  EXPECT_EQ(same, values.size());
  EXPECT_GT(same, 100);
}

// Whatever a log has, nothing is read beyond what it shows or leaves out.
TEST(TextDumpTest, DamagedTextIsReadAsFarAsItGoes) {
  std::string bytes = ReadPayload(GetPayload("qat"));
  PayloadReport whole = Payload("qat");
  std::string sound;
  for (const PayloadRecord& record : whole.records) {
    if (record.depth != 1) continue;
    StrAppend(
        &sound, Numbered("h-", bytes.substr(record.offset, 16), 2),
        Numbered("s-", bytes.substr(record.offset + 16, record.bytes), 2));
  }
  StrAppend(&sound,
            "mig_hdr: 01 06 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n",
            "mig_hdr: 00 00 00 00 00 00 00 7f\nmig_data: 01\n");
  std::mt19937 random(3);
  size_t read = 0;
  for (int i = 0; i < 300; ++i) {
    std::string text = sound;
    size_t lines = random() % 40;
    text.erase(0, text.find('\n', lines * 60) + 1);
    for (int change = random() % 4; change > 0; --change) {
      text[random() % text.size()] = "0f h-s:\n"[random() % 8];
    }
    std::optional<TextDump> dump = ParseTextDump(text);
    if (!dump) continue;
    ++read;
    PayloadReport report = TallyTextDump(*dump);
    EXPECT_FALSE(report.whole);
    for (const PayloadValue& value : report.values) {
      EXPECT_LE(value.offset + value.bytes, report.bytes);
    }
  }
  EXPECT_GT(read, 100);
}

TEST(TextDumpTest, OtherTextIsNot) {
  for (std::string_view text :
       {"", "hello\nworld\n", "Mig Data:", "Mig Data:0000000: 00",
        "mig_hdr: 01", "h-00000000: 4f43 464e", "s-00000000: 0000",
        "mig_hdr: xx\n", "device not migrated!\n"}) {
    EXPECT_FALSE(ParseTextDump(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace migstream
