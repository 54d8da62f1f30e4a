#include "codec/io/zstd_sink.h"

#include <zstd.h>

namespace migstream {
namespace {

// A piece that a thread compresses. The library's own choice takes four times
// the memory, and makes the result smaller by a thousandth.
constexpr int kJobBytes = 1 << 20;

}  // namespace

struct ZstdSink::Encoder {
  Encoder() : context(ZSTD_createCCtx()) {}
  ~Encoder() { ZSTD_freeCCtx(context); }
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;

  ZSTD_CCtx* context;
};

ZstdSink::ZstdSink(ByteSink& sink, int level, int threads)
    : sink_(sink),
      encoder_(std::make_unique<Encoder>()),
      out_(ZSTD_CStreamOutSize()),
      ok_(encoder_->context != nullptr) {
  if (!ok_) return;
  ZSTD_CCtx_setParameter(encoder_->context, ZSTD_c_compressionLevel, level);
  ZSTD_CCtx_setParameter(encoder_->context, ZSTD_c_checksumFlag, 1);
  if (threads > 0) {
    // Where the library has none, the caller's thread compresses.
    ZSTD_CCtx_setParameter(encoder_->context, ZSTD_c_nbWorkers, threads);
    ZSTD_CCtx_setParameter(encoder_->context, ZSTD_c_jobSize, kJobBytes);
  }
}

ZstdSink::~ZstdSink() = default;

void ZstdSink::Write(ByteSpan bytes) { Compress(bytes, /*last=*/false); }
void ZstdSink::Finish() { Compress({}, /*last=*/true); }

void ZstdSink::Compress(ByteSpan bytes, bool last) {
  ZSTD_inBuffer in = {bytes.data(), bytes.size(), 0};
  size_t left = 1;
  while (ok_ && (last ? left != 0 : in.pos < in.size)) {
    ZSTD_outBuffer out = {out_.data(), out_.size(), 0};
    left = ZSTD_compressStream2(encoder_->context, &out, &in,
                                last ? ZSTD_e_end : ZSTD_e_continue);
    ok_ = !ZSTD_isError(left);  // Only lack of memory makes it fail.
    if (!ok_) return;
    sink_.Write(ByteSpan(out_).first(out.pos));
  }
}

}  // namespace migstream
