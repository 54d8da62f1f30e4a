#include "codec/loader/loader_configuration.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string_view>
#include <utility>

#include "codec/loader/loader_vmstate.h"
#include "codec/qemu/configuration.h"
#include "codec/wire/bytes.h"
#include "codec/wire/cursor.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "flags/machine_type.h"
#include "flags/release.h"
#include "flags/section_type.h"

namespace migstream {
namespace {

constexpr size_t kFirstWindowBytes = 512;
// So much is read of a CONFIGURATION that is not sound.
constexpr size_t kMostLookedAt = 64 << 10;
constexpr uint64_t kBeforeMachineType = 1 + 4;  // Section type, length.
constexpr uint32_t kX86PageBits = 12;
// Before a subsection's payload: type, length, name, version.
constexpr uint64_t kVersionBytes = 4;
constexpr uint64_t kSubsectionHead = 1 + 1 + kVersionBytes;

// The capabilities, and the releases that have them. Where zero-blocks went
// between 10.0 and 11.1 is not known here.
constexpr Feature kCapabilities[] = {
    {"xbzrle", 0},
    {"rdma-pin-all", 0},
    {"auto-converge", 0},
    {"zero-blocks", 0, 1100},
    {"compress", 0, feature::kCompressPage.last},
    {"events", 0},
    {"postcopy-ram", 0},
    {"x-colo", 0},
    {"release-ram", 0},
    {"block", 0, feature::kBlockHandler.last},
    {"return-path", 0},
    {"pause-before-switchover", 0},
    {"multifd", 0},
    {"dirty-bitmaps", 0},
    {"postcopy-blocktime", 0},
    {"late-block-activate", 0},
    {"x-ignore-shared", 0},
    {"validate-uuid", 0},
    {"background-snapshot", 600},
    {"zero-copy-send", 701},
    {"postcopy-preempt", 701},
    {"switchover-ack", 801},
    {"dirty-limit", 801},
    {"mapped-ram", feature::kMappedRam.first},
};

bool IsCapability(std::string_view name, const LoaderRow& row) {
  return std::any_of(std::begin(kCapabilities), std::end(kCapabilities),
                     [&](const Feature& capability) {
                       return capability.name == name &&
                              capability.In(row.release);
                     });
}

std::string OtherPageBits(uint32_t bits) {
  return StrCat("Received TARGET_PAGE_BITS is ", static_cast<int32_t>(bits),
                " but local is ", kX86PageBits);
}

std::string OtherMachineType(std::string_view machine_type,
                             std::string_view local, const LoaderRow& row) {
  return StrCat("Machine type received is '", machine_type, "' and local is '",
                local.empty() ? StrCat("...', since ", ReleaseName(row.release),
                                       " has no such")
                              : StrCat(local, "'"));
}

// The text up to its first NUL, if it has any.
std::string_view UpToNul(ByteSpan bytes) {
  std::string_view text = AsText(bytes);
  return text.substr(0, text.find('\0'));
}

// Nothing if the loader knows them all.
std::optional<std::string> UnknownCapability(ByteSpan payload,
                                             const LoaderRow& row) {
  Cursor cursor(payload);
  const uint32_t count = cursor.Be32();
  for (uint32_t i = 0; i < count; ++i) {
    const std::string_view name = cursor.Str8();
    if (!cursor.ok()) break;
    const std::string_view text = name.substr(0, name.find('\0'));
    if (!IsCapability(text, row)) {
      return StrCat("Received unknown capability ", UnknownName(text));
    }
  }
  return std::nullopt;
}

// More is asked for than the `bytes` that come.
std::string CutConfiguration(uint64_t bytes, const LoaderRow& row) {
  if (row.names_subsections) {
    return "Failed to load configuration state: stream error: -5";
  }
  return StrCat("Failed to load configuration:",
                bytes < kBeforeMachineType ? "len" : "name");
}

// What the loader says to a machine type that is longer than any.
std::string LongMachineType(uint32_t length, LoaderInput& input,
                            std::string_view local, const LoaderRow& row) {
  if (length > INT32_MAX && !row.names_subsections) {
    return StrCat("failed to allocate ",
                  static_cast<uint64_t>(int64_t{static_cast<int32_t>(length)}),
                  " bytes");
  }
  const ByteSpan bytes = input.Peek(kMostLookedAt);
  const std::string name(UpToNul(
      bytes.subspan(std::min<size_t>(kBeforeMachineType, bytes.size()))));
  input.Skip(kBeforeMachineType + length);
  return input.ended() ? CutConfiguration(kBeforeMachineType, row)
                       : OtherMachineType(name, local, row);
}

// What the loader says to a CONFIGURATION that does not parse. `at`: where, in
// the CONFIGURATION.
std::string Message(const ParsedConfiguration& parsed, uint64_t at,
                    LoaderInput& input, std::string_view local,
                    const LoaderRow& row) {
  if (std::string_view name = parsed.unknown_subsection; !name.empty()) {
    if (!row.names_subsections) return "No such file or directory";
    return UnknownSubsection(UnknownName(name), "configuration");
  }
  const ByteSpan bytes = input.Peek(kMostLookedAt);
  Cursor cursor(bytes.subspan(std::min<uint64_t>(at, bytes.size())));
  if (at < kBeforeMachineType) {
    return LongMachineType(cursor.Be32(), input, local, row);
  }
  cursor.U8();
  const std::string_view name = cursor.Str8();
  cursor.Be32();
  if (name == kPageBitsSubsection) return OtherPageBits(cursor.Be32());
  const size_t payload = at + kSubsectionHead + name.size();
  return UnknownCapability(bytes.subspan(std::min(payload, bytes.size())), row)
      .value_or(parsed.error.reason);
}

// A destination that expects a CONFIGURATION refuses anything else at once.
bool IsMissed(ByteSpan bytes, std::string_view local) {
  bool other_than_a_section =
      !bytes.empty() && bytes[0] > static_cast<uint8_t>(SectionType::kFull) &&
      bytes[0] != static_cast<uint8_t>(SectionType::kCommand);
  return !local.empty() || other_than_a_section;
}

// The loader compares as much as was sent; a NUL that was sent is the end.
bool IsLocal(std::string_view sent, const LoaderRow& row,
             const LocalMachine& local) {
  const std::string_view machine_type = UpToNul(AsBytes(sent));
  const bool ended = machine_type.size() < sent.size();
  if (local.type.empty()) {
    return local.any ||
           (HasMachineType(row, machine_type) && !(ended && sent[0] == '\0'));
  }
  return ended ? machine_type == local.type
               : machine_type == local.type.substr(0, machine_type.size());
}

}  // namespace

std::optional<LoaderRefusal> CheckConfiguration(const ConfigurationView& view,
                                                const LocalMachine& local,
                                                const LoaderRow& row) {
  uint64_t at = view.offset + kBeforeMachineType + view.machine_type.size();
  uint32_t page_bits = 0;
  for (const auto& subsection : view.subsections) {
    at += kSubsectionHead + subsection.name.size();
    auto refusal = CheckSubsectionVersion(at - kVersionBytes, subsection.name,
                                          subsection.version, row);
    if (refusal) return refusal;
    if (subsection.name == kCapabilitiesSubsection) {
      if (auto message = UnknownCapability(subsection.payload, row)) {
        return LoaderRefusal{at, *message};
      }
    }
    if (subsection.name == kPageBitsSubsection) {
      page_bits = LoadBe32(subsection.payload.data());
    }
    at += subsection.payload.size();
  }
  const std::string_view machine_type = UpToNul(AsBytes(view.machine_type));
  if (!IsLocal(view.machine_type, row, local)) {
    return LoaderRefusal{view.offset + kBeforeMachineType,
                         OtherMachineType(machine_type, local.type, row)};
  }
  if (page_bits != 0 && page_bits != kX86PageBits && IsX86(machine_type)) {
    return LoaderRefusal{view.offset, OtherPageBits(page_bits)};
  }
  return std::nullopt;
}

bool LoadConfiguration(LoaderInput& input, const LoaderRow& row,
                       const LocalMachine& local,
                       LoaderConfiguration& configuration, RamTraits& traits) {
  const uint64_t offset = input.offset();
  ByteSpan bytes = input.Peek(1);
  if (bytes.empty() ||
      bytes[0] != static_cast<uint8_t>(SectionType::kConfiguration)) {
    return !IsMissed(bytes, local.type) ||
           input.Refuse(offset, "Configuration section missing");
  }
  ParsedConfiguration parsed;
  for (size_t window = kFirstWindowBytes;; window *= 2) {
    bytes = input.Peek(window);
    bool end = bytes.size() < window;
    parsed = ParseConfiguration(bytes, offset, end);
    if (!parsed.incomplete || !parsed.error.ok()) break;
    if (end) {
      return input.Refuse(offset + bytes.size(),
                          CutConfiguration(bytes.size(), row));
    }
  }
  if (!parsed.error.ok()) {
    const uint64_t at = parsed.error.offset - offset;
    return input.Refuse(parsed.error.offset,
                        Message(parsed, at, input, local.type, row));
  }
  configuration.present = true;
  configuration.machine_type =
      std::string(UpToNul(AsBytes(parsed.view.machine_type)));
  configuration.uuid = FindUuid(parsed.view);
  for (const auto& subsection : parsed.view.subsections) {
    if (subsection.name != kCapabilitiesSubsection) continue;
    configuration.capabilities = ParseCapabilities(subsection.payload);
  }
  if (auto refusal = CheckConfiguration(parsed.view, local, row)) {
    return input.Refuse(*std::move(refusal));
  }
  configuration.page_bits = parsed.traits.page_bits;
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
