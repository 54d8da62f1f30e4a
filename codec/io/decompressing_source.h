// A stream that is read through a decompressor.
//
//   auto source = DecompressingSource(std::move(file), Compression::kXz);
//
// Frames that follow each other give one stream, as the formats' own tools have
// it; what comes behind them and begins no other is padding, and counted.
// Offsets are those of the decompressed bytes. What is damaged, cut short
// or needs too much memory is the source's failure(), and begins with the
// format's name.

#ifndef MIGSTREAM_CODEC_IO_DECOMPRESSING_SOURCE_H_
#define MIGSTREAM_CODEC_IO_DECOMPRESSING_SOURCE_H_

#include <memory>
#include <optional>
#include <string_view>

#include "codec/io/byte_source.h"
#include "codec/io/decompressor.h"
#include "codec/io/zstd_frames.h"

namespace migstream {

class DecompressingSource : public ByteSource {
 public:
  DecompressingSource(std::unique_ptr<ByteSource> compressed,
                      Compression compression,
                      const CompressionLimits& limits = {});

  uint64_t raw_offset() const override { return compressed_->raw_offset(); }
  std::optional<uint64_t> raw_size() const override {
    return compressed_->raw_size();
  }
  uint64_t padding_bytes() const override {
    return padding_bytes_ + compressed_->padding_bytes();
  }
  bool works_ahead() const override { return side_by_side_; }

 protected:
  size_t Read(uint8_t* to, size_t count) override;
  std::optional<ByteSpan> View(size_t count) override;

 private:
  // The file piece by piece, and its frames side by side; of these 0 if there
  // are no more.
  size_t ReadPieces(uint8_t* to, size_t count);
  size_t ReadFrames(uint8_t* to, size_t count);
  bool NextFrame();
  bool HasFrames() const;
  bool IsPadding();
  void Refuse(std::string_view why);

  const std::unique_ptr<ByteSource> compressed_;
  const Compression compression_;
  const CompressionLimits limits_;
  const std::unique_ptr<Decompressor> decompressor_;
  bool begun_ = false;
  // It has several frames, which threads decode from the second one on: whoever
  // only looks at the first bytes needs none.
  bool side_by_side_ = false;
  // They give them, as long as they will do; and the last one's bytes, with
  // their place.
  std::unique_ptr<ZstdFrames> frames_;
  ByteSpan frame_;
  uint64_t frame_begin_ = 0;
  uint64_t read_at_ = 0;  // Of what Read() gives next,
  bool viewed_ = false;   // unless View() has given more.
  uint64_t padding_bytes_ = 0;
};

// `source` itself, or through what its first bytes say.
std::unique_ptr<ByteSource> Decompressed(std::unique_ptr<ByteSource> source,
                                         const CompressionLimits& limits);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_IO_DECOMPRESSING_SOURCE_H_
