// The frames of a zstd file, decoded side by side. pzstd and ZstdSink write
// files of many small frames, zstd itself writes one.
//
//   ZstdFrames frames(compressed, limits);
//   while (std::optional<ByteSpan> bytes = frames.Next()) Use(*bytes);
//   // Goes on by itself where `compressed` now stands.
//
// A frame that is damaged, cut short or larger than kMaxFrameBytes ends it, as
// does what is no frame: the source then stands at its first byte, or at small
// frames before it, and whoever decodes them piece by piece finds what is
// wrong. How much that gives of a damaged frame before it fails depends on how
// it is read, as always.

#ifndef MIGSTREAM_CODEC_IO_ZSTD_FRAMES_H_
#define MIGSTREAM_CODEC_IO_ZSTD_FRAMES_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "codec/io/byte_source.h"
#include "codec/io/decompressor.h"
#include "codec/io/large_bytes.h"
#include "codec/io/ordered_work.h"
#include "codec/io/zstd_frame_size.h"

namespace migstream {

class ZstdFrames {
 public:
  // A larger frame, compressed or not, is left alone; so is one with a larger
  // window.
  static constexpr size_t kMaxFrameBytes = 8 << 20;
  static constexpr uint64_t kMaxWindowBytes = 2 << 20;
  // Frames that are decoded at a time hold no more, unless it is one alone.
  // What was given last is held besides, and for each thread a window and 128
  // KiB of what is compressed.
  static constexpr size_t kMaxHeldBytes = 22 << 20;

  // Whether `compressed` can be read at any offset, stands at a frame that will
  // do, and something follows it.
  static bool AreSeveral(const ByteSource& compressed);

  // `compressed` stands at a frame, can be read at any offset and can go back;
  // it must outlive this, and is not to be used meanwhile.
  ZstdFrames(ByteSource& compressed, const CompressionLimits& limits);
  ~ZstdFrames();

  // What the next frame, or some small ones, hold, which may be nothing; good
  // until the next call. Null for good behind the last of them.
  std::optional<ByteSpan> Next();

 private:
  // One, and small ones before it, so that a thread has some work.
  struct Frames {
    uint64_t at = 0;    // In the compressed file.
    size_t packed = 0;  // So many bytes are they there.
    LargeBytes out;
    size_t bytes = 0;  // Of `out`.
    bool whole = false;
  };
  class Worker;

  // The frame there; where it is small, those behind it too, up to a large one.
  static std::optional<ZstdFrameSize> Look(const ByteSource& compressed,
                                           uint64_t at);
  // Gives the next ones to the threads. False if the file is not as it was.
  bool Add();
  Frames TakeOldest();

  ByteSource& compressed_;
  const size_t most_jobs_;
  OrderedWork<Frames> work_;
  Frames shown_;
  LargeBytes spare_;                   // To be used again.
  std::optional<ZstdFrameSize> next_;  // If it was looked at, and not added.
  size_t held_ = 0;                    // By those that are decoded.
  bool more_ = true;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_IO_ZSTD_FRAMES_H_
