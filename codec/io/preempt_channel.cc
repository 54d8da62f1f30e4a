#include "codec/io/preempt_channel.h"

#include <algorithm>
#include <string_view>

#include "flags/ram_flags.h"

namespace migstream {

bool LooksLikePreemptChannel(ByteSpan bytes) {
  if (bytes.size() < 8) return false;
  // The destination waited for no page.
  if (LoadBe64(bytes.data()) == kRamEos) return true;
  // Its first page names its block.
  if (bytes.size() < 10) return false;
  const uint64_t flags =
      LoadBe64(bytes.data()) & ((uint64_t{1} << kMinPageBits) - 1);
  if (flags != kRamPage && flags != kRamZero) return false;
  const size_t length = bytes[8];
  if (length == 0 || bytes.size() < 9 + length) return false;
  const std::string_view name = AsText(bytes.subspan(9, length));
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace migstream
