// What drivers put inside DATA, of each device of a migration, while it is
// read: a PayloadTally a device, fed from its sections and packets.
//
//   PayloadSurvey payloads;
//   payloads.OnEvent(device, section.type, event);   // Each of its events.
//   payloads.OnSkipped(count);                       // Of skippable().
//   payloads.OnPiece(device, piece);                 // Each of its packets.
//   std::optional<PayloadReport> report = payloads.Finish(device, whole);
//
// A device is a number of the caller's, from 0 on. What is kept of one is
// bounded by the options, by what its payload has, and for all by the budget.
// PayloadPlace::channel is 0 for the main channel; files() names the others.

#ifndef MIGSTREAM_CODEC_SURVEY_PAYLOAD_SURVEY_H_
#define MIGSTREAM_CODEC_SURVEY_PAYLOAD_SURVEY_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/device/device_records.h"
#include "codec/device/event.h"
#include "codec/multifd/reassembler.h"
#include "codec/payload/payload_report.h"
#include "codec/payload/payload_tally.h"
#include "flags/section_type.h"

namespace migstream {

class PayloadSurvey {
 public:
  explicit PayloadSurvey(const PayloadOptions& options = {})
      : options_(options) {
    options_.budget = &budget_;
  }
  PayloadSurvey(const PayloadSurvey&) = delete;
  PayloadSurvey& operator=(const PayloadSurvey&) = delete;

  void OnEvent(size_t device, SectionType type, const Event& event);
  void OnRecords(size_t device, SectionType type, const DeviceRecords& records);
  // How many bytes of the record that the last event was of need not come.
  uint64_t skippable() const {
    return current_ == nullptr ? 0 : current_->skippable();
  }
  // They went by.
  void OnSkipped(uint64_t count) { current_->Skip(count); }
  void OnPiece(size_t device, const ReassembledPiece& piece);
  // For a caller that reads sections itself. It stays where it is.
  PayloadTally& Tally(size_t device);

  // Whether the device's END was read to its end.
  bool ended(size_t device) const {
    return device < devices_.size() && devices_[device].ended;
  }
  // None if the device sent no byte. `whole`: all that it sent was seen. Once a
  // device.
  std::optional<PayloadReport> Finish(size_t device, bool whole);

  // PayloadPlace::channel 1 is the first.
  const std::vector<std::string>& files() const { return files_; }

 private:
  struct Device {
    std::unique_ptr<PayloadTally> tally;
    bool ended = false;
  };

  Device& At(size_t device);
  uint32_t ChannelOf(std::string_view file);

  PayloadOptions options_;
  PayloadBudget budget_;
  std::deque<Device> devices_;
  PayloadTally* current_ = nullptr;
  std::vector<std::string> files_;
};

// The ids of a configuration space; none where it has none, as of a device that
// was gone.
std::optional<PciId> IdOf(ByteSpan pci_config);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_SURVEY_PAYLOAD_SURVEY_H_
