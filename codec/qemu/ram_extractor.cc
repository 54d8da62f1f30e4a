#include "codec/qemu/ram_extractor.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "codec/wire/printable.h"
#include "flags/ram_flags.h"

namespace migstream {
namespace {

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

// A uleb128 of one or two bytes; false if there is none.
bool TakeLength(ByteSpan& bytes, size_t& length) {
  if (bytes.empty()) return false;
  length = bytes[0];
  if (length < 0x80) {
    bytes.remove_prefix(1);
    return true;
  }
  if (bytes.size() < 2 || bytes[1] >= 0x80) return false;
  length = (length & 0x7f) | size_t{bytes[1]} << 7;
  bytes.remove_prefix(2);
  return true;
}

}  // namespace

bool RamExtractor::ApplyXbzrle(ByteSpan delta, absl::Span<uint8_t> page) {
  size_t at = 0;
  for (bool first = true; !delta.empty(); first = false) {
    size_t same, changed;
    if (!TakeLength(delta, same) || (same == 0 && !first) ||
        same > page.size() - at) {
      return false;
    }
    at += same;
    if (!TakeLength(delta, changed) || changed == 0 ||
        changed > page.size() - at || changed > delta.size()) {
      return false;
    }
    std::memcpy(page.data() + at, delta.data(), changed);
    delta.remove_prefix(changed);
    at += changed;
  }
  return true;
}

bool RamExtractor::IsWanted(absl::string_view name) const {
  return name == block_ || Printable(name) == block_;
}

void RamExtractor::Fail(ErrorCode code, uint64_t offset, std::string reason) {
  if (error_.ok()) error_ = {code, offset, "ram", std::move(reason)};
}

void RamExtractor::OnSection(const SectionView& section) {
  in_ram_ = section.idstr == "ram" && section.type != SectionType::kFull;
  in_page_ = in_mapped_ = false;
}

void RamExtractor::Found(const RamBlock& block) {
  found_ = true;
  used_bytes_ = block.used_bytes;
  image_.Resize(block.used_bytes);
}

void RamExtractor::OnRamBlocks(absl::Span<const RamBlock> blocks) {
  in_mapped_ = false;
  names_.clear();
  for (const RamBlock& block : blocks) {
    names_.push_back(Printable(block.name));
    if (!found_ && IsWanted(block.name)) Found(block);
  }
}

void RamExtractor::OnRamRecord(const RamRecordView& record) {
  in_page_ = false;
  if (!error_.ok()) return;
  page_bytes_ = record.page_bytes;
  if ((record.flags & kRamMultifdFlush) != 0) {
    flush_seen_ = true;
    if (by_flush_ || !started_) Sync();
    return;
  }
  if (record.block == nullptr || !IsWanted(record.block->name)) return;
  in_page_ = true;
  flags_ = record.flags & ~uint64_t{kRamContinue};
  record_offset_ = record.offset;
  page_offset_ = record.page_offset;
  payload_bytes_ = record.payload_bytes;
  payload_.clear();
  if (payload_bytes_ == 0) Apply();
}

void RamExtractor::OnContent(ByteSpan bytes) {
  if (in_mapped_) return TakeMapped(bytes);
  if (!in_page_) return;
  if (payload_.empty() && bytes.size() == payload_bytes_ &&
      flags_ == kRamPage) {
    in_page_ = false;
    MarkSeen(page_offset_);
    return Put(page_offset_, bytes);
  }
  payload_.insert(payload_.end(), bytes.begin(), bytes.end());
  if (payload_.size() >= payload_bytes_) Apply();
}

// A whole payload has come.
void RamExtractor::Apply() {
  in_page_ = false;
  MarkSeen(page_offset_);
  std::vector<uint8_t> page(page_bytes_);
  switch (flags_) {
    case kRamPage:
      return Put(page_offset_, payload_);
    case kRamZero:
      std::fill(page.begin(), page.end(), payload_[0]);
      return Put(page_offset_, page);
    case kRamXbzrle:
      image_.Read(page_offset_, absl::MakeSpan(page));
      if (!ApplyXbzrle(payload_, absl::MakeSpan(page))) {
        return Fail(ErrorCode::kBadRam, record_offset_,
                    "an XBZRLE page that reaches past its end");
      }
      return Put(page_offset_, page);
    case kRamCompressPage:
      if (!Inflate(payload_, page)) {
        return Fail(ErrorCode::kBadRam, record_offset_,
                    "a compressed page that does not inflate to a page");
      }
      return Put(page_offset_, page);
    default:
      return;
  }
}

void RamExtractor::Put(uint64_t offset, ByteSpan bytes) {
  if (IsZero(bytes)) {
    image_.Zero(offset, bytes.size());
  } else {
    image_.Write(offset, bytes);
  }
}

void RamExtractor::MarkSeen(uint64_t offset) {
  ++pages_;
  uint64_t page = offset / page_bytes_;
  if (page / 8 >= limits_.bitmap_bytes) {
    return Fail(
        ErrorCode::kBlockLimit, record_offset_,
        absl::StrCat("a page at ", Hex(offset), ": the limit is a bitmap of ",
                     limits_.bitmap_bytes, " bytes"));
  }
  if (page / 8 >= seen_.size()) {
    seen_.resize(std::max<uint64_t>(page / 8 + 1, 2 * seen_.size()));
  }
  uint8_t bit = 1 << page % 8;
  if ((seen_[page / 8] & bit) == 0) ++seen_pages_;
  seen_[page / 8] |= bit;
}

uint64_t RamExtractor::missing_pages() const {
  uint64_t all = used_bytes_ / page_bytes_;
  return all > seen_pages_ ? all - seen_pages_ : 0;
}

void RamExtractor::OnMappedRam(const RamBlock& block, uint64_t offset) {
  in_mapped_ = false;
  if (!error_.ok() || !IsWanted(block.name)) return;
  Found(block);
  page_bytes_ = block.page_bytes;
  const uint64_t pages = block.used_bytes / block.page_bytes;
  bitmap_bytes_ = (pages / 64 + (pages % 64 != 0 ? 1 : 0)) * 8;
  if (bitmap_bytes_ > block.pages_offset - block.bitmap_offset) {
    return Fail(
        ErrorCode::kBadRam, offset,
        absl::StrCat("the bitmap of RAM block '", block_, "', ", bitmap_bytes_,
                     " bytes at ", Hex(block.bitmap_offset),
                     ", reaches into its pages"));
  }
  if (bitmap_bytes_ > limits_.bitmap_bytes) {
    return Fail(ErrorCode::kBlockLimit, offset,
                absl::StrCat("the bitmap of RAM block '", block_, "' has ",
                             bitmap_bytes_, " bytes, the limit is ",
                             limits_.bitmap_bytes));
  }
  mapped_ = block;
  mapped_at_ = offset;
  bitmap_.clear();
  in_mapped_ = true;
  // What the bitmap leaves out is zero.
  pages_ = seen_pages_ = pages;
}

void RamExtractor::TakeMapped(ByteSpan bytes) {
  const uint64_t end = mapped_.pages_offset + mapped_.used_bytes;
  while (!bytes.empty() && mapped_at_ < end) {
    uint64_t taken;
    if (mapped_at_ < mapped_.bitmap_offset) {
      taken = mapped_.bitmap_offset - mapped_at_;
    } else if (bitmap_.size() < bitmap_bytes_) {
      taken = std::min<uint64_t>(bitmap_bytes_ - bitmap_.size(), bytes.size());
      bitmap_.insert(bitmap_.end(), bytes.begin(), bytes.begin() + taken);
    } else if (mapped_at_ < mapped_.pages_offset) {
      taken = mapped_.pages_offset - mapped_at_;
    } else {
      uint64_t at = mapped_at_ - mapped_.pages_offset;
      uint64_t page = at / page_bytes_;
      taken = std::min(page_bytes_ - at % page_bytes_, end - mapped_at_);
      taken = std::min<uint64_t>(taken, bytes.size());
      bool there =
          page / 8 < bitmap_.size() && (bitmap_[page / 8] >> page % 8 & 1) != 0;
      if (there) Put(at, bytes.first(taken));
    }
    taken = std::min<uint64_t>(taken, bytes.size());
    bytes.remove_prefix(taken);
    mapped_at_ += taken;
  }
  if (mapped_at_ >= end) in_mapped_ = false;
}

void RamExtractor::OnSectionEnd(const SectionView& section, uint64_t, bool) {
  if (!in_ram_) return;
  in_ram_ = false;
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
  if (!error_.ok() || !IsWanted(page.block)) return;
  TakePage(page);
  if (error_.ok()) return;
  error_ = OfChannel(place.file, std::move(error_));
  error_.offset = place.offset;
}

void RamExtractor::TakePage(const ChannelPage& page) {
  if (page.offset > used_bytes_ || used_bytes_ - page.offset < page_bytes_) {
    return Fail(ErrorCode::kBadRam, 0,
                absl::StrCat("a multifd page at ", Hex(page.offset),
                             " is outside RAM block '", block_, "'"));
  }
  switch (page.kind) {
    case ChannelPageKind::kPage:
      MarkSeen(page.offset);
      return Put(page.offset, page.bytes);
    case ChannelPageKind::kZero:
      MarkSeen(page.offset);
      return image_.Zero(page.offset, page_bytes_);
    default:
      return Fail(ErrorCode::kUnwalkable, 0,
                  "its pages are compressed by qpl, uadk or qatzip, which are "
                  "not inflated");
  }
}

Error RamExtractor::Finish() {
  if (!given_channels_.empty() && error_.ok()) {
    OpenChannels();
    error_ = channels_.Finish();
  }
  if (!error_.ok()) return error_;
  if (!found_) {
    return {ErrorCode::kUnknownSection, 0, "",
            absl::StrCat("there is no RAM block '", Printable(block_),
                         "'; there are: ", absl::StrJoin(names_, ", "))};
  }
  if (pages_ == 0 && used_bytes_ != 0) {
    return {
        ErrorCode::kUnwalkable, 0, "ram",
        absl::StrCat("no page of RAM block '", block_,
                     "' is here; multifd channels have files of their own")};
  }
  return {};
}

}  // namespace migstream
