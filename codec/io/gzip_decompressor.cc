#include <zlib.h>

#include <algorithm>
#include <limits>
#include <span>

#include "codec/io/decompressor.h"

namespace migstream {
namespace {

// The format's largest window, 32 KiB; and the gzip header and trailer.
constexpr int kWindowBits = 15 + 16;

template <typename Span>
uInt Size(const Span& bytes) {
  return static_cast<uInt>(
      std::min<size_t>(bytes.size(), std::numeric_limits<uInt>::max()));
}

class GzipDecompressor : public Decompressor {
 public:
  GzipDecompressor() { ready_ = inflateInit2(&stream_, kWindowBits) == Z_OK; }
  ~GzipDecompressor() override { inflateEnd(&stream_); }

  std::string Run(ByteSpan& in, std::span<uint8_t>& out) override {
    if (!ready_) return "out of memory";
    // Members follow each other.
    if (ended_ && !in.empty()) {
      inflateReset(&stream_);
      ended_ = false;
    }
    stream_.next_in = const_cast<Bytef*>(in.data());
    stream_.avail_in = Size(in);
    stream_.next_out = out.data();
    stream_.avail_out = Size(out);
    int result = inflate(&stream_, Z_NO_FLUSH);
    in = in.subspan(stream_.next_in - in.data());
    out = out.subspan(stream_.next_out - out.data());
    if (result == Z_STREAM_END) ended_ = true;
    if (result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR) {
      return "";
    }
    return stream_.msg != nullptr ? stream_.msg : zError(result);
  }

  bool ended() const override { return ended_; }

 private:
  z_stream stream_ = {};
  bool ready_ = false;
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<Decompressor> NewGzipDecompressor() {
  return std::make_unique<GzipDecompressor>();
}

}  // namespace migstream
