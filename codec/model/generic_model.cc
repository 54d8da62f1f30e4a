#include "codec/model/generic_model.h"

#include <cassert>
#include <string>
#include <string_view>

#include "codec/device/pci_config.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

using payload::Driver;

// What a driver's payload tells of its device that must be the same elsewhere.
struct Capacity {
  Driver driver;
  std::string_view from;  // A fact of the report, or a field.
  std::string_view name;  // The parameter.
  bool bits = false;
  std::string_view description = {};
};

constexpr Capacity kCapacities[] = {
    {Driver::kHisiAcc, "qp_num", "queue-pairs", false, "of the function"},
    {Driver::kHisiAcc, "que_iso_cfg", "queue-isolation", true,
     "of the hardware"},
    {Driver::kVirtio, "num_queues", "queues", false, "virtqueues"},
    {Driver::kVirtio, "device_features", "device-features", true,
     "that the device offers"},
    {Driver::kQat, "banks", "banks", false, "of rings"},
    {Driver::kXe, "gts", "gts", false, "that the state is of"},
    {Driver::kXe, "ggtt_range", "ggtt-bytes", false, "of addresses"},
    {Driver::kXe, "vram_bytes", "vram-bytes", false, "of local memory"},
    {Driver::kMtty, "nr_ports", "ports", false, "of the card"},
};

// Numbers of the report by name; nothing if there is none.
std::optional<uint64_t> Find(const PayloadReport& report,
                             std::string_view name) {
  for (const PayloadFact& fact : report.facts) {
    if (fact.name == name) return fact.value;
  }
  for (const PayloadValue& value : report.values) {
    if (value.field->name == name && value.bytes > 0) return value.value;
  }
  return std::nullopt;
}

std::string FourDigits(uint16_t value) { return Hex(value, 4).substr(2); }

// "records-with-tags": a row's name as a value, without what is in brackets.
std::string ValueOf(std::string_view name) {
  std::string value;
  for (char c : name.substr(0, name.find(" ("))) {
    if (c != ',') value += c == ' ' ? '-' : c;
  }
  return value;
}

// A parameter that has this value and no other.
ModelParam Fixed(std::string_view name, ParamValue value,
                 std::string_view description) {
  ModelParam param{.name = std::string(name), .type = TypeOf(value)};
  param.allowed = {AllowedValue{value}};
  param.init_value = std::move(value);
  param.description = std::string(description);
  return param;
}

// How the driver writes, and what it reads.
ModelParam PayloadParam(const PayloadReport& report,
                        std::optional<KernelRelease> kernel) {
  const payload::Format& format = *report.format;
  ModelParam param =
      Fixed("payload", ValueOf(format.generations[report.generation].name),
            "how the driver writes the state");
  uint32_t reads = 0;
  for (const payload::Reader& reader : format.readers) {
    if (kernel && reader.from <= *kernel) reads = reader.reads;
  }
  for (size_t i = 0; i < format.generations.size(); ++i) {
    if (i == report.generation || (reads >> i & 1) == 0) continue;
    param.allowed->push_back({ValueOf(format.generations[i].name)});
  }
  return param;
}

}  // namespace

ModelDescription DescribeDevice(ByteSpan config, const PayloadReport& report,
                                std::optional<KernelRelease> kernel) {
  const PciConfig pci = PciConfig::Parse(config);
  ModelDescription model;
  model.model = StrCat(
      "pci://", FourDigits(pci.vendor_id), ".", FourDigits(pci.device_id), ".",
      FourDigits(pci.subsystem_vendor_id), ".", FourDigits(pci.subsystem_id));
  model.params.push_back(Fixed("config-bytes", uint64_t{config.size()},
                               "Bytes of configuration space that QEMU saves"));
  model.params.push_back(
      Fixed("revision", uint64_t{pci.revision}, "of the device"));
  model.params.push_back(
      Fixed("msix-vectors", uint64_t{pci.msix.present ? pci.msix.vectors : 0},
            "of the device; 0: it has no MSI-X"));
  const payload::Format& format = *report.format;
  // By its id alone a device may be taken for one whose driver never came out.
  if (report.by_bytes || !format.readers.empty()) {
    std::string_view name = format.module.empty() ? format.name : format.module;
    model.params.push_back(
        Fixed("driver", ValueOf(name), "that wrote the state"));
    model.params.push_back(PayloadParam(report, kernel));
  }
  for (const Capacity& row : kCapacities) {
    if (row.driver != format.driver) continue;
    std::optional<uint64_t> value = Find(report, row.from);
    if (!value) continue;
    // A set of bits may be larger than an int can be.
    ParamValue shown = row.bits ? ParamValue(Hex(*value)) : ParamValue(*value);
    if (!IsSpellable(shown)) continue;
    model.params.push_back(Fixed(row.name, std::move(shown), row.description));
  }
  [[maybe_unused]] std::string problem = Prepare(model);
  assert(problem.empty());
  return model;
}

}  // namespace migstream
