#include "codec/qemu/handler_records.h"

#include "codec/wire/text.h"
#include "flags/other_flags.h"

namespace migstream {
namespace {

HandlerRecord UnknownFlags(RecordCursor& cursor, uint64_t at, uint64_t flags) {
  cursor.Fail(ErrorCode::kBadHandler, at, StrCat("unknown flags ", Hex(flags)));
  return {};
}

HandlerRecord DirtyBitmap(RecordCursor& cursor, SectionType, bool) {
  const uint64_t at = cursor.offset();
  const uint32_t flags = cursor.U8();
  // Flags beyond the first byte are not defined.
  if ((flags & kDirtyBitmapExtraFlags) != 0 ||
      (flags & (kDirtyBitmapStart | kDirtyBitmapComplete | kDirtyBitmapBits |
                kDirtyBitmapEos)) == 0) {
    return UnknownFlags(cursor, at, flags);
  }
  // EOS is the last chunk's: what else it holds comes first.
  HandlerRecord record = {.last = (flags & kDirtyBitmapEos) != 0};
  if ((flags & kDirtyBitmapDeviceName) != 0) cursor.Str8();
  if ((flags & kDirtyBitmapName) != 0) cursor.Str8();
  if ((flags & kDirtyBitmapStart) != 0) {
    cursor.Be32();  // Granularity.
    cursor.U8();    // Enabled, persistent, autoload.
  } else if ((flags & kDirtyBitmapComplete) == 0 &&
             (flags & kDirtyBitmapBits) != 0) {
    cursor.Be64();  // First sector.
    cursor.Be32();  // Sectors.
    if ((flags & kDirtyBitmapZeroes) == 0) {
      record.payload_bytes = cursor.Be64();
      record.payload = "a piece of a dirty bitmap";
    }
  }
  return record;
}

HandlerRecord Block(RecordCursor& cursor, SectionType, bool) {
  const uint64_t at = cursor.offset();
  const uint64_t flags = cursor.Be64() & kBlockFlagMask;
  switch (flags) {
    case kBlockEos:
      return {.last = true};
    case kBlockProgress:
      return {};
    case kBlockDevice:
    case kBlockDevice | kBlockZero:
      cursor.Str8();
      if (flags != kBlockDevice) return {};
      return {.payload_bytes = kBlockChunkBytes,
              .payload = "a chunk of a disk"};
  }
  return UnknownFlags(cursor, at, flags);
}

// "s390-storage_attributes" and "s390-skeys".
HandlerRecord S390(RecordCursor& cursor, SectionType type, bool) {
  const uint64_t at = cursor.offset();
  const uint64_t flags = cursor.Be64() & kS390FlagMask;
  switch (flags) {
    case kS390Eos:
      return {.last = true};
    case kS390More:
      return {.payload_bytes = cursor.Be64(), .payload = "storage attributes"};
    case kS390Done:
      // Storage keys have no such record.
      if (type != SectionType::kFull) return {};
      break;
    case kS390Error:
      cursor.Fail(ErrorCode::kBadHandler, at, "the source reports an error");
      return {};
  }
  return UnknownFlags(cursor, at, flags);
}

HandlerRecord TodClock(RecordCursor& cursor, SectionType, bool) {
  constexpr uint64_t kClockBytes = 9;  // u8 high, be64 low
  const uint64_t at = cursor.offset();
  const uint8_t present = cursor.U8();
  if (present > 1) return UnknownFlags(cursor, at, present);
  return {.last = true,
          .payload_bytes = present * kClockBytes,
          .payload = "a clock"};
}

HandlerRecord Htab(RecordCursor& cursor, SectionType type, bool first) {
  const uint64_t at = cursor.offset();
  if (first) {
    const uint32_t head = cursor.Be32();
    const bool start =
        type == SectionType::kStart || type == SectionType::kFull;
    if (start || head == kHtabNone) return {.last = true};
    if (head != 0) {
      cursor.Fail(ErrorCode::kBadHandler, at,
                  StrCat("head ", Hex(head), ", expected 0"));
    }
    return {};
  }
  const uint32_t index = cursor.Be32();
  const uint32_t valid = cursor.Be16();
  const uint32_t invalid = cursor.Be16();
  return {.last = index == 0 && valid == 0 && invalid == 0,
          .payload_bytes = valid * kHtabEntryBytes,
          .payload = "a piece of the hash table"};
}

struct Handler {
  std::string_view idstr;
  bool full;  // Has a FULL section; else START, PART and END.
  HandlerParser parser;
};

constexpr Handler kHandlers[] = {
    {"dirty-bitmap", false, DirtyBitmap},
    {"block", false, Block},
    {"s390-storage_attributes", false, S390},
    {"spapr/htab", false, Htab},
    {"s390-skeys", true, S390},
    {"todclock", true, TodClock},
};

}  // namespace

HandlerParser FindHandlerParser(std::string_view idstr, SectionType type) {
  // To a loader a FULL is a START, whose handler it is.
  for (const Handler& handler : kHandlers) {
    if (handler.idstr == idstr &&
        (!handler.full || type == SectionType::kFull)) {
      return handler.parser;
    }
  }
  return nullptr;
}

Step HandlerDecoder::Next(ByteSpan& input, ContentWalk& walk,
                          StreamEvent& event) {
  if (done_) return Step::kDone;
  RecordCursor cursor(input, walk.offset);
  HandlerRecord record = parser_(cursor, type_, first_);
  if (!cursor.ok()) return walk.Stop(cursor);
  first_ = false;
  done_ = record.last;
  walk.Await(record.payload_bytes, record.payload);
  return walk.Take(input, cursor.bytes(), StreamEvent::kContent, event);
}

}  // namespace migstream
