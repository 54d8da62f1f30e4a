// The image of a RAM block in a file, with holes where it is zero.

#ifndef MIGSTREAM_INSPECT_RAM_FILE_H_
#define MIGSTREAM_INSPECT_RAM_FILE_H_

#include <cstdint>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "codec/extract/ram_extractor.h"
#include "inspect/output_file.h"

namespace migstream {

// Writes to `output`, which must outlive it. Where that can only be written
// from front to back, as a pipe, the image is made in a file without a name in
// $TMPDIR or /var/tmp first.
class RamFile : public RamImage {
 public:
  explicit RamFile(OutputFile& output);
  ~RamFile() override;
  RamFile(const RamFile&) = delete;
  RamFile& operator=(const RamFile&) = delete;

  void Resize(uint64_t bytes) override;
  void Write(uint64_t offset, ByteSpan bytes) override;
  void Zero(uint64_t offset, uint64_t bytes) override;
  void Read(uint64_t offset, std::span<uint8_t> bytes) override;

  // The image is complete; the output has still to be committed.
  absl::Status Finish();

 private:
  void Fail();

  OutputFile& output_;
  std::string name_;  // For messages.
  int fd_;
  bool own_ = false;  // The file without a name.
  uint64_t size_ = 0;
  uint64_t end_ = 0;  // Of what was ever written.
  absl::Status status_;
};

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_RAM_FILE_H_
