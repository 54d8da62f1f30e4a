// Where a session's bytes go: one channel of a migration.

#ifndef MIGSTREAM_CODEC_SESSION_CHANNEL_OUTPUT_H_
#define MIGSTREAM_CODEC_SESSION_CHANNEL_OUTPUT_H_

#include <sys/uio.h>

#include <span>

namespace migstream {

class ChannelOutput {
 public:
  virtual ~ChannelOutput() = default;
  // All of the pieces, in order, however long that takes; errno if the channel
  // is gone. The pieces are good until it returns.
  virtual int Write(std::span<const iovec> pieces) = 0;
};

// A socket, a pipe or a file, which is lent. Writes at once what fits, and
// waits with poll(2) where an fd that does not block is full. A peer that has
// gone raises SIGPIPE, unless the caller ignores it.
class FdOutput : public ChannelOutput {
 public:
  explicit FdOutput(int fd) : fd_(fd) {}
  int Write(std::span<const iovec> pieces) override;

 private:
  const int fd_;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_SESSION_CHANNEL_OUTPUT_H_
