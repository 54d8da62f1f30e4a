// Compresses with zstd what is written to it. The other way round:
// decompressing_source.h.

#ifndef MIGSTREAM_CODEC_IO_ZSTD_SINK_H_
#define MIGSTREAM_CODEC_IO_ZSTD_SINK_H_

#include <memory>
#include <vector>

#include "codec/io/byte_sink.h"
#include "codec/io/ordered_work.h"

namespace migstream {

class ZstdSink : public ByteSink {
 public:
  static constexpr int kMinLevel = 1;
  static constexpr int kMaxLevel = 19;  // Readable within CompressionLimits.

  // Writes frames of FrameBytes() to `sink`, which must outlive this: they can
  // be compressed side by side, and decompressed so. With more than one thread,
  // `threads` of its own compress, else the caller's does; the bytes are the
  // same.
  ZstdSink(ByteSink& sink, int level, int threads = 1);
  ~ZstdSink() override;

  // How much of what is written is a frame: as far as the level looks back.
  // Larger ones would need more memory, and save a hundredth at level 3.
  static size_t FrameBytes(int level) {
    constexpr int kFirstStrong = 10;
    return level < kFirstStrong ? 2 << 20 : 8 << 20;
  }

  // With how many threads it takes no more than so much memory, if noise is
  // compressed; at least 1, which takes 10 MiB up to level 3, 20 at level 9,
  // and 60 to 120 from level 10 on.
  static int ThreadsWithin(size_t mib, int level);

  void Write(ByteSpan bytes) override;

  // Ends the last frame; nothing may be written after.
  void Finish();

  // False if there was not enough memory: what was written is of no use.
  bool ok() const { return ok_; }

 private:
  struct Frame {
    std::vector<uint8_t> in;
    std::vector<uint8_t> out;
    size_t bytes = 0;  // Of `out`; 0 if it could not be compressed.
  };

  void EndFrame();
  void WriteOldest();

  ByteSink& sink_;
  const size_t frame_bytes_;
  const size_t most_frames_;
  OrderedWork<Frame> work_;
  Frame next_;
  Frame spare_;  // Its memory is used again.
  bool begun_ = false;
  bool ok_ = true;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_IO_ZSTD_SINK_H_
