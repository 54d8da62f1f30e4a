#include "codec/report/checks.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "absl/strings/strip.h"
#include "codec/device/subsection.h"
#include "codec/multifd/packet.h"
#include "codec/report/finding_ids.h"
#include "codec/wire/error.h"
#include "codec/wire/text.h"
#include "flags/machine_type.h"
#include "flags/release.h"

namespace migstream {
namespace {

// When a pre-copy that brought little, or PARTs that held nothing, are worth a
// note.
constexpr uint64_t kLargeStopCopyBytes = 64 << 20;
constexpr uint64_t kStopCopyRatio = 10;
constexpr uint64_t kManyEmptyParts = 1000;
constexpr uint32_t kVendorCapability = 0x09;
constexpr std::string_view kCprSuffix = "-cpr-pci";

class Checker {
 public:
  Checker(const report::Report& report, const std::vector<DeviceFacts>& facts,
          const StreamFacts& stream,
          const std::vector<DialectDetector>& detectors)
      : report_(report), facts_(facts), stream_(stream), detectors_(detectors) {
    for (const report::Finding& finding : report.findings()) {
      if (finding.id() == "multifd") of_channels_ = &finding;
    }
  }

  std::vector<Finding> Run() {
    for (size_t i = 0; i < facts_.size(); ++i) {
      const report::Device& device = report_.devices(static_cast<int>(i));
      CheckDevice(device, facts_[i]);
      if (detectors_.empty()) continue;
      CheckRepeats(device, facts_[i], detectors_[i]);
      CheckDialect(device.idstr(), detectors_[i]);
    }
    CheckStream();
    return std::move(findings_);
  }

 private:
  void CheckDevice(const report::Device& device, const DeviceFacts& facts) {
    const std::string& name = device.idstr();
    if (facts.init_data_sent_offset != 0 && !stream_.return_path) {
      Add("init-data-sent-unasked", facts.init_data_sent_offset,
          StrCat(name, " PART"),
          "INIT_DATA_SENT, but switchover-ack is not used: there is no "
          "OPEN_RETURN_PATH before");
    }
    if (facts.after_end_offset != 0) {
      Add("data-after-end", facts.after_end_offset, name,
          "another PART or END after the device's END");
    }
    if (facts.extra_config_offset != 0) {
      Add("config-twice", facts.extra_config_offset, name,
          "one CONFIG too many for the device", device.config().file());
    }
    if (facts.msix_spells_offset != 0) {
      Add("msix-spells-subsection", facts.msix_spells_offset, name,
          "the guest's MSI-X table begins like a subsection; QEMU's loader "
          "takes it for one and refuses it",
          device.config().file());
    }
    if (device.config().has_pci() &&
        (device.config().pci().vendor_id() == 0xffff ||
         device.config().pci().vendor_id() == 0)) {
      Add("vendor-id", device.config().offset(), name,
          StrCat("saved config space has vendor id ",
                 Hex(device.config().pci().vendor_id()),
                 ", which no device has"),
          device.config().file());
    }
    for (const report::Subsection& subsection : device.config().subsections()) {
      if (subsection.name() == kDisplaySubsection) continue;
      Add("unknown-subsection", device.config().offset(), name,
          StrCat("no release up to 11.1 knows the subsection '",
                 subsection.name(), "', and a loader refuses it"),
          device.config().file());
    }
    CheckConfig(device, facts);
    CheckAmounts(device, facts);
    if (!report_.complete()) return;
    if (facts.ends == 0) {
      Add("end-missing", facts.first_offset, name,
          "the stream ends without the device's END");
    }
    if (device.multifd_device_state() && device.multifd_read()) return;
    if (device.multifd_device_state() && report_.channels_size() != 0) {
      if (IsToldOf(name)) return;
      Add("multifd-incomplete", facts.first_offset, name,
          "its packets could not all be read from the multifd channels that "
          "were given");
    } else if (device.multifd_device_state()) {
      Add("multifd-device-state", facts.first_offset, name,
          "stop-copy data and config travel on multifd channels, which were "
          "not read");
    } else if (facts.configs == 0) {
      Add("config-missing", facts.first_offset, name,
          "no CONFIG: the destination's config space stays as it is");
    }
  }

  // Whether the one finding of the channels is about the device, or a channel.
  bool IsToldOf(std::string_view idstr) const {
    return of_channels_ != nullptr &&
           (of_channels_->section() == idstr ||
            of_channels_->section() == kMultifdSection);
  }

  void CheckConfig(const report::Device& device, const DeviceFacts& facts) {
    const report::Config& config = device.config();
    const std::string& name = device.idstr();
    if (facts.msix_zero_vector) {
      Add("msix-zero-vector", config.offset(), name,
          StrCat("MSI-X is enabled, and vector ", facts.zero_vector,
                 " is unmasked with address 0"),
          device.config().file());
    } else if (config.pci().msix_enabled() &&
               (config.pci().msix_function_mask() ||
                config.msix_masked() == config.msix_vectors())) {
      Add("msix-masked", config.offset(), name,
          StrCat("MSI-X is enabled, and all ", config.msix_vectors(),
                 " vectors are masked"),
          device.config().file());
    }
    bool vendor_capability = std::any_of(
        config.pci().capabilities().begin(), config.pci().capabilities().end(),
        [](const report::Capability& capability) {
          return capability.id() == kVendorCapability;
        });
    if (vendor_capability && stream_.machine_type_release != 0 &&
        feature::kComparesVendorCapabilities.In(stream_.machine_type_release)) {
      Add("vendor-capability", config.offset(), name,
          StrCat("a vendor-specific capability, whose bytes machine type ",
                 report_.machine_type(), " compares"),
          device.config().file());
    }
  }

  void CheckAmounts(const report::Device& device, const DeviceFacts& facts) {
    const std::string& name = device.idstr();
    if (facts.early_init_data_sent_offset != 0) {
      Add("init-data-sent-early", facts.early_init_data_sent_offset,
          StrCat(name, " PART"),
          "INIT_DATA_SENT before any data of the device");
    }
    if (facts.large_record_offset != 0) {
      Add("record-exceeds-region", facts.large_record_offset, name,
          StrCat("a record of ", facts.large_record_bytes,
                 " bytes, larger than the destination's region"));
    }
    if (device.empty_parts() > kManyEmptyParts &&
        device.empty_parts() * 2 > device.pre_copy().sections()) {
      Add("empty-parts", facts.first_offset, name,
          StrCat(device.empty_parts(), " of ", device.pre_copy().sections(),
                 " PARTs hold nothing but END_OF_STATE"));
    }
    uint64_t stopped = device.stop_copy().bytes();
    if (stopped >= kLargeStopCopyBytes &&
        stopped / kStopCopyRatio >= device.pre_copy().bytes()) {
      Add("stop-copy-large", facts.first_end_offset, name,
          StrCat(stopped, " bytes move while the guest is stopped, ",
                 device.pre_copy().bytes(), " before"));
    }
    if (report_.complete() && facts.ends != 0 && device.payload_bytes() == 0 &&
        (!device.multifd_device_state() || device.multifd_read())) {
      Add("payload-empty", facts.first_offset, name, "no data at all");
    }
  }

  // What concerns several devices, or none.
  void CheckStream() {
    CheckP2pOrder();
    if (stream_.postcopy_offset != 0 && !facts_.empty()) {
      Add("postcopy-with-vfio", stream_.postcopy_offset,
          "COMMAND POSTCOPY_ADVISE", "postcopy, with VFIO devices");
    }
    if (stream_.postcopy_offset != 0 &&
        std::find(report_.capabilities().begin(), report_.capabilities().end(),
                  "x-ignore-shared") != report_.capabilities().end()) {
      Add("ignore-shared-postcopy", stream_.postcopy_offset,
          "COMMAND POSTCOPY_ADVISE", "postcopy, with x-ignore-shared");
    }
    if (stream_.multifd_flush_offset != 0 && report_.channels_size() == 0) {
      Add("multifd-ram", stream_.multifd_flush_offset, "ram",
          "MULTIFD_FLUSH: pages travel on multifd channels, which were not "
          "read");
    }
    if (!report_.complete()) return;
    std::set<std::string_view> devices;
    for (const report::Device& device : report_.devices()) {
      devices.insert(device.idstr());
    }
    for (const report::OtherDevice& other : report_.other_devices()) {
      std::string_view idstr = other.idstr();
      if (!idstr.ends_with(kCprSuffix)) continue;
      idstr.remove_suffix(kCprSuffix.size());
      if (devices.count(idstr) != 0) continue;
      Add("vfio-section-missing", other.offset(), std::string(other.idstr()),
          StrCat("there is no state of ", idstr));
    }
  }

  // No device runs on when another has ended.
  void CheckP2pOrder() {
    const size_t none = facts_.size();
    // The first that ended, and the next, with which it is compared itself.
    size_t first = none;
    size_t second = none;
    auto before = [this, none](size_t one, size_t other) {
      return other == none ||
             facts_[one].first_end_offset < facts_[other].first_end_offset;
    };
    for (size_t i = 0; i < facts_.size(); ++i) {
      if (facts_[i].ends == 0) continue;
      if (before(i, first))
        second = std::exchange(first, i);
      else if (before(i, second))
        second = i;
    }
    for (size_t i = 0; i < facts_.size(); ++i) {
      const size_t ended = i == first ? second : first;
      if (ended == none ||
          facts_[i].last_part_offset < facts_[ended].first_end_offset) {
        continue;
      }
      Add("p2p-order", facts_[i].last_part_offset, StrCat(NameOf(i), " PART"),
          StrCat("still running after the END of ", NameOf(ended)));
    }
  }

  const std::string& NameOf(size_t device) const {
    return report_.devices(static_cast<int>(device)).idstr();
  }

  void CheckRepeats(const report::Device& device, const DeviceFacts& facts,
                    const DialectDetector& detector) {
    if (device.init_data_sent() <= 1) return;
    const bool once = HasSwitchoverAckLegacy(report_.machine_type());
    const std::vector<const Dialect*> rows = detector.Candidates();
    if (!once && std::any_of(rows.begin(), rows.end(), [](const Dialect* row) {
          return row->habits.init_data_sent_repeats;
        })) {
      return;
    }
    Add("init-data-sent-twice", facts.second_init_data_sent_offset,
        StrCat(device.idstr(), " PART"),
        once ? StrCat("INIT_DATA_SENT again, which machine type ",
                      report_.machine_type(), " never sends")
             : "INIT_DATA_SENT again, which QEMU before 11.1 never sends");
  }

  void CheckDialect(const std::string& name, const DialectDetector& detector) {
    for (const DialectEvidence& evidence : detector.Evidence()) {
      if (!evidence.contradiction) continue;
      switch (evidence.kind) {
        case DialectEvidence::kGrammar:
          Add("dialect", evidence.offset, name,
              StrCat(evidence.what,
                     ": no release takes that beside what came before (",
                     detector.Name(), ")"));
          break;
        case DialectEvidence::kHabit:
          Add("dialect-habit", evidence.offset, name,
              StrCat(evidence.what, ": no release of ", detector.Name(),
                     " writes that, but each loads it"));
          break;
        case DialectEvidence::kRelease:
          Add("dialect-release", evidence.offset, name,
              StrCat(evidence.what, " does not go with dialect ",
                     detector.Name()));
          break;
      }
    }
  }

  // `file` as in Finding.
  void Add(const char* id, uint64_t offset, std::string section,
           std::string message, std::string file = "") {
    const FindingKind* kind = FindFinding(id);
    findings_.push_back({kind == nullptr ? Severity::kError : kind->severity,
                         id, offset, std::move(section), std::move(message),
                         std::move(file)});
  }

  const report::Report& report_;
  const std::vector<DeviceFacts>& facts_;
  const StreamFacts& stream_;
  const std::vector<DialectDetector>& detectors_;
  const report::Finding* of_channels_ = nullptr;
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> CheckReport(
    const report::Report& report, const std::vector<DeviceFacts>& facts,
    const StreamFacts& stream, const std::vector<DialectDetector>& detectors) {
  return Checker(report, facts, stream, detectors).Run();
}

}  // namespace migstream
