// Looks at one byte of each page of a file that is in the page cache: what any
// reader of a stream with guest memory has to do, since a page's header stands
// before each page.
//
//   bench/touch_pages vm.qvm

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>

namespace {

// As the program maps it: codec/io/file_source.cc.
constexpr size_t kWindowBytes = 4 << 20;
constexpr size_t kPageBytes = 4096;

// The sum of the bytes looked at, so that none is left out; -1 on an error.
int64_t Touch(int fd, size_t size) {
  int64_t sum = 0;
  for (size_t at = 0; at < size; at += kWindowBytes) {
    const size_t bytes = std::min(kWindowBytes, size - at);
    void* window =
        mmap(nullptr, bytes, PROT_READ, MAP_SHARED, fd, static_cast<off_t>(at));
    if (window == MAP_FAILED) return -1;
    madvise(window, bytes, MADV_POPULATE_READ);
    for (size_t i = 0; i < bytes; i += kPageBytes) {
      sum += static_cast<const uint8_t*>(window)[i];
    }
    munmap(window, bytes);
  }
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  const int fd = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
  struct stat info;
  if (fd < 0 || fstat(fd, &info) != 0) {
    std::fprintf(stderr, "usage: touch_pages FILE\n");
    return 2;
  }
  const int64_t sum = Touch(fd, static_cast<size_t>(info.st_size));
  std::printf("%lld\n", static_cast<long long>(sum));
  return sum < 0 ? 2 : 0;
}
