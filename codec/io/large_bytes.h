// Memory of several MiB that is filled soon. Where it can, the system gives it
// in pages of 2 MiB: the first touch of memory page by page can take longer
// than what is done with it. Pages that are not written to take nothing.
//
//   LargeBytes bytes(4 << 20);  // Not set to anything.

#ifndef MIGSTREAM_CODEC_IO_LARGE_BYTES_H_
#define MIGSTREAM_CODEC_IO_LARGE_BYTES_H_

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <utility>

namespace migstream {

class LargeBytes {
 public:
  LargeBytes() = default;
  explicit LargeBytes(size_t size) : size_(size) {
    constexpr size_t kPage = 2 << 20;
    void* data = nullptr;
    if (size < kPage) {
      data = std::malloc(size);
    } else if (posix_memalign(&data, kPage, size) == 0) {
      // Without them it is memory all the same.
      static_cast<void>(madvise(data, size / kPage * kPage, MADV_HUGEPAGE));
    }
    if (data == nullptr && size != 0) std::abort();  // As operator new would.
    data_.reset(static_cast<uint8_t*>(data));
  }
  LargeBytes(LargeBytes&& other) noexcept { *this = std::move(other); }
  LargeBytes& operator=(LargeBytes&& other) noexcept {
    data_ = std::move(other.data_);
    size_ = std::exchange(other.size_, 0);
    return *this;
  }

  uint8_t* data() { return data_.get(); }
  size_t size() const { return size_; }

 private:
  struct Free {
    void operator()(uint8_t* data) const { std::free(data); }
  };

  std::unique_ptr<uint8_t, Free> data_;
  size_t size_ = 0;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_IO_LARGE_BYTES_H_
