#include "inspect/destination_device.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/destination/loadable_state.h"
#include "codec/destination/pci_device.h"
#include "codec/multifd/reassembler.h"
#include "codec/payload/payload_report.h"
#include "codec/payload/payload_verdict.h"
#include "codec/survey/payload_survey.h"
#include "codec/survey/stream_survey.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "flags/release.h"
#include "inspect/inputs.h"
#include "inspect/pci_device_file.h"
#include "inspect/text_report.h"

namespace migstream {
namespace {

// Config spaces, and payloads too.
class DeviceReader : public LoadableReader {
 public:
  bool wants_payload() const override { return true; }
  uint64_t unwanted_payload() const override { return payloads_.skippable(); }
  void OnPayloadSkipped(uint64_t count) override {
    payloads_.OnSkipped(count);
    LoadableReader::OnPayloadSkipped(count);
  }

  void OnDeviceEvent(const SectionView& section, const Event& event) override {
    LoadableReader::OnDeviceEvent(section, event);
    payloads_.OnEvent(Number(section.idstr, section.instance_id), section.type,
                      event);
  }

  void OnPacket(const ReassembledPiece& piece) {
    OnConfigPiece(piece);
    payloads_.OnPiece(Number(piece.idstr, piece.instance_id), piece);
  }

  std::optional<PayloadReport> Payload(const LoadableSection& section,
                                       bool whole) {
    return payloads_.Finish(Number(section.idstr, section.instance_id), whole);
  }

 private:
  size_t Number(std::string_view idstr, uint32_t instance_id) {
    auto found = state().by_name.find({std::string(idstr), instance_id});
    return found == state().by_name.end() ? state().sections.size()
                                          : found->second;
  }

  PayloadSurvey payloads_{{.records = 0, .values = 0}};
};

// The device that is meant; null, with a message, if there is none.
const LoadableSection* FindDevice(const Inputs& inputs,
                                  const LoadableState& state) {
  std::vector<const LoadableSection*> devices;
  std::vector<std::string> names;
  for (const LoadableSection& section : state.sections) {
    if (!section.vfio) continue;
    names.push_back(Printable(section.idstr));
    if (inputs.device.empty() || IsNamed(section.idstr, inputs.device)) {
      devices.push_back(&section);
    }
  }
  if (devices.size() == 1) return devices[0];
  PrintError(
      StrCat(inputs.file, ": ",
             names.empty() ? "it has no VFIO device"
             : devices.empty()
                 ? StrCat("it has no device ", inputs.device, ", but ",
                          StrJoin(names, ", "))
                 : StrCat("--device= says which of its devices is meant: ",
                          StrJoin(names, ", "))));
  return nullptr;
}

// "6.12.57-amd64" is of 6.12.
std::optional<KernelRelease> KernelOf(std::string_view name) {
  const size_t end = name.find_first_not_of("0123456789.");
  name = name.substr(0, end);
  while (name.ends_with('.')) name.remove_suffix(1);
  return ParseKernelRelease(name);
}

// Drivers spell their names with either.
std::string Underscored(std::string name) {
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

// What of the payload the driver there would not take; empty if it may.
std::string DriverRefusal(const PayloadReport& payload,
                          const PciDevice& device) {
  const payload::Format& format = *payload.format;
  if (format.readers.empty()) return "";
  const std::string_view needs = format.generations[payload.generation].needs;
  const std::string wanted(needs.substr(0, needs.find(' ')));
  if (!device.driver.empty() &&
      Underscored(device.driver) != Underscored(wanted)) {
    return StrCat("its driver is ", Printable(device.driver),
                  ", the payload needs ", needs);
  }
  const std::optional<KernelRelease> kernel = KernelOf(device.kernel);
  if (!kernel) return "";
  const PayloadVerdict verdict = Judge(payload, *kernel);
  switch (verdict.fate) {
    case PayloadFate::kAcceptedWithLoss:
    case PayloadFate::kRefused:
    case PayloadFate::kNoDriver:
      return verdict.text;
    case PayloadFate::kAccepted:
    case PayloadFate::kDeviceDecides:
    case PayloadFate::kUnknown:
      break;
  }
  return "";
}

}  // namespace

ExitStatus CheckPciDevice(const Arguments& arguments) {
  if (arguments.format != "text") {
    PrintError("what a device says is shown as text alone");
    return kUnusable;
  }
  PciDevice device;
  if (!ReadPciDevice(arguments, arguments.destination, device)) {
    return kUnusable;
  }
  Inputs inputs = OpenInputs(arguments);
  if (!inputs.main) return kUnusable;
  DeviceReader reader;
  StreamSurvey survey(ReaderOptionsOf(arguments), reader);
  Error error = ReadMigration(
      arguments, inputs, survey,
      [&](const ReassembledPiece& piece) { reader.OnPacket(piece); });
  reader.Finish(error);
  if (!error.ok()) PrintError(ErrorLine(inputs.file, error));
  if (IsUnusable(error)) return kUnusable;
  const std::string file = Printable(inputs.file);
  const LoadableSection* section = FindDevice(inputs, reader.state());
  if (section == nullptr) return kUnusable;
  const std::string head = StrCat(file, ": ", Printable(section->idstr), ": ");
  if (section->pci_config.empty()) {
    PrintError(StrCat(head, "the stream has no configuration space of it",
                      ChannelsHint(arguments.files.size() > 1)));
    return kUnusable;
  }
  const bool vendor_capabilities =
      arguments.loader != 0 &&
      feature::kComparesVendorCapabilities.In(arguments.loader);
  std::string lines;
  bool refused = !error.ok();
  for (const PciDifference& difference : CompareDevice(
           AsBytes(section->pci_config), device, vendor_capabilities)) {
    StrAppend(&lines, head,
              difference.loads ? "differs, and loads: "
                               : "the destination would refuse it: ",
              difference.what, ": ", difference.stream,
              difference.destination.empty()
                  ? ", the destination has none"
                  : StrCat(", the destination's ", difference.destination),
              "\n");
    refused |= !difference.loads;
  }
  if (auto payload =
          reader.Payload(*section, survey.facts().complete() && error.ok())) {
    const std::string refusal = DriverRefusal(*payload, device);
    if (!refusal.empty()) {
      StrAppend(&lines, head,
                "the destination would refuse it: ", Printable(refusal), "\n");
      refused = true;
    }
  }
  StrAppend(
      &lines, head, "compared with ", Printable(device.address),
      device.driver.empty() ? ""
                            : StrCat(", driver ", Printable(device.driver)),
      device.kernel.empty() ? "" : StrCat(", linux ", Printable(device.kernel)),
      device.config.size() < 256
          ? "; its capabilities are not in what was given, root can read "
            "them"
          : "",
      "\n");
  return Print(lines, refused ? kFindings : kFine);
}

}  // namespace migstream
