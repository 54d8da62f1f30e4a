// For tests: devices of a caller's, and a migration of one of them through the
// C interface alone.

#ifndef MIGSTREAM_CODEC_C_RIG_H_
#define MIGSTREAM_CODEC_C_RIG_H_

#include <sys/uio.h>

#include <cstdint>
#include <functional>
#include <string>

#include "codec/c/migstream.h"

namespace migstream::c {

// Counts what is allocated, and fails as told.
class CountingAllocator {
 public:
  CountingAllocator();
  ~CountingAllocator();
  CountingAllocator(const CountingAllocator&) = delete;
  CountingAllocator& operator=(const CountingAllocator&) = delete;

  const migstream_allocator* get() const { return &allocator_; }
  // The `n`-th from now on, counted from 0, gives null, and those behind it.
  void FailFrom(uint64_t n) { fail_from_ = calls_ + n; }
  uint64_t calls() const { return calls_; }
  uint64_t blocks() const { return blocks_; }
  bool has_failed() const { return has_failed_; }

 private:
  static void* Allocate(void* context, size_t bytes, size_t alignment);
  static void Release(void* context, void* memory, size_t bytes,
                      size_t alignment);

  migstream_allocator allocator_;
  uint64_t calls_ = 0;
  uint64_t blocks_ = 0;
  uint64_t bytes_ = 0;
  uint64_t fail_from_ = UINT64_MAX;
  bool has_failed_ = false;
};

// A device in memory, of the v2 protocol with pre-copy.
class MemoryDevice {
 public:
  MemoryDevice();

  migstream_device_options options();

  std::string state = "";   // What it gives when it is saved.
  std::string loaded = "";  // What it was given.
  uint32_t is = MIGSTREAM_STATE_RUNNING;
  // Called within each read, and each write.
  std::function<void()> on_read = nullptr;
  std::function<void()> on_write = nullptr;
  // What it is in.
  migstream_set* set = nullptr;
  migstream_load* load = nullptr;

 private:
  static int SetState(void* context, uint32_t state, int* new_session);
  static int GetState(void* context, uint32_t* state);
  static int Reset(void* context);
  static int64_t Read(void* context, void* buffer, size_t bytes);
  static int64_t Write(void* context, const void* data, size_t bytes);
  static int GetPrecopyBytes(void* context, uint64_t* initial, uint64_t* dirty,
                             int* reinit);
  static int GetStopCopyBytes(void* context, uint64_t* bytes);

  migstream_device_functions functions_;
  size_t given_ = 0;
};

// The stream of a saved device; empty if a call fails, whose status it is then.
// With `channel` the device's state is there, on one multifd channel.
std::string Save(const migstream_allocator* allocator, MemoryDevice& device,
                 migstream_status* status, std::string* channel = nullptr);
// Loads it, in pieces of so many bytes, and then the channel if there is one;
// COMPLETED, or how it failed.
migstream_status Load(const migstream_allocator* allocator,
                      MemoryDevice& device, const std::string& stream,
                      size_t piece, int32_t* outcome,
                      const std::string* channel = nullptr);

}  // namespace migstream::c

#endif  // MIGSTREAM_CODEC_C_RIG_H_
