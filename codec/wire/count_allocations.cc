#include "codec/wire/count_allocations.h"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<uint64_t> times = 0;
std::atomic<uint64_t> allocated_bytes = 0;

}  // namespace

void* operator new(size_t bytes) {
  times.fetch_add(1, std::memory_order_relaxed);
  allocated_bytes.fetch_add(bytes, std::memory_order_relaxed);
  if (void* memory = std::malloc(bytes)) return memory;
  std::abort();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace migstream {

Allocated AllocatedSoFar() { return {times, allocated_bytes}; }

}  // namespace migstream
