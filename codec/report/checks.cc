#include "codec/report/checks.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "codec/wire/error.h"

namespace migstream {
namespace {

class Checker {
 public:
  Checker(const report::Report& report, const std::vector<DeviceFacts>& facts,
          const StreamFacts& stream, const DialectDetector& detector)
      : report_(report), facts_(facts), stream_(stream), detector_(detector) {}

  std::vector<Finding> Run() {
    for (size_t i = 0; i < facts_.size(); ++i) {
      CheckDevice(report_.devices(static_cast<int>(i)), facts_[i]);
    }
    CheckDialect();
    if (stream_.described_page_bytes != 0 &&
        stream_.described_page_bytes != report_.target_page_bytes()) {
      Add(Severity::kWarning, "page-size", report_.description().offset(),
          "VMDESCRIPTION",
          absl::StrCat("says a page has ", stream_.described_page_bytes,
                       " bytes, RAM was read with ",
                       report_.target_page_bytes()));
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
    if (device.init_data_sent() > 1) {
      auto rows = detector_.Candidates();
      bool may_repeat =
          std::any_of(rows.begin(), rows.end(), [](const Dialect* row) {
            return row->habits.init_data_sent_repeats;
          });
      if (!may_repeat) {
        Add(Severity::kWarning, "init-data-sent-twice",
            facts.second_init_data_sent_offset, absl::StrCat(name, " PART"),
            "INIT_DATA_SENT again, which QEMU before 11.1 never sends");
      }
    }
    if (facts.after_end_offset != 0) {
      Add(Severity::kWarning, "data-after-end", facts.after_end_offset, name,
          "another PART or END after the device's END");
    }
    if (facts.second_config_offset != 0) {
      Add(Severity::kWarning, "config-twice", facts.second_config_offset, name,
          "a second CONFIG for the same device");
    }
    if (facts.msix_spells_offset != 0) {
      Add(Severity::kWarning, "msix-spells-subsection",
          facts.msix_spells_offset, name,
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
    if (!report_.complete()) return;
    if (!facts.ended) {
      Add(Severity::kWarning, "end-missing", facts.first_offset, name,
          "the stream ends without the device's END");
    }
    if (device.multifd_device_state()) {
      Add(Severity::kNote, "multifd-device-state", facts.first_offset, name,
          "stop-copy data and config travel on multifd channels, which were "
          "not read");
    } else if (facts.configs == 0 && facts.ended) {
      Add(Severity::kWarning, "config-missing", facts.first_offset, name,
          "no CONFIG: the destination's config space stays as it is");
    }
  }

  void CheckDialect() {
    for (const DialectEvidence& evidence : detector_.Evidence()) {
      if (!evidence.contradiction) continue;
      switch (evidence.kind) {
        case DialectEvidence::kGrammar:
          Add(Severity::kError, "dialect", evidence.offset, "stream",
              absl::StrCat(evidence.what,
                           ": no release takes that beside what came before (",
                           detector_.Name(), ")"));
          break;
        case DialectEvidence::kHabit:
          Add(Severity::kNote, "dialect-habit", evidence.offset, "stream",
              absl::StrCat(evidence.what, ": no release of ",
                           detector_.Name(), " writes that, but each loads it"));
          break;
        case DialectEvidence::kRelease:
          Add(Severity::kWarning, "dialect-release", evidence.offset, "stream",
              absl::StrCat(evidence.what, " does not go with dialect ",
                           detector_.Name()));
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
  const DialectDetector& detector_;
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> CheckReport(const report::Report& report,
                                 const std::vector<DeviceFacts>& facts,
                                 const StreamFacts& stream,
                                 const DialectDetector& detector) {
  return Checker(report, facts, stream, detector).Run();
}

}  // namespace migstream
