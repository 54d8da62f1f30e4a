#include "codec/loader/loader_ram.h"

#include <zlib.h>

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

#include "codec/loader/loader_handlers.h"
#include "codec/qemu/loader_words.h"
#include "codec/qemu/xbzrle.h"
#include "codec/wire/error.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "flags/ram_flags.h"

namespace migstream {
namespace {

constexpr uint8_t kXbzrleEncoding = 1;
// A block's name has one of them.
constexpr std::string_view kOfBlockNames = "./@";
// The length of a block that the list does not name. No guest has more.
constexpr uint64_t kMostBlockBytes = uint64_t{1} << 46;
// Such blocks may be shorter than the destination's.
constexpr std::string_view kResizable = "/rom@";
// How far they can grow, in each release.
constexpr std::pair<std::string_view, uint64_t> kMostResizable[] = {
    {"/rom@etc/acpi/tables", 0x200000},
    {"/rom@etc/table-loader", 0x10000},
    {"/rom@etc/acpi/rsdp", 0x1000},
};
// A PC has these, whether or not the list names them.
constexpr std::string_view kBlocksOfPc[] = {"pc.ram", "pc.rom", "pc.bios"};
// A block of such a kind whose length, rounded up to pages, is nothing.
constexpr std::string_view kNoFirmwareFile =
    "fw_cfg_modify_bytes_read: Assertion `key < fw_cfg_max_entry(s) && len < "
    "UINT32_MAX' failed.";
// What is missing behind them is zero in most blocks' lengths.
constexpr size_t kTellingLengthBytes = 6;
constexpr std::string_view kXbzrleFailed = "Failed to load XBZRLE page - ";
// Records that name a page.
constexpr uint64_t kPages = kRamZero | kRamPage | kRamXbzrle | kRamCompressPage;
// What mapped-ram has no use for: its pages are in the blocks.
constexpr uint64_t kElsewhere =
    kRamZero | kRamPage | kRamXbzrle | kRamHook | kRamMultifdFlush;

bool Unknown(LoaderInput& input, uint64_t at, uint64_t flags) {
  return input.Refuse(
      at, StrCat("Unknown combination of migration flags: ", Hex(flags)));
}

// Whether zlib makes no more than a page of it, and finds its end.
bool IsPage(ByteSpan compressed, std::span<uint8_t> page) {
  uLongf bytes = page.size();
  return uncompress(page.data(), &bytes, compressed.data(),
                    compressed.size()) == Z_OK;
}

// No machine names a block like this: the list was misread.
bool IsBlockName(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return c >= ' ' && c <= '~';
  });
}

bool IsBlockOfPc(std::string_view name) {
  return std::find(std::begin(kBlocksOfPc), std::end(kBlocksOfPc), name) !=
         std::end(kBlocksOfPc);
}

// 0: not known.
uint64_t MostBytes(std::string_view block) {
  for (const auto& [name, bytes] : kMostResizable) {
    if (name == block) return bytes;
  }
  return 0;
}

// A name that machines give their blocks; what is nearly one is damaged.
bool IsWellKnown(std::string_view name) {
  return IsBlockOfPc(name) || MostBytes(name) != 0;
}

bool RefuseBlock(LoaderInput& input, uint64_t at, std::string_view name) {
  return input.Refuse(at, UnknownRamBlock(UnknownName(name)));
}

// Whether another entry of the list seems to begin there.
bool LooksLikeBlock(ByteSpan bytes) {
  return !bytes.empty() && bytes.size() > bytes[0] &&
         IsBlockName(AsText(bytes.subspan(1, bytes[0])));
}

// Whether an entry that gives its block such a length was read where it stands:
// then another one follows it, or has taken the length's place, or the name
// has. Else the name is no block's.
bool IsInStep(LoaderInput& input, std::string_view name, uint64_t used_bytes) {
  constexpr size_t kMost = 1 + 255;
  if (LooksLikeBlock(input.Peek(kMost))) return true;
  uint8_t length[8];
  StoreBe64(length, used_bytes);
  if (length[0] >= ' ') return name.starts_with(AsText(length));
  length[0] = std::min<uint8_t>(length[0], sizeof length - 1);
  return LooksLikeBlock(length);
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
    // What the input does not have is 0, and no flag.
    uint64_t record = input.Be64();
    if (input.ended() && row_.names_cut_ram) {
      return input.Refuse(at, "Getting RAM address failed");
    }
    uint64_t flags = record & flag_mask;
    uint64_t kind = flags & ~uint64_t{kRamContinue};
    bool known = (kind & (kind - 1)) == 0 && (row_.ram_records & kind) != 0;
    if (traits.mapped_ram && (flags & kElsewhere) != 0) {
      return input.Refuse(at,
                          StrCat("Unexpected RAM flags: ", flags & kElsewhere));
    }
    // Unless the capability is on, as what came before shows.
    if (!known && !compressed_pages_ &&
        (row_.ram_records & flags & kRamCompressPage) != 0) {
      return input.Refuse(at, "Received an unexpected compressed page");
    }
    // The page is looked up even if nothing is to become of it.
    if ((flags & row_.ram_records & kPages) != 0 &&
        !FindPage(input, flags, record & ~flag_mask, at)) {
      return false;
    }
    // Where RDMA's hook is not ignored, its flag comes before any other.
    if ((flags & kRamHook) != 0 && !row_.ignores_rdma_hook) {
      return input.Refuse(at, "Invalid argument");
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
        break;
      default:
        if (!LoadPage(input, kind, traits.page_bytes)) return false;
    }
    if (!input.CheckEnd()) return false;
  }
}

bool LoaderRam::IsDamaged(std::string_view name) const {
  if (IsWellKnown(name)) return false;
  return !IsBlockName(name) || name.find_first_of(kOfBlockNames) == name.npos ||
         std::any_of(used_bytes_.begin(), used_bytes_.end(),
                     [&](const auto& block) {
                       return block.first.find(name) != name.npos ||
                              name.find(block.first) != name.npos ||
                              IsNearMiss(block.first, name);
                     });
}

bool LoaderRam::FindPage(LoaderInput& input, uint64_t flags, uint64_t address,
                         uint64_t at) {
  if ((flags & kRamContinue) == 0) {
    std::string name = input.Str8();
    auto found = used_bytes_.find(name);
    // What the list does not name may well be there, or have another's name in
    // it.
    if (found == used_bytes_.end() && !conflict_ && IsDamaged(name)) {
      return input.Refuse(at, StrCat("Can't find block ", UnknownName(name)));
    }
    if (found == used_bytes_.end() && IsWellKnown(name)) {
      const auto damaged = std::find_if(
          used_bytes_.begin(), used_bytes_.end(), [&](const auto& block) {
            return !IsWellKnown(block.first) && IsNearMiss(block.first, name);
          });
      // No machine has both.
      if (damaged != used_bytes_.end()) {
        return input.RefuseFirst(listed_at_[damaged->first],
                                 UnknownRamBlock(UnknownName(damaged->first)));
      }
    }
    last_is_conflicts_ = conflict_ && name == conflict_->name;
    last_is_unlisted_ = found == used_bytes_.end();
    named_ = true;
    last_used_bytes_ = found == used_bytes_.end()
                           ? UnlistedBytes(input, address)
                           : found->second;
  } else if (!named_) {
    return input.Refuse(at, "Ack, bad migration stream!");
  }
  if (conflict_ && !conflict_->own_bytes && address >= conflict_->least()) {
    if (last_is_conflicts_) conflict_->own_bytes = conflict_->most();
    if (last_is_unlisted_) conflict_->own_bytes = conflict_->least();
  }
  return address < last_used_bytes_ ||
         input.Refuse(at,
                      StrCat("Illegal RAM offset ", Hex(address).substr(2)));
}

uint64_t LoaderRam::UnlistedBytes(LoaderInput& input, uint64_t address) const {
  const ByteSpan length = input.Peek(8);
  if (!used_bytes_.empty() || length.size() < 8) return kMostBlockBytes;
  const uint64_t bytes = LoadBe64(length.data());
  return bytes != 0 && bytes <= address ? bytes : kMostBlockBytes;
}

std::string LoaderRam::PageProblem(uint64_t kind, ByteSpan content,
                                   uint64_t page_bytes, const LoaderRow& row) {
  if ((kind & kRamZero) != 0) {
    const int fill = content[0];
    return fill == 0 || !row.zero_pages_are_zero
               ? ""
               : StrCat("Found a zero page with value ", fill);
  }
  page_.resize(page_bytes);
  if ((kind & kRamXbzrle) != 0) {
    return ApplyXbzrle(content, page_) ? ""
                                       : StrCat(kXbzrleFailed, "decode error!");
  }
  return IsPage(content, page_) ? "" : "decompress data failed";
}

bool LoaderRam::TakesPage(LoaderInput& input, uint64_t head, uint64_t kind,
                          uint64_t length, uint64_t page_bytes) {
  const std::string content = input.Bytes(length);
  // Threads decompress what came, or its place's former content, while the load
  // ends.
  if (input.ended() && kind == kRamCompressPage) return input.CheckEnd();
  std::string problem = PageProblem(kind, AsBytes(content), page_bytes, row_);
  return problem.empty() || input.Refuse(head, std::move(problem));
}

bool LoaderRam::LoadPage(LoaderInput& input, uint64_t kind,
                         uint64_t page_bytes) {
  uint64_t head = input.offset();
  switch (kind) {
    case kRamZero: {
      const uint8_t fill = input.U8();
      std::string problem = PageProblem(kind, {&fill, 1}, page_bytes, row_);
      return problem.empty() || input.Refuse(head, std::move(problem));
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
      } else {
        return TakesPage(input, head, kind, length, page_bytes);
      }
      return input.Refuse(head, StrCat(kXbzrleFailed, problem));
    }
    default: {  // COMPRESS_PAGE
      compressed_pages_ = true;
      uint32_t length = input.Be32();
      if (length > MaxCompressedPageBytes(page_bytes)) {
        return input.Refuse(head, StrCat("Invalid compressed data length: ",
                                         static_cast<int32_t>(length)));
      }
      return TakesPage(input, head, kind, length, page_bytes);
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

// One that is listed a second time has another's place, or another has its
// name. The one whose length is not the destination's is refused.
void LoaderRam::ListBlock(const std::string& name, uint64_t bytes, uint64_t at,
                          bool resizable) {
  auto [listed, added] = used_bytes_.try_emplace(name, bytes);
  listed_at_.try_emplace(name, at);
  if (added || listed->second == bytes) return;
  if (!resizable && !conflict_) {
    conflict_ = {name, {listed_at_[name], at}, {listed->second, bytes}};
    bytes = conflict_->most();
  }
  listed->second = bytes;
}

void LoaderRam::RefuseConflict(LoaderInput& input) const {
  if (!conflict_) return;
  const BlockConflict& conflict = *conflict_;
  const uint64_t own = conflict.own_bytes.value_or(conflict.most());
  const size_t wrong = conflict.bytes[0] == own ? 1 : 0;
  input.RefuseFirst(conflict.offset[wrong],
                    StrCat("Size mismatch: ", conflict.name, ": ",
                           Hex(conflict.bytes[wrong]), " != ", Hex(own)));
}

bool LoaderRam::LoadBlocks(LoaderInput& input, uint64_t total,
                           const RamTraits& traits) {
  const uint64_t whole = total;
  while (total != 0) {
    uint64_t at = input.offset();
    const ByteSpan head = input.Peek(1);
    const size_t name_bytes = head.empty() ? 0 : head[0];
    std::string name = input.Str8();
    // A length that is too large takes in a part of what follows; one that is
    // a character was the name's first.
    const bool ends_early =
        name.size() < name_bytes &&
        (name_bytes < ' ' || name_bytes > '~' || IsBlockOfPc(name));
    const bool cut = input.ended();
    const size_t length_bytes = input.Peek(8).size();
    uint64_t used_bytes = input.Be64();
    if (cut || !IsBlockName(name)) return RefuseBlock(input, at, name);
    // The loader rounds up, and so takes what is cut by little, and any length
    // of a block that can be resized. Else the list was misread, or the block
    // is not as long as the destination's, whose blocks are whole pages.
    const bool resizable = name.starts_with(kResizable);
    const uint64_t page_bytes = traits.page_bytes;
    const uint64_t cut_by = (0 - used_bytes) % page_bytes;
    const uint64_t rounded = used_bytes + cut_by;
    const bool cut_length = length_bytes < kTellingLengthBytes && !resizable;
    if (used_bytes > whole || cut_length ||
        (cut_by >= page_bytes / 2 && !resizable)) {
      if (!cut_length && !ends_early && !IsInStep(input, name, used_bytes))
        return RefuseBlock(input, at, name);
      if (resizable && rounded == 0) {
        return input.Refuse(at, std::string(kNoFirmwareFile));
      }
      return input.Refuse(at, resizable ? StrCat("Size too large: ", name, ": ",
                                                 Hex(rounded), " > ...")
                                        : StrCat("Size mismatch: ", name, ": ",
                                                 Hex(rounded), " != ..."));
    }
    // In whole pages; where their size is not known, it may be one of them.
    const uint64_t most =
        (MostBytes(name) + page_bytes - 1) / page_bytes * page_bytes;
    const bool may_be_page = !traits.page_bytes_known && IsPageSize(used_bytes);
    if (most != 0 && rounded > most && !may_be_page) {
      return input.Refuse(at, StrCat("Size too large: ", name, ": ",
                                     Hex(rounded), " > ", Hex(most)));
    }
    ListBlock(name, rounded, at, resizable);
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
  // It goes on behind the block's pages, wherever they are.
  if (end >= pages_offset && end < at) {
    loops_ = true;
    return input.Refuse(at, "the list of RAM blocks again and again");
  }
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
