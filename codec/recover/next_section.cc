#include "codec/recover/next_section.h"

#include <algorithm>
#include <bit>
#include <string>
#include <vector>

#include "codec/device/section_decoder.h"
#include "codec/qemu/handler_records.h"
#include "codec/qemu/puller.h"
#include "codec/wire/cursor.h"
#include "flags/command.h"
#include "flags/ram_flags.h"
#include "flags/section_type.h"
#include "flags/tag.h"

namespace migstream {
namespace {

// The next section is mostly near, and a window is copied.
constexpr size_t kFirstWindowBytes = 4 << 10;
constexpr size_t kLastWindowBytes = 256 << 10;
// What looking at a place costs that is not in the window, and at a record or
// RAM block, in bytes that are only stepped over.
constexpr uint64_t kPlaceCost = 1 << 10;
constexpr uint64_t kRecordCost = 64;
// A section's id counts the devices, and its version has been small so far.
constexpr uint32_t kMaxSectionId = 1 << 20;
constexpr uint32_t kMaxVersion = 0xff;
// Records of one section that are looked at.
constexpr int kMostRecords = 4096;
constexpr size_t kDescriptionHead = 1 + 1 + 4 + 2;  // EOF to '{"'.

bool IsName(std::string_view name) {
  return name.size() >= 2 && std::all_of(name.begin(), name.end(), [](char c) {
           return c >= 0x20 && c < 0x7f;
         });
}

bool StartsDescription(ByteSpan bytes) {
  return bytes.size() >= kDescriptionHead && bytes[0] == 0 &&
         bytes[1] == static_cast<uint8_t>(SectionType::kVmDescription) &&
         bytes[6] == '{' && bytes[7] == '"';
}

// Whether the content can begin with these bytes, which may be too few to tell.
// Where no section begins, the bytes of an id mostly spell one by chance.
bool MayBegin(const SectionView& section, uint64_t page_bytes,
              ByteSpan content) {
  constexpr int kTagNumberBits = 16;
  if (content.size() < kTagBytes) return true;
  const uint64_t first = LoadBe64(content.data());
  if (section.vfio)
    return first >> kTagNumberBits == kTagPrefix >> kTagNumberBits;
  if (section.idstr != "ram") return true;
  return std::has_single_bit(first & (page_bytes - 1) &
                             ~uint64_t{kRamContinue});
}

}  // namespace

bool IsFooter(ByteSpan bytes) {
  return bytes.size() >= kFooterBytes &&
         bytes[0] == static_cast<uint8_t>(SectionType::kSectionFooter) &&
         LoadBe32(&bytes[1]) < kMaxSectionId;
}

std::optional<SectionHead> ParseSectionHead(
    ByteSpan bytes,
    const std::function<const std::string*(uint32_t id)>& known) {
  if (bytes.empty()) return std::nullopt;
  SectionHead head;
  head.section.type = static_cast<SectionType>(bytes[0]);
  Cursor cursor(bytes.subspan(1));
  head.section.id = cursor.Be32();
  if (!cursor.ok() || head.section.id >= kMaxSectionId) return std::nullopt;
  switch (head.section.type) {
    case SectionType::kStart:
    case SectionType::kFull: {
      head.section.idstr = cursor.Str8();
      head.section.instance_id = cursor.Be32();
      head.section.version_id = cursor.Be32();
      if (!cursor.ok() || !IsName(head.section.idstr) ||
          head.section.version_id > kMaxVersion) {
        return std::nullopt;
      }
      const std::string* same = known(head.section.id);
      if (same != nullptr && *same != head.section.idstr) return std::nullopt;
      break;
    }
    case SectionType::kPart:
    case SectionType::kEnd: {
      const std::string* name = known(head.section.id);
      if (name == nullptr) return std::nullopt;
      head.section.idstr = *name;
      break;
    }
    case SectionType::kEof:
    case SectionType::kSubsection:
    case SectionType::kVmDescription:
    case SectionType::kConfiguration:
    case SectionType::kCommand:
    case SectionType::kSectionFooter:
      return std::nullopt;
  }
  head.section.vfio = IsVfioIdstr(head.section.idstr);
  head.bytes = bytes.size() - cursor.remaining();
  return head;
}

std::optional<uint64_t> NextSection::Find(uint64_t from) {
  // A footer before the first place is in view as well, and so is the header
  // at the last one.
  constexpr size_t kMargin = kMaxSectionHeaderBytes + kFooterBytes;
  std::vector<uint8_t> window;
  for (size_t wanted = kFirstWindowBytes;;
       wanted = std::min(4 * wanted, kLastWindowBytes)) {
    const uint64_t start = from - std::min<uint64_t>(from, kFooterBytes);
    source_.MoveTo(start);
    const ByteSpan bytes = source_.Peek(wanted);
    // Looking at a place moves the source.
    window.assign(bytes.begin(),
                  bytes.begin() + static_cast<std::ptrdiff_t>(
                                      std::min(bytes.size(), wanted)));
    const bool last = window.size() < wanted;
    const size_t end = last ? window.size() : window.size() - kMargin;
    for (size_t at = from - start; at < end; ++at) {
      // No type is larger, and most bytes of a driver's payload are.
      if (window[at] > static_cast<uint8_t>(SectionType::kCommand)) continue;
      const ByteSpan place = ByteSpan(window).subspan(at);
      const bool behind_footer =
          at >= kFooterBytes &&
          IsFooter(ByteSpan(window).subspan(at - kFooterBytes));
      if (StandsAt(start + at, place, behind_footer)) return start + at;
    }
    if (last) return std::nullopt;
    from = start + end;
  }
}

bool NextSection::StandsAt(uint64_t offset, ByteSpan bytes,
                           bool behind_footer) {
  switch (static_cast<SectionType>(bytes[0])) {
    case SectionType::kEof:
      return StartsDescription(bytes) &&
             (behind_footer || description_ != nullptr);
    case SectionType::kCommand: {
      Cursor cursor(bytes.subspan(1));
      const uint16_t command = cursor.Be16();
      const uint16_t length = cursor.Be16();
      if (!behind_footer || !cursor.ok() ||
          !IsCommandLength(static_cast<Command>(command), length) ||
          !Spend(kPlaceCost)) {
        return false;
      }
      source_.MoveTo(offset + bytes.size() - cursor.remaining() + length);
      const ByteSpan next = source_.Peek(1);
      return !next.empty() && FollowsSection(next[0]);
    }
    case SectionType::kStart:
    case SectionType::kPart:
    case SectionType::kEnd:
    case SectionType::kFull:
      break;
    case SectionType::kSubsection:
    case SectionType::kVmDescription:
    case SectionType::kConfiguration:
    case SectionType::kSectionFooter:
      return false;
  }
  std::optional<SectionHead> head = ParseSectionHead(
      bytes, [this](uint32_t id) { return decoder_.FindSection(id); });
  if (!head ||
      !MayBegin(head->section, decoder_.ram_traits().page_bytes,
                bytes.subspan(head->bytes)) ||
      !Spend(kPlaceCost)) {
    return false;
  }
  head->section.offset = offset;
  source_.MoveTo(offset + head->bytes);
  return IsWhole(*head, behind_footer);
}

bool NextSection::IsWhole(const SectionHead& head, bool behind_footer) {
  const SectionView& section = head.section;
  if (section.vfio) return IsWholeDevice(head, behind_footer);
  if (section.type == SectionType::kFull) {
    return IsWholeFull(head, behind_footer);
  }
  if (section.idstr != "ram") {
    return behind_footer &&
           FindHandlerParser(section.idstr, section.type) != nullptr;
  }
  return IsWholeRam(head);
}

// Behind the content: its footer, or without footers what may follow.
bool NextSection::EndsHere(const SectionHead& head) {
  const ByteSpan bytes = source_.Peek(kFooterBytes + 1);
  if (!decoder_.footers().value_or(true)) {
    return bytes.empty() || FollowsSection(bytes[0]);
  }
  return IsFooter(bytes) && LoadBe32(&bytes[1]) == head.section.id;
}

bool NextSection::IsWholeDevice(const SectionHead& head, bool behind_footer) {
  const SectionView& section = head.section;
  DecoderOptions options;
  options.offset = source_.offset();
  options.limits = options_.limits.device;
  const DescribedDevice* described =
      description_ == nullptr || section.type != SectionType::kFull
          ? nullptr
          : description_->Find(section.idstr, section.instance_id);
  if (described != nullptr) options.config.content_bytes = described->bytes;
  options.config.footer_expected = decoder_.footers().value_or(true);
  options.config.footer_section_id = section.id;
  SectionDecoder decoder(section.type, *options_.dialect, options);
  Puller puller(source_);
  Event event;
  bool any = false;
  for (int records = 0; records < kMostRecords; ++records) {
    if (!Spend(kRecordCost)) return false;
    switch (puller.Next(decoder, event)) {
      case Pulled::kEvent:
        any = true;
        puller.Consume();
        decoder.TakeOver(source_.Skip(decoder.payload_left()));
        break;
      case Pulled::kDone:
        return EndsHere(head);
      case Pulled::kError:
        return false;
      case Pulled::kNothingYet:
      case Pulled::kEnded:
        return any && behind_footer;  // Cut, and sound up to there.
    }
  }
  return true;
}

bool NextSection::IsWholeRam(const SectionHead& head) {
  const RamStats& stats = decoder_.ram_decoder().stats();
  if (!Spend(kRecordCost * stats.blocks.size())) return false;
  RamDecoder ram = decoder_.ram_decoder();
  ram.Abandon();
  ram.Start();
  ContentWalk walk;
  walk.offset = source_.offset();
  int records = 0;
  bool enough = false;
  const Error error = PullContent(
      source_, walk,
      [&](ByteSpan& input, ContentWalk& content, StreamEvent& event) {
        enough = ++records > kMostRecords || !Spend(kRecordCost);
        return enough ? Step::kDone
                      : ram.Next(input, decoder_.ram_traits(), content, event);
      },
      [](const StreamEvent&) { return true; });
  if (error.code == ErrorCode::kTruncated) return records > 1;
  return error.ok() && (enough || EndsHere(head));
}

bool NextSection::IsWholeFull(const SectionHead& head, bool behind_footer) {
  const SectionView& section = head.section;
  const uint64_t content = source_.offset();
  const DescribedDevice* described =
      description_ == nullptr
          ? nullptr
          : description_->Find(section.idstr, section.instance_id);
  if (described != nullptr) {
    if (source_.Skip(described->bytes) == described->bytes && EndsHere(head)) {
      return true;
    }
    source_.MoveTo(content);
  }
  if (FindHandlerParser(section.idstr, section.type) != nullptr) {
    return behind_footer;
  }
  constexpr uint64_t kMost = 1 << 20;
  constexpr uint64_t kByteCost = 4;
  const uint64_t end = source_.size().value_or(content);
  const uint64_t left = end - std::min(end, content);
  if (!behind_footer || !Spend(kByteCost * std::min(kMost, left))) return false;
  GuessContext context;
  context.section_id = section.id;
  context.footers = true;
  context.known_section = [this](uint32_t id) {
    return decoder_.FindSection(id);
  };
  return GuessSectionEnd(source_, kMost, context).has_value();
}

bool NextSection::Spend(uint64_t bytes) {
  const bool enough = budget_ >= bytes;
  budget_ = enough ? budget_ - bytes : 0;
  return enough;
}

}  // namespace migstream
