// What a real QEMU says to damaged streams, and what is said here. LOADERS.md.

#include <string>

#include "codec/extract/payload_extractor.h"
#include "codec/qemu/stream_writer.h"
#include "codec/report/report.pb.h"
#include "codec/report/report_builder.h"
#include "codec/survey/stream_survey.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

constexpr char kIdstr[] = "0000:00:05.0/vfio";

std::string Be64(uint64_t value) {
  std::string bytes(8, '\0');
  StoreBe64(reinterpret_cast<uint8_t*>(bytes.data()), value);
  return bytes;
}

class VerdictTest : public testing::TestWithParam<const char*> {
 protected:
  VerdictTest() : bytes_(ReadCapture(GetCapture(GetParam()))) {
    ReportOptions options;
    options.records = true;
    report_ = Check(options);
    EXPECT_FALSE(HasFindings(report_));
  }

  report::Report Check(const ReportOptions& options = {}) {
    MemorySource source(AsBytes(bytes_));
    report::Report report;
    BuildReport(source, options, report);
    return report;
  }

  // The offset of the nth element of that name.
  uint64_t Find(const std::string& section, const std::string& element,
                int nth = 0) {
    for (const report::Record& record : report_.devices(0).records()) {
      if (record.section() == section && record.element() == element &&
          nth-- == 0) {
        return record.offset();
      }
    }
    ADD_FAILURE() << "no " << element << " in " << section;
    return 0;
  }

  void SetTag(uint64_t at, uint64_t number) {
    bytes_.replace(at, 8, Be64(kTagPrefix + number));
  }

  std::string Payload() {
    MemorySource source(AsBytes(bytes_));
    StringSink sink;
    PayloadExtractor extractor(sink, kIdstr, PayloadExtractor::kPayload);
    StreamSurvey survey({}, extractor);
    Error error = survey.Read(source);
    if (error.ok()) error = extractor.Finish(survey.facts());
    EXPECT_TRUE(error.ok()) << ToString(error);
    return sink.bytes();
  }

  void ExpectAccepted() {
    report::Report report = Check();
    EXPECT_FALSE(HasFindings(report)) << report.findings(0).message();
  }

  void ExpectRefused(uint64_t offset, const std::string& reason,
                     const ReportOptions& options = {}) {
    report::Report report = Check(options);
    EXPECT_TRUE(HasFindings(report));
    ASSERT_GE(report.findings_size(), 1);
    EXPECT_EQ(report.findings(0).severity(), "error");
    EXPECT_EQ(report.findings(0).offset(), offset);
    EXPECT_THAT(report.findings(0).message(), testing::HasSubstr(reason));
    EXPECT_THAT(report.findings(0).section(), testing::HasSubstr(kIdstr));
  }

  std::string bytes_;
  report::Report report_;
};

TEST_P(VerdictTest, TwoRecordsMergedIntoOneLoadTheSame) {
  std::string payload = Payload();
  uint64_t first = Find("END", "DATA", 0);
  uint64_t second = Find("END", "DATA", 1);
  uint64_t sum = LoadBe64(AsBytes(bytes_).data() + first + 8) +
                 LoadBe64(AsBytes(bytes_).data() + second + 8);
  bytes_.erase(second, 16);
  bytes_.replace(first + 8, 8, Be64(sum));
  ExpectAccepted();
  EXPECT_EQ(Payload(), payload);
}

TEST_P(VerdictTest, OneRecordSplitInTwoLoadsTheSame) {
  std::string payload = Payload();
  uint64_t at = Find("END", "DATA");
  uint64_t size = LoadBe64(AsBytes(bytes_).data() + at + 8);
  bytes_.insert(at + 16 + 100, Be64(kTagPrefix + 4) + Be64(size - 100));
  bytes_.replace(at + 8, 8, Be64(100));
  ExpectAccepted();
  EXPECT_EQ(Payload(), payload);
}

TEST_P(VerdictTest, AnEmptyRecordLoadsTheSame) {
  std::string payload = Payload();
  bytes_.insert(Find("END", "DATA"), Be64(kTagPrefix + 4) + Be64(0));
  ExpectAccepted();
  EXPECT_EQ(Payload(), payload);
}

TEST_P(VerdictTest, AnotherCommandRegisterIsLoaded) {
  bytes_[Find("FULL", "CONFIG") + 8 + 4 + 4] ^= 1;
  ExpectAccepted();
}

TEST_P(VerdictTest, AnotherPayloadByteCannotBeSeen) {
  bytes_[Find("END", "DATA") + 16] ^= 0xff;
  ExpectAccepted();
}

TEST_P(VerdictTest, AMissingRecordCannotBeSeen) {
  uint64_t first = Find("END", "DATA", 0);
  bytes_.erase(first, Find("END", "DATA", 1) - first);
  ExpectAccepted();
}

TEST_P(VerdictTest, AnUnknownTagIsRefused) {
  uint64_t at = Find("END", "DATA");
  SetTag(at, 9);
  ExpectRefused(at, "unknown tag 0xffffffffef100009");
}

TEST_P(VerdictTest, ASetupWithoutEndOfStateIsRefused) {
  uint64_t at = Find("START", "END_OF_STATE");
  SetTag(at, 7);
  ExpectRefused(at,
                "END_OF_STATE not found after SETUP, but "
                "0xffffffffef100007");
}

TEST_P(VerdictTest, ASizeOneTooLargeIsRefused) {
  uint64_t at = Find("END", "DATA");
  uint64_t size = LoadBe64(AsBytes(bytes_).data() + at + 8);
  bytes_.replace(at + 8, 8, Be64(size + 1));
  ExpectRefused(at + 16 + size + 1, "unknown tag 0xffffffef10000400");
}

TEST_P(VerdictTest, AFileThatEndsInARecordIsRefused) {
  bytes_.resize(Find("END", "DATA") + 16 + 50);
  ExpectRefused(bytes_.size(), "input ends in a DATA record");
}

TEST_P(VerdictTest, InitDataSentWithoutSwitchoverAckIsRefused) {
  // In place of a PART's END_OF_STATE. Nothing asked for it: there is no
  // return path.
  uint64_t at = Find("PART", "END_OF_STATE");
  SetTag(at, 5);
  ExpectRefused(at, "INIT_DATA_SENT, but switchover-ack is not used");
  ReportOptions options;
  options.reader.switchover_ack_off = true;
  ExpectRefused(at, "INIT_DATA_SENT, but switchover-ack is not used", options);
}

TEST_P(VerdictTest, AnotherSectionIdInAFooterIsRefused) {
  uint64_t at = Find("START", "END_OF_STATE") + 8 + 1;
  bytes_[at + 3] ^= 0x40;
  ExpectRefused(at, "mismatched section id in footer");
}

TEST_P(VerdictTest, AnotherVendorIdIsRefusedByTheDestinationsConfig) {
  uint64_t config = Find("FULL", "CONFIG") + 8 + 4;
  ReportOptions options;
  options.destination_config = bytes_.substr(config, 4096);
  EXPECT_FALSE(HasFindings(Check(options)));
  bytes_[config] = '\x87';
  ExpectRefused(config, "config byte 0x0 is 87, the destination's is 86",
                options);
}

TEST_P(VerdictTest, AnMsixTableThatSpellsASubsectionIsRefused) {
  uint64_t config = Find("FULL", "CONFIG");
  uint64_t table = config + 8 + 4 + 4096 + 16;
  bytes_.replace(table, 12, "\x05\x0aPCIDevice/");
  ExpectRefused(config, "begins like a subsection");
}

TEST_P(VerdictTest, AConfigWithoutEndOfStateIsRefused) {
  uint64_t at = Find("FULL", "END_OF_STATE");
  SetTag(at, 7);
  ExpectRefused(at, "0xffffffffef100007");
}

TEST_P(VerdictTest, ASectionThatAFailedHandlerCutShortIsToldAndWalkedPast) {
  uint64_t at = Find("START", "END_OF_STATE");
  bytes_.erase(at, 8);
  ExpectRefused(at, "ends without END_OF_STATE: the source's handler failed");
  EXPECT_TRUE(Check().complete());
  MemorySource source(AsBytes(bytes_));
  StringSink sink;
  EXPECT_TRUE(Repack(source, sink, {}, nullptr).ok());
  EXPECT_TRUE(sink.bytes() == bytes_);

  // No device should get what its source did not finish.
  StringSink payload;
  PayloadExtractor extractor(payload, kIdstr, PayloadExtractor::kPayload);
  MemorySource again(AsBytes(bytes_));
  StreamSurvey survey({}, extractor);
  EXPECT_TRUE(survey.Read(again).ok());
  EXPECT_EQ(extractor.Finish(survey.facts()).code, ErrorCode::kUnwalkable);
}

TEST_P(VerdictTest, ADataTagWithoutItsSizeIsTheFailureOfAHandler) {
  uint64_t at = Find("END", "DATA");
  uint64_t end = Find("END", "END_OF_STATE");
  bytes_.erase(at + 8, end + 8 - (at + 8));
  ExpectRefused(at + 8, "DATA without a size, then the section's footer");
}

INSTANTIATE_TEST_SUITE_P(Captures, VerdictTest,
                         testing::Values("s111-precopy", "s100-precopy"),
                         [](const auto& info) {
                           std::string name = info.param;
                           name[name.find('-')] = '_';
                           return name;
                         });

// The same in the streams of the v1 protocol. There INIT_DATA_SENT is no tag.
INSTANTIATE_TEST_SUITE_P(V1, VerdictTest, testing::Values("s72-stop3m"),
                         [](const auto&) { return "s72"; });

}  // namespace
}  // namespace migstream
