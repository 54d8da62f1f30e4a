// How large a target's pages are, by the records of a RAM section, in a stream
// that does not say so. FORMAT.md section 5.2.
//
// With a wrong size a record's flags are others, or what follows a page is no
// record. So of some sizes it is proved that they are wrong.

#ifndef MIGSTREAM_CODEC_QEMU_PAGE_SIZE_GUESS_H_
#define MIGSTREAM_CODEC_QEMU_PAGE_SIZE_GUESS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "codec/wire/bytes.h"

namespace migstream {

struct PageSizeGuess {
  uint64_t page_bytes = 0;  // 0: no size fits.
  // `usual` does not fit, or a page has come, behind which the records go on.
  bool proved = false;
};

// `content` begins with a PART's or an END's content, and need not hold all of
// it. `usual` is taken if it fits, else the size with which the most records
// do; of several the largest.
// `block_bytes` gives the used length of a block, if there is one of the name.
PageSizeGuess GuessPageSize(
    ByteSpan content, uint64_t usual,
    const std::function<std::optional<uint64_t>(std::string_view)>&
        block_bytes);

// As many bytes of content are enough, and no more are looked at.
inline constexpr size_t kPageSizeGuessBytes = 256 << 10;

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_QEMU_PAGE_SIZE_GUESS_H_
