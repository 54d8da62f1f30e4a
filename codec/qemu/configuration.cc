#include "codec/qemu/configuration.h"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "codec/wire/cursor.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "flags/ram_flags.h"

namespace migstream {
namespace {

constexpr uint32_t kMaxNameBytes = 1024;
constexpr uint32_t kMaxCapabilities = 256;
constexpr uint64_t kUuidBytes = 16;

constexpr std::string_view kSubsections[] = {
    kPageBitsSubsection, kCapabilitiesSubsection, kUuidSubsection};

// A list of capabilities has to be walked to its end.
ByteSpan Capabilities(RecordCursor& cursor, ByteSpan input, uint64_t at) {
  RecordCursor list(input, cursor.offset());
  const uint32_t count = list.Be32();
  if (count > kMaxCapabilities) {
    cursor.Fail(
        ErrorCode::kBadConfiguration, at,
        StrCat(count, " capabilities, expected at most ", kMaxCapabilities));
  }
  for (uint32_t i = 0; i < count && list.ok(); ++i) list.Str8();
  return cursor.Bytes(list.ok() ? list.bytes() : list.bytes_needed());
}

}  // namespace

std::string_view ParseMachineType(RecordCursor& cursor) {
  cursor.U8();
  const uint64_t at = cursor.offset();
  const uint32_t bytes = cursor.Be32();
  if (bytes > kMaxNameBytes) {
    cursor.Fail(ErrorCode::kBadConfiguration, at,
                StrCat("machine type of ", bytes, " bytes, expected at most ",
                       kMaxNameBytes));
  }
  return AsText(cursor.Bytes(bytes));
}

ConfigurationView::Subsection ParseConfigurationSubsection(
    RecordCursor& cursor, ConfigurationTraits& traits) {
  const uint64_t at = cursor.offset();
  auto fail = [&](std::string reason) {
    cursor.Fail(ErrorCode::kBadConfiguration, at, std::move(reason));
  };
  ConfigurationView::Subsection subsection;
  cursor.U8();
  subsection.name = cursor.Str8();
  subsection.version = cursor.Be32();
  if (!cursor.ok()) return subsection;
  const auto* known = std::find(std::begin(kSubsections),
                                std::end(kSubsections), subsection.name);
  const uint8_t bit = static_cast<uint8_t>(1 << (known - kSubsections));
  if (known == std::end(kSubsections)) {
    fail(StrCat("unknown subsection '", UnknownName(subsection.name),
                "', whose length nothing tells"));
  } else if ((traits.seen & bit) != 0) {
    fail(StrCat("a second '", subsection.name, "'"));
  } else if (subsection.name == kPageBitsSubsection) {
    subsection.payload = cursor.Bytes(4);
    if (!cursor.ok()) return subsection;
    const uint32_t bits = LoadBe32(subsection.payload.data());
    if (bits < kMinPageBits || bits > kMaxPageBits) {
      fail(StrCat("target page of ", bits, " bits, expected ", kMinPageBits,
                  " to ", kMaxPageBits));
    }
    traits.page_bits = bits;
  } else if (subsection.name == kCapabilitiesSubsection) {
    subsection.payload = Capabilities(cursor, cursor.rest(), at);
    for (const std::string& name : ParseCapabilities(subsection.payload)) {
      traits.ignore_shared |= name == "x-ignore-shared";
      traits.mapped_ram |= name == "mapped-ram";
    }
  } else {
    subsection.payload = cursor.Bytes(kUuidBytes);
  }
  if (cursor.ok()) traits.seen |= bit;
  return subsection;
}

ParsedConfiguration ParseConfiguration(ByteSpan bytes, uint64_t offset,
                                       bool end_of_input) {
  ParsedConfiguration parsed;
  parsed.view.offset = offset;
  auto take = [&](auto parse) {
    RecordCursor cursor(bytes.subspan(parsed.bytes), offset + parsed.bytes);
    auto value = parse(cursor);
    parsed.bytes += cursor.bytes();
    parsed.error = cursor.error();
    parsed.incomplete = cursor.bytes_needed() != 0;
    return value;
  };
  parsed.view.machine_type = take(ParseMachineType);
  while (!parsed.incomplete && parsed.error.ok()) {
    ByteSpan rest = bytes.subspan(parsed.bytes);
    SubsectionStart start = StartsConfigurationSubsection(rest);
    parsed.incomplete =
        start == SubsectionStart::kMore && !(rest.empty() && end_of_input);
    if (start != SubsectionStart::kYes) break;
    ConfigurationView::Subsection subsection = take([&](RecordCursor& cursor) {
      return ParseConfigurationSubsection(cursor, parsed.traits);
    });
    if (parsed.incomplete) break;
    if (parsed.error.ok()) {
      parsed.view.subsections.push_back(subsection);
    } else if (!std::count(std::begin(kSubsections), std::end(kSubsections),
                           subsection.name)) {
      parsed.unknown_subsection = std::string(subsection.name);
    }
  }
  if (!parsed.error.ok()) parsed.error.section = "CONFIGURATION";
  return parsed;
}

std::optional<VmUuid> FindUuid(const ConfigurationView& configuration) {
  for (const auto& subsection : configuration.subsections) {
    VmUuid uuid;
    if (subsection.name != kUuidSubsection ||
        subsection.payload.size() != uuid.size()) {
      continue;
    }
    std::copy(subsection.payload.begin(), subsection.payload.end(),
              uuid.begin());
    return uuid;
  }
  return std::nullopt;
}

std::string UuidText(const VmUuid& uuid) {
  std::string text;
  for (size_t i = 0; i < uuid.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += Hex(uuid[i], 2).substr(2);
  }
  return text;
}

std::vector<std::string> ParseCapabilities(ByteSpan payload) {
  std::vector<std::string> names;
  Cursor cursor(payload);
  uint32_t count = std::min(cursor.Be32(), kMaxCapabilities);
  for (uint32_t i = 0; i < count && cursor.ok(); ++i) {
    names.emplace_back(cursor.Str8());
  }
  return names;
}

}  // namespace migstream
