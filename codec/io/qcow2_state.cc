#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "codec/io/qcow2_format.h"
#include "codec/io/qcow2_image.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

// All of a cluster, out of deflate without a header.
bool Inflate(ByteSpan from, std::span<uint8_t> to) {
  z_stream stream = {};
  if (inflateInit2(&stream, -15) != Z_OK) return false;
  stream.next_in = const_cast<Bytef*>(from.data());
  stream.avail_in = static_cast<uInt>(from.size());
  stream.next_out = to.data();
  stream.avail_out = static_cast<uInt>(to.size());
  inflate(&stream, Z_FINISH);
  const bool all = stream.avail_out == 0;
  inflateEnd(&stream);
  return all;
}

// The same of zstd; behind its frame is what fills the sector.
bool InflateZstd(ByteSpan from, std::span<uint8_t> to) {
  ZSTD_DStream* stream = ZSTD_createDStream();
  if (stream == nullptr) return false;
  // What a frame may look back to is memory.
  ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, kQcow2MaxClusterBits);
  ZSTD_inBuffer in = {from.data(), from.size(), 0};
  ZSTD_outBuffer out = {to.data(), to.size(), 0};
  size_t result = 1;
  while (out.pos < out.size && !ZSTD_isError(result)) {
    const size_t before = in.pos + out.pos;
    result = ZSTD_decompressStream(stream, &out, &in);
    if (result == 0 || in.pos + out.pos == before) break;
  }
  ZSTD_freeDStream(stream);
  return !ZSTD_isError(result) && out.pos == out.size;
}

}  // namespace

// Finds a snapshot's clusters, and reads them.
class Qcow2Clusters {
 public:
  Qcow2Clusters(const Qcow2Image& image, const Qcow2Snapshot& snapshot)
      : image_(image), snapshot_(snapshot) {
    const uint32_t entries = bits() - (image.extended_ ? 4 : 3);
    l2_bits_ = entries;
    // The state begins where the next L1 entry behind the disk does.
    const uint32_t shift = bits() + l2_bits_;
    const uint64_t step = uint64_t{1} << shift;
    first_l1_ = snapshot.disk_bytes / step + (snapshot.disk_bytes % step != 0);
    data_.resize(size_t{1} << bits());
  }

  size_t cluster_bytes() const { return data_.size(); }

  // Cluster `number` of the state. Empty if the image is damaged there.
  ByteSpan Read(uint64_t number, std::string& why) {
    if (have_ != number) {
      have_.reset();
      if (!Load(number)) {
        why =
            StrCat("qcow2: ", problem_, " ", Hex(problem_at_), " of the image");
        return {};
      }
      have_ = number;
    }
    return data_;
  }

 private:
  uint32_t bits() const { return image_.cluster_bits_; }

  bool Fail(std::string problem, uint64_t at) {
    problem_ = std::move(problem);
    problem_at_ = at;
    return false;
  }

  bool ReadEntry(uint64_t at, std::span<uint8_t> to) {
    return image_.Read(at, to) || Fail("it ends before the table at", at);
  }

  // The table of the L1 entry, or none where nothing was written.
  bool LoadTable(uint64_t l1) {
    if (table_of_ == l1) return true;
    table_of_.reset();
    if (l1 >= snapshot_.l1_entries) {
      return Fail("the state goes beyond the snapshot's table at",
                  snapshot_.l1_offset);
    }
    std::array<uint8_t, 8> entry;
    const uint64_t at = snapshot_.l1_offset + l1 * 8;
    if (!ReadEntry(at, entry)) return false;
    const uint64_t offset = LoadBe64(entry.data()) & kQcow2OffsetMask;
    table_.clear();
    if (offset != 0) {
      table_.resize(cluster_bytes());
      if (!ReadEntry(offset, table_)) return false;
    }
    table_of_ = l1;
    return true;
  }

  bool Load(uint64_t number) {
    if (!LoadTable(first_l1_ + (number >> l2_bits_))) return false;
    std::fill(data_.begin(), data_.end(), 0);
    if (table_.empty()) return true;
    const uint64_t index = number & ((uint64_t{1} << l2_bits_) - 1);
    const size_t entry_bytes = image_.extended_ ? 16 : 8;
    const uint64_t entry = LoadBe64(&table_[index * entry_bytes]);
    if ((entry & kQcow2Compressed) != 0) return LoadCompressed(entry);
    const uint64_t offset = entry & kQcow2OffsetMask;
    if (image_.extended_) {
      return LoadSubclusters(offset, LoadBe64(&table_[index * 16 + 8]));
    }
    if (offset == 0 || (entry & kQcow2Zero) != 0) return true;
    return image_.Read(offset, data_) || Fail("it ends before", offset);
  }

  // Its low half says which are there.
  bool LoadSubclusters(uint64_t offset, uint64_t bitmap) {
    const size_t bytes = cluster_bytes() / kQcow2Subclusters;
    for (uint32_t i = 0; i < kQcow2Subclusters; ++i) {
      if ((bitmap >> i & 1) == 0 || offset == 0) continue;
      if (!image_.Read(offset + i * bytes,
                       std::span(data_).subspan(i * bytes, bytes))) {
        return Fail("it ends before", offset);
      }
    }
    return true;
  }

  bool LoadCompressed(uint64_t entry) {
    const uint32_t offset_bits = 62 - (bits() - 8);
    const uint64_t rest = entry & (kQcow2Compressed - 1);
    const uint64_t offset = rest & ((uint64_t{1} << offset_bits) - 1);
    const uint64_t sectors = (rest >> offset_bits) + 1;
    uint64_t bytes = sectors * kQcow2SectorBytes - offset % kQcow2SectorBytes;
    // The last sector may be the file's last, and not whole.
    if (offset < image_.file_bytes_) {
      bytes = std::min(bytes, image_.file_bytes_ - offset);
    }
    // At most twice a cluster, as that many bits say.
    packed_.resize(bytes);
    if (!image_.Read(offset, packed_)) return Fail("it ends before", offset);
    const bool zstd =
        image_.compression_ == static_cast<uint8_t>(Qcow2Compression::kZstd);
    return (zstd ? InflateZstd(packed_, data_) : Inflate(packed_, data_)) ||
           Fail("a cluster does not inflate, at", offset);
  }

  const Qcow2Image& image_;
  const Qcow2Snapshot snapshot_;
  uint32_t l2_bits_ = 0;
  uint64_t first_l1_ = 0;
  std::optional<uint64_t> table_of_;
  std::vector<uint8_t> table_;
  std::optional<uint64_t> have_;
  std::vector<uint8_t> data_;
  std::vector<uint8_t> packed_;
  std::string problem_;
  uint64_t problem_at_ = 0;
};

namespace {

class StateSource : public ByteSource {
 public:
  StateSource(std::shared_ptr<const Qcow2Image> image,
              const Qcow2Snapshot& snapshot)
      : image_(std::move(image)),
        clusters_(*image_, snapshot),
        size_(snapshot.state_bytes) {}

  bool ReachEnd(uint64_t) override { return true; }

  std::vector<uint8_t> Tail(uint64_t count) override {
    count = std::min(count, size_ - std::min(size_, offset()));
    std::vector<uint8_t> tail(count);
    size_t done = 0;
    while (done < count) {
      const size_t here =
          ReadFrom(size_ - count + done, std::span(tail).subspan(done));
      if (here == 0) return {};
      done += here;
    }
    return tail;
  }

  std::optional<uint64_t> size() const override { return size_; }

 protected:
  size_t Read(uint8_t* to, size_t count) override {
    const size_t here = ReadFrom(position_, {to, count});
    position_ += here;
    return here;
  }

  uint64_t Seek(uint64_t count) override {
    const uint64_t sought = std::min(count, size_ - position_);
    position_ += sought;
    return sought;
  }

 private:
  // Up to the end of a cluster; 0 at the end, or where the image is damaged.
  size_t ReadFrom(uint64_t position, std::span<uint8_t> to) {
    if (position >= size_) return 0;
    const uint64_t cluster = position / clusters_.cluster_bytes();
    const uint64_t from = position % clusters_.cluster_bytes();
    std::string why;
    const ByteSpan bytes = clusters_.Read(cluster, why);
    if (bytes.empty()) {
      Fail(why);
      return 0;
    }
    const size_t here =
        std::min<uint64_t>({to.size(), bytes.size() - from, size_ - position});
    std::copy_n(bytes.begin() + static_cast<ptrdiff_t>(from), here, to.begin());
    return here;
  }

  const std::shared_ptr<const Qcow2Image> image_;
  Qcow2Clusters clusters_;
  const uint64_t size_;
  uint64_t position_ = 0;
};

}  // namespace

std::unique_ptr<ByteSource> OpenQcow2State(
    std::shared_ptr<const Qcow2Image> image, const Qcow2Snapshot& snapshot) {
  return std::make_unique<StateSource>(std::move(image), snapshot);
}

}  // namespace migstream
