#include "codec/report/checks.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "codec/device/subsection.h"
#include "codec/wire/error.h"

namespace migstream {
namespace {

class Checker {
 public:
  Checker(const report::Report& report, const std::vector<DeviceFacts>& facts,
          const StreamFacts& stream,
          const std::vector<DialectDetector>& detectors)
      : report_(report),
        facts_(facts),
        stream_(stream),
        detectors_(detectors) {}

  std::vector<Finding> Run() {
    for (size_t i = 0; i < facts_.size(); ++i) {
      const report::Device& device = report_.devices(static_cast<int>(i));
      CheckDevice(device, facts_[i]);
      if (detectors_.empty()) continue;
      CheckRepeats(device, facts_[i], detectors_[i]);
      CheckDialect(device.idstr(), detectors_[i]);
    }
    return std::move(findings_);
  }

 private:
  void CheckDevice(const report::Device& device, const DeviceFacts& facts) {
    const std::string& name = device.idstr();
    if (facts.init_data_sent_offset != 0 && !stream_.return_path) {
      Add(Severity::kError, "init-data-sent-unasked",
          facts.init_data_sent_offset, absl::StrCat(name, " PART"),
          "INIT_DATA_SENT, but switchover-ack is not used: there is no "
          "OPEN_RETURN_PATH before");
    }
    if (facts.after_end_offset != 0) {
      Add(Severity::kWarning, "data-after-end", facts.after_end_offset, name,
          "another PART or END after the device's END");
    }
    if (facts.extra_config_offset != 0) {
      Add(Severity::kWarning, "config-twice", facts.extra_config_offset, name,
          "one CONFIG too many for the device");
    }
    if (facts.msix_spells_offset != 0) {
      Add(Severity::kError, "msix-spells-subsection", facts.msix_spells_offset,
          name,
          "the guest's MSI-X table begins like a subsection; QEMU's loader "
          "takes it for one and refuses it");
    }
    if (device.config().has_pci() &&
        (device.config().pci().vendor_id() == 0xffff ||
         device.config().pci().vendor_id() == 0)) {
      Add(Severity::kWarning, "vendor-id", device.config().offset(), name,
          absl::StrCat("saved config space has vendor id ",
                       Hex(device.config().pci().vendor_id()),
                       ", which no device has"));
    }
    for (const report::Subsection& subsection : device.config().subsections()) {
      if (subsection.name() == kDisplaySubsection) continue;
      Add(Severity::kWarning, "unknown-subsection", device.config().offset(),
          name,
          absl::StrCat("no release up to 11.1 knows the subsection '",
                       subsection.name(), "', and a loader refuses it"));
    }
    if (!report_.complete()) return;
    if (facts.ends == 0) {
      Add(Severity::kWarning, "end-missing", facts.first_offset, name,
          "the stream ends without the device's END");
    }
    if (device.multifd_device_state() && device.multifd_read()) return;
    if (device.multifd_device_state() && report_.channels_size() != 0) {
      Add(Severity::kError, "multifd-incomplete", facts.first_offset, name,
          "its packets are not all in the multifd channels that were given");
    } else if (device.multifd_device_state()) {
      Add(Severity::kNote, "multifd-device-state", facts.first_offset, name,
          "stop-copy data and config travel on multifd channels, which were "
          "not read");
    } else if (facts.configs == 0) {
      Add(Severity::kWarning, "config-missing", facts.first_offset, name,
          "no CONFIG: the destination's config space stays as it is");
    }
  }

  void CheckRepeats(const report::Device& device, const DeviceFacts& facts,
                    const DialectDetector& detector) {
    if (device.init_data_sent() <= 1) return;
    for (const Dialect* row : detector.Candidates()) {
      if (row->habits.init_data_sent_repeats) return;
    }
    Add(Severity::kWarning, "init-data-sent-twice",
        facts.second_init_data_sent_offset,
        absl::StrCat(device.idstr(), " PART"),
        "INIT_DATA_SENT again, which QEMU before 11.1 never sends");
  }

  void CheckDialect(const std::string& name, const DialectDetector& detector) {
    for (const DialectEvidence& evidence : detector.Evidence()) {
      if (!evidence.contradiction) continue;
      switch (evidence.kind) {
        case DialectEvidence::kGrammar:
          Add(Severity::kError, "dialect", evidence.offset, name,
              absl::StrCat(evidence.what,
                           ": no release takes that beside what came before (",
                           detector.Name(), ")"));
          break;
        case DialectEvidence::kHabit:
          Add(Severity::kNote, "dialect-habit", evidence.offset, name,
              absl::StrCat(evidence.what, ": no release of ", detector.Name(),
                           " writes that, but each loads it"));
          break;
        case DialectEvidence::kRelease:
          Add(Severity::kWarning, "dialect-release", evidence.offset, name,
              absl::StrCat(evidence.what, " does not go with dialect ",
                           detector.Name()));
          break;
      }
    }
  }

  void Add(Severity severity, const char* id, uint64_t offset,
           std::string section, std::string message) {
    findings_.push_back(
        {severity, id, offset, std::move(section), std::move(message)});
  }

  const report::Report& report_;
  const std::vector<DeviceFacts>& facts_;
  const StreamFacts& stream_;
  const std::vector<DialectDetector>& detectors_;
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> CheckReport(
    const report::Report& report, const std::vector<DeviceFacts>& facts,
    const StreamFacts& stream, const std::vector<DialectDetector>& detectors) {
  return Checker(report, facts, stream, detectors).Run();
}

}  // namespace migstream
