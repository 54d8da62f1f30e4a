#include "codec/io/decompressor.h"

#include <algorithm>
#include <iterator>
#include <string_view>

namespace migstream {
namespace {

struct Format {
  Compression compression;
  std::string_view name;
  std::string_view magic;
};

// gzip's third byte is its only method, deflate; bzip2's fourth is a digit.
constexpr Format kFormats[] = {
    {Compression::kGzip, "gzip", "\x1f\x8b\x08"},
    {Compression::kBzip2, "bzip2", "BZh"},
    {Compression::kXz,
     "xz",
     {"\xfd"
      "7zXZ\0",
      6}},
    {Compression::kLzop, "lzop", {"\x89LZO\0\r\n\x1a\n", 9}},
    {Compression::kZstd, "zstd", "\x28\xb5\x2f\xfd"},
};

}  // namespace

std::string_view ToString(Compression compression) {
  for (const Format& format : kFormats) {
    if (format.compression == compression) return format.name;
  }
  return "none";
}

Compression CompressionOf(ByteSpan bytes) {
  // zstd's skippable frames begin with 0x50 … 0x5f.
  constexpr std::string_view kSkippable = "\x2a\x4d\x18";
  if (!bytes.empty() && bytes[0] >> 4 == 5 &&
      AsText(bytes.subspan(1)).starts_with(kSkippable)) {
    return Compression::kZstd;
  }
  for (const Format& format : kFormats) {
    if (AsText(bytes).starts_with(format.magic)) {
      return format.compression;
    }
  }
  return Compression::kNone;
}

bool MayBegin(Compression compression, ByteSpan bytes) {
  return !bytes.empty() &&
         std::any_of(std::begin(kFormats), std::end(kFormats),
                     [&](const Format& format) {
                       return format.compression == compression &&
                              format.magic.starts_with(AsText(bytes));
                     });
}

std::unique_ptr<Decompressor> NewDecompressor(Compression compression,
                                              const CompressionLimits& limits) {
  switch (compression) {
    case Compression::kGzip:
      return NewGzipDecompressor();
    case Compression::kBzip2:
      return NewBzip2Decompressor();
    case Compression::kXz:
      return NewXzDecompressor(limits);
    case Compression::kZstd:
      return NewZstdDecompressor(limits);
    case Compression::kLzop:
    case Compression::kNone:
      break;
  }
  return nullptr;
}

}  // namespace migstream
