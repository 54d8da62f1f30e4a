// Decompression of gzip, bzip2, xz and zstd, a piece at a time. See
// decompressing_source.h for how a stream is read through it.
//
// A decompressor needs memory in proportion to what the compressed bytes ask
// for: the window that they refer back to. CompressionLimits bounds that, and
// what needs more is refused with an error that says so.

#ifndef MIGSTREAM_CODEC_IO_DECOMPRESSOR_H_
#define MIGSTREAM_CODEC_IO_DECOMPRESSOR_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "codec/wire/bytes.h"

namespace migstream {

enum class Compression {
  kNone,
  kGzip,
  kBzip2,
  kXz,
  kLzop,  // Recognised; there is no decompressor.
  kZstd,
};

// "gzip"
std::string_view ToString(Compression compression);

// As the first kCompressionMagicBytes say; of a shorter input, all there is.
Compression CompressionOf(ByteSpan bytes);
inline constexpr size_t kCompressionMagicBytes = 9;

// Whether an input that ends with these bytes may be cut in the magic of it.
bool MayBegin(Compression compression, ByteSpan bytes);

struct CompressionLimits {
  // Bytes of the window. 8 MiB is what zstd up to level 19 and xz up to level 6
  // need, and leaves the program within 48 MiB.
  uint64_t window_bytes = 8 << 20;
  // How many threads decode the frames of a zstd file that has several; with 1
  // it is the caller's alone. Any number gives the same.
  int threads = 1;
};

class Decompressor {
 public:
  virtual ~Decompressor() = default;
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  // Consumes from the front of `in`, and fills `out` from the front; an empty
  // `in` means that the input has ended. Empty if all is well, else what is
  // wrong.
  virtual std::string Run(ByteSpan& in, std::span<uint8_t>& out) = 0;

  // Whether the input may end here: no frame is unfinished.
  virtual bool ended() const = 0;

 protected:
  Decompressor() = default;
};

// Null for kNone and kLzop.
std::unique_ptr<Decompressor> NewDecompressor(Compression compression,
                                              const CompressionLimits& limits);

// One for each format.
std::unique_ptr<Decompressor> NewGzipDecompressor();
std::unique_ptr<Decompressor> NewBzip2Decompressor();
std::unique_ptr<Decompressor> NewXzDecompressor(const CompressionLimits&);
std::unique_ptr<Decompressor> NewZstdDecompressor(const CompressionLimits&);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_IO_DECOMPRESSOR_H_
