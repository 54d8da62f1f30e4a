// Every sample payload: records, fields, phases, findings and the destination's
// verdict are the truth about it, however it is cut.

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "codec/payload/payload_tally.h"
#include "codec/payload/payload_verdict.h"
#include "codec/payload/report_lines.h"
#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testdata/payloads.h"

namespace migstream {
namespace {

using testdata::Payload;
using testing::ElementsAreArray;

PciId IdOf(const Payload& truth) {
  return {
      static_cast<uint16_t>(
          std::stoul(truth.pci_id().substr(0, 4), nullptr, 16)),
      static_cast<uint16_t>(std::stoul(truth.pci_id().substr(5), nullptr, 16))};
}

PayloadReport Tally(const Payload& truth, const std::string& bytes,
                    size_t piece, bool late_id) {
  return TallyInPieces(AsBytes(bytes), IdOf(truth), truth.phase_split(), piece,
                       late_id);
}

// The kinds of finding that the truth's numbers stand for.
const std::map<std::string, std::set<std::string_view>>& Numbers() {
  static const auto* numbers =
      new std::map<std::string, std::set<std::string_view>>{
          {"P01", {"payload-no-final"}},
          {"P02", {"payload-cut", "payload-nesting", "payload-missing"}},
          {"P03", {"payload-driver"}},
          {"P04", {"payload-phase"}},
          {"P06", {"payload-length"}},
          {"P07", {"payload-reserved"}},
          {"P08", {"payload-device"}},
          {"P09", {"payload-value", "payload-section-size", "payload-gap"}},
          {"P10", {"payload-version", "payload-unknown-tag"}},
          {"P11", {"payload-grew"}},
          {"P12", {"payload-generation"}},
          {"P16", {"payload-not-ready"}}};
  return *numbers;
}

std::string SeverityOf(const std::string& truth) {
  return truth == "ERROR" ? "error" : truth == "WARN" ? "warning" : "note";
}

class SamplesTest : public testing::TestWithParam<Payload> {
 protected:
  void SetUp() override {
    truth = GetParam();
    bytes = ReadPayload(truth);
    report = Tally(truth, bytes, 1 << 20, false);
  }

  Payload truth;
  std::string bytes;
  PayloadReport report;
};

TEST_P(SamplesTest, IsOfItsDriver) {
  EXPECT_EQ(report.format->name, truth.driver());
  EXPECT_TRUE(report.id_agrees);
}

TEST_P(SamplesTest, HasTheRecordsOfTheTruth) {
  std::vector<std::string> wanted, found;
  for (const Payload::Record& record : truth.records()) {
    wanted.push_back(StrCat(record.offset(), " ", record.kind(), " ",
                            record.header(), "+", record.size(),
                            record.cut() ? " cut" : ""));
    // What a mandatory tag that nobody knows holds is not looked at.
    if (record.kind() == "tag3") continue;
    for (const Payload::Part& part : record.parts()) {
      std::string name = part.name().starts_with("type")
                             ? StrCat("part ", part.type())
                             : part.name();
      wanted.push_back(
          StrCat(part.offset(), " ", name, " 16+", 16 + part.length()));
    }
  }
  bool qat = truth.driver() == "qat";
  bool numbers = truth.driver() == "gvt-g" || truth.driver() == "ice (RFC)";
  for (size_t i = 0; i < report.records.size(); ++i) {
    const PayloadRecord& record = report.records[i];
    // The truth about xe does not go into its descriptor.
    if (truth.driver() == "xe" && record.depth > 0) continue;
    std::string name = qat ? PayloadPaths(report)[i] : record.name;
    if (numbers)
      name = StrCat(record.header_bytes == 8 ? "type" : "tlv", record.key);
    bool bare = record.header_bytes == 0;
    bool cut = record.cut && record.depth == 0;
    found.push_back(
        StrCat(record.offset, " ", name, " ", record.header_bytes, "+",
               // A size that nobody believes is given as it was.
               record.bytes > UINT32_MAX
                   ? 80
                   : record.header_bytes + (bare ? record.there : record.bytes),
               cut ? " cut" : ""));
  }
  // The truth about a cut snapshot goes on to parts that are not there.
  if (truth.name() == "virtio-bad-cut") wanted.resize(found.size());
  EXPECT_THAT(found, ElementsAreArray(wanted));
}

TEST_P(SamplesTest, HasTheFindingsOfTheTruth) {
  std::vector<std::string> wanted, found;
  for (const Payload::Finding& finding : truth.findings()) {
    wanted.push_back(StrCat(finding.id(), " ", SeverityOf(finding.severity()),
                            " ", finding.offset()));
  }
  for (const PayloadFinding& finding : report.findings) {
    if (finding.id == PayloadFindingId::kOpaque) continue;
    std::string number = "?";
    for (const auto& [id, names] : Numbers()) {
      if (names.contains(GetRow(finding.id).name)) number = id;
    }
    found.push_back(
        StrCat(number, " ", ToString(finding.severity), " ", finding.offset));
  }
  std::sort(wanted.begin(), wanted.end());
  std::sort(found.begin(), found.end());
  EXPECT_THAT(found, ElementsAreArray(wanted))
      << StrJoin(ReportLines(report), "\n");
}

// The value that the report has of it: a fact's, or a field's.
std::optional<uint64_t> Find(const PayloadReport& report,
                             const std::string& name) {
  for (const PayloadFact& fact : report.facts) {
    if (fact.name == name) return fact.value;
  }
  if (name == "initial_bytes") return report.initial_bytes;
  for (const PayloadValue& value : report.values) {
    if (value.field->name == name) return value.value;
  }
  // "ports[0].head", "incremental_images[1]".
  size_t open = name.find('['), close = name.find(']');
  if (open == std::string::npos) return std::nullopt;
  std::string index = name.substr(open + 1, close - open - 1);
  if (name.starts_with("ports")) {
    for (const PayloadRecord& record : report.records) {
      if (record.name != StrCat("port", index)) continue;
      for (size_t i = 0; i < record.value_count; ++i) {
        const PayloadValue& value = report.values[record.first_value + i];
        if (value.field->name == name.substr(close + 2)) return value.value;
      }
    }
  }
  if (name.starts_with("incremental_images")) {
    // The first image is a full one.
    size_t wanted = std::stoul(index) + 1, images = 0;
    for (const PayloadRecord& record : report.records) {
      if (record.name == "FW_DATA" && !record.stop_copy && images++ == wanted) {
        return record.bytes;
      }
    }
  }
  return std::nullopt;
}

TEST_P(SamplesTest, HasTheFieldsOfTheTruth) {
  for (const Payload::Field& field : truth.fields()) {
    std::optional<uint64_t> value = Find(report, field.name());
    ASSERT_TRUE(value.has_value()) << field.name();
    EXPECT_EQ(*value, field.value()) << field.name();
  }
}

TEST_P(SamplesTest, IsJudgedAsTheKernelDoes) {
  PayloadVerdict verdict = Judge(report, kNewestKernel);
  const std::string& truth_says = truth.kernel_verdict();
  std::string says(verdict.refusal.error);
  switch (verdict.fate) {
    case PayloadFate::kAccepted:
    case PayloadFate::kAcceptedWithLoss:
      says = "accept";
      break;
    case PayloadFate::kRefused:
      says = StrCat(verdict.refusal.when == payload::Moment::kStop
                        ? "RESUMING->STOP "
                        : "write ",
                    says.empty() ? "error" : says);
      break;
    case PayloadFate::kDeviceDecides:
      says = "decides";
      break;
    case PayloadFate::kNoDriver:
    case PayloadFate::kUnknown:
      says = "no upstream reader";
      break;
  }
  if (truth_says.starts_with("LOAD_VHCA_STATE")) {
    EXPECT_EQ(says, "decides") << verdict.text;
  } else if (truth_says.find("refused by") != std::string::npos) {
    EXPECT_EQ(says, "write ENOMEM") << verdict.text;
    EXPECT_EQ(Judge(report, {6, 1}).fate, PayloadFate::kAccepted);
  } else {
    EXPECT_NE(truth_says.find(says), std::string::npos)
        << truth_says << "; " << verdict.text;
  }
  if (truth_says.starts_with("accept (") &&
      truth_says.find("skipped") == std::string::npos) {
    EXPECT_EQ(verdict.fate, PayloadFate::kAcceptedWithLoss);
  }
}

TEST_P(SamplesTest, IsTheSameInEveryCutAndWithALateId) {
  std::vector<std::string> whole = ReportLines(report);
  for (size_t piece : {1, 2, 7, 16, 24, 61, 300, 4096}) {
    EXPECT_EQ(ReportLines(Tally(truth, bytes, piece, false)), whole) << piece;
    EXPECT_EQ(ReportLines(Tally(truth, bytes, piece, true)), whole)
        << piece << ", late id";
  }
}

TEST_P(SamplesTest, PlacesAreThoseOfTheStream) {
  for (size_t piece : {1, 13, 100, 5000}) {
    PayloadReport cut = Tally(truth, bytes, piece, false);
    for (const PayloadRecord& record : cut.records) {
      EXPECT_EQ(FindPlace(cut, record.offset)->stream_offset,
                PlaceOf(record.offset, piece))
          << record.name << " in pieces of " << piece;
    }
    for (const PayloadValue& value : cut.values) {
      EXPECT_EQ(FindPlace(cut, value.offset)->stream_offset,
                PlaceOf(value.offset, piece))
          << value.field->name << " in pieces of " << piece;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Payloads, SamplesTest,
                         testing::ValuesIn(AllPayloads()), PayloadName());

}  // namespace
}  // namespace migstream
