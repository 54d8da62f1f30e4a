#include "codec/report/checks.h"

#include <algorithm>
#include <deque>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "codec/device/subsection.h"
#include "codec/multifd/packet.h"
#include "codec/report/finding_ids.h"
#include "codec/wire/error.h"
#include "codec/wire/text.h"
#include "flags/command.h"
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
  Checker(const report::Report& report, const StreamFacts& stream,
          const std::deque<DeviceDoubts>& doubts, bool with_cpr)
      : report_(report),
        stream_(stream),
        facts_(stream.devices),
        doubts_(doubts),
        with_cpr_(with_cpr) {
    for (const report::Finding& finding : report.findings()) {
      if (finding.id() == "multifd") of_channels_ = &finding;
    }
  }

  std::vector<Finding> Run() {
    for (const DeviceFacts& facts : facts_) {
      CheckDevice(facts, doubts_[facts.index]);
      if (!stream_.is_detected()) continue;
      CheckRepeats(facts);
      CheckDialect(NameOf(facts), facts.detector);
    }
    CheckStream();
    return std::move(findings_);
  }

 private:
  void CheckDevice(const DeviceFacts& facts, const DeviceDoubts& doubts) {
    const report::Device& device = DeviceOf(facts);
    const std::string& name = device.idstr();
    if (facts.init_data_sent != 0 && !stream_.return_path) {
      Add("init-data-sent-unasked", facts.init_data_sent_offsets[0],
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
    if (doubts.msix_spells_offset != 0) {
      Add("msix-spells-subsection", doubts.msix_spells_offset, name,
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
    CheckConfig(device, doubts);
    CheckAmounts(name, facts, doubts);
    if (!stream_.complete()) return;
    if (facts.data.pre_copy.sections == 0 && facts.ends() != 0 &&
        stream_.ram_parts != 0 && IsV1(facts)) {
      Add("part-missing", facts.first_offset, name,
          "no PART, which each device of QEMU up to 7.2 writes");
    }
    if (facts.ends() == 0) {
      Add("end-missing", facts.first_offset, name,
          "the stream ends without the device's END");
    }
    if (facts.in_channels && facts.channels_read) return;
    if (facts.in_channels && !stream_.channels.empty()) {
      if (IsToldOf(name)) return;
      Add("multifd-incomplete", facts.first_offset, name,
          "its packets could not all be read from the multifd channels that "
          "were given");
    } else if (facts.in_channels) {
      Add("multifd-device-state", facts.first_offset, name,
          "stop-copy data and config travel on multifd channels, which were "
          "not read");
    } else if (facts.configs == 0) {
      Add("config-missing", facts.first_offset, name,
          "no CONFIG: the destination's config space stays as it is");
    } else if (device.config().bytes() == 0) {
      Add("config-empty", facts.last_offset, name,
          "CONFIG has no payload, which each loader reads");
    }
  }

  // Whether every dialect that the device can be of is one of v1.
  bool IsV1(const DeviceFacts& facts) const {
    const std::vector<const Dialect*> rows =
        stream_.is_detected() ? facts.detector.Candidates()
                              : std::vector<const Dialect*>{stream_.dialect};
    return std::all_of(rows.begin(), rows.end(), [](const Dialect* row) {
      return row->protocol == VfioProtocol::kV1;
    });
  }

  // Whether the one finding of the channels is about the device, or a channel.
  bool IsToldOf(std::string_view idstr) const {
    return of_channels_ != nullptr &&
           (of_channels_->section() == idstr ||
            of_channels_->section() == kMultifdSection);
  }

  void CheckConfig(const report::Device& device, const DeviceDoubts& doubts) {
    const report::Config& config = device.config();
    const std::string& name = device.idstr();
    if (doubts.zero_vector) {
      Add("msix-zero-vector", config.offset(), name,
          StrCat("MSI-X is enabled, and vector ", *doubts.zero_vector,
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
    const Release release = MachineTypeRelease(stream_.machine_type);
    if (vendor_capability && release != 0 &&
        feature::kComparesVendorCapabilities.In(release)) {
      Add("vendor-capability", config.offset(), name,
          StrCat("a vendor-specific capability, whose bytes machine type ",
                 report_.machine_type(), " compares"),
          device.config().file());
    }
  }

  void CheckAmounts(const std::string& name, const DeviceFacts& facts,
                    const DeviceDoubts& doubts) {
    const DataTally& data = facts.data;
    if (facts.init_data_sent_early) {
      Add("init-data-sent-early", facts.init_data_sent_offsets[0],
          StrCat(name, " PART"),
          "INIT_DATA_SENT before any data of the device");
    }
    if (doubts.large_record_offset != 0) {
      Add("record-exceeds-region", doubts.large_record_offset, name,
          StrCat("a record of ", doubts.large_record_bytes,
                 " bytes, larger than the destination's region"));
    }
    if (facts.empty_parts > kManyEmptyParts &&
        facts.empty_parts * 2 > data.pre_copy.sections) {
      Add("empty-parts", facts.first_offset, name,
          StrCat(facts.empty_parts, " of ", data.pre_copy.sections,
                 " PARTs hold nothing but END_OF_STATE"));
    }
    if (data.stop_copy.bytes >= kLargeStopCopyBytes &&
        data.stop_copy.bytes / kStopCopyRatio >= data.pre_copy.bytes) {
      Add("stop-copy-large", facts.first_end_offset, name,
          StrCat(data.stop_copy.bytes,
                 " bytes move while the guest is stopped, ",
                 data.pre_copy.bytes, " before"));
    }
    if (stream_.complete() && facts.ends() != 0 && data.bytes() == 0 &&
        (!facts.in_channels || facts.channels_read)) {
      Add("payload-empty", facts.first_offset, name, "no data at all");
    }
  }

  bool HasCommand(Command command) const {
    return std::any_of(report_.commands().begin(), report_.commands().end(),
                       [&](const report::Command& row) {
                         return row.name() == ToString(command);
                       });
  }

  // What concerns several devices, or none.
  void CheckStream() {
    CheckP2pOrder();
    if (stream_.postcopy_offset != 0 && !facts_.empty()) {
      Add("postcopy-with-vfio", stream_.postcopy_offset,
          "COMMAND POSTCOPY_ADVISE", "postcopy, with VFIO devices");
    }
    if (stream_.postcopy_offset != 0 &&
        std::find(stream_.capabilities.begin(), stream_.capabilities.end(),
                  "x-ignore-shared") != stream_.capabilities.end()) {
      Add("ignore-shared-postcopy", stream_.postcopy_offset,
          "COMMAND POSTCOPY_ADVISE", "postcopy, with x-ignore-shared");
    }
    // In postcopy pages do go on the main channel; and whoever takes
    // SWITCHOVER_START knows MULTIFD_FLUSH, which then is for device state.
    const bool flush = stream_.ram.multifd_flushes != 0;
    const bool pages = stream_.ram.pages != 0 && stream_.postcopy_offset == 0;
    if (flush && pages && !HasCommand(Command::kSwitchoverStart)) {
      Add("multifd-flush", stream_.ram.first_multifd_flush, "ram",
          StrCat("MULTIFD_FLUSH, and ", stream_.ram.pages,
                 " pages on the main channel"));
    } else if (flush && !pages && stream_.channels.empty()) {
      Add("multifd-ram", stream_.ram.first_multifd_flush, "ram",
          "MULTIFD_FLUSH: pages travel on multifd channels, which were not "
          "read");
    }
    if (stream_.colo_offset != 0) {
      Add("colo", stream_.colo_offset, "COMMAND ENABLE_COLO",
          "a COLO migration: a load that takes it never ends");
    }
    if (!IsMachineName(stream_.machine_type)) {
      Add("machine-type", stream_.start_offset, "CONFIGURATION",
          StrCat("machine type ", report_.machine_type(),
                 ", a name that no release has"));
    }
    if (!stream_.complete()) return;
    CheckLosses();
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

  // What is not there, or twice, although QEMU loads it without a word.
  void CheckLosses() {
    const StreamLosses& losses = stream_.losses;
    if (losses.configuration) {
      Add("configuration-missing", stream_.start_offset, "CONFIGURATION",
          "the description has one, and the stream has none");
    }
    if (losses.configuration_unlike_footers) {
      Add("configuration-off", stream_.start_offset, "CONFIGURATION",
          "there is none, and sections have footers: machine types since 2.4 "
          "send both");
    }
    for (const StreamLosses::Section& section : losses.missing) {
      Add("section-missing", stream_.description_offset, section.name,
          "the description names it, and the stream has no FULL of it");
    }
    for (const StreamLosses::Section& section : losses.repeated) {
      Add("section-twice", section.offset, section.name,
          "came before: the later one is loaded over it");
    }
    if (losses.ram_end) {
      Add("ram-missing", stream_.ram_offset, "ram",
          "RAM has no END, where other devices have one");
    }
    if (losses.ram_pages && !with_cpr_) {
      Add("ram-missing", stream_.ram_offset, "ram",
          "no PART, and no page came of a guest's RAM, on the main channel or "
          "any other; if it was by CPR, give its CPR state as well");
    }
  }

  // No device runs on when another has ended.
  void CheckP2pOrder() {
    // The first that ended, and the next, with which it is compared itself.
    const DeviceFacts* first = nullptr;
    const DeviceFacts* second = nullptr;
    auto before = [](const DeviceFacts& one, const DeviceFacts* other) {
      return other == nullptr || one.first_end_offset < other->first_end_offset;
    };
    for (const DeviceFacts& device : facts_) {
      if (device.ends() == 0) continue;
      if (before(device, first)) {
        second = std::exchange(first, &device);
      } else if (before(device, second)) {
        second = &device;
      }
    }
    for (const DeviceFacts& device : facts_) {
      const DeviceFacts* ended = &device == first ? second : first;
      if (ended == nullptr ||
          device.last_part_offset < ended->first_end_offset) {
        continue;
      }
      Add("p2p-order", device.last_part_offset, StrCat(NameOf(device), " PART"),
          StrCat("still running after the END of ", NameOf(*ended)));
    }
  }

  const report::Device& DeviceOf(const DeviceFacts& facts) const {
    return report_.devices(static_cast<int>(facts.index));
  }
  // Fit to be printed.
  const std::string& NameOf(const DeviceFacts& facts) const {
    return DeviceOf(facts).idstr();
  }

  void CheckRepeats(const DeviceFacts& facts) {
    if (facts.init_data_sent <= 1) return;
    const bool once = HasSwitchoverAckLegacy(stream_.machine_type);
    const std::vector<const Dialect*> rows = facts.detector.Candidates();
    if (!once && std::any_of(rows.begin(), rows.end(), [](const Dialect* row) {
          return row->habits.init_data_sent_repeats;
        })) {
      return;
    }
    Add("init-data-sent-twice", facts.init_data_sent_offsets[1],
        StrCat(NameOf(facts), " PART"),
        once ? StrCat("INIT_DATA_SENT again, which machine type ",
                      report_.machine_type(), " never sends")
             : "INIT_DATA_SENT again, which QEMU before 11.1 never sends");
  }

  void CheckDialect(const std::string& name, const DialectDetector& detector) {
    for (const DialectEvidence& evidence : detector.Evidence()) {
      if (!evidence.contradiction) continue;
      switch (evidence.kind) {
        case DialectEvidence::kGrammar:
          if (evidence.loads) {
            Add("dialect-habit", evidence.offset, name,
                StrCat(evidence.what,
                       ": no release writes that beside what "
                       "came before (",
                       detector.Name(), "), but each loads it"));
            break;
          }
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
  const StreamFacts& stream_;
  const std::deque<DeviceFacts>& facts_;
  const std::deque<DeviceDoubts>& doubts_;
  const bool with_cpr_;
  const report::Finding* of_channels_ = nullptr;
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> CheckReport(const report::Report& report,
                                 const StreamFacts& facts,
                                 const std::deque<DeviceDoubts>& doubts,
                                 bool with_cpr) {
  return Checker(report, facts, doubts, with_cpr).Run();
}

}  // namespace migstream
