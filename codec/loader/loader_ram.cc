#include "codec/loader/loader_ram.h"

#include <zlib.h>

#include <algorithm>
#include <span>
#include <string_view>

#include "codec/qemu/loader_words.h"
#include "codec/qemu/xbzrle.h"
#include "codec/wire/error.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "flags/ram_flags.h"

namespace migstream {
namespace {

constexpr uint8_t kXbzrleEncoding = 1;
// Records that name a page.
constexpr uint64_t kPages = kRamZero | kRamPage | kRamXbzrle | kRamCompressPage;

bool Unknown(LoaderInput& input, uint64_t at, uint64_t flags) {
  return input.Refuse(
      at, StrCat("Unknown combination of migration flags: ", Hex(flags)));
}

// Whether zlib makes no more than a page of it, and finds its end.
bool IsPage(const std::string& compressed, std::span<uint8_t> page) {
  uLongf bytes = page.size();
  return uncompress(page.data(), &bytes,
                    reinterpret_cast<const Bytef*>(compressed.data()),
                    compressed.size()) == Z_OK;
}

// No machine names a block like this: the list was misread.
bool IsBlockName(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return c >= ' ' && c <= '~';
  });
}

}  // namespace

bool LoaderRam::Load(LoaderInput& input, uint32_t version,
                     const RamTraits& traits) {
  if (version != kRamVersion) {
    return input.Refuse(input.offset(), "Invalid argument");
  }
  const uint64_t flag_mask = traits.page_bytes - 1;
  while (true) {
    uint64_t at = input.offset();
    uint64_t record = input.Be64();
    if (!input.CheckEnd()) return false;
    uint64_t flags = record & flag_mask;
    uint64_t kind = flags & ~uint64_t{kRamContinue};
    bool known = (kind & (kind - 1)) == 0 && (row_.ram_records & kind) != 0;
    if (traits.mapped_ram && kind != kRamEos && kind != kRamMemSize) {
      return Unknown(input, at, flags);
    }
    if (!known && (row_.ram_records & flags & kRamCompressPage) != 0) {
      return input.Refuse(at, "Received an unexpected compressed page");
    }
    // The page is looked up even if nothing is to become of it.
    if ((flags & row_.ram_records & kPages) != 0 &&
        !FindPage(input, flags, record & ~flag_mask, at)) {
      return false;
    }
    if (!known) return Unknown(input, at, flags);
    switch (kind) {
      case kRamEos:
        return true;
      case kRamMemSize:
        if (!LoadBlocks(input, record & ~flag_mask, traits)) return false;
        break;
      case kRamMultifdFlush:
        multifd_ = true;
        break;
      case kRamHook:
        if (row_.ignores_rdma_hook) break;
        return input.Refuse(at, "Invalid argument");
      default:
        if (!LoadPage(input, kind, traits.page_bytes)) return false;
    }
    if (!input.CheckEnd()) return false;
  }
}

bool LoaderRam::FindPage(LoaderInput& input, uint64_t flags, uint64_t address,
                         uint64_t at) {
  if ((flags & kRamContinue) == 0) {
    std::string name = input.Str8();
    auto found = used_bytes_.find(name);
    if (found == used_bytes_.end()) {
      return input.Refuse(at, StrCat("Can't find block ", UnknownName(name)));
    }
    named_ = true;
    last_used_bytes_ = found->second;
  } else if (!named_) {
    return input.Refuse(at, "Ack, bad migration stream!");
  }
  return address < last_used_bytes_ ||
         input.Refuse(at,
                      StrCat("Illegal RAM offset ", Hex(address).substr(2)));
}

bool LoaderRam::LoadPage(LoaderInput& input, uint64_t kind,
                         uint64_t page_bytes) {
  uint64_t head = input.offset();
  if (kind == kRamXbzrle || kind == kRamCompressPage) page_.resize(page_bytes);
  switch (kind) {
    case kRamZero: {
      int fill = input.U8();
      return fill == 0 || !row_.zero_pages_are_zero ||
             input.Refuse(head, StrCat("Found a zero page with value ", fill));
    }
    case kRamPage:
      input.Skip(page_bytes);
      return true;
    case kRamXbzrle: {
      uint8_t encoding = input.U8();
      uint16_t length = input.Be16();
      std::string_view problem;
      if (encoding != kXbzrleEncoding) {
        problem = "wrong compression!";
      } else if (length > page_bytes) {
        problem = "len overflow!";
      } else if (!ApplyXbzrle(AsBytes(input.Bytes(length)), page_)) {
        problem = "decode error!";
      }
      return problem.empty() ||
             input.Refuse(head,
                          StrCat("Failed to load XBZRLE page - ", problem));
    }
    default: {  // COMPRESS_PAGE
      compressed_pages_ = true;
      uint32_t length = input.Be32();
      if (length > MaxCompressedPageBytes(page_bytes)) {
        return input.Refuse(head, StrCat("Invalid compressed data length: ",
                                         static_cast<int32_t>(length)));
      }
      return IsPage(input.Bytes(length), page_) ||
             input.Refuse(head, "decompress data failed");
    }
  }
}

PageSizeGuess LoaderRam::GuessPages(LoaderInput& input, uint64_t usual) const {
  return GuessPageSize(input.Peek(kPageSizeGuessBytes), usual,
                       [this](std::string_view name) {
                         auto found = used_bytes_.find(std::string(name));
                         return found == used_bytes_.end()
                                    ? std::nullopt
                                    : std::optional<uint64_t>(found->second);
                       });
}

uint64_t LoaderRam::total_bytes() const {
  uint64_t total = 0;
  for (const auto& [name, bytes] : used_bytes_) total += bytes;
  return total;
}

bool LoaderRam::LoadBlocks(LoaderInput& input, uint64_t total,
                           const RamTraits& traits) {
  while (total != 0) {
    uint64_t at = input.offset();
    std::string name = input.Str8();
    uint64_t used_bytes = input.Be64();
    if (!IsBlockName(name)) {
      return input.Refuse(at, UnknownRamBlock(UnknownName(name)));
    }
    used_bytes_[name] = used_bytes;
    if (used_bytes_.size() > limits_.ram_blocks) {
      return input.Refuse(at, "too many RAM blocks for this model");
    }
    ByteSpan bytes = input.Peek(8);
    if (bytes.size() >= 8 &&
        IsBlockPageSize(LoadBe64(bytes.data()), traits.page_bytes,
                        traits.advised_page_sizes)) {
      input.Be64();
    }
    if (traits.ignore_shared) input.Be64();
    if (traits.mapped_ram && !LoadMappedRam(input, name, used_bytes, traits)) {
      return false;
    }
    if (row_.checks_ram_total && used_bytes > total) {
      return input.Refuse(
          at, StrCat("RAMBlock '", name, "' size underflow total RAM size"));
    }
    // Where the list and its total disagree, the loader goes on past the list.
    total -= used_bytes;
    if (!input.CheckEnd()) return false;
  }
  return true;
}

bool LoaderRam::LoadMappedRam(LoaderInput& input, const std::string& name,
                              uint64_t used_bytes, const RamTraits& traits) {
  uint64_t at = input.offset();
  uint32_t version = input.Be32();
  uint64_t page_bytes = input.Be64();
  uint64_t bitmap_offset = input.Be64();
  uint64_t pages_offset = input.Be64();
  if (!input.CheckEnd()) return false;
  if (version > kMappedRamVersion) {
    return input.Refuse(at, StrCat("Migration mapped-ram capability version "
                                   "not supported (expected <= ",
                                   kMappedRamVersion, ", got ", version, ")"));
  }
  if (row_.checks_mapped_page_size && traits.page_bytes_known &&
      page_bytes != traits.page_bytes) {
    return input.Refuse(
        at, StrCat("Migration mapped-ram header has "
                   "invalid page_size ",
                   page_bytes, " (expected ", traits.page_bytes, ")"));
  }
  if (pages_offset == 0 && bitmap_offset == 0) return true;
  uint64_t end = pages_offset + used_bytes;
  if (page_bytes == 0 || bitmap_offset < input.offset() ||
      pages_offset <= bitmap_offset || end < pages_offset) {
    return input.Refuse(at, StrCat("mapped-ram header of ", name));
  }
  if (pages_offset % kMappedRamAlignment != 0) {
    return input.Refuse(at, StrCat("Error reading ramblock ", name,
                                   " pages, region has bad alignment"));
  }
  input.Skip(end - input.offset());
  return input.CheckEnd();
}

}  // namespace migstream
