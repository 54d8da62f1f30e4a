// Compresses with zstd what is written to it. The other way round:
// decompressing_source.h.

#ifndef MIGSTREAM_CODEC_IO_ZSTD_SINK_H_
#define MIGSTREAM_CODEC_IO_ZSTD_SINK_H_

#include <memory>
#include <vector>

#include "codec/io/byte_sink.h"

namespace migstream {

class ZstdSink : public ByteSink {
 public:
  static constexpr int kMinLevel = 1;
  static constexpr int kMaxLevel = 19;  // Readable within CompressionLimits.

  // Writes one frame to `sink`, which must outlive this. `threads` of its own
  // compress, and any number of them gives the same bytes; with 0 it is the
  // caller's. Memory is about 8 MiB, and 4 MiB a thread at level 3.
  ZstdSink(ByteSink& sink, int level, int threads = 0);
  ~ZstdSink() override;

  void Write(ByteSpan bytes) override;

  // Ends the frame; nothing may be written after.
  void Finish();

  // False if there was not enough memory: what was written is of no use.
  bool ok() const { return ok_; }

 private:
  struct Encoder;
  void Compress(ByteSpan bytes, bool last);

  ByteSink& sink_;
  std::unique_ptr<Encoder> encoder_;
  std::vector<uint8_t> out_;
  bool ok_ = true;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_IO_ZSTD_SINK_H_
