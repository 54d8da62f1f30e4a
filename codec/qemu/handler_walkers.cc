#include "codec/qemu/handler_walkers.h"

#include <string_view>

#include "codec/wire/text.h"
#include "flags/other_flags.h"

namespace migstream {
namespace {

void UnknownFlags(ContentReader& content, uint64_t at, uint64_t flags) {
  content.Fail(ErrorCode::kBadHandler, at,
               StrCat("unknown flags ", Hex(flags)));
}

void WalkDirtyBitmap(ContentReader& content, SectionType) {
  while (content.ok()) {
    uint64_t at = content.offset();
    uint32_t flags = content.U8();
    if ((flags & kDirtyBitmapExtraFlags) != 0) {
      flags = flags << 8 | content.U8();
      if ((flags & kDirtyBitmapExtraFlags16) != 0) {
        flags = flags << 16 | content.Be16();
      }
      if (content.ok()) UnknownFlags(content, at, flags);  // None is defined.
    }
    if (!content.ok() || (flags & kDirtyBitmapEos) != 0) return;
    if ((flags & kDirtyBitmapDeviceName) != 0) content.Str8();
    if ((flags & kDirtyBitmapName) != 0) content.Str8();
    if ((flags & kDirtyBitmapStart) != 0) {
      content.Be32();  // Granularity.
      content.U8();    // Enabled, persistent, autoload.
    } else if ((flags & kDirtyBitmapBits) != 0) {
      content.Be64();  // First sector.
      content.Be32();  // Sectors.
      if ((flags & kDirtyBitmapZeroes) == 0) {
        content.Pass(content.Be64(), "a piece of a dirty bitmap");
      }
    } else if ((flags & kDirtyBitmapComplete) == 0) {
      UnknownFlags(content, at, flags);
    }
  }
}

void WalkBlock(ContentReader& content, SectionType) {
  while (content.ok()) {
    uint64_t at = content.offset();
    uint64_t flags = content.Be64() & kBlockFlagMask;
    if (!content.ok() || (flags & kBlockEos) != 0) return;
    if ((flags & kBlockDevice) != 0) {
      content.Str8();
      if ((flags & kBlockZero) == 0) {
        content.Pass(kBlockChunkBytes, "a chunk of a disk");
      }
    } else if ((flags & kBlockProgress) == 0) {
      UnknownFlags(content, at, flags);
    }
  }
}

// "s390-storage_attributes" and "s390-skeys".
void WalkS390(ContentReader& content, SectionType type) {
  while (content.ok()) {
    uint64_t at = content.offset();
    uint64_t flags = content.Be64() & kS390FlagMask;
    if (!content.ok()) return;
    switch (flags) {
      case kS390Eos:
        return;
      case kS390More:
        content.Pass(content.Be64(), "storage attributes");
        break;
      case kS390Done:
        // Storage keys have no such record.
        if (type == SectionType::kFull) UnknownFlags(content, at, flags);
        break;
      case kS390Error:
        content.Fail(ErrorCode::kBadHandler, at, "the source reports an error");
        break;
      default:
        UnknownFlags(content, at, flags);
    }
  }
}

void WalkTodClock(ContentReader& content, SectionType) {
  constexpr uint64_t kClockBytes = 9;  // u8 high, be64 low
  uint64_t at = content.offset();
  uint8_t present = content.U8();
  if (present > 1) {
    UnknownFlags(content, at, present);
  } else if (present == 1) {
    content.Pass(kClockBytes, "a clock");
  }
}

void WalkHtab(ContentReader& content, SectionType type) {
  uint64_t at = content.offset();
  uint32_t head = content.Be32();
  if (type == SectionType::kStart || head == kHtabNone) return;
  if (head != 0) {
    return content.Fail(ErrorCode::kBadHandler, at,
                        StrCat("head ", Hex(head), ", expected 0"));
  }
  while (content.ok()) {
    uint32_t index = content.Be32();
    uint32_t valid = content.Be16();
    uint32_t invalid = content.Be16();
    if (!content.ok() || (index == 0 && valid == 0 && invalid == 0)) return;
    content.Pass(valid * kHtabEntryBytes, "a piece of the hash table");
  }
}

struct Handler {
  std::string_view idstr;
  bool full;  // Has a FULL section; else START, PART and END.
  HandlerWalker walker;
};

constexpr Handler kHandlers[] = {
    {"dirty-bitmap", false, WalkDirtyBitmap},
    {"block", false, WalkBlock},
    {"s390-storage_attributes", false, WalkS390},
    {"spapr/htab", false, WalkHtab},
    {"s390-skeys", true, WalkS390},
    {"todclock", true, WalkTodClock},
};

}  // namespace

HandlerWalker FindHandlerWalker(std::string_view idstr, SectionType type) {
  for (const Handler& handler : kHandlers) {
    if (handler.idstr == idstr &&
        handler.full == (type == SectionType::kFull)) {
      return handler.walker;
    }
  }
  return nullptr;
}

}  // namespace migstream
