#include "codec/place/place.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <string_view>
#include <utility>

#include "codec/place/damage_kind.h"
#include "codec/place/near_miss.h"
#include "codec/qemu/stream_visitor.h"
#include "codec/wire/cursor.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "flags/command.h"
#include "flags/ram_flags.h"
#include "flags/section_type.h"
#include "flags/tag.h"

namespace migstream {
namespace {

constexpr size_t kItemsBefore = 2;
constexpr size_t kItemsBehind = 1;
constexpr size_t kShownBytes = 8;

// What was read in one piece, before its bytes are looked at again.
struct Seen {
  enum Kind : uint8_t {
    kHeader,
    kConfiguration,
    kSection,
    kElement,  // Of a VFIO device.
    kRam,
    kState,
    kFooter,
    kCommand,
    kEof,
    kDescription,
    kUnread,
  };
  Kind kind = kHeader;
  uint64_t offset = 0;
  std::string what;
  uint64_t payload = 0;  // Bytes behind the fields.
  bool in_device = false;
};

// Keeps what is around the place.
class Trail : public StreamVisitor {
 public:
  explicit Trail(uint64_t offset) : offset_(offset) {}

  void OnHeader(uint32_t) override { Add({Seen::kHeader, start, "header"}); }
  void OnConfiguration(const ConfigurationView& configuration) override {
    Add({Seen::kConfiguration, configuration.offset, "CONFIGURATION"});
  }
  void OnSection(const SectionView& section) override {
    section_ = StrCat(ToString(section.type), " of ", Printable(section.idstr),
                      ", section ", Hex(section.id));
    in_device = section.vfio;
    names.emplace_back(section.idstr);
    if (names.size() > kMostNames) names.pop_front();
    const bool named = section.type == SectionType::kStart ||
                       section.type == SectionType::kFull;
    content_ = section.offset + 5 + (named ? 9 + section.idstr.size() : 0);
    Add({Seen::kSection, section.offset, section_});
    if (section.type == SectionType::kFull && !section.vfio) {
      Add({Seen::kState, content_,
           StrCat("state of ", Printable(section.idstr))});
    }
  }
  void OnDeviceEvent(const SectionView&, const Event& event) override {
    if (event.kind == EventKind::kData && !event.starts_record) return;
    Seen seen = {Seen::kElement, event.offset, std::string(ToString(event))};
    seen.payload = event.kind == EventKind::kData     ? event.record_bytes
                   : event.kind == EventKind::kConfig ? event.layout.fixed_bytes
                                                      : event.payload.size();
    seen.in_device = true;
    Add(std::move(seen));
  }
  void OnRamRecord(const RamRecordView& record) override {
    Seen seen = {Seen::kRam, record.offset, "RAM record"};
    if (record.block != nullptr) {
      seen.what = StrCat("page of ", Printable(record.block->name), " at ",
                         Hex(record.page_offset));
    }
    seen.payload = record.payload_bytes;
    Add(std::move(seen));
  }
  void OnSectionEnd(const SectionView&, uint64_t content_bytes,
                    bool footer) override {
    if (footer) {
      Add({Seen::kFooter, content_ + content_bytes,
           StrCat("footer of ", section_)});
    }
    section_.clear();
    in_device = false;
  }
  void OnCommand(const CommandView& command) override {
    Add({Seen::kCommand, command.offset,
         StrCat("COMMAND ", ToString(command.command))});
  }
  void OnEof(uint64_t offset) override { Add({Seen::kEof, offset, "EOF"}); }
  void OnDescription(uint64_t offset, ByteSpan json) override {
    Add({Seen::kDescription, offset, "VMDESCRIPTION", json.size()});
  }

  void Add(Seen seen) {
    if (seen.offset > offset_) ++behind_;
    items.push_back(std::move(seen));
    // The first of those kept is the section that the others are in.
    while (items.size() > kItemsBefore + kItemsBehind + 2 && behind_ == 0) {
      if (items[0].kind != Seen::kSection || items[1].kind == Seen::kSection) {
        items.pop_front();
      } else {
        items.erase(items.begin() + 1);
      }
    }
    if (behind_ > kItemsBehind) Stop();
  }

  static constexpr size_t kMostNames = 1000;
  std::deque<Seen> items;
  std::deque<std::string> names;  // Of the sections, the last ones.
  uint64_t start = 0;
  bool in_device = false;
  const std::string& section() const { return section_; }

 private:
  const uint64_t offset_;
  std::string section_;  // That is read.
  uint64_t content_ = 0;
  size_t behind_ = 0;
};

std::string FlagNames(uint64_t flags) {
  struct Named {
    uint64_t flag;
    std::string_view name;
  };
  constexpr Named kNamed[] = {{kRamZero, "ZERO"},
                              {kRamMemSize, "MEM_SIZE"},
                              {kRamPage, "PAGE"},
                              {kRamEos, "EOS"},
                              {kRamContinue, "CONTINUE"},
                              {kRamXbzrle, "XBZRLE"},
                              {kRamHook, "HOOK"},
                              {kRamCompressPage, "COMPRESS_PAGE"},
                              {kRamMultifdFlush, "MULTIFD_FLUSH"}};
  std::string text;
  for (const Named& named : kNamed) {
    if ((flags & named.flag) == 0) continue;
    StrAppend(&text, text.empty() ? "" : "|", named.name);
    flags &= ~named.flag;
  }
  if (flags != 0 || text.empty()) {
    StrAppend(&text, text.empty() ? "" : "|", Hex(flags));
  }
  return text;
}

class Looker {
 public:
  Looker(ByteSource& source, const PlaceOptions& options, uint64_t offset)
      : source_(source), options_(options), offset_(offset), trail_(offset) {}

  Place Look() {
    const uint64_t start = source_.offset();
    trail_.start = start;
    Place place;
    place.offset = offset_;
    StreamReader reader(source_, trail_, options_.reader);
    const Error error = reader.Read();
    page_bytes_ = reader.page_bytes();
    const uint64_t end = source_.size().value_or(source_.offset());
    uint64_t at = std::min(reader.decoder().offset(), end);
    if (!error.ok() && error.code != ErrorCode::kTruncated &&
        error.offset > at && error.offset < end && !trail_.in_device) {
      at = error.offset;
    }
    if (!error.ok() && offset_ >= at) {
      place.error = error;
      Seen unread = {Seen::kUnread, at,
                     trail_.section().empty() ? "not read" : trail_.section()};
      unread.in_device = trail_.in_device;
      trail_.items.push_back(std::move(unread));
      place.damage = Damage(start, at);
      // What is shown of where reading ended need not come to the place.
      if (options_.payload && offset_ >= at + 3 * kShownBytes) {
        trail_.items.push_back({Seen::kUnread, offset_, "behind it"});
      }
    }
    for (const Seen& seen : trail_.items) place.items.push_back(Fields(seen));
    source_.MoveTo(start);
    return place;
  }

 private:
  // A near miss stands beside the tag already.
  std::string Damage(uint64_t start, uint64_t at) {
    const uint64_t from =
        std::max(start, at - std::min(at, kDamageBytesBefore));
    source_.MoveTo(from);
    ByteSpan bytes = source_.Peek(at - from + kDamageBytesAfter);
    bytes = bytes.first(
        std::min<uint64_t>(bytes.size(), at - from + kDamageBytesAfter));
    if (bytes.size() <= at - from) return "";
    std::string kind = DamageKind(bytes, from, at);
    return kind == NearMiss(bytes.subspan(at - from)) ? "" : kind;
  }

  // Takes the next field of the item.
  ByteSpan Field(PlaceItem& item, uint64_t bytes, std::string name,
                 std::string value = "", bool secret = false) {
    source_.MoveTo(at_);
    ByteSpan here = source_.Peek(std::min<uint64_t>(bytes, 256));
    here = here.first(std::min<uint64_t>(here.size(), bytes));
    PlaceField& field = item.fields.emplace_back();
    field = {at_, bytes, "", std::move(name), std::move(value)};
    if (!secret || (options_.payload && IsHere(at_, bytes))) {
      // What is long is shown at the place that was asked for.
      ByteSpan shown = here;
      if (secret && offset_ > at_) {
        field.offset = offset_;
        source_.MoveTo(offset_);
        shown = source_.Peek(kShownBytes);
        shown = shown.first(
            std::min<uint64_t>(shown.size(), at_ + bytes - offset_));
      }
      field.first =
          std::string(AsText(shown.first(std::min(shown.size(), kShownBytes))));
    }
    at_ += bytes;
    return here;
  }

  bool IsHere(uint64_t from, uint64_t bytes) const {
    return offset_ >= from && offset_ - from < bytes;
  }

  uint64_t Number(PlaceItem& item, uint64_t bytes, std::string name) {
    const ByteSpan here = Field(item, bytes, std::move(name));
    if (here.size() < bytes) return 0;
    uint64_t number = 0;
    for (uint8_t byte : here) number = number << 8 | byte;
    item.fields.back().value = StrCat(number);
    return number;
  }

  void NumberInHex(PlaceItem& item, uint64_t bytes, std::string name) {
    const uint64_t number = Number(item, bytes, std::move(name));
    item.fields.back().value = Hex(number);
  }

  void Payload(PlaceItem& item, uint64_t bytes, std::string_view name) {
    if (bytes == 0) return;
    Field(item, bytes, std::string(name), StrCat(bytes, " bytes"), true);
  }

  void Text(PlaceItem& item, uint64_t bytes, std::string name) {
    const std::string value =
        Printable(AsText(Field(item, bytes, std::move(name))));
    item.fields.back().value = value;
  }

  void SectionHead(PlaceItem& item) {
    const uint64_t type = Number(item, 1, "type");
    item.fields.back().value = ToString(static_cast<SectionType>(type));
    NumberInHex(item, 4, "section id");
    if (type != static_cast<uint64_t>(SectionType::kStart) &&
        type != static_cast<uint64_t>(SectionType::kFull)) {
      return;
    }
    Text(item, Number(item, 1, "length"), "idstr");
    Number(item, 4, "instance id");
    Number(item, 4, "version");
  }

  void Element(PlaceItem& item, const Seen& seen) {
    if (seen.what == "SUBSECTION") {
      return Payload(item, seen.payload, "subsection");
    }
    Field(item, kTagBytes, "tag", seen.what);
    if (seen.what == "DATA") Number(item, 8, "size");
    Payload(item, seen.payload, seen.what == "DATA" ? "payload" : "config");
  }

  void RamRecord(PlaceItem& item, const Seen& seen) {
    const uint64_t record = Number(item, 8, "record");
    const uint64_t flags = record & (page_bytes_ - 1);
    item.fields.back().value =
        StrCat(Hex(record - flags), ", ", FlagNames(flags));
    const uint64_t pages = kRamPage | kRamZero | kRamXbzrle | kRamCompressPage;
    if ((flags & pages) == 0) return;
    if ((flags & kRamContinue) == 0) {
      Text(item, Number(item, 1, "length"), "block");
    }
    if ((flags & kRamXbzrle) != 0) Number(item, 3, "XBZRLE head");
    if ((flags & kRamCompressPage) != 0) Number(item, 4, "size");
    Payload(item, seen.payload, seen.payload == 1 ? "fill byte" : "page");
  }

  void Unread(PlaceItem& item, const Seen& seen) {
    source_.MoveTo(at_);
    const ByteSpan bytes = source_.Peek(8);
    if (bytes.empty()) {
      Field(item, 0, "end", "the input ends here");
      return;
    }
    if (seen.in_device && bytes.size() >= 8) return UnreadTag(item);
    if (seen.what == "not read") {
      Number(item, 1, "type");
      PlaceField& field = item.fields.back();
      field.value = "no section type";
      const SectionType type = static_cast<SectionType>(bytes[0]);
      if (type <= SectionType::kCommand) field.value = ToString(type);
    }
    for (int i = 0; i < 3; ++i) {
      source_.MoveTo(at_);
      const uint64_t left = source_.Peek(kShownBytes).size();
      if (left == 0) break;
      Field(item, std::min<uint64_t>(left, kShownBytes), "bytes");
    }
  }

  void UnreadTag(PlaceItem& item) {
    const uint64_t found = Number(item, kTagBytes, "tag");
    const NearTag near = FindNearTag(found);
    item.fields.back().value =
        StrCat("unknown", near.text.empty() ? "" : "; ", near.text);
    if (near.value != static_cast<uint64_t>(Tag::kDevDataState)) {
      Field(item, kShownBytes, "bytes");
      return;
    }
    const uint64_t size = Number(item, 8, "size");
    PlaceField& field = item.fields.back();
    StrAppend(&field.value, " if DATA");
    if (size > (uint64_t{1} << 40)) return;
    const uint64_t next = at_ + size;
    source_.MoveTo(next);
    const ByteSpan bytes = source_.Peek(kTagBytes);
    const bool fits = source_.offset() == next && bytes.size() >= kTagBytes &&
                      (LoadBe64(bytes.data()) & ~uint64_t{0xf}) == kTagPrefix;
    StrAppend(&field.value, fits ? "; then a tag at " : "; no tag at ",
              Hex(next), fits ? ": fits" : ": does not fit");
  }

  PlaceItem Fields(const Seen& seen) {
    PlaceItem item = {seen.offset, seen.what, {}};
    at_ = seen.offset;
    switch (seen.kind) {
      case Seen::kHeader:
        Text(item, 4, "magic");
        Number(item, 4, "version");
        break;
      case Seen::kConfiguration:
        Number(item, 1, "type");
        Text(item, Number(item, 4, "length"), "machine");
        break;
      case Seen::kSection:
        SectionHead(item);
        NearName(item);
        break;
      case Seen::kElement:
        Element(item, seen);
        break;
      case Seen::kRam:
        RamRecord(item, seen);
        break;
      case Seen::kState:
        Field(item, 16, "state", "", true);
        item.fields.back().value = "as the description says";
        break;
      case Seen::kFooter:
        Number(item, 1, "type");
        NumberInHex(item, 4, "section id");
        break;
      case Seen::kCommand: {
        Number(item, 1, "type");
        Number(item, 2, "command");
        Payload(item, Number(item, 2, "length"), "data");
        break;
      }
      case Seen::kEof:
        Number(item, 1, "type");
        break;
      case Seen::kDescription:
        Number(item, 1, "type");
        Number(item, 4, "length");
        Payload(item, seen.payload, "JSON");
        break;
      case Seen::kUnread:
        Unread(item, seen);
        break;
    }
    return item;
  }

  // A name that is no other's, but nearly.
  void NearName(PlaceItem& item) {
    auto idstr = std::find_if(
        item.fields.begin(), item.fields.end(),
        [](const PlaceField& field) { return field.name == "idstr"; });
    if (idstr == item.fields.end()) return;
    std::vector<std::string_view> names = {"ram", "timer", "globalstate"};
    for (const std::string& name : trail_.names) {
      if (name == idstr->value) continue;
      names.push_back(name);
    }
    const std::string as_vfio =
        StrCat(idstr->value.substr(0, idstr->value.rfind('/')), "/vfio");
    if (as_vfio != idstr->value) names.push_back(as_vfio);
    // Devices of one kind have names that differ in their numbers alone.
    if (IsVfioIdstr(idstr->value)) return;
    const std::string near = FindNearName(idstr->value, names);
    if (!near.empty() && near.ends_with("/vfio")) {
      StrAppend(&idstr->value, "; ", near);
    }
  }

  ByteSource& source_;
  const PlaceOptions& options_;
  const uint64_t offset_;
  Trail trail_;
  uint64_t page_bytes_ = 4096;
  uint64_t at_ = 0;
};

}  // namespace

Place LookAt(ByteSource& source, uint64_t offset, const PlaceOptions& options) {
  return Looker(source, options, offset).Look();
}

}  // namespace migstream
