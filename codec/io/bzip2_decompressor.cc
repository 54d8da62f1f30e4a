#include <bzlib.h>

#include <algorithm>
#include <limits>
#include <span>

#include "codec/io/decompressor.h"

namespace migstream {
namespace {

unsigned Size(size_t bytes) {
  return static_cast<unsigned>(
      std::min<size_t>(bytes, std::numeric_limits<unsigned>::max()));
}

std::string Problem(int result) {
  switch (result) {
    case BZ_DATA_ERROR_MAGIC:
      return "not in bzip2 format";
    case BZ_DATA_ERROR:
      return "data corruption detected";
    case BZ_MEM_ERROR:
      return "out of memory";
    default:
      return "cannot be decompressed";
  }
}

// Its blocks are at most 900 KiB, for which it needs some 4 MiB.
class Bzip2Decompressor : public Decompressor {
 public:
  ~Bzip2Decompressor() override { Close(); }

  std::string Run(ByteSpan& in, std::span<uint8_t>& out) override {
    // Streams follow each other.
    if (!open_) {
      if (in.empty()) return "";
      stream_ = {};
      if (int result = BZ2_bzDecompressInit(&stream_, 0, 0); result != BZ_OK) {
        return Problem(result);
      }
      open_ = true;
    }
    stream_.next_in =
        const_cast<char*>(reinterpret_cast<const char*>(in.data()));
    stream_.avail_in = Size(in.size());
    stream_.next_out = reinterpret_cast<char*>(out.data());
    stream_.avail_out = Size(out.size());
    int result = BZ2_bzDecompress(&stream_);
    in = in.subspan(reinterpret_cast<const uint8_t*>(stream_.next_in) -
                    in.data());
    out =
        out.subspan(reinterpret_cast<uint8_t*>(stream_.next_out) - out.data());
    if (result == BZ_STREAM_END) Close();
    return result == BZ_OK || result == BZ_STREAM_END ? "" : Problem(result);
  }

  bool ended() const override { return !open_; }

 private:
  void Close() {
    if (open_) BZ2_bzDecompressEnd(&stream_);
    open_ = false;
  }

  bz_stream stream_ = {};
  bool open_ = false;
};

}  // namespace

std::unique_ptr<Decompressor> NewBzip2Decompressor() {
  return std::make_unique<Bzip2Decompressor>();
}

}  // namespace migstream
