#include "codec/rewrite/ram_merger.h"

#include <algorithm>
#include <span>

#include "codec/wire/text.h"
#include "codec/wire/writer.h"
#include "flags/ram_flags.h"

namespace migstream {

void RamMerger::OnSection(const SectionView& section) {
  bool ram = section.idstr == "ram" && section.type != SectionType::kFull;
  content_ = ram ? Content::kHead : Content::kOther;
  if (ram) in_start_ = section.type == SectionType::kStart;
  head_.clear();
  next().OnSection(section);
}

void RamMerger::OnContent(ByteSpan bytes) {
  if (content_ == Content::kHead) {
    StrAppend(&head_, AsText(bytes));
    return;
  }
  next().OnContent(bytes);
  if (content_ != Content::kPayload) return;
  payload_left_ -= std::min<uint64_t>(payload_left_, bytes.size());
  if (payload_left_ == 0) content_ = Content::kHead;
}

void RamMerger::OnRamRecord(const RamRecordView& record) {
  uint64_t kind = record.flags & ~uint64_t{kRamContinue};
  if (kind == kRamMultifdFlush) {
    flushes_ |= in_start_;
    if (flushes_) PutPages(record.offset);
    return head_.clear();  // Without channels it means nothing.
  }
  if (kind == kRamEos && !flushes_) PutPages(record.offset);
  PutHead(record);
  head_.clear();
  payload_left_ = record.payload_bytes;
  if (kind == kRamMemSize) {
    content_ = Content::kList;
  } else if (payload_left_ > 0) {
    content_ = Content::kPayload;
  }
}

void RamMerger::OnRamBlocks(std::span<const RamBlock> blocks) {
  block_bytes_.clear();
  for (const RamBlock& block : blocks) {
    block_bytes_[block.name] = block.used_bytes;
  }
  named_.clear();
  content_ = Content::kHead;
  next().OnRamBlocks(blocks);
}

void RamMerger::OnSectionEnd(const SectionView& section, uint64_t content_bytes,
                             bool footer) {
  content_ = Content::kOther;
  next().OnSectionEnd(section, content_bytes, footer);
}

// Pages from the channels may have named another block since.
void RamMerger::PutHead(const RamRecordView& record) {
  if (record.block == nullptr) return next().OnContent(AsBytes(head_));
  const std::string& name = record.block->name;
  bool names = (record.flags & kRamContinue) == 0;
  if (names || named_ == name) {
    named_ = name;
    return next().OnContent(AsBytes(head_));
  }
  uint8_t bytes[8 + 1 + 255];
  Writer head(bytes);
  head.Be64(LoadBe64(AsBytes(head_).data()) & ~uint64_t{kRamContinue});
  head.Str8(name);
  next().OnContent(head.written());
  next().OnContent(AsBytes(head_).subspan(8));
  named_ = name;
}

void RamMerger::PutPages(uint64_t offset) {
  Error error = pages_.ReadToSync(
      [this](const ChannelPage& page, const PacketPlace& place) {
        PutPage(page, place);
      });
  if (error.code == ErrorCode::kOutOfStep) {
    StrAppend(&error.reason, ", which is at ", Hex(offset));
  }
  Fail(std::move(error));
}

void RamMerger::PutPage(const ChannelPage& page, const PacketPlace& place) {
  if (page.kind != ChannelPageKind::kPage &&
      page.kind != ChannelPageKind::kZero) {
    return Fail(OfChannel(
        place.file,
        {ErrorCode::kNotWritable, place.offset, kMultifdSection,
         "pages are compressed by a method that is not decoded here"}));
  }
  auto block = block_bytes_.find(page.block);
  if (block == block_bytes_.end() || page.offset >= block->second ||
      block->second - page.offset < page_bytes_) {
    return Fail(OfChannel(
        place.file, {ErrorCode::kBadRam, place.offset, kMultifdSection,
                     StrCat("page at ", Hex(page.offset),
                            " is outside RAM block '", page.block, "'")}));
  }
  bool zero = page.kind == ChannelPageKind::kZero;
  bool same = named_ == page.block;
  uint8_t bytes[8 + 1 + 255 + 1];
  Writer head(bytes);
  uint64_t flags = zero ? kRamZero : kRamPage;
  if (same) flags |= kRamContinue;
  head.Be64(page.offset | flags);
  if (!same) head.Str8(page.block);
  if (zero) head.U8(0);
  next().OnContent(head.written());
  if (!zero) next().OnContent(page.bytes);
  if (!same) named_ = std::string(page.block);
}

}  // namespace migstream
