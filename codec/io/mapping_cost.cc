#include "codec/io/mapping_cost.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <vector>

namespace migstream {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kPageBytes = 4096;
constexpr size_t kRoundBytes = 256 << 10;
constexpr size_t kRounds = 4;

// One byte of each page.
void Touch(ByteSpan mapped) {
  for (size_t at = 0; at < mapped.size(); at += kPageBytes) {
    static_cast<void>(*static_cast<const volatile uint8_t*>(&mapped[at]));
  }
}

}  // namespace

bool IsReadFaster(int fd, uint64_t offset, ByteSpan mapped) {
  if (mapped.size() < kRounds * kRoundBytes) return false;
  std::vector<uint8_t> buffer(kRoundBytes);
  // The fastest round of each: the others were disturbed.
  Clock::duration touch = Clock::duration::max();
  Clock::duration copy = Clock::duration::max();
  for (size_t i = 0; i < kRounds; ++i) {
    const size_t at = i * kRoundBytes;
    const Clock::time_point start = Clock::now();
    Touch(mapped.subspan(at, kRoundBytes));
    const Clock::time_point touched = Clock::now();
    if (pread(fd, buffer.data(), buffer.size(),
              static_cast<off_t>(offset + at)) !=
        static_cast<ssize_t>(buffer.size())) {
      return false;
    }
    touch = std::min(touch, touched - start);
    copy = std::min(copy, Clock::now() - touched);
  }
  return copy < touch;
}

}  // namespace migstream
