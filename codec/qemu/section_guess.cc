#include "codec/qemu/section_guess.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "codec/wire/bytes.h"
#include "codec/wire/cursor.h"
#include "flags/command.h"
#include "flags/section_type.h"

namespace migstream {
namespace {

// No device of a released QEMU goes beyond.
constexpr uint32_t kMaxVersion = 0xff;
constexpr uint32_t kMaxDescriptionBytes = 1 << 28;

bool LooksLikeIdstr(std::string_view idstr) {
  return idstr.size() >= 2 &&
         std::all_of(idstr.begin(), idstr.end(),
                     [](char c) { return (c >= 0x20 && c < 0x7f); });
}

bool LooksLikeSection(Cursor cursor, bool named, const GuessContext& context) {
  uint32_t id = cursor.Be32();
  const std::string* known = context.known_section(id);
  // A FULL has neither PART nor END.
  if (!named) {
    return cursor.ok() && known != nullptr && id != context.section_id;
  }
  std::string_view idstr = cursor.Str8();
  uint32_t instance_id = cursor.Be32();
  uint32_t version_id = cursor.Be32();
  return cursor.ok() && LooksLikeIdstr(idstr) &&
         (context.footers || instance_id <= kMaxInstances) &&
         version_id <= kMaxVersion && (known == nullptr || *known == idstr);
}

bool LooksLikeCommand(Cursor cursor) {
  uint16_t command = cursor.Be16();
  uint16_t length = cursor.Be16();
  return cursor.ok() && IsCommandLength(static_cast<Command>(command), length);
}

// What may stand behind EOF: nothing, a description, or what is no part of the
// stream: zeros, or another stream.
bool LooksLikeEnd(ByteSpan rest, const GuessContext& context) {
  if (rest.empty()) return context.end_of_input;
  if (context.footers && context.any_end) return true;
  Cursor cursor(rest);
  const uint8_t type = cursor.U8();
  const uint32_t length = cursor.Be32();
  if (type == static_cast<uint8_t>(SectionType::kVmDescription)) {
    return cursor.ok() && (context.footers ? length <= kMaxDescriptionBytes
                                           : context.end_of_input &&
                                                 length == cursor.remaining());
  }
  if (rest.size() >= 4 && LoadBe32(rest.data()) == kStreamMagic) return true;
  return context.footers && (context.end_of_input || context.no_more) &&
         std::all_of(rest.begin(), rest.end(),
                     [](uint8_t byte) { return byte == 0 || byte == '\n'; });
}

bool LooksLikeNext(ByteSpan bytes, size_t at, const GuessContext& context) {
  if (context.package_left != 0 && at == context.package_left) return true;
  if (at >= bytes.size()) return false;
  Cursor cursor(bytes.subspan(at + 1));
  switch (static_cast<SectionType>(bytes[at])) {
    case SectionType::kStart:
    case SectionType::kFull:
      return LooksLikeSection(cursor, true, context);
    // Too short to be distinguished from device state, unless a footer comes
    // before.
    case SectionType::kPart:
    case SectionType::kEnd:
      return context.footers && LooksLikeSection(cursor, false, context);
    case SectionType::kCommand:
      return context.footers && LooksLikeCommand(cursor);
    case SectionType::kEof:
      return LooksLikeEnd(bytes.subspan(at + 1), context);
    // Inside of content, or after EOF.
    case SectionType::kSubsection:
    case SectionType::kVmDescription:
    case SectionType::kConfiguration:
    case SectionType::kSectionFooter:
      break;
  }
  return false;
}

// Whether it is the section's own footer, perhaps with a wrong byte in the id,
// or with its mark twice.
bool LooksLikeFooter(ByteSpan bytes, uint32_t section_id) {
  if (bytes.size() < kFooterBytes ||
      bytes[0] != static_cast<uint8_t>(SectionType::kSectionFooter)) {
    return false;
  }
  const uint32_t id = LoadBe32(&bytes[1]);
  if (id == (uint32_t{bytes[0]} << 24 | section_id >> 8)) return true;
  const uint32_t wrong = id ^ section_id;
  int wrong_bytes = 0;
  for (int shift = 0; shift < 32; shift += 8) {
    wrong_bytes += (wrong >> shift & 0xff) != 0;
  }
  return wrong_bytes <= 1;
}

}  // namespace

bool FollowsSection(uint8_t type) {
  switch (static_cast<SectionType>(type)) {
    case SectionType::kEof:
    case SectionType::kStart:
    case SectionType::kPart:
    case SectionType::kEnd:
    case SectionType::kFull:
    case SectionType::kCommand:
      return true;
    case SectionType::kSubsection:
    case SectionType::kVmDescription:
    case SectionType::kConfiguration:
    case SectionType::kSectionFooter:
      break;
  }
  return false;
}

bool LooksLikeItem(ByteSpan bytes, const GuessContext& context) {
  return !bytes.empty() &&
         bytes[0] != static_cast<uint8_t>(SectionType::kEof) &&
         LooksLikeNext(bytes, 0, context);
}

bool MayEndAt(ByteSpan content, uint64_t at, std::optional<bool> footers,
              const GuessContext& context) {
  if (context.package_left != 0 && content.size() > context.package_left) {
    content = content.first(context.package_left);
  }
  if (at > content.size()) return false;
  const ByteSpan rest = content.subspan(at);
  if (footers.value_or(true) && LooksLikeFooter(rest, context.section_id)) {
    return true;
  }
  if (footers.value_or(false)) return false;
  return rest.empty() || FollowsSection(rest[0]);
}

std::optional<SectionGuess> GuessSectionEnd(ByteSpan content, size_t from,
                                            const GuessContext& context) {
  if (context.package_left != 0 && content.size() > context.package_left) {
    content = content.first(context.package_left);
  }
  for (size_t at = from; at <= content.size(); ++at) {
    if (!context.footers) {
      if (LooksLikeNext(content, at, context)) return SectionGuess{at, false};
      continue;
    }
    if (content.size() - at < kFooterBytes ||
        content[at] != static_cast<uint8_t>(SectionType::kSectionFooter) ||
        LoadBe32(&content[at + 1]) != context.section_id) {
      continue;
    }
    if (context.any_next ||
        LooksLikeNext(content, at + kFooterBytes, context)) {
      return SectionGuess{at, true};
    }
  }
  return std::nullopt;
}

std::optional<SectionGuess> GuessSectionEnd(ByteSource& source, uint64_t limit,
                                            GuessContext context) {
  // What follows a candidate has to be in view as well.
  constexpr size_t kMargin = kFooterBytes + kMaxSectionHeaderBytes;
  size_t from = 0;
  for (size_t window = 64 << 10;; window *= 2) {
    window = std::min<uint64_t>(window, limit);
    ByteSpan bytes = source.Peek(window);
    bytes = bytes.first(std::min(window, bytes.size()));
    context.end_of_input = bytes.size() < window;
    context.no_more = window == limit;
    // What was no end may be one, now that the input's end is known.
    if (context.end_of_input) from = 0;
    auto guess = GuessSectionEnd(bytes, from, context);
    if (guess || context.end_of_input) return guess;
    if (window == limit) return std::nullopt;
    from = bytes.size() > kMargin ? bytes.size() - kMargin : 0;
  }
}

}  // namespace migstream
