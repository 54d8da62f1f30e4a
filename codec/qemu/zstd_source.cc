#include <zstd.h>

#include "absl/strings/str_cat.h"
#include "codec/qemu/byte_source.h"

namespace migstream {
namespace {

constexpr uint8_t kFrameMagic[] = {0x28, 0xb5, 0x2f, 0xfd};
// A frame says how much memory its window needs; no more than 128 MiB.
constexpr int kMaxWindowLog = 27;

}  // namespace

struct ZstdSource::Decoder {
  Decoder() : stream(ZSTD_createDStream()) {
    ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, kMaxWindowLog);
  }
  ~Decoder() { ZSTD_freeDStream(stream); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  ZSTD_DStream* stream;
};

ZstdSource::ZstdSource(std::unique_ptr<ByteSource> compressed)
    : compressed_(std::move(compressed)),
      decoder_(std::make_unique<Decoder>()) {}

ZstdSource::~ZstdSource() = default;

bool ZstdSource::IsZstd(ByteSpan bytes) {
  return bytes.size() >= sizeof kFrameMagic &&
         bytes.first(sizeof kFrameMagic) == ByteSpan(kFrameMagic);
}

size_t ZstdSource::Read(uint8_t* to, size_t count) {
  ZSTD_outBuffer out = {to, count, 0};
  while (out.pos == 0) {
    ByteSpan bytes = compressed_->Peek(1);
    if (bytes.empty() && !in_frame_) {
      if (!compressed_->failure().empty()) Fail(compressed_->failure());
      return 0;
    }
    ZSTD_inBuffer in = {bytes.data(), bytes.size(), 0};
    size_t result = ZSTD_decompressStream(decoder_->stream, &out, &in);
    compressed_->Consume(in.pos);
    if (ZSTD_isError(result)) {
      Fail(absl::StrCat("zstd: ", ZSTD_getErrorName(result)));
      return 0;
    }
    in_frame_ = result != 0;
    if (bytes.empty() && out.pos == 0) {
      if (!compressed_->failure().empty()) {
        Fail(compressed_->failure());
      } else {
        Fail("zstd: the compressed file is cut short");
      }
      return 0;
    }
  }
  return out.pos;
}

}  // namespace migstream
