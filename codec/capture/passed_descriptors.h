// Bytes of a socket together with the descriptors that are passed beside them
// (SCM_RIGHTS), as QEMU does for CPR. FORMAT.md section 7.10.

#ifndef MIGSTREAM_CODEC_CAPTURE_PASSED_DESCRIPTORS_H_
#define MIGSTREAM_CODEC_CAPTURE_PASSED_DESCRIPTORS_H_

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <vector>

#include "codec/wire/bytes.h"

namespace migstream {

// Closed with the object.
class PassedDescriptors {
 public:
  PassedDescriptors() = default;
  ~PassedDescriptors() { Close(); }
  PassedDescriptors(const PassedDescriptors&) = delete;
  PassedDescriptors& operator=(const PassedDescriptors&) = delete;

  std::vector<int>& fds() { return fds_; }
  bool empty() const { return fds_.empty(); }
  size_t size() const { return fds_.size(); }
  void Close();

 private:
  std::vector<int> fds_;
};

// As recv() does, and the descriptors that came with the first of the bytes.
// With MSG_PEEK they stay where they are, and these are other descriptors of
// the same.
ssize_t Receive(int fd, std::span<uint8_t> to, PassedDescriptors& passed,
                int flags = 0);

// All of the bytes, the descriptors with the first; false if the other end is
// gone. On a socket that cannot pass descriptors they are left out.
bool SendAll(int fd, ByteSpan bytes, PassedDescriptors& passed,
             bool can_pass = true);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_CAPTURE_PASSED_DESCRIPTORS_H_
