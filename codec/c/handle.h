// What all handles of the C interface have in common: whose memory they are
// made of, their last error, and the rules of a call.
//
//   struct migstream_thing : migstream::c::Handle { … };
//
//   migstream_status migstream_thing_do(migstream_thing* thing) {
//     return Call(thing, [&] { return …; });
//   }
//
// An allocation that fails ends a call by std::bad_alloc, which stops here.

#ifndef MIGSTREAM_CODEC_C_HANDLE_H_
#define MIGSTREAM_CODEC_C_HANDLE_H_

#include <sys/uio.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <new>
#include <span>
#include <string>
#include <utility>

#include "codec/c/memory.h"
#include "codec/c/migstream.h"
#include "codec/wire/bytes.h"
#include "codec/wire/error.h"
#include "codec/wire/step.h"

namespace migstream::c {

class Handle {
 public:
  explicit Handle(uint32_t kind) : kind_(kind) {}
  virtual ~Handle() { kind_ = 0; }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  // Null for what is no handle.
  static Handle* From(void* handle);

  // OK, or ERROR with it as the last one.
  migstream_status Check(const Error& error) {
    return error.ok() ? MIGSTREAM_OK : Fail(error);
  }

  // In the block before the handle.
  const Memory& memory() const {
    return *reinterpret_cast<const Memory*>(
        reinterpret_cast<const char*>(this) - kMemoryBytes);
  }

  migstream_status Fail(const Error& error);
  migstream_status Fail(Step step, const Error& error);
  const migstream_error& last_error();

  // What the functions for handles of any kind do here.
  virtual migstream_status GetPosition(const migstream_position** position);
  virtual migstream_status AtEndOfInput(ByteSpan left);
  virtual migstream_status GetPieces(std::span<const iovec>* pieces);
  virtual migstream_status ClearPieces();

  uint32_t kind() const { return kind_; }

  static constexpr size_t kMemoryBytes = 64;

 private:
  template <typename Run>
  friend migstream_status RunCall(Handle& handle, Run run);
  template <typename T, typename Run>
  friend migstream_status CallShared(T* handle, Run run);

  friend migstream_status(::migstream_destroy)(void* handle);

  // Whether a call with it is under way in this thread, from within whose
  // callback this one comes.
  bool in_call() const { return MemoryScope::IsOpen(memory()); }

  void Unref();
  // The caller has no more use for it.
  migstream_status Destroy();

  uint32_t kind_;
  std::atomic<bool> no_memory_ = false;
  bool destroyed_ = false;
  // One for the caller, and one for each handle that uses this one.
  std::atomic<uint32_t> refs_ = 1;
  size_t bytes_ = 0;  // The whole block's.

  Error error_;
  std::string error_line_;
  migstream_error c_error_ = {};

  friend class Use;

  template <typename T, typename... Arguments>
  friend migstream_status Make(const migstream_allocator* allocator, T** out,
                               Arguments&&... arguments);
};

// Keeps a handle alive that another one uses, whoever destroys it meanwhile.
class Use {
 public:
  explicit Use(Handle& handle) : handle_(&handle) { ++handle.refs_; }
  ~Use() { handle_->Unref(); }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;

 private:
  Handle* const handle_;
};

// The kinds of handles: their numbers are found in memory, at the start of
// each.
inline constexpr uint32_t kKinds = 0x6d677300;
inline constexpr uint32_t kKindMask = 0xffffff00;

// `T::kKind` tells the kinds apart.
inline bool Is(const Handle* handle) { return handle != nullptr; }
template <typename T>
bool Is(const T* handle) {
  // It need not be a T: each is a Handle at its very start.
  const Handle* any = reinterpret_cast<const Handle*>(handle);
  return any != nullptr && any->kind() == T::kKind;
}

// The allocator of a handle, for one that is made of it.
migstream_allocator AllocatorOf(const Handle& handle);

// Has `make` make a handle in its place in a block of so many bytes.
migstream_status MakeIn(const migstream_allocator* allocator, size_t bytes,
                        void (*make)(void* context, void* place),
                        void* context);

template <typename T, typename... Arguments>
migstream_status Make(const migstream_allocator* allocator, T** out,
                      Arguments&&... arguments) {
  static_assert(sizeof(Memory) <= Handle::kMemoryBytes);
  static_assert(alignof(T) <= Handle::kMemoryBytes);
  auto make = [&](void* place) {
    *out = new (place) T(std::forward<Arguments>(arguments)...);
    (*out)->bytes_ = Handle::kMemoryBytes + sizeof(T);
  };
  return MakeIn(
      allocator, Handle::kMemoryBytes + sizeof(T),
      [](void* context, void* place) {
        (*static_cast<decltype(make)*>(context))(place);
      },
      &make);
}

// Runs it as a call with the handle, which is one.
template <typename Run>
migstream_status RunCall(Handle& handle, Run run) {
  if (handle.in_call()) return MIGSTREAM_REENTERED;
  if (handle.no_memory_) return MIGSTREAM_NO_MEMORY;
  MemoryScope scope(handle.memory());
  migstream_status status;
  try {
    status = run();
  } catch (...) {  // std::bad_alloc, and nothing else.
    MemoryScope::SetFailed();
    status = MIGSTREAM_NO_MEMORY;
  }
  if (MemoryScope::TakeFailed()) {
    handle.no_memory_ = true;
    status = MIGSTREAM_NO_MEMORY;
  }
  return status;
}
migstream_status RunCallOf(Handle& handle,
                           migstream_status (*run)(void* context),
                           void* context);

// The same for any handle. There are many calls: what they share is there once.
template <typename T, typename Run>
migstream_status Call(T* handle, Run run) {
  if (!Is(handle)) return MIGSTREAM_BAD_ARGUMENT;
  return RunCallOf(
      *handle,
      [](void* context) -> migstream_status {
        return (*static_cast<Run*>(context))();
      },
      &run);
}

// Makes a handle that `start` has to make ready; gives none if that fails.
template <typename T, typename Start>
migstream_status MakeStarted(const migstream_allocator* allocator, T** out,
                             Start start) {
  T* made;
  migstream_status status = Make(allocator, &made);
  if (status != MIGSTREAM_OK) return status;
  status = Call(made, [&] { return start(*made); });
  if (status == MIGSTREAM_OK) {
    *out = made;
  } else {
    migstream_destroy(made);
  }
  return status;
}

// Where a decoder is.
template <typename Decoder>
migstream_position PositionOf(const Decoder& decoder) {
  return {sizeof(migstream_position), decoder.offset(), decoder.payload_left(),
          decoder.bytes_needed()};
}

// The same as Call() for a call that others may run beside.
template <typename T, typename Run>
migstream_status CallShared(T* handle, Run run) {
  if (!Is(handle)) return MIGSTREAM_BAD_ARGUMENT;
  Handle& base = *handle;
  if (base.in_call()) return MIGSTREAM_REENTERED;
  if (base.no_memory_) return MIGSTREAM_NO_MEMORY;
  MemoryScope scope(base.memory());
  try {
    return run();
  } catch (...) {  // std::bad_alloc, and nothing else.
    base.no_memory_ = true;
    return MIGSTREAM_NO_MEMORY;
  }
}

// A copy of what the caller filled in; what its header did not have yet is
// zero. Null: all zero.
template <typename T>
migstream_status ReadOptions(const T* given, T* copy) {
  *copy = {};
  copy->struct_size = sizeof *copy;
  if (given == nullptr) return MIGSTREAM_OK;
  const size_t size = given->struct_size;
  // No header's struct is ever longer: this size was never set.
  constexpr size_t kLongest = 4096;
  if (size < sizeof size || size > kLongest) return MIGSTREAM_BAD_ARGUMENT;
  if (size > sizeof *copy) {
    // By a later header: fine as long as the caller asks for nothing in it.
    const uint8_t* bytes = reinterpret_cast<const uint8_t*>(given);
    for (size_t i = sizeof *copy; i < size; ++i) {
      if (bytes[i] != 0) return MIGSTREAM_NOT_SUPPORTED;
    }
  }
  std::memcpy(copy, given, size < sizeof *copy ? size : sizeof *copy);
  copy->struct_size = sizeof *copy;
  return MIGSTREAM_OK;
}

inline bool IsBytes(const void* bytes, size_t size) {
  return bytes != nullptr || size == 0;
}
inline ByteSpan Bytes(const void* bytes, size_t size) {
  return ByteSpan(static_cast<const uint8_t*>(bytes), size);
}
inline ByteSpan Bytes(const iovec& input) {
  return Bytes(input.iov_base, input.iov_len);
}

// What a function of the caller's gave: 0 or more, or a negative errno.
inline int ErrnoOf(int64_t given) {
  constexpr int64_t kLastErrno = 4095;
  if (given >= 0) return 0;
  return given < -kLastErrno ? EIO : static_cast<int>(-given);
}

inline bool IsInput(const iovec* input) {
  return input != nullptr && IsBytes(input->iov_base, input->iov_len);
}
// Lets `run` take bytes from the input's front.
template <typename Run>
auto TakeFrom(iovec& input, Run run) {
  ByteSpan rest = Bytes(input);
  auto result = run(rest);
  input = {const_cast<uint8_t*>(rest.data()), rest.size()};
  return result;
}

inline migstream_status StatusOf(Step step) {
  switch (step) {
    case Step::kEvent:
      return MIGSTREAM_EVENT;
    case Step::kNeedInput:
      return MIGSTREAM_NEED_INPUT;
    case Step::kDone:
      return MIGSTREAM_DONE;
    case Step::kError:
      break;
  }
  return MIGSTREAM_ERROR;
}

}  // namespace migstream::c

#endif  // MIGSTREAM_CODEC_C_HANDLE_H_
