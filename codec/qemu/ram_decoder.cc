#include "codec/qemu/ram_decoder.h"

#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "flags/ram_flags.h"

namespace migstream {
namespace {

constexpr size_t kRecordBytes = 8;
constexpr uint8_t kXbzrleEncoding = 1;
// The limit of a block whose length is not known.
constexpr uint64_t kMaxOpenBlockBytes = uint64_t{1} << 46;

}  // namespace

Step RamDecoder::Next(ByteSpan& input, const RamTraits& traits,
                      ContentWalk& walk, StreamEvent& event) {
  if (in_list_) [[unlikely]] {
    return Block(input, traits, walk, event);
  }
  return done_ ? Step::kDone : Record(input, traits, walk, event);
}

Step RamDecoder::Record(ByteSpan& input, const RamTraits& traits,
                        ContentWalk& walk, StreamEvent& event) {
  if (input.size() < kRecordBytes) return walk.Need(kRecordBytes);
  const uint64_t record = LoadBe64(input.data());
  const uint64_t flags = record & (traits.page_bytes - 1);
  if (traits.mapped_ram && flags != kRamEos && flags != kRamMemSize) {
    return walk.Fail(
        ErrorCode::kBadRam, walk.offset,
        StrCat("RAM flags ", Hex(flags), " in a stream with mapped-ram"));
  }
  event.ram.offset = walk.offset;
  event.ram.flags = flags;
  event.ram.page_bytes = traits.page_bytes;
  event.ram.payload_bytes = 0;
  switch (flags & ~uint64_t{kRamContinue}) {
    case kRamPage:
    case kRamZero:
    case kRamXbzrle:
    case kRamCompressPage:
      event.ram.page_offset = record - flags;
      return Page(input, traits, walk, event);
    case kRamEos:
      done_ = true;
      break;
    case kRamMemSize:
      stats_.total_bytes = list_left_ = record - flags;
      stats_.blocks.clear();
      index_.clear();
      last_block_ = kNoBlock;
      list_at_ = walk.offset;
      in_list_ = true;
      open_list_ = false;
      break;
    case kRamMultifdFlush:
      if (stats_.multifd_flushes++ == 0) {
        stats_.first_multifd_flush = walk.offset;
      }
      break;
    case kRamHook:
      return walk.Fail(
          ErrorCode::kBadRam, walk.offset,
          "record of an RDMA migration, whose pages are elsewhere");
    default:
      return walk.Fail(ErrorCode::kBadRam, walk.offset,
                       StrCat("unknown RAM flags ", Hex(flags)));
  }
  event.ram.block = nullptr;
  event.ram.page_offset = 0;
  return walk.Take(input, kRecordBytes, StreamEvent::kRamRecord, event);
}

// The hot path of a migration's main channel: most records are a page of the
// block before.
Step RamDecoder::Page(ByteSpan& input, const RamTraits& traits,
                      ContentWalk& walk, StreamEvent& event) {
  const uint64_t flags = event.ram.flags;
  const uint64_t page_offset = event.ram.page_offset;
  size_t at = kRecordBytes;
  if ((flags & kRamContinue) == 0) {
    RecordCursor cursor(input.subspan(at), walk.offset + at);
    std::string_view name = cursor.Str8();
    if (!cursor.ok()) {
      return walk.Need(at + cursor.bytes_needed(), cursor.in_name());
    }
    if (!FindBlock(name, walk.offset + at, walk)) return Step::kError;
    at += cursor.bytes();
  } else if (last_block_ == kNoBlock) {
    return walk.Fail(ErrorCode::kBadRam, walk.offset + at,
                     "CONTINUE before any RAM block was named");
  }
  RamBlock& block = stats_.blocks[last_block_];
  if (page_offset > block.used_bytes ||
      block.used_bytes - page_offset < traits.page_bytes) {
    if (open_list_ && page_offset <= kMaxOpenBlockBytes) {
      block.used_bytes = page_offset + traits.page_bytes;
    } else
      return walk.Fail(
          ErrorCode::kBadRam, walk.offset,
          StrCat("page at ", Hex(page_offset), " is outside RAM block '",
                 block.name, "' of ", block.used_bytes, " bytes"));
  }
  event.ram.block = &block;
  uint64_t payload = traits.page_bytes;
  std::string_view what = "a page";
  switch (flags & ~uint64_t{kRamContinue}) {
    case kRamPage:
      ++stats_.pages;
      break;
    case kRamZero:
      ++stats_.zero_pages;
      payload = 1;
      what = "";
      break;
    case kRamXbzrle: {
      if (input.size() < at + 3) return walk.Need(at + 3);
      const uint8_t encoding = input[at];
      payload = LoadBe16(&input[at + 1]);
      if (encoding != kXbzrleEncoding || payload > traits.page_bytes) {
        return walk.Fail(ErrorCode::kBadRam, walk.offset + at,
                         StrCat("XBZRLE page with encoding ", encoding, " and ",
                                payload, " bytes"));
      }
      what = "an XBZRLE page";
      at += 3;
      ++stats_.xbzrle_pages;
      break;
    }
    case kRamCompressPage:
      if (input.size() < at + 4) return walk.Need(at + 4);
      payload = LoadBe32(&input[at]);
      if (payload > MaxCompressedPageBytes(traits.page_bytes)) {
        return walk.Fail(ErrorCode::kBadRam, walk.offset + at,
                         StrCat("compressed page claims ", payload, " bytes"));
      }
      what = "a compressed page";
      at += 4;
      if (stats_.compressed_pages++ == 0) {
        stats_.first_compressed_page = walk.offset;
      }
      break;
  }
  event.ram.payload_bytes = payload;
  walk.Await(payload, what);
  return walk.Take(input, at, StreamEvent::kRamRecord, event);
}

std::optional<uint64_t> RamDecoder::UsedBytes(std::string_view name) const {
  auto found = index_.find(name);
  if (found == index_.end()) return std::nullopt;
  return stats_.blocks[found->second].used_bytes;
}

bool RamDecoder::FindBlock(std::string_view name, uint64_t at,
                           ContentWalk& walk) {
  auto found = index_.find(name);
  if (found == index_.end() && open_list_ && !name.empty() &&
      stats_.blocks.size() < limits_.ram_blocks) {
    found = index_.emplace(name, stats_.blocks.size()).first;
    stats_.blocks.emplace_back().name = std::string(name);
  }
  if (found == index_.end()) {
    walk.Fail(ErrorCode::kBadRam, at,
              StrCat("RAM block '", UnknownName(name), "' is not in the list"));
    return false;
  }
  last_block_ = found->second;
  return true;
}

[[gnu::cold]] Step RamDecoder::Block(ByteSpan& input, const RamTraits& traits,
                                     ContentWalk& walk, StreamEvent& event) {
  if (has_block_) {
    index_.emplace(block_.name, stats_.blocks.size());
    stats_.blocks.push_back(std::move(block_));
    has_block_ = false;
  }
  if (list_left_ == 0) {
    in_list_ = false;
    return walk.Take(input, 0, StreamEvent::kRamBlocks, event);
  }
  if (stats_.blocks.size() == limits_.ram_blocks) {
    return walk.Fail(ErrorCode::kBlockLimit, walk.offset,
                     StrCat("more than ", limits_.ram_blocks, " RAM blocks"));
  }
  const uint64_t at = walk.offset;
  RecordCursor cursor(input, at);
  block_ = {};
  block_.name = std::string(cursor.Str8());
  block_.used_bytes = cursor.Be64();
  if (!cursor.ok()) return walk.Stop(cursor);
  if (block_.name.empty() || block_.used_bytes > list_left_) {
    return walk.Fail(ErrorCode::kBadRam, at,
                     StrCat("RAM block '", UnknownName(block_.name), "' of ",
                            block_.used_bytes, " bytes, with ", list_left_,
                            " left of the total at ", Hex(list_at_)));
  }
  if (index_.contains(block_.name)) {
    return walk.Fail(ErrorCode::kBadRam, at,
                     StrCat("RAM block '", block_.name, "' is listed twice"));
  }
  // A page size is written for some blocks only, and nothing says whether one
  // is there; at the very least the EOS record follows.
  if (traits.advised_page_sizes != 0 &&
      (input.size() >= cursor.bytes() + 8 || !walk.end_of_input)) {
    if (IsBlockPageSize(cursor.PeekBe64(), traits.page_bytes,
                        traits.advised_page_sizes)) {
      block_.page_bytes = cursor.Be64();
    }
  }
  if (traits.ignore_shared) {
    block_.has_address = true;
    block_.address = cursor.Be64();
  }
  if (traits.mapped_ram) MappedRam(cursor, traits, walk);
  if (!cursor.ok()) return walk.Stop(cursor);
  list_left_ -= block_.used_bytes;
  has_block_ = true;
  event.block = &block_;
  return walk.Take(input, cursor.bytes(), StreamEvent::kRamBlock, event);
}

[[gnu::cold]] void RamDecoder::MappedRam(RecordCursor& cursor,
                                         const RamTraits& traits,
                                         ContentWalk& walk) {
  const uint64_t at = cursor.offset();
  const uint32_t version = cursor.Be32();
  block_.page_bytes = cursor.Be64();
  block_.bitmap_offset = cursor.Be64();
  block_.pages_offset = cursor.Be64();
  if (!cursor.ok()) return;
  if (version != kMappedRamVersion) {
    return cursor.Fail(ErrorCode::kBadRam, at,
                       StrCat("mapped-ram header of version ", version));
  }
  if (!IsPageSize(block_.page_bytes)) {
    return cursor.Fail(ErrorCode::kBadRam, at,
                       StrCat("mapped-ram page size ", block_.page_bytes));
  }
  if (traits.page_bytes_known && block_.page_bytes != traits.page_bytes) {
    walk.Note(
        Severity::kWarning, "page-size", at,
        StrCat("mapped-ram page size ", block_.page_bytes, " of RAM block '",
               block_.name, "', but target pages of ", traits.page_bytes));
  }
  if (mapped_page_bytes_ == 0) mapped_page_bytes_ = block_.page_bytes;
  if (block_.pages_offset == 0 && block_.bitmap_offset == 0) {
    return;  // Ignored, and not in the file.
  }
  const uint64_t here = cursor.offset();
  const uint64_t end = block_.pages_offset + block_.used_bytes;
  if (block_.bitmap_offset < here ||
      block_.bitmap_offset >= block_.pages_offset ||
      block_.pages_offset < here || end < block_.pages_offset) {
    return cursor.Fail(
        ErrorCode::kBadRam, at,
        StrCat("pages of RAM block '", block_.name, "' at ",
               Hex(block_.pages_offset), ", before the block's header"));
  }
  if (block_.pages_offset - block_.bitmap_offset < block_.bitmap_bytes()) {
    return cursor.Fail(
        ErrorCode::kBadRam, at,
        StrCat("bitmap of RAM block '", block_.name, "', of ",
               block_.bitmap_bytes(), " bytes at ", Hex(block_.bitmap_offset),
               ", reaches into its pages at ", Hex(block_.pages_offset)));
  }
  if (block_.pages_offset % kMappedRamAlignment != 0) {
    walk.Note(Severity::kError, "mapped-ram-alignment", at,
              StrCat("pages of RAM block '", block_.name, "' at ",
                     Hex(block_.pages_offset), ", no multiple of 1 MiB"));
  }
  walk.Await(end - here, "the bitmap and pages of a RAM block");
}

}  // namespace migstream
