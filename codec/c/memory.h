// Where the library's memory comes from: what a call allocates, by whatever
// container, comes from the allocator of the handle that it was made with.
//
//   MemoryScope scope(handle.memory());
//   std::string text = …;  // From the handle's allocator, or std::bad_alloc.
//
// operator_new.cc defines operator new and delete for libmigstream alone: its
// version script hides them, and std::string's members with them, so that the
// program's own are neither used nor replaced. Each block remembers whose it
// is, and may be given back in any scope as long as that Memory lives.

#ifndef MIGSTREAM_CODEC_C_MEMORY_H_
#define MIGSTREAM_CODEC_C_MEMORY_H_

#include <cstddef>

namespace migstream::c {

struct Memory {
  void* context = nullptr;
  void* (*allocate)(void* context, size_t bytes, size_t alignment) = nullptr;
  void (*release)(void* context, void* memory, size_t bytes,
                  size_t alignment) = nullptr;

  // malloc() and free() of the process.
  static const Memory& Default();
};

// In this thread, from here to the end of the scope. `memory` must outlive what
// is allocated in it.
class MemoryScope {
 public:
  explicit MemoryScope(const Memory& memory)
      : memory_(memory), outer_(innermost_) {
    innermost_ = this;
  }
  ~MemoryScope() { innermost_ = outer_; }
  MemoryScope(const MemoryScope&) = delete;
  MemoryScope& operator=(const MemoryScope&) = delete;

  // Null outside of any scope.
  static const Memory* current() {
    return innermost_ == nullptr ? nullptr : &innermost_->memory_;
  }
  // Whether a scope of this very Memory is open in this thread, however many
  // others are within it.
  static bool IsOpen(const Memory& memory) {
    const MemoryScope* scope = innermost_;
    while (scope != nullptr && &scope->memory_ != &memory) {
      scope = scope->outer_;
    }
    return scope != nullptr;
  }

  // Something failed that could not say so: the call has to.
  static void SetFailed() { failed_ = true; }
  // Whether it did since the last time.
  static bool TakeFailed() {
    const bool failed = failed_;
    failed_ = false;
    return failed;
  }

 private:
  // As fast as a global.
  static thread_local constinit const MemoryScope* innermost_
      __attribute__((tls_model("initial-exec")));
  static thread_local constinit bool failed_
      __attribute__((tls_model("initial-exec")));

  const Memory& memory_;
  const MemoryScope* const outer_;
};

}  // namespace migstream::c

#endif  // MIGSTREAM_CODEC_C_MEMORY_H_
