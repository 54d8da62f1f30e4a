#include "inspect/destination_device.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/destination/loadable_state.h"
#include "codec/destination/pci_device.h"
#include "codec/device/pci_config.h"
#include "codec/multifd/reassembler.h"
#include "codec/payload/payload_report.h"
#include "codec/payload/payload_verdict.h"
#include "codec/qemu/stream_reader.h"
#include "codec/report/check.pb.h"
#include "codec/report/report.pb.h"
#include "codec/survey/payload_survey.h"
#include "codec/survey/stream_survey.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "flags/release.h"
#include "inspect/inputs.h"
#include "inspect/json_output.h"
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

void AddDifference(const PciDifference& difference,
                   report::Destination& answer) {
  report::Refusal& row =
      difference.loads ? *answer.add_differences() : *answer.add_refusals();
  row.set_message(
      StrCat(difference.what, ": ", difference.stream,
             difference.destination.empty()
                 ? ", the destination has none"
                 : StrCat(", the destination's ", difference.destination)));
  row.set_what(difference.what);
  row.set_stream(difference.stream);
  row.set_destination(difference.destination);
}

std::string Lines(const report::Check& check) {
  const report::Destination& answer = check.destination();
  const std::string head = StrCat(check.file(), ": ", answer.idstr(), ": ");
  std::string lines;
  for (const report::Refusal& refusal : answer.refusals()) {
    StrAppend(&lines, head,
              "the destination would refuse it: ", refusal.message(), "\n");
  }
  for (const report::Refusal& difference : answer.differences()) {
    StrAppend(&lines, head, "differs, and loads: ", difference.message(), "\n");
  }
  StrAppend(&lines, head, "compared with ", answer.address(),
            answer.driver().empty() ? "" : ", driver ", answer.driver(),
            answer.kernel().empty() ? "" : ", linux ", answer.kernel(),
            answer.capabilities_compared()
                ? ""
                : "; its capabilities are not in what was given, root can "
                  "read them",
            "\n");
  return lines;
}

}  // namespace

ExitStatus CheckPciDevice(const Arguments& arguments) {
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
  if (!error.ok()) PrintError(inputs.file, error);
  if (IsUnusable(error)) return kUnusable;
  const LoadableSection* section = FindDevice(inputs, reader.state());
  if (section == nullptr) return kUnusable;
  if (section->pci_config.empty()) {
    PrintError(StrCat(inputs.file, ": ", Printable(section->idstr),
                      ": the stream has no configuration space of it",
                      ChannelsHint(arguments.files.size() > 1)));
    return kUnusable;
  }
  report::Check check;
  check.set_file(Printable(inputs.file));
  report::Destination& answer = *check.mutable_destination();
  answer.set_file(Printable(arguments.destination));
  answer.set_kind("device");
  answer.set_idstr(Printable(section->idstr));
  answer.set_address(Printable(device.address));
  answer.set_driver(Printable(device.driver));
  answer.set_kernel(Printable(device.kernel));
  answer.set_capabilities_compared(device.config.size() >= kPciConfigBytes);
  const bool vendor_capabilities =
      arguments.loader != 0 &&
      feature::kComparesVendorCapabilities.In(arguments.loader);
  for (const PciDifference& difference : CompareDevice(
           AsBytes(section->pci_config), device, vendor_capabilities)) {
    AddDifference(difference, answer);
  }
  if (auto payload =
          reader.Payload(*section, survey.facts().complete() && error.ok())) {
    const std::string refusal = DriverRefusal(*payload, device);
    if (!refusal.empty()) {
      answer.add_refusals()->set_message(Printable(refusal));
    }
  }
  const ExitStatus status =
      error.ok() && answer.refusals().empty() ? kFine : kFindings;
  if (arguments.format != "text") {
    return PrintMessage(check, "check", arguments.format, status);
  }
  return Print(Lines(check), status);
}

}  // namespace migstream
