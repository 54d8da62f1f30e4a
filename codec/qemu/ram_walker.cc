#include "codec/qemu/ram_walker.h"

#include "codec/wire/text.h"
#include "flags/ram_flags.h"

namespace migstream {
namespace {

constexpr uint8_t kXbzrleEncoding = 1;

}  // namespace

void RamWalker::Walk(ContentReader& content, const RamTraits& traits) {
  const uint64_t flag_mask = traits.page_bytes - 1;
  while (content.ok()) {
    uint64_t at = content.offset();
    uint64_t record = content.Be64();
    if (!content.ok()) return;
    uint64_t flags = record & flag_mask;
    uint64_t address = record & ~flag_mask;
    if (traits.mapped_ram && flags != kRamEos && flags != kRamMemSize) {
      return content.Fail(
          ErrorCode::kBadRam, at,
          StrCat("RAM flags ", Hex(flags), " in a stream with mapped-ram"));
    }
    switch (flags & ~uint64_t{kRamContinue}) {
      case kRamPage:
        FindBlock(content, flags);
        CheckPage(content, traits, address, at);
        Tell(content, traits, at, flags, address, traits.page_bytes);
        content.Pass(traits.page_bytes, "a page");
        ++stats_.pages;
        break;
      case kRamZero:
        FindBlock(content, flags);
        CheckPage(content, traits, address, at);
        Tell(content, traits, at, flags, address, 1);
        content.U8();
        ++stats_.zero_pages;
        break;
      case kRamEos:
        content.visitor().OnRamRecord(
            {.offset = at, .flags = flags, .page_bytes = traits.page_bytes});
        return;
      case kRamMemSize:
        content.visitor().OnRamRecord(
            {.offset = at, .flags = flags, .page_bytes = traits.page_bytes});
        WalkBlockList(content, traits, address, at);
        break;
      case kRamXbzrle: {
        FindBlock(content, flags);
        CheckPage(content, traits, address, at);
        uint64_t head = content.offset();
        uint8_t encoding = content.U8();
        uint16_t length = content.Be16();
        if (content.ok() &&
            (encoding != kXbzrleEncoding || length > traits.page_bytes)) {
          content.Fail(ErrorCode::kBadRam, head,
                       StrCat("XBZRLE page with encoding ", encoding, " and ",
                              length, " bytes"));
        }
        Tell(content, traits, at, flags, address, length);
        content.Pass(length, "an XBZRLE page");
        ++stats_.xbzrle_pages;
        break;
      }
      case kRamCompressPage: {
        FindBlock(content, flags);
        CheckPage(content, traits, address, at);
        uint64_t head = content.offset();
        uint32_t length = content.Be32();
        if (content.ok() &&
            length > MaxCompressedPageBytes(traits.page_bytes)) {
          content.Fail(ErrorCode::kBadRam, head,
                       StrCat("compressed page claims ", length, " bytes"));
        }
        Tell(content, traits, at, flags, address, length);
        content.Pass(length, "a compressed page");
        if (stats_.compressed_pages++ == 0) stats_.first_compressed_page = at;
        break;
      }
      case kRamMultifdFlush:
        if (stats_.multifd_flushes++ == 0) stats_.first_multifd_flush = at;
        content.visitor().OnRamRecord(
            {.offset = at, .flags = flags, .page_bytes = traits.page_bytes});
        break;
      case kRamHook:
        content.Fail(ErrorCode::kBadRam, at,
                     "record of an RDMA migration, whose pages are elsewhere");
        break;
      default:
        content.Fail(ErrorCode::kBadRam, at,
                     StrCat("unknown RAM flags ", Hex(flags)));
    }
  }
}

void RamWalker::FindBlock(ContentReader& content, uint64_t flags) {
  uint64_t at = content.offset();
  if ((flags & kRamContinue) != 0) {
    if (last_block_ == kNoBlock) {
      content.Fail(ErrorCode::kBadRam, at,
                   "CONTINUE before any RAM block was named");
    }
    return;
  }
  std::string name = content.Str8();
  if (!content.ok()) return;
  auto found = block_index_.find(name);
  if (found == block_index_.end()) {
    content.Fail(ErrorCode::kBadRam, at,
                 StrCat("RAM block '", name, "' is not in the list"));
    return;
  }
  last_block_ = found->second;
}

void RamWalker::CheckPage(ContentReader& content, const RamTraits& traits,
                          uint64_t offset_in_block, uint64_t record_offset) {
  if (!content.ok()) return;
  const RamBlock& block = stats_.blocks[last_block_];
  if (offset_in_block > block.used_bytes ||
      block.used_bytes - offset_in_block < traits.page_bytes) {
    content.Fail(
        ErrorCode::kBadRam, record_offset,
        StrCat("page at ", Hex(offset_in_block), " is outside RAM block '",
               block.name, "' of ", block.used_bytes, " bytes"));
  }
}

void RamWalker::WalkBlockList(ContentReader& content, const RamTraits& traits,
                              uint64_t total, uint64_t offset) {
  stats_.total_bytes = total;
  stats_.blocks.clear();
  block_index_.clear();
  last_block_ = kNoBlock;
  while (total > 0 && content.ok()) {
    if (stats_.blocks.size() == limits_.ram_blocks) {
      return content.Fail(
          ErrorCode::kBlockLimit, content.offset(),
          StrCat("more than ", limits_.ram_blocks, " RAM blocks"));
    }
    RamBlock block;
    uint64_t at = content.offset();
    block.name = content.Str8();
    block.used_bytes = content.Be64();
    if (!content.ok()) return;
    if (block.name.empty() || block.used_bytes > total) {
      return content.Fail(ErrorCode::kBadRam, at,
                          StrCat("RAM block '", block.name, "' of ",
                                 block.used_bytes, " bytes, with ", total,
                                 " left of the total at ", Hex(offset)));
    }
    total -= block.used_bytes;
    uint64_t size;
    if (traits.advised_page_sizes != 0 && content.PeekBe64(&size) &&
        IsBlockPageSize(size, traits.page_bytes, traits.advised_page_sizes)) {
      block.page_bytes = content.Be64();
    }
    if (traits.ignore_shared) {
      block.has_address = true;
      block.address = content.Be64();
    }
    if (traits.mapped_ram) WalkMappedRam(content, traits.page_bytes, block);
    if (!content.ok()) return;
    if (!block_index_.emplace(block.name, stats_.blocks.size()).second) {
      return content.Fail(
          ErrorCode::kBadRam, at,
          StrCat("RAM block '", block.name, "' is listed twice"));
    }
    stats_.blocks.push_back(std::move(block));
  }
  if (content.ok()) content.visitor().OnRamBlocks(stats_.blocks);
}

void RamWalker::Tell(ContentReader& content, const RamTraits& traits,
                     uint64_t record_offset, uint64_t flags,
                     uint64_t page_offset, uint64_t payload_bytes) const {
  if (!content.ok()) return;
  content.visitor().OnRamRecord({record_offset, flags,
                                 &stats_.blocks[last_block_], page_offset,
                                 payload_bytes, traits.page_bytes});
}

void RamWalker::WalkMappedRam(ContentReader& content, uint64_t page_bytes,
                              RamBlock& block) {
  uint64_t at = content.offset();
  uint32_t version = content.Be32();
  block.page_bytes = content.Be64();
  block.bitmap_offset = content.Be64();
  block.pages_offset = content.Be64();
  if (!content.ok()) return;
  if (version != kMappedRamVersion) {
    return content.Fail(ErrorCode::kBadRam, at,
                        StrCat("mapped-ram header of version ", version));
  }
  if (block.page_bytes < uint64_t{1} << kMinPageBits ||
      block.page_bytes > uint64_t{1} << kMaxPageBits ||
      (block.page_bytes & (block.page_bytes - 1)) != 0) {
    return content.Fail(ErrorCode::kBadRam, at,
                        StrCat("mapped-ram page size ", block.page_bytes));
  }
  auto note = [&](Severity severity, const char* id, std::string message) {
    content.visitor().OnFinding(
        {severity, id, at, content.section(), std::move(message)});
  };
  if (block.page_bytes != page_bytes) {
    note(Severity::kWarning, "page-size",
         StrCat("mapped-ram page size ", block.page_bytes, " of RAM block '",
                block.name, "', but target pages of ", page_bytes));
  }
  if (block.pages_offset == 0 && block.bitmap_offset == 0) {
    return;  // Ignored, and not in the file.
  }
  uint64_t here = content.offset();
  uint64_t end = block.pages_offset + block.used_bytes;
  if (block.bitmap_offset < here || block.bitmap_offset >= block.pages_offset ||
      block.pages_offset < here || end < block.pages_offset) {
    return content.Fail(
        ErrorCode::kBadRam, at,
        StrCat("pages of RAM block '", block.name, "' at ",
               Hex(block.pages_offset), ", before the block's header"));
  }
  if (block.pages_offset % kMappedRamAlignment != 0) {
    note(Severity::kError, "mapped-ram-alignment",
         StrCat("pages of RAM block '", block.name, "' at ",
                Hex(block.pages_offset), ", no multiple of 1 MiB"));
  }
  content.visitor().OnMappedRam(block, here);
  content.Pass(end - here, "the bitmap and pages of a RAM block");
}

}  // namespace migstream
