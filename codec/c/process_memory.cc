// The memory of a library that links others, with which it shares its strings:
// malloc()'s, and the process's own operator new.

#include <cstdlib>

#include "codec/c/memory.h"

namespace migstream::c {
namespace {

void* Allocate(void*, size_t bytes, size_t alignment) {
  return std::aligned_alloc(alignment,
                            (bytes + alignment - 1) / alignment * alignment);
}
void Release(void*, void* memory, size_t, size_t) { std::free(memory); }

constexpr Memory kDefault = {nullptr, Allocate, Release};

}  // namespace

const Memory& Memory::Default() { return kDefault; }

}  // namespace migstream::c
