#include "codec/qemu/page_size_guess.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "codec/wire/cursor.h"
#include "flags/ram_flags.h"

namespace migstream {
namespace {

// Records that are looked at: each further one proves little.
constexpr int kMostRecords = 256;

using BlockBytes = std::function<std::optional<uint64_t>(std::string_view)>;

struct Fit {
  int records = 0;  // That can be those of pages of the size.
  bool has_pages = false;
};

// Nothing if a record cannot be.
std::optional<Fit> TryPageSize(ByteSpan content, uint64_t page_bytes,
                               const BlockBytes& block_bytes) {
  Cursor cursor(content);
  std::optional<uint64_t> block;
  Fit fit;
  for (; fit.records < kMostRecords; ++fit.records) {
    const uint64_t record = cursor.Be64();
    if (!cursor.ok()) return fit;
    const uint64_t flags = record & (page_bytes - 1);
    const uint64_t offset = record - flags;
    const uint64_t kind = flags & ~uint64_t{kRamContinue};
    if (kind == kRamEos) {
      if (offset != 0) return std::nullopt;
      ++fit.records;
      return fit;
    }
    if (kind == kRamMultifdFlush && offset == 0) continue;
    if (kind != kRamPage && kind != kRamZero && kind != kRamXbzrle &&
        kind != kRamCompressPage) {
      return std::nullopt;
    }
    if ((flags & kRamContinue) == 0) {
      const std::string_view name = cursor.Str8();
      if (!cursor.ok()) return fit;
      block = block_bytes(name);
      if (!block) return std::nullopt;
    }
    // One that a section before has named is not known here.
    if (block && offset >= *block) return std::nullopt;
    uint64_t payload = 0;
    switch (kind) {
      case kRamPage:
        fit.has_pages = true;
        payload = page_bytes;
        break;
      case kRamZero:
        payload = 1;
        break;
      case kRamXbzrle:
        cursor.U8();
        payload = cursor.Be16();
        if (payload > page_bytes) return std::nullopt;
        break;
      default:
        payload = cursor.Be32();
        if (payload > MaxCompressedPageBytes(page_bytes)) return std::nullopt;
        break;
    }
    cursor.Bytes(payload);
    if (!cursor.ok()) return fit;
  }
  return fit;
}

}  // namespace

PageSizeGuess GuessPageSize(ByteSpan content, uint64_t usual,
                            const BlockBytes& block_bytes) {
  content = content.first(std::min(content.size(), kPageSizeGuessBytes));
  const std::optional<Fit> fits = TryPageSize(content, usual, block_bytes);
  // If the first page goes on past the content, nothing was compared.
  const bool compared =
      fits && (fits->records != 0 || content.size() == kPageSizeGuessBytes);
  if (compared) return {usual, fits->has_pages};
  PageSizeGuess guess = {fits ? usual : 0, false};
  int most = 1;  // With less, nothing was compared.
  for (uint32_t bits = kMinPageBits; bits <= kMaxPageBits; ++bits) {
    const uint64_t page_bytes = uint64_t{1} << bits;
    std::optional<Fit> fit = TryPageSize(content, page_bytes, block_bytes);
    if (!fit || fit->records < most) continue;
    most = fit->records;
    guess = {page_bytes, true};
  }
  return guess;
}

}  // namespace migstream
