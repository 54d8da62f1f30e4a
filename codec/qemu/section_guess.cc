#include "codec/qemu/section_guess.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "codec/wire/cursor.h"
#include "flags/command.h"
#include "flags/section_type.h"

namespace migstream {
namespace {

// No device of a released QEMU goes beyond.
constexpr uint32_t kMaxInstances = 0xffff;
constexpr uint32_t kMaxVersion = 0xff;

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

bool LooksLikeEnd(Cursor cursor, const GuessContext& context) {
  if (cursor.remaining() == 0) return context.end_of_input;
  uint8_t type = cursor.U8();
  uint32_t length = cursor.Be32();
  return context.end_of_input && cursor.ok() &&
         type == static_cast<uint8_t>(SectionType::kVmDescription) &&
         length == cursor.remaining();
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
      return LooksLikeEnd(cursor, context);
    // Inside of content, or after EOF.
    case SectionType::kSubsection:
    case SectionType::kVmDescription:
    case SectionType::kConfiguration:
    case SectionType::kSectionFooter:
      break;
  }
  return false;
}

}  // namespace

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
    if (LooksLikeNext(content, at + kFooterBytes, context)) {
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
    context.end_of_input = bytes.size() < window;
    // What was no end may be one, now that the input's end is known.
    if (context.end_of_input) from = 0;
    auto guess = GuessSectionEnd(bytes, from, context);
    if (guess || context.end_of_input) return guess;
    if (window == limit) return std::nullopt;
    from = bytes.size() > kMargin ? bytes.size() - kMargin : 0;
  }
}

}  // namespace migstream
