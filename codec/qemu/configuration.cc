#include "codec/qemu/configuration.h"

#include <algorithm>
#include <string_view>

#include "codec/wire/cursor.h"
#include "codec/wire/text.h"
#include "flags/ram_flags.h"

namespace migstream {
namespace {

constexpr std::string_view kSection = "CONFIGURATION";
constexpr uint32_t kMaxNameBytes = 1024;
constexpr uint32_t kMaxCapabilities = 256;
constexpr uint64_t kUuidBytes = 16;

// Bytes of a capabilities list, which has to be walked to its end.
uint64_t CapabilitiesBytes(ByteSpan bytes, uint32_t* count) {
  Cursor cursor(bytes);
  *count = cursor.Be32();
  for (uint32_t i = 0; i < std::min(*count, kMaxCapabilities); ++i) {
    cursor.Str8();
  }
  return cursor.ok() ? cursor.offset() : bytes.size() + 1;
}

}  // namespace

ParsedConfiguration ParseConfiguration(ByteSpan bytes, uint64_t offset,
                                       bool end_of_input) {
  ParsedConfiguration parsed;
  parsed.view.offset = offset;
  auto fail = [&parsed](uint64_t at, std::string reason) {
    parsed.error = {ErrorCode::kBadConfiguration, at, std::string(kSection),
                    std::move(reason)};
    return parsed;
  };
  Cursor cursor(bytes, offset);
  cursor.U8();
  uint32_t name_bytes = cursor.Be32();
  if (name_bytes > kMaxNameBytes) {
    return fail(offset + 1, StrCat("machine type of ", name_bytes,
                                   " bytes, expected at most ", kMaxNameBytes));
  }
  parsed.view.machine_type = AsText(cursor.Bytes(name_bytes));
  while (cursor.ok()) {
    ByteSpan rest = bytes.subspan(cursor.offset() - offset);
    SubsectionStart start = StartsSubsection(rest, "configuration");
    if (start == SubsectionStart::kMore && !(rest.empty() && end_of_input)) {
      parsed.incomplete = true;
      return parsed;
    }
    if (start != SubsectionStart::kYes) break;
    uint64_t at = cursor.offset();
    ConfigurationView::Subsection subsection;
    cursor.U8();
    subsection.name = cursor.Str8();
    subsection.version = cursor.Be32();
    if (!cursor.ok()) break;
    for (const auto& before : parsed.view.subsections) {
      if (before.name == subsection.name) {
        return fail(at, StrCat("a second '", subsection.name, "'"));
      }
    }
    rest = bytes.subspan(cursor.offset() - offset);
    if (subsection.name == kPageBitsSubsection) {
      subsection.payload = cursor.Bytes(4);
      if (!cursor.ok()) break;
      parsed.page_bits = LoadBe32(subsection.payload.data());
      if (parsed.page_bits < kMinPageBits || parsed.page_bits > kMaxPageBits) {
        return fail(at, StrCat("target page of ", parsed.page_bits,
                               " bits, expected 10 to 16"));
      }
    } else if (subsection.name == kCapabilitiesSubsection) {
      uint32_t count = 0;
      uint64_t size = CapabilitiesBytes(rest, &count);
      if (count > kMaxCapabilities) {
        return fail(at, StrCat(count, " capabilities, expected at most ",
                               kMaxCapabilities));
      }
      subsection.payload = cursor.Bytes(size);
      for (const std::string& name : ParseCapabilities(subsection.payload)) {
        parsed.ignore_shared |= name == "x-ignore-shared";
        parsed.mapped_ram |= name == "mapped-ram";
      }
    } else if (subsection.name == kUuidSubsection) {
      subsection.payload = cursor.Bytes(kUuidBytes);
    } else {
      parsed.unknown_subsection = std::string(subsection.name);
      return fail(at, StrCat("unknown subsection '", subsection.name,
                             "', whose length nothing tells"));
    }
    parsed.view.subsections.push_back(subsection);
  }
  parsed.incomplete = !cursor.ok();
  parsed.bytes = cursor.offset() - offset;
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
