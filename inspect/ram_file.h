// The image of a RAM block in a file, with holes where much of it is zero.

#ifndef MIGSTREAM_INSPECT_RAM_FILE_H_
#define MIGSTREAM_INSPECT_RAM_FILE_H_

#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "codec/extract/ram_extractor.h"
#include "codec/extract/ram_store.h"
#include "codec/io/byte_source.h"
#include "codec/io/write_behind.h"
#include "codec/wire/error.h"
#include "inspect/inputs.h"
#include "inspect/output_file.h"

namespace migstream {

// Writes to `output`, which must outlive it. Where that can only be written
// from front to back, as a pipe, the image is kept first: in the stream, if
// that can be read again, and in a file without a name in $TMPDIR or /var/tmp.
class RamFile : public RamImage {
 public:
  // `again` is the stream once more; null if that cannot be. `behind`, which
  // images that are written at one time share, must outlive it too.
  RamFile(OutputFile& output, std::unique_ptr<ByteSource> again,
          WriteBehind& behind);
  RamFile(const RamFile&) = delete;
  RamFile& operator=(const RamFile&) = delete;

  void Resize(uint64_t bytes) override;
  void Write(uint64_t offset, ByteSpan bytes) override;
  void WriteFromStream(uint64_t offset, ByteSpan bytes, uint64_t at) override;
  void WritePages(const RamPages& row, std::span<const RamPage> pages) override;
  void Zero(uint64_t offset, uint64_t bytes) override;
  void Read(uint64_t offset, std::span<uint8_t> bytes) override;

  // The image is complete; the output has still to be committed.
  absl::Status Finish();

 private:
  void Keep(int error);
  void WritePieces(uint64_t offset);
  void Flush();
  void PunchHole();

  OutputFile& output_;
  const int fd_;
  uint64_t size_ = 0;
  // Where the image cannot be written in place.
  RamStore store_;
  RamStore::Block* kept_ = nullptr;
  // Where it can: of what is written, and not flushed, either of the two.
  WriteBehind& behind_;
  std::vector<iovec> pieces_;
  uint64_t hole_ = 0;
  uint64_t hole_end_ = 0;
  uint64_t end_ = 0;  // Of what was ever written.
  absl::Status status_;
};

// Gives it the pages of the postcopy-preempt channels that were given beside
// the main channel.
Error TakePreempt(const Inputs& inputs, RamExtractor& extractor);

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_RAM_FILE_H_
