// For tests: bytes as the formats' own libraries compress them.

#ifndef MIGSTREAM_CODEC_IO_COMPRESS_BYTES_H_
#define MIGSTREAM_CODEC_IO_COMPRESS_BYTES_H_

#include <bzlib.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <string>

#include "codec/io/decompressor.h"
#include "gtest/gtest.h"

namespace migstream {

inline std::string GzipBytes(const std::string& bytes) {
  z_stream stream = {};
  EXPECT_EQ(
      deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY),
      Z_OK);
  std::string packed(deflateBound(&stream, bytes.size()) + 64, '\0');
  stream.next_in =
      const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

inline std::string Bzip2Bytes(std::string bytes) {
  auto size = static_cast<unsigned>(bytes.size() + bytes.size() / 50 + 1000);
  std::string packed(size, '\0');
  EXPECT_EQ(
      BZ2_bzBuffToBuffCompress(packed.data(), &size, bytes.data(),
                               static_cast<unsigned>(bytes.size()), 9, 0, 0),
      BZ_OK);
  packed.resize(size);
  return packed;
}

// xz's `preset` 0 to 9, of windows from 256 KiB to 64 MiB.
inline std::string XzBytes(const std::string& bytes, uint32_t preset = 0) {
  std::string packed(lzma_stream_buffer_bound(bytes.size()), '\0');
  size_t size = 0;
  EXPECT_EQ(
      lzma_easy_buffer_encode(
          preset, LZMA_CHECK_CRC64, nullptr,
          reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(),
          reinterpret_cast<uint8_t*>(packed.data()), &size, packed.size()),
      LZMA_OK);
  packed.resize(size);
  return packed;
}

// With a checksum, and a window of 2^window_log bytes.
inline std::string ZstdBytes(const std::string& bytes, int window_log = 19) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  std::string packed(ZSTD_compressBound(bytes.size()), '\0');
  ZSTD_inBuffer in = {bytes.data(), bytes.size(), 0};
  ZSTD_outBuffer out = {packed.data(), packed.size(), 0};
  // Twice, so that the window does not shrink to a size that is known.
  EXPECT_FALSE(
      ZSTD_isError(ZSTD_compressStream2(context, &out, &in, ZSTD_e_continue)));
  EXPECT_EQ(ZSTD_compressStream2(context, &out, &in, ZSTD_e_end), 0);
  packed.resize(out.pos);
  ZSTD_freeCCtx(context);
  return packed;
}

inline std::string CompressBytes(Compression compression,
                                 const std::string& bytes) {
  switch (compression) {
    case Compression::kGzip:
      return GzipBytes(bytes);
    case Compression::kBzip2:
      return Bzip2Bytes(bytes);
    case Compression::kXz:
      return XzBytes(bytes);
    case Compression::kZstd:
      return ZstdBytes(bytes);
    default:
      return bytes;
  }
}

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_IO_COMPRESS_BYTES_H_
