#include "codec/extract/ram_extractor.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

#include "codec/io/zero_bytes.h"
#include "codec/qemu/preempt_reader.h"
#include "codec/qemu/xbzrle.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "flags/ram_flags.h"

namespace migstream {
namespace {

constexpr uint64_t kRecordBytes = 8;
constexpr uint64_t kNameLengthBytes = 1;

bool IsZero(ByteSpan bytes) {
  return bytes.empty() ||
         (bytes[0] == 0 &&
          std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

// One zlib stream that is the page, exactly.
bool Inflate(ByteSpan compressed, std::vector<uint8_t>& page) {
  uLongf bytes = page.size();
  uLong used = compressed.size();
  return uncompress2(page.data(), &bytes, compressed.data(), &used) == Z_OK &&
         bytes == page.size() && used == compressed.size();
}

}  // namespace

RamExtractor::RamExtractor(RamImage& image, std::string block,
                           std::vector<ChannelReader::Channel> channels,
                           const StreamLimits& limits, int threads)
    : image_of_([&image, block, taken = false](const RamBlock& found) mutable {
        return IsNamed(found.name, block) && !std::exchange(taken, true)
                   ? &image
                   : nullptr;
      }),
      only_(std::move(block)),
      given_channels_(std::move(channels)),
      limits_(limits),
      channels_(threads) {}

void RamExtractor::Fail(ErrorCode code, uint64_t offset, std::string reason) {
  if (error_.ok()) error_ = {code, offset, "ram", std::move(reason)};
}

void RamExtractor::OnSection(const SectionView& section) {
  in_ram_ = section.idstr == "ram" && section.type != SectionType::kFull;
  page_of_ = mapped_memory_ = nullptr;
}

// Null if it is not wanted. A block is asked for once.
RamExtractor::Memory* RamExtractor::Found(const RamBlock& block) {
  auto [place, added] = blocks_.try_emplace(block.name);
  if (added) {
    if (RamImage* image = image_of_(block); image != nullptr) {
      place->second = std::make_unique<Memory>();
      place->second->image = image;
      place->second->used_bytes = block.used_bytes;
      place->second->page_bytes = page_bytes_;
      image->Resize(block.used_bytes);
    }
  }
  return place->second.get();
}

const RamExtractor::Memory* RamExtractor::Find(std::string_view block) const {
  auto found = blocks_.find(block);
  return found == blocks_.end() ? nullptr : found->second.get();
}

RamExtractor::Memory* RamExtractor::FindWanted(std::string_view block) {
  return const_cast<Memory*>(Find(block));
}

void RamExtractor::OnRamBlocks(std::span<const RamBlock> blocks) {
  mapped_memory_ = nullptr;
  names_.clear();
  for (const RamBlock& block : blocks) {
    names_.push_back(Printable(block.name));
    Found(block);
  }
}

void RamExtractor::OnRamRecord(const RamRecordView& record) {
  page_of_ = nullptr;
  if (!error_.ok()) return;
  page_bytes_ = record.page_bytes;
  if ((record.flags & kRamMultifdFlush) != 0) {
    flush_seen_ = true;
    if (by_flush_ || !started_) Sync();
    return;
  }
  if (record.block == nullptr) return;
  page_of_ = FindWanted(record.block->name);
  if (page_of_ == nullptr) return;
  if (!IsWithin(*page_of_, *record.block, record.page_offset, record.offset)) {
    page_of_ = nullptr;
    return;
  }
  flags_ = record.flags & ~uint64_t{kRamContinue};
  record_offset_ = record.offset;
  page_offset_ = record.page_offset;
  payload_bytes_ = record.payload_bytes;
  payload_at_ = record.offset + kRecordBytes;
  if ((record.flags & kRamContinue) == 0) {
    payload_at_ += kNameLengthBytes + record.block->name.size();
  }
  payload_.clear();
  if (payload_bytes_ == 0) Apply();
}

bool RamExtractor::IsWithin(const Memory& memory, const RamBlock& block,
                            uint64_t page_offset, uint64_t offset) {
  if (memory.used_bytes >= page_bytes_ &&
      page_offset <= memory.used_bytes - page_bytes_) {
    return true;
  }
  Fail(ErrorCode::kBadRam, offset,
       StrCat("a page at ", Hex(page_offset), " is outside RAM block '",
              Printable(block.name), "', as it was first listed"));
  return false;
}

void RamExtractor::OnRamPages(const RamPages& row) {
  page_of_ = nullptr;
  if (!error_.ok()) return;
  page_bytes_ = row.page_bytes;
  Memory* memory = FindWanted(row.block->name);
  if (memory == nullptr) return;
  uint64_t record = row.offset;
  // Pages that follow each other, to be written together.
  pages_.clear();
  for (RamPage page : row.pages) {
    if (!pages_.empty() &&
        page.page_offset != pages_.back().page_offset + page_bytes_) {
      memory->image->WritePages(row, pages_);
      pages_.clear();
    }
    record_offset_ = record;
    record += kRecordBytes + (page.bytes == nullptr ? 1 : page_bytes_);
    if (!IsWithin(*memory, *row.block, page.page_offset, record_offset_)) break;
    MarkSeen(*memory, page.page_offset);
    if (page.bytes != nullptr && IsZero(row.BytesOf(page))) {
      page.bytes = nullptr;
    }
    pages_.push_back(page);
  }
  if (!pages_.empty()) memory->image->WritePages(row, pages_);
}

void RamExtractor::OnContent(ByteSpan bytes) {
  if (mapped_memory_ != nullptr) return TakeMapped(bytes);
  if (page_of_ == nullptr) return;
  if (payload_.empty() && bytes.size() == payload_bytes_ &&
      flags_ == kRamPage) {
    Memory& memory = *std::exchange(page_of_, nullptr);
    MarkSeen(memory, page_offset_);
    return Put(memory, page_offset_, bytes, payload_at_);
  }
  payload_.insert(payload_.end(), bytes.begin(), bytes.end());
  if (payload_.size() >= payload_bytes_) Apply();
}

// A whole payload has come.
void RamExtractor::Apply() {
  Memory& memory = *std::exchange(page_of_, nullptr);
  MarkSeen(memory, page_offset_);
  std::vector<uint8_t> page(page_bytes_);
  switch (flags_) {
    case kRamPage:
      return Put(memory, page_offset_, payload_, payload_at_);
    case kRamZero:
      std::fill(page.begin(), page.end(), payload_[0]);
      return Put(memory, page_offset_, page);
    case kRamXbzrle:
      memory.image->Read(page_offset_, page);
      if (!ApplyXbzrle(payload_, page)) {
        return Fail(ErrorCode::kBadRam, record_offset_,
                    "an XBZRLE page that reaches past its end");
      }
      return Put(memory, page_offset_, page);
    case kRamCompressPage:
      if (!Inflate(payload_, page)) {
        return Fail(ErrorCode::kBadRam, record_offset_,
                    "a compressed page that does not inflate to a page");
      }
      return Put(memory, page_offset_, page);
    default:
      return;
  }
}

// `at`: where the bytes stand in the main channel, if they do.
void RamExtractor::Put(Memory& memory, uint64_t offset, ByteSpan bytes,
                       std::optional<uint64_t> at) {
  if (!error_.ok()) return;
  if (IsZero(bytes)) {
    memory.image->Zero(offset, bytes.size());
  } else if (at) {
    memory.image->WriteFromStream(offset, bytes, *at);
  } else {
    memory.image->Write(offset, bytes);
  }
}

// Whether one more bitmap of so many bytes is within the limit, which is one
// for all blocks together.
bool RamExtractor::TakeBitmap(uint64_t bytes, uint64_t offset,
                              std::string_view what) {
  if (bytes <= limits_.bitmap_bytes - all_bitmap_bytes_) {
    all_bitmap_bytes_ += bytes;
    return true;
  }
  Fail(ErrorCode::kBlockLimit, offset,
       StrCat(what, ": the limit is ", limits_.bitmap_bytes,
              " bytes of bitmaps"));
  return false;
}

void RamExtractor::MarkSeen(Memory& memory, uint64_t offset) {
  ++memory.pages;
  memory.page_bytes = page_bytes_;
  uint64_t page = offset / page_bytes_;
  std::vector<uint8_t>& seen = memory.seen;
  if (page / 8 >= seen.size()) {
    // Twice as large, as long as the block and the limit let it.
    uint64_t least = page / 8 + 1;
    uint64_t block = memory.used_bytes / page_bytes_ / 8 + 1;
    uint64_t bytes = std::max<uint64_t>(
        least, std::min<uint64_t>(
                   {block, 2 * uint64_t{seen.size()},
                    seen.size() + limits_.bitmap_bytes - all_bitmap_bytes_}));
    if (!TakeBitmap(bytes - seen.size(), record_offset_,
                    StrCat("a page at ", Hex(offset)))) {
      return;
    }
    seen.resize(bytes);
  }
  uint8_t bit = 1 << page % 8;
  if ((seen[page / 8] & bit) == 0) ++memory.seen_pages;
  seen[page / 8] |= bit;
}

uint64_t RamExtractor::Memory::missing_pages() const {
  uint64_t all = used_bytes / page_bytes;
  return all > seen_pages ? all - seen_pages : 0;
}

uint64_t RamExtractor::missing_pages() const {
  uint64_t missing = 0;
  for (const auto& [name, memory] : blocks_) {
    if (memory) missing += memory->missing_pages();
  }
  return missing;
}

void RamExtractor::OnMappedRam(const RamBlock& block, uint64_t offset) {
  mapped_memory_ = nullptr;
  if (!error_.ok()) return;
  Memory* memory = Found(block);
  if (memory == nullptr) return;
  page_bytes_ = memory->page_bytes = block.page_bytes;
  const uint64_t pages = block.used_bytes / block.page_bytes;
  bitmap_bytes_ = block.bitmap_bytes();
  // One is held at a time.
  if (bitmap_bytes_ > limits_.bitmap_bytes) {
    return Fail(
        ErrorCode::kBlockLimit, offset,
        StrCat("the bitmap of RAM block '", Printable(block.name), "' has ",
               bitmap_bytes_, " bytes, the limit is ", limits_.bitmap_bytes));
  }
  mapped_ = block;
  mapped_at_ = offset;
  bitmap_.clear();
  mapped_memory_ = memory;
  // What the bitmap leaves out is zero.
  memory->pages = memory->seen_pages = pages;
}

// How many of the `most` bytes from offset `at` on are in pages that the bitmap
// has; or, if the first one is not, in pages that it leaves out.
uint64_t RamExtractor::MappedRun(uint64_t at, uint64_t most) const {
  const uint64_t first = at / page_bytes_;
  const uint64_t end = (at + most - 1) / page_bytes_ + 1;
  const bool there = InBitmap(first);
  const uint8_t all = there ? 0xff : 0;
  uint64_t page = first + 1;
  while (page < end) {
    if (page % 8 == 0 && page / 8 < bitmap_.size() &&
        bitmap_[page / 8] == all) {
      page += 8;
    } else if (InBitmap(page) == there) {
      ++page;
    } else {
      break;
    }
  }
  return std::min(most, page * page_bytes_ - at);
}

bool RamExtractor::InBitmap(uint64_t page) const {
  return page / 8 < bitmap_.size() && (bitmap_[page / 8] >> page % 8 & 1) != 0;
}

// The bytes from offset `at` of the block on; how many of them were taken.
uint64_t RamExtractor::TakeMappedPages(uint64_t at, ByteSpan bytes) {
  const bool there = InBitmap(at / page_bytes_);
  if (!there || AreZeroBytes(bytes)) {
    const uint64_t run = MappedRun(at, bytes.size());
    if (there && error_.ok()) mapped_memory_->image->Zero(at, run);
    return run;
  }
  const ByteSpan page = bytes.first(
      std::min<uint64_t>(page_bytes_ - at % page_bytes_, bytes.size()));
  Put(*mapped_memory_, at, page, mapped_at_);
  return page.size();
}

void RamExtractor::TakeMapped(ByteSpan bytes) {
  const uint64_t end = mapped_.pages_offset + mapped_.used_bytes;
  while (!bytes.empty() && mapped_at_ < end) {
    uint64_t taken;
    if (mapped_at_ < mapped_.bitmap_offset) {
      taken = mapped_.bitmap_offset - mapped_at_;
    } else if (bitmap_.size() < bitmap_bytes_) {
      taken = std::min<uint64_t>(bitmap_bytes_ - bitmap_.size(), bytes.size());
      const ByteSpan more = bytes.first(taken);
      // A hole's zeros are not looked at: on some systems that gives them
      // memory.
      if (AreZeroBytes(more)) {
        bitmap_.resize(bitmap_.size() + taken);
      } else {
        bitmap_.insert(bitmap_.end(), more.begin(), more.end());
      }
    } else if (mapped_at_ < mapped_.pages_offset) {
      taken = mapped_.pages_offset - mapped_at_;
    } else {
      const uint64_t at = mapped_at_ - mapped_.pages_offset;
      taken = TakeMappedPages(
          at, bytes.first(std::min<uint64_t>(bytes.size(), end - mapped_at_)));
    }
    taken = std::min<uint64_t>(taken, bytes.size());
    bytes = bytes.subspan(taken);
    mapped_at_ += taken;
  }
  if (mapped_at_ >= end) mapped_memory_ = nullptr;
}

void RamExtractor::OnSectionEnd(const SectionView& section, uint64_t, bool) {
  if (!in_ram_) return;
  in_ram_ = false;
  reached_end_ |= section.type == SectionType::kEnd;
  if (section.type == SectionType::kStart) {
    started_ = true;
    by_flush_ = flush_seen_;
  }
  if (!by_flush_) Sync();
}

// Only now is it known how large a page is.
void RamExtractor::OpenChannels() {
  if (channels_open_) return;
  channels_open_ = true;
  ChannelOptions options;
  options.page_bytes = static_cast<uint32_t>(page_bytes_);
  if (uuid_) channels_.Expect(*uuid_);
  for (const ChannelReader::Channel& channel : given_channels_) {
    channels_.AddChannel(channel.name, *channel.source, options);
  }
}

void RamExtractor::Sync() {
  if (given_channels_.empty() || !error_.ok()) return;
  OpenChannels();
  Error error = channels_.ReadToSync(
      [this](const ChannelPage& page, const PacketPlace& place) {
        TakeChannelPage(page, place);
      });
  if (error_.ok()) error_ = std::move(error);
}

void RamExtractor::TakeChannelPage(const ChannelPage& page,
                                   const PacketPlace& place) {
  Memory* memory = FindWanted(page.block);
  if (!error_.ok() || memory == nullptr) return;
  TakePage(*memory, page);
  if (error_.ok()) return;
  error_ = OfChannel(place.file, std::move(error_));
  error_.offset = place.offset;
}

void RamExtractor::TakePage(Memory& memory, const ChannelPage& page) {
  const uint64_t used = memory.used_bytes;
  if (page.offset > used || used - page.offset < page_bytes_) {
    return Fail(
        ErrorCode::kBadRam, 0,
        StrCat("a page at ", Hex(page.offset), " is outside RAM block '",
               Printable(UnknownName(page.block)), "'"));
  }
  switch (page.kind) {
    case ChannelPageKind::kPage:
      MarkSeen(memory, page.offset);
      return Put(memory, page.offset, page.bytes);
    case ChannelPageKind::kZero:
      MarkSeen(memory, page.offset);
      return memory.image->Zero(page.offset, page_bytes_);
    default:
      return Fail(ErrorCode::kUnwalkable, 0,
                  "its pages are compressed by qpl, uadk or qatzip, which are "
                  "not inflated");
  }
}

Error RamExtractor::TakePreempt(const std::string& file, ByteSource& source) {
  std::vector<uint8_t> filled(page_bytes_);
  Error error =
      ReadPreemptChannel(source, page_bytes_, [&](const PreemptRecord& record) {
        Memory* memory = FindWanted(record.block);
        if (record.end || memory == nullptr || !error_.ok()) return;
        ChannelPage page;
        page.block = record.block;
        page.offset = record.start;
        page.bytes = record.content;
        if (record.zero) {
          std::fill(filled.begin(), filled.end(), record.content[0]);
          page.bytes = filled;
        }
        TakePage(*memory, page);
        if (error_.ok()) return;
        error_ = OfChannel(file, std::move(error_));
        error_.offset = record.offset;
      });
  return OfChannel(file, std::move(error));
}

Error RamExtractor::Finish() {
  if (!given_channels_.empty() && error_.ok()) {
    OpenChannels();
    error_ = channels_.Finish();
  }
  if (!error_.ok() || !only_) return error_;
  const Memory* memory = nullptr;
  for (const auto& [name, wanted] : blocks_) {
    if (wanted) memory = wanted.get();
  }
  if (memory == nullptr) {
    return {ErrorCode::kUnknownSection, 0, "",
            StrCat("there is no RAM block '", Printable(*only_),
                   "'; there are: ", StrJoin(names_, ", "))};
  }
  if (memory->pages == 0 && memory->used_bytes != 0) {
    return {ErrorCode::kUnwalkable, 0, "ram",
            StrCat("no page of RAM block '", Printable(*only_),
                   "' is here; multifd channels have files of their own")};
  }
  return {};
}

}  // namespace migstream
