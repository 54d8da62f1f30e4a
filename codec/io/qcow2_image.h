// The snapshots in a qcow2 image, and the VM state that `savevm` put into each:
// a migration stream. FORMAT.md section 2.1.
//
//   auto image = std::make_shared<Qcow2Image>(read_at, file_bytes);
//   Error error = image->Open();
//   for (const Qcow2Snapshot& snapshot : image->snapshots()) …
//   std::unique_ptr<ByteSource> state = OpenQcow2State(image, snapshot);
//
// Memory is that of one table and one cluster, 2 MiB each at most, and of the
// snapshots' names. All offsets of errors are the image's.

#ifndef MIGSTREAM_CODEC_IO_QCOW2_IMAGE_H_
#define MIGSTREAM_CODEC_IO_QCOW2_IMAGE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "codec/io/byte_source.h"
#include "codec/wire/bytes.h"
#include "codec/wire/error.h"

namespace migstream {

// Fills `to` with the image's bytes from `offset` on; false if they are not all
// there.
using ReadAt = std::function<bool(uint64_t offset, std::span<uint8_t> to)>;

struct Qcow2Snapshot {
  std::string id;
  std::string name;
  uint64_t state_bytes = 0;  // 0: of the disk alone.
  uint32_t seconds = 0;      // Since 1970.
  uint64_t l1_offset = 0;
  uint32_t l1_entries = 0;
  uint64_t disk_bytes = 0;  // The state follows the disk.
};

class Qcow2Image {
 public:
  // Whether these bytes begin such an image; 4 are enough.
  static bool IsImage(ByteSpan bytes);

  Qcow2Image(ReadAt read_at, uint64_t file_bytes)
      : read_at_(std::move(read_at)), file_bytes_(file_bytes) {}

  // The header and the list of snapshots. An image with what cannot be read
  // here is refused, with the reason.
  Error Open();
  const std::vector<Qcow2Snapshot>& snapshots() const { return snapshots_; }

 private:
  friend class Qcow2Clusters;

  Error ReadHeader();
  Error CheckFeatures(uint64_t features);
  Error ReadSnapshots();
  Error ReadSnapshot(uint64_t& at, Qcow2Snapshot& snapshot);
  bool Read(uint64_t offset, std::span<uint8_t> to) const;

  const ReadAt read_at_;
  const uint64_t file_bytes_;
  uint32_t cluster_bits_ = 0;
  bool extended_ = false;
  uint8_t compression_ = 0;
  uint64_t disk_bytes_ = 0;
  uint32_t snapshot_count_ = 0;
  uint64_t table_ = 0;
  std::vector<Qcow2Snapshot> snapshots_;
};

// The state of a snapshot that has one; its failure() says where the image is
// damaged.
std::unique_ptr<ByteSource> OpenQcow2State(
    std::shared_ptr<const Qcow2Image> image, const Qcow2Snapshot& snapshot);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_IO_QCOW2_IMAGE_H_
