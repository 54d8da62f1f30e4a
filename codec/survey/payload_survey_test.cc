// A payload is tallied from the sections that a reader comes by, and what
// nobody reads of it is sought over.

#include "codec/survey/payload_survey.h"

#include <algorithm>
#include <string>
#include <vector>

#include "codec/device/config_bytes.h"
#include "codec/device/section_bytes.h"
#include "codec/payload/payload_report.h"
#include "codec/payload/payload_tally.h"
#include "codec/payload/report_lines.h"
#include "codec/qemu/stream_bytes.h"
#include "codec/qemu/stream_reader.h"
#include "codec/qemu/stream_recording.h"
#include "codec/qemu/stream_visitor.h"
#include "codec/wire/text.h"
#include "gtest/gtest.h"
#include "testdata/payloads.h"

namespace migstream {
namespace {

constexpr uint64_t kSplit = 24;
const HandlerBytes kVfio = {.id = 7, .idstr = "0000:00:05.0/vfio"};

// A device's whole migration, in records of `piece` bytes.
std::string Stream(const std::string& payload, size_t piece) {
  std::string part, end;
  for (size_t at = 0; at < payload.size();) {
    size_t stop = at < kSplit ? kSplit : payload.size();
    size_t count = std::min(piece, stop - at);
    (at < kSplit ? part : end) += DataBytes(payload.substr(at, count));
    at += count;
  }
  return HeaderBytes() + kVfio.Start(kSetupTag + kEos) +
         kVfio.Part(part + kEos) + kVfio.End(end + kEos) +
         kVfio.Full(TagBytes(2) + ConfigBytes().Payload() + kEos) + EofBytes();
}

class Watcher : public StreamVisitor {
 public:
  explicit Watcher(bool skips) : skips_(skips) {}

  bool wants_payload() const override { return true; }
  uint64_t unwanted_payload() const override {
    return skips_ ? payloads.skippable() : 0;
  }
  void OnDeviceEvent(const SectionView& section, const Event& event) override {
    if (event.kind == EventKind::kData) read += event.payload.size();
    payloads.OnEvent(0, section.type, event);
  }
  void OnPayloadSkipped(uint64_t count) override {
    skipped += count;
    payloads.OnSkipped(count);
  }

  PayloadSurvey payloads;
  uint64_t read = 0;
  uint64_t skipped = 0;

 private:
  const bool skips_;
};

TEST(PayloadSurveyTest, WhatNobodyReadsIsNotRead) {
  const std::string payload = ReadPayload(GetPayload("mlx5-precopy"));
  for (size_t piece : {100, 5000}) {
    const std::string stream = Stream(payload, piece);
    std::vector<std::string> lines[2];
    for (bool skips : {false, true}) {
      ShortReadSource source(AsBytes(stream), 50);
      Watcher watcher(skips);
      ASSERT_TRUE(StreamReader(source, watcher).Read().ok());
      EXPECT_EQ(watcher.read + watcher.skipped, payload.size());
      EXPECT_EQ(watcher.skipped > payload.size() / 4, skips);
      EXPECT_TRUE(watcher.payloads.ended(0));
      auto report = watcher.payloads.Finish(0, true);
      ASSERT_TRUE(report.has_value());
      EXPECT_EQ(report->pre_copy_bytes, kSplit);
      lines[skips] = ReportLines(*report);
      // Where each byte stands, also behind those that were skipped.
      for (const PayloadRecord& record : report->records) {
        uint64_t at = FindPlace(*report, record.offset)->stream_offset;
        EXPECT_EQ(stream.substr(at, 1), payload.substr(record.offset, 1));
      }
    }
    EXPECT_EQ(lines[0], lines[1]);
  }
}

TEST(PayloadSurveyTest, ADeviceWithoutAByteHasNoPayload) {
  PayloadSurvey payloads;
  EXPECT_FALSE(payloads.Finish(3, true).has_value());
  Event event;
  event.kind = EventKind::kTag;
  event.element = Element::kInitDataSent;
  payloads.OnEvent(2, SectionType::kPart, event);
  EXPECT_FALSE(payloads.Finish(2, true).has_value());
}

// Devices whose records come in turns: where each record stands is kept of as
// many as all of them together may have.
TEST(PayloadSurveyTest, AllDevicesTogetherKeepSoManyPlaces) {
  constexpr size_t kDevices = 5, kRecords = 40'000;
  PayloadSurvey payloads;
  Event event;
  event.kind = EventKind::kData;
  event.starts_record = true;
  const std::string byte = "x";
  event.payload = AsBytes(byte);
  for (size_t record = 0; record < kRecords; ++record) {
    for (size_t device = 0; device < kDevices; ++device) {
      event.offset += 100;
      payloads.OnEvent(device, SectionType::kPart, event);
    }
  }
  size_t places = 0;
  for (size_t device = 0; device < kDevices; ++device) {
    const PayloadReport report = *payloads.Finish(device, true);
    EXPECT_EQ(report.bytes, kRecords);
    EXPECT_TRUE(FindPlace(report, 0).has_value());
    places += report.runs.size();
  }
  EXPECT_EQ(places, kDevices + PayloadBudget().runs);
}

// Short payloads are kept until it is known whose they are: as many bytes as
// all of them together may have. What turns out to be long gives its bytes
// back.
TEST(PayloadSurveyTest, AllDevicesTogetherKeepSoManyBytes) {
  PayloadBudget budget;
  budget.bytes = PayloadTally::kKeptBytes + 10;
  PayloadOptions options;
  options.budget = &budget;
  PayloadTally first(options), second(options);
  const std::string payload(PayloadTally::kKeptBytes, 'x');
  first.Add(AsBytes(payload), {});
  EXPECT_EQ(budget.bytes, 10);
  second.Add(AsBytes(payload), {});
  EXPECT_EQ(budget.bytes, 10);
  first.Add(AsBytes(payload).first(1), {});
  EXPECT_EQ(budget.bytes, PayloadTally::kKeptBytes + 10);
  EXPECT_EQ(first.Finish().bytes, PayloadTally::kKeptBytes + 1);
  EXPECT_EQ(second.Finish().bytes, PayloadTally::kKeptBytes);
}

TEST(PayloadSurveyTest, AConfigSpaceOfADeviceThatWasGoneHasNoIds) {
  EXPECT_EQ(IdOf(AsBytes("\x86\x80\x4c\x15")), (PciId{0x8086, 0x154c}));
  EXPECT_FALSE(IdOf(AsBytes("\xff\xff\xff\xff")).has_value());
  EXPECT_FALSE(IdOf(AsBytes(std::string(4, '\0'))).has_value());
  EXPECT_FALSE(IdOf({}).has_value());
}

}  // namespace
}  // namespace migstream
