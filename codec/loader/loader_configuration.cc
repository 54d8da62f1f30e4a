#include "codec/loader/loader_configuration.h"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "codec/loader/loader_vmstate.h"
#include "codec/qemu/configuration.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "flags/machine_type.h"
#include "flags/release.h"
#include "flags/section_type.h"

namespace migstream {
namespace {

constexpr size_t kFirstWindowBytes = 512;
constexpr uint64_t kBeforeMachineType = 1 + 4;  // Section type, length.
constexpr uint32_t kX86PageBits = 12;
constexpr uint64_t kVersionBytes = 4;  // Before a subsection's payload.

// The capabilities of any release but mapped-ram, which has a column of its own
// in the loaders' table.
constexpr std::string_view kCapabilities[] = {
    "xbzrle",
    "rdma-pin-all",
    "auto-converge",
    "zero-blocks",
    "compress",
    "events",
    "postcopy-ram",
    "x-colo",
    "release-ram",
    "block",
    "return-path",
    "pause-before-switchover",
    "multifd",
    "dirty-bitmaps",
    "postcopy-blocktime",
    "late-block-activate",
    "x-ignore-shared",
    "validate-uuid",
    "background-snapshot",
    "zero-copy-send",
    "postcopy-preempt",
    "switchover-ack",
    "dirty-limit",
};

bool IsCapability(std::string_view name, const LoaderRow& row) {
  return (name == "mapped-ram" && row.mapped_ram) ||
         std::find(std::begin(kCapabilities), std::end(kCapabilities), name) !=
             std::end(kCapabilities);
}

std::string OtherPageBits(uint32_t bits) {
  return StrCat("Received TARGET_PAGE_BITS is ", bits, " but local is ",
                kX86PageBits);
}

// What the loader says to a CONFIGURATION that does not parse.
std::string Message(const ParsedConfiguration& parsed, const LoaderRow& row) {
  if (std::string_view name = parsed.unknown_subsection; !name.empty()) {
    if (!row.names_subsections) return "No such file or directory";
    return UnknownSubsection(UnknownName(name), "configuration");
  }
  return parsed.traits.page_bits != 0 ? OtherPageBits(parsed.traits.page_bits)
                                      : parsed.error.reason;
}

// A destination that expects a CONFIGURATION refuses anything else at once.
bool IsMissed(ByteSpan bytes, const LoaderOptions& options) {
  bool other_than_a_section =
      !bytes.empty() && bytes[0] > static_cast<uint8_t>(SectionType::kFull) &&
      bytes[0] != static_cast<uint8_t>(SectionType::kCommand);
  return !options.machine_type.empty() || other_than_a_section;
}

// The loader compares as much as was sent.
bool IsLocal(std::string_view machine_type, const LoaderRow& row,
             const LoaderOptions& options) {
  if (options.machine_type.empty()) {
    return options.any_machine_type || HasMachineType(row, machine_type);
  }
  return machine_type ==
         std::string_view(options.machine_type).substr(0, machine_type.size());
}

std::string OtherMachineType(std::string_view machine_type,
                             const LoaderOptions& options) {
  return StrCat(
      "Machine type received is '", machine_type, "' and local is '",
      options.machine_type.empty()
          ? StrCat("...', since ", ReleaseName(options.release), " has no such")
          : StrCat(options.machine_type, "'"));
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
    return input.Refuse(parsed.error.offset, Message(parsed, row));
  }
  configuration.present = true;
  configuration.machine_type = std::string(parsed.view.machine_type);
  configuration.uuid = FindUuid(parsed.view);
  for (const auto& subsection : parsed.view.subsections) {
    const uint64_t payload_at =
        offset + (subsection.payload.data() - bytes.data());
    if (!CheckSubsectionVersion(input, payload_at - kVersionBytes,
                                subsection.name, subsection.version, row)) {
      return false;
    }
    if (subsection.name != kCapabilitiesSubsection) continue;
    for (const std::string& name : ParseCapabilities(subsection.payload)) {
      configuration.capabilities.push_back(name);
      if (!IsCapability(name, row)) {
        return input.Refuse(payload_at, StrCat("Received unknown capability ",
                                               UnknownName(name)));
      }
    }
  }
  if (!IsLocal(configuration.machine_type, row, options)) {
    return input.Refuse(offset + kBeforeMachineType,
                        OtherMachineType(configuration.machine_type, options));
  }
  configuration.page_bits = parsed.traits.page_bits;
  if (parsed.traits.page_bits != 0 && parsed.traits.page_bits != kX86PageBits &&
      IsX86(configuration.machine_type)) {
    return input.Refuse(offset, OtherPageBits(parsed.traits.page_bits));
  }
  traits.ignore_shared = parsed.traits.ignore_shared;
  traits.mapped_ram = parsed.traits.mapped_ram;
  if (parsed.traits.page_bits != 0) {
    traits.page_bytes = uint64_t{1} << parsed.traits.page_bits;
  }
  traits.page_bytes_known |=
      parsed.traits.page_bits != 0 || IsX86(configuration.machine_type);
  input.source().Consume(parsed.bytes);
  return true;
}

}  // namespace migstream
