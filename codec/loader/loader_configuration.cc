#include "codec/loader/loader_configuration.h"

#include "absl/strings/str_cat.h"
#include "codec/qemu/configuration.h"
#include "flags/section_type.h"

namespace migstream {
namespace {

constexpr size_t kFirstWindowBytes = 512;
constexpr uint64_t kBeforeMachineType = 1 + 4;  // Section type, length.

// A destination that expects a CONFIGURATION refuses at once what is none.
bool IsMissed(ByteSpan bytes, const LoaderOptions& options) {
  bool other_than_a_section =
      !bytes.empty() && bytes[0] > static_cast<uint8_t>(SectionType::kFull) &&
      bytes[0] != static_cast<uint8_t>(SectionType::kCommand);
  return !options.machine_type.empty() || other_than_a_section;
}

// The loader compares as much as was sent.
bool IsLocal(absl::string_view machine_type, const LoaderRow& row,
             const LoaderOptions& options) {
  if (options.machine_type.empty()) {
    return HasMachineType(row, options.release, machine_type);
  }
  return machine_type ==
         absl::string_view(options.machine_type).substr(0, machine_type.size());
}

std::string OtherMachineType(absl::string_view machine_type,
                             const LoaderOptions& options) {
  return absl::StrCat(
      "Machine type received is '", machine_type, "' and local is '",
      options.machine_type.empty()
          ? absl::StrCat("...', since ", ReleaseName(options.release),
                         " has no such")
          : absl::StrCat(options.machine_type, "'"));
}

}  // namespace

bool LoadConfiguration(LoaderInput& input, const LoaderRow& row,
                       const LoaderOptions& options,
                       LoaderConfiguration& configuration, RamTraits& traits) {
  const uint64_t offset = input.offset();
  ByteSpan bytes = input.Peek(1);
  if (bytes.empty() ||
      bytes[0] != static_cast<uint8_t>(SectionType::kConfiguration)) {
    return !IsMissed(bytes, options) ||
           input.Refuse(offset, "Configuration section missing");
  }
  ParsedConfiguration parsed;
  for (size_t window = kFirstWindowBytes;; window *= 2) {
    bytes = input.Peek(window);
    bool end = bytes.size() < window;
    parsed = ParseConfiguration(bytes, offset, end);
    if (!parsed.incomplete || !parsed.error.ok()) break;
    if (end) return input.Refuse(offset + bytes.size(), "Input/output error");
  }
  if (!parsed.error.ok()) {
    return input.Refuse(parsed.error.offset, parsed.error.reason);
  }
  configuration.present = true;
  configuration.machine_type = std::string(parsed.view.machine_type);
  configuration.uuid = FindUuid(parsed.view);
  for (const auto& subsection : parsed.view.subsections) {
    if (subsection.name != kCapabilitiesSubsection) continue;
    for (const std::string& name : ParseCapabilities(subsection.payload)) {
      configuration.capabilities.push_back(name);
      if (name == "mapped-ram" && !row.mapped_ram) {
        return input.Refuse(offset, "Received unknown capability mapped-ram");
      }
    }
  }
  if (!IsLocal(configuration.machine_type, row, options)) {
    return input.Refuse(offset + kBeforeMachineType,
                        OtherMachineType(configuration.machine_type, options));
  }
  traits.ignore_shared = parsed.ignore_shared;
  traits.mapped_ram = parsed.mapped_ram;
  if (parsed.page_bits != 0) {
    traits.page_bytes = uint64_t{1} << parsed.page_bits;
  }
  input.source().Consume(parsed.bytes);
  return true;
}

}  // namespace migstream
