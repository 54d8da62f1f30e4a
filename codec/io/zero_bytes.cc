#include "codec/io/zero_bytes.h"

#include <sys/mman.h>

#include <cstdint>
#include <functional>

namespace migstream {
namespace {

// A guest's memory has a few thousand times as many.
constexpr size_t kZeroBytes = 64 << 20;

ByteSpan Map() {
  // Each page that is looked at is the kernel's one page of zeros.
  void* data = mmap(nullptr, kZeroBytes, PROT_READ,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (data == MAP_FAILED) return {};
  return {static_cast<const uint8_t*>(data), kZeroBytes};
}

}  // namespace

ByteSpan ZeroBytes() {
  static const ByteSpan zeros = Map();
  return zeros;
}

bool AreZeroBytes(ByteSpan bytes) {
  const ByteSpan zeros = ZeroBytes();
  constexpr std::less_equal<const uint8_t*> no_later;
  return !bytes.empty() && !zeros.empty() &&
         no_later(zeros.data(), bytes.data()) &&
         no_later(bytes.data() + bytes.size(), zeros.data() + zeros.size());
}

}  // namespace migstream
