#include <lzma.h>

#include <algorithm>
#include <span>

#include "codec/io/decompressor.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

// What a decoder needs beside its window.
constexpr uint64_t kOverheadBytes = 1 << 20;

class XzDecompressor : public Decompressor {
 public:
  explicit XzDecompressor(const CompressionLimits& limits)
      : limit_(std::min(limits.window_bytes, ~uint64_t{0} - kOverheadBytes) +
               kOverheadBytes) {
    Begin();
  }
  ~XzDecompressor() override { lzma_end(&stream_); }

  std::string Run(ByteSpan& in, std::span<uint8_t>& out) override {
    // Streams follow each other.
    if (ended_ && !in.empty()) Begin();
    if (!ready_) return "out of memory";
    stream_.next_in = in.data();
    stream_.avail_in = in.size();
    stream_.next_out = out.data();
    stream_.avail_out = out.size();
    lzma_ret result = lzma_code(&stream_, in.empty() ? LZMA_FINISH : LZMA_RUN);
    in = in.subspan(in.size() - stream_.avail_in);
    out = out.subspan(out.size() - stream_.avail_out);
    switch (result) {
      case LZMA_STREAM_END:
        ended_ = true;
        return "";
      case LZMA_OK:
      case LZMA_BUF_ERROR:  // No progress without more input.
        return "";
      case LZMA_MEMLIMIT_ERROR:
        return TooLarge(lzma_memusage(&stream_));
      case LZMA_MEM_ERROR:
        return "out of memory";
      case LZMA_FORMAT_ERROR:
        return "not in xz format";
      case LZMA_OPTIONS_ERROR:
        return "uses options that are not known";
      default:
        return "data corruption detected";
    }
  }

  bool ended() const override { return ended_; }

 private:
  void Begin() {
    ready_ = lzma_stream_decoder(&stream_, limit_, 0) == LZMA_OK;
    ended_ = false;
  }

  std::string TooLarge(uint64_t bytes) const {
    constexpr uint64_t kMiB = 1 << 20;
    const uint64_t window = bytes - std::min(bytes, kOverheadBytes);
    return StrCat("needs ", bytes, " bytes of memory, the limit is ", limit_,
                  "; --window=", (window + kMiB - 1) / kMiB, " allows them");
  }

  const uint64_t limit_;
  lzma_stream stream_ = LZMA_STREAM_INIT;
  bool ready_ = false;
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<Decompressor> NewXzDecompressor(
    const CompressionLimits& limits) {
  return std::make_unique<XzDecompressor>(limits);
}

}  // namespace migstream
