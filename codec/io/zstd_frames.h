// The frames of a zstd file, decoded side by side. pzstd and ZstdSink write
// files of many small frames, zstd itself writes one.
//
//   ZstdFrames frames(compressed, limits);
//   while (std::optional<ByteSpan> bytes = frames.Next()) Use(*bytes);
//   // Goes on by itself where `compressed` now stands.
//
// A frame that is damaged, cut short or larger than kMaxFrameBytes ends it, as
// does what is no frame: the source then stands at its first byte, and whoever
// decodes it piece by piece finds what is wrong. How much that gives of a
// damaged frame before it fails depends on how it is read, as always.

#ifndef MIGSTREAM_CODEC_IO_ZSTD_FRAMES_H_
#define MIGSTREAM_CODEC_IO_ZSTD_FRAMES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "codec/io/byte_source.h"
#include "codec/io/decompressor.h"
#include "codec/io/ordered_work.h"

namespace migstream {

class ZstdFrames {
 public:
  // A larger frame, compressed or not, is left alone; so is one with a larger
  // window.
  static constexpr size_t kMaxFrameBytes = 8 << 20;
  static constexpr uint64_t kMaxWindowBytes = 2 << 20;
  // Frames that are decoded at a time take no more in both shapes, unless it is
  // one alone. What was given last is held besides, and a window a thread.
  static constexpr size_t kMaxHeldBytes = 22 << 20;

  // Whether `compressed`, which has a size, stands at a frame that will do, and
  // something follows it.
  static bool AreSeveral(ByteSource& compressed);

  // `compressed` stands at a frame, has a size and can go back; it must outlive
  // this, and is not to be used meanwhile.
  ZstdFrames(ByteSource& compressed, const CompressionLimits& limits);
  ~ZstdFrames();

  // What the next frame holds, which may be nothing; good until the next call.
  // Null for good behind the last of them.
  std::optional<ByteSpan> Next();

 private:
  struct Frame {
    uint64_t at = 0;  // In the compressed file.
    std::vector<uint8_t> in;
    std::unique_ptr<uint8_t[]> out;
    size_t room = 0;  // For so many bytes.
    size_t bytes = 0;
    size_t most = 0;  // What it may take, in both shapes.
    bool whole = false;
  };
  class Worker;

  // The next frame: its bytes, and what it may take in both shapes. False if no
  // frame follows that will do.
  static bool Look(ByteSource& compressed, size_t& bytes, size_t& most);
  // Gives it to the threads.
  void Add();
  Frame TakeOldest();

  ByteSource& compressed_;
  const size_t most_frames_;
  OrderedWork<Frame> work_;
  Frame shown_;
  std::optional<Frame> spare_;  // Its memory is used again.
  // The next frame, if it was looked at: compressed, and what it may take.
  size_t next_bytes_ = 0;
  size_t next_most_ = 0;
  size_t held_ = 0;  // By those that are decoded.
  bool more_ = true;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_IO_ZSTD_FRAMES_H_
