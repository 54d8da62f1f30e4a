#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <span>

#include "codec/io/decompressor.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

// The largest power of two that is no more.
int Log2(uint64_t bytes) {
  int log = 0;
  while ((bytes >>= 1) != 0) ++log;
  return log;
}

class ZstdDecompressor : public Decompressor {
 public:
  explicit ZstdDecompressor(const CompressionLimits& limits)
      : stream_(ZSTD_createDStream()), window_bytes_(limits.window_bytes) {
    ZSTD_bounds bounds = ZSTD_dParam_getBounds(ZSTD_d_windowLogMax);
    ZSTD_DCtx_setParameter(
        stream_, ZSTD_d_windowLogMax,
        std::clamp(Log2(window_bytes_), bounds.lowerBound, bounds.upperBound));
  }
  ~ZstdDecompressor() override { ZSTD_freeDStream(stream_); }

  std::string Run(ByteSpan& in, std::span<uint8_t>& out) override {
    // zstd checks less of a frame that it is shown as a whole than of one in
    // pieces. A file and a pipe are judged alike if its first byte comes alone.
    const bool begins = between_frames_ && !in.empty();
    ZSTD_inBuffer from = {in.data(), begins ? 1 : in.size(), 0};
    ZSTD_outBuffer to = {out.data(), out.size(), 0};
    size_t result = ZSTD_decompressStream(stream_, &to, &from);
    in = in.subspan(from.pos);
    out = out.subspan(to.pos);
    if (ZSTD_isError(result)) {
      return ZSTD_getErrorCode(result) ==
                     ZSTD_error_frameParameter_windowTooLarge
                 ? StrCat("needs a window of more than the limit of ",
                          window_bytes_,
                          " bytes; --window=128 is what zstd --long needs")
                 : ZSTD_getErrorName(result);
    }
    ended_ = result == 0;
    between_frames_ = ended_;
    return "";
  }

  bool ended() const override { return ended_; }

 private:
  ZSTD_DStream* const stream_;
  const uint64_t window_bytes_;
  bool ended_ = false;
  bool between_frames_ = true;  // Or before the first.
};

}  // namespace

std::unique_ptr<Decompressor> NewZstdDecompressor(
    const CompressionLimits& limits) {
  return std::make_unique<ZstdDecompressor>(limits);
}

}  // namespace migstream
