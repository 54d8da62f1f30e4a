// What a report says of the VFIO devices: of their sections' elements, and of
// their packets in multifd channels.

#ifndef MIGSTREAM_CODEC_REPORT_DEVICE_REPORTS_H_
#define MIGSTREAM_CODEC_REPORT_DEVICE_REPORTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "codec/device/config_view.h"
#include "codec/device/dialect_detector.h"
#include "codec/device/event.h"
#include "codec/multifd/reassembler.h"
#include "codec/qemu/stream_visitor.h"
#include "codec/report/checks.h"
#include "codec/report/report.pb.h"
#include "codec/report/report_builder.h"

namespace migstream {

class DeviceReports {
 public:
  // Both must outlive it. The report's devices are filled in by none else.
  DeviceReports(const ReportOptions& options, report::Report& report)
      : options_(options), report_(report) {}

  // A VFIO device's section, and then each of its events.
  void OnSection(const SectionView& section);
  void OnEvent(const SectionView& section, const Event& event);
  // After the main channel: it knows whose state is on the others.
  void OnMainRead(const StreamReader& reader);
  void OnPiece(const ReassembledPiece& piece);

  // Where a record begins that the input's end has cut, as the end of a
  // message; empty if there is none.
  std::string BeginOfCut(const Error& error) const;
  // It holds less than it says: the input ends at `end`. Before any packet is
  // looked at.
  void TakeBackMissing(uint64_t end);

  // As the report's devices.
  const std::vector<DeviceFacts>& facts() const { return facts_; }
  std::vector<DialectDetector>& detectors() { return detectors_; }

 private:
  void Select(int index);
  void OnRecord(const SectionView& section, const Event& event);
  void OnTag(const SectionView& section, const Event& event);
  void OnInitDataSent(const Event& event);
  void OnConfigLoadReady(const SectionView& section, const Event& event);
  void OnConfig(const SectionView& section, const Event& event);
  void CheckVectors(const ConfigView& view, const report::Config& config);
  void CompareWithDestination(const SectionView& section, const Event& event,
                              const ConfigView& view);
  void AddTrigger(const SectionView& section, const Event& event);
  void List(const SectionView& section, const Event& event, uint64_t bytes);

  const ReportOptions& options_;
  report::Report& report_;
  // By idstr and instance id.
  absl::flat_hash_map<std::pair<std::string, uint32_t>, int> devices_;
  std::vector<DeviceFacts> facts_;
  std::vector<DialectDetector> detectors_;

  // Of the section or packet that is looked at.
  report::Device* device_ = nullptr;
  DialectDetector* detector_ = nullptr;
  DeviceFacts* device_facts_ = nullptr;
  uint64_t records_in_section_ = 0;
  std::optional<uint32_t> packet_;  // Its index; none in a section.
  std::string packet_file_;         // Its channel.

  // The last record of a section, which the input's end may cut.
  report::Device* last_record_device_ = nullptr;
  report::Phase* last_record_phase_ = nullptr;
  uint64_t last_record_offset_ = 0;
  uint64_t last_record_bytes_ = 0;
  uint64_t last_record_end_ = 0;  // Offset; where its size says it ends.
  uint64_t largest_before_ = 0;   // Bytes of its device's largest so far.
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_REPORT_DEVICE_REPORTS_H_
