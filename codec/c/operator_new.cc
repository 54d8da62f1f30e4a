// Before any header of the standard library: all of std::string's members are
// made here, so that none of libstdc++'s own, which have the program's operator
// new, is linked.
#define _GLIBCXX_EXTERN_TEMPLATE 0  // NOLINT: libstdc++'s own switch.

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>

#include "codec/c/memory.h"

template class std::basic_string<char>;

// The process's own, behind --wrap: see below.
extern "C" void* __real_malloc(size_t bytes);  // NOLINT
extern "C" void __real_free(void* given);      // NOLINT

namespace migstream::c {
namespace {

// Before each block, at a multiple of its alignment.
struct Block {
  const Memory* memory;
  size_t bytes;      // All of it, as it was asked for.
  size_t alignment;  // Likewise.
  void* start;
};

void* DefaultAllocate(void*, size_t bytes, size_t alignment) {
  // aligned_alloc() wants a multiple.
  return alignment <= alignof(std::max_align_t)
             ? __real_malloc(bytes)
             : std::aligned_alloc(
                   alignment, (bytes + alignment - 1) / alignment * alignment);
}

void DefaultRelease(void*, void* memory, size_t, size_t) {
  __real_free(memory);
}

constexpr Memory kDefault = {nullptr, DefaultAllocate, DefaultRelease};

void* AllocateFrom(const Memory* memory, size_t bytes, size_t alignment) {
  if (alignment < alignof(std::max_align_t)) {
    alignment = alignof(std::max_align_t);
  }
  const size_t before = (sizeof(Block) + alignment - 1) / alignment * alignment;
  if (bytes > SIZE_MAX - before) return nullptr;
  const size_t all = before + bytes;
  void* start = memory->allocate(memory->context, all, alignment);
  if (start == nullptr) return nullptr;
  char* given = static_cast<char*>(start) + before;
  const Block block = {memory, all, alignment, start};
  std::memcpy(given - sizeof block, &block, sizeof block);
  return given;
}

void* Allocate(size_t bytes, size_t alignment) {
  const Memory* memory = MemoryScope::current();
  return AllocateFrom(memory == nullptr ? &kDefault : memory, bytes, alignment);
}

void* AllocateOrThrow(size_t bytes, size_t alignment) {
  void* given = Allocate(bytes, alignment);
  if (given == nullptr) throw std::bad_alloc();
  return given;
}

void Release(void* given) {
  if (given == nullptr) return;
  Block block;
  std::memcpy(&block, static_cast<char*>(given) - sizeof block, sizeof block);
  block.memory->release(block.memory->context, block.start, block.bytes,
                        block.alignment);
}

}  // namespace

const Memory& Memory::Default() { return kDefault; }

}  // namespace migstream::c

using migstream::c::Allocate;
using migstream::c::AllocateFrom;
using migstream::c::AllocateOrThrow;
using migstream::c::Memory;
using migstream::c::Release;

void* operator new(size_t bytes) { return AllocateOrThrow(bytes, 1); }
void* operator new[](size_t bytes) { return AllocateOrThrow(bytes, 1); }
void* operator new(size_t bytes, std::align_val_t alignment) {
  return AllocateOrThrow(bytes, static_cast<size_t>(alignment));
}
void* operator new[](size_t bytes, std::align_val_t alignment) {
  return AllocateOrThrow(bytes, static_cast<size_t>(alignment));
}
void* operator new(size_t bytes, const std::nothrow_t&) noexcept {
  return Allocate(bytes, 1);
}
void* operator new[](size_t bytes, const std::nothrow_t&) noexcept {
  return Allocate(bytes, 1);
}
void operator delete(void* given) noexcept { Release(given); }
void operator delete[](void* given) noexcept { Release(given); }
void operator delete(void* given, size_t) noexcept { Release(given); }
void operator delete[](void* given, size_t) noexcept { Release(given); }
void operator delete(void* given, std::align_val_t) noexcept { Release(given); }
void operator delete[](void* given, std::align_val_t) noexcept {
  Release(given);
}
void operator delete(void* given, size_t, std::align_val_t) noexcept {
  Release(given);
}
void operator delete[](void* given, size_t, std::align_val_t) noexcept {
  Release(given);
}
void operator delete(void* given, const std::nothrow_t&) noexcept {
  Release(given);
}
void operator delete[](void* given, const std::nothrow_t&) noexcept {
  Release(given);
}

// RapidJSON alone allocates by malloc(), which --wrap links to these. It does
// not look whether it got something: so it does, and the call fails later.
// Used: what optimizes across files does not see the linker rename the calls.
extern "C" {
[[gnu::used]] void* __wrap_malloc(size_t bytes) {  // NOLINT
  void* given = Allocate(bytes, 1);
  if (given != nullptr) return given;
  migstream::c::MemoryScope::SetFailed();
  return AllocateFrom(&Memory::Default(), bytes, 1);
}
[[gnu::used]] void __wrap_free(void* given) { Release(given); }  // NOLINT
[[gnu::used]] void* __wrap_realloc(void* given, size_t bytes) {  // NOLINT
  void* moved = __wrap_malloc(bytes);
  if (given == nullptr || moved == nullptr) return moved;
  migstream::c::Block block;
  std::memcpy(&block, static_cast<char*>(given) - sizeof block, sizeof block);
  const size_t had =
      block.bytes - static_cast<size_t>(static_cast<char*>(given) -
                                        static_cast<char*>(block.start));
  std::memcpy(moved, given, had < bytes ? had : bytes);
  Release(given);
  return moved;
}
}
