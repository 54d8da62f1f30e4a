// Says on standard error how far the work is: only on a terminal, and only if
// it takes longer than a moment.

#ifndef MIGSTREAM_INSPECT_PROGRESS_H_
#define MIGSTREAM_INSPECT_PROGRESS_H_

#include <chrono>
#include <cstdint>

#include "codec/qemu/byte_source.h"

namespace migstream {

class Progress {
 public:
  // Watches `source`, which must outlive it. Nothing is said if `quiet`.
  Progress(ByteSource& source, bool quiet);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

 private:
  void Look();

  ByteSource& source_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point next_;
};

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_PROGRESS_H_
