// A migration stream of any length, in a file without a name under TMPDIR.

#ifndef MIGSTREAM_BENCH_STREAM_FILE_H_
#define MIGSTREAM_BENCH_STREAM_FILE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "codec/qemu/stream_bytes.h"
#include "codec/wire/bytes.h"

namespace migstream {

enum class StreamContent {
  kRam,     // Pages of 4 KiB, in PARTs of 16 MiB.
  kDevice,  // A VFIO device's records of 1 MiB, a PART each.
  // The same of mlx5, whose own records are images of 64 MiB.
  kFirmware,
};

// The stream piece by piece, about `bytes` in all.
class StreamMaker {
 public:
  virtual ~StreamMaker() = default;
  void Make(StreamContent content, uint64_t bytes);

 protected:
  virtual void Write(std::string_view bytes) = 0;

 private:
  void WriteImages(const HandlerBytes& device, uint64_t bytes);
};

std::string MakeStream(StreamContent content, uint64_t bytes);

class StreamFile {
 public:
  StreamFile(StreamContent content, uint64_t bytes);
  ~StreamFile();
  StreamFile(const StreamFile&) = delete;
  StreamFile& operator=(const StreamFile&) = delete;

  uint64_t bytes() const { return bytes_; }
  // A descriptor of its own, at the start.
  int Open() const;

 private:
  int fd_;
  uint64_t bytes_ = 0;
};

}  // namespace migstream

#endif  // MIGSTREAM_BENCH_STREAM_FILE_H_
