// Says on standard error how far the work is: only on a terminal, and only if
// it takes longer than a moment.

#ifndef MIGSTREAM_INSPECT_PROGRESS_H_
#define MIGSTREAM_INSPECT_PROGRESS_H_

#include "codec/io/byte_source.h"

namespace migstream {

// Shows how far `source` is read, until it is gone. Nothing if `quiet`.
void ShowProgress(ByteSource& source, bool quiet);

// The same while this object lives, which the source must outlive.
class Progress {
 public:
  Progress(ByteSource& source, bool quiet) : source_(source) {
    ShowProgress(source, quiet);
  }
  ~Progress() { source_.SetWatcher(nullptr); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

 private:
  ByteSource& source_;
};

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_PROGRESS_H_
