// What a report says of the VFIO devices: of their sections' elements, and of
// their packets in multifd channels.

#ifndef MIGSTREAM_CODEC_REPORT_DEVICE_REPORTS_H_
#define MIGSTREAM_CODEC_REPORT_DEVICE_REPORTS_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "codec/device/config_view.h"
#include "codec/device/event.h"
#include "codec/multifd/reassembler.h"
#include "codec/qemu/stream_visitor.h"
#include "codec/report/checks.h"
#include "codec/report/report.pb.h"
#include "codec/report/report_builder.h"
#include "codec/survey/payload_survey.h"
#include "codec/survey/stream_survey.h"

namespace migstream {

class DeviceReports {
 public:
  // All must outlive it. The report's devices are filled in by none else; the
  // survey has seen each section, event and piece before.
  DeviceReports(const ReportOptions& options, const StreamSurvey& survey,
                report::Report& report)
      : options_(options),
        survey_(survey),
        report_(report),
        payloads_({.records = options.payload_records,
                   .values = options.payload_records}) {}

  // A VFIO device's section, and then each of its events.
  void OnSection(const SectionView& section);
  void OnEvent(const SectionView& section, const Event& event);
  // See StreamVisitor. They are not listed one by one.
  void OnRecords(const SectionView& section, const DeviceRecords& records);
  // See StreamVisitor.
  uint64_t unwanted_payload() const { return payloads_.skippable(); }
  void OnPayloadSkipped(uint64_t count) {
    if (options_.payloads) payloads_.OnSkipped(count);
  }
  // The main channel is read.
  void OnMainEnd();
  void OnPiece(const ReassembledPiece& piece);
  // What the survey has counted.
  void Finish();

  // As the report's devices.
  const std::deque<DeviceDoubts>& doubts() const { return doubts_; }

 private:
  void Select(const DeviceFacts& facts);
  void OnRecord(const SectionView& section, const Event& event);
  void CountRecord(uint64_t offset, uint64_t bytes);
  void OnTag(const SectionView& section, const Event& event);
  void OnConfig(const SectionView& section, const Event& event);
  void CheckVectors(const ConfigView& view, const report::Config& config);
  void CompareWithDestination(const SectionView& section, const Event& event,
                              const ConfigView& view);
  void AddTrigger(const SectionView& section, const Event& event);
  void List(const SectionView& section, const Event& event, uint64_t bytes);

  void FinishPayload(const DeviceFacts& facts, report::Device& device);

  const ReportOptions& options_;
  const StreamSurvey& survey_;
  report::Report& report_;
  PayloadSurvey payloads_;
  std::deque<DeviceDoubts> doubts_;
  // What may yet be listed, of all devices together.
  size_t sizes_left_ = 1 << 18;
  size_t records_left_ = 1 << 17;
  size_t triggers_left_ = 1 << 16;

  // The device of the section or packet that is looked at.
  size_t index_ = 0;
  report::Device* device_ = nullptr;
  DeviceDoubts* device_doubts_ = nullptr;
  std::optional<uint32_t> packet_;  // Its index; none in a section.
  std::string packet_file_;         // Its channel.
  // The device of the main channel's last record, if its size is in the list.
  report::Device* last_record_device_ = nullptr;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_REPORT_DEVICE_REPORTS_H_
