#include "codec/io/zstd_frame_size.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "codec/wire/bytes.h"

namespace migstream {
namespace {

constexpr uint64_t kMagic = 0xfd2fb528;
// The last four bits of a skippable frame's may be any.
constexpr uint64_t kSkippable = 0x184d2a50;
constexpr size_t kMagicBytes = 4;
constexpr size_t kSkippableHeaderBytes = 8;
// The magic number, and the descriptor behind it.
constexpr size_t kLeastHeaderBytes = 5;
constexpr size_t kMostHeaderBytes = 18;
constexpr size_t kBlockHeaderBytes = 3;
constexpr size_t kChecksumBytes = 4;
constexpr uint64_t kMaxBlockBytes = 128 << 10;

enum BlockType : uint64_t { kRaw, kRle, kCompressed, kReserved };

uint64_t LoadLe(ByteSpan bytes) {
  uint64_t number = 0;
  for (size_t i = bytes.size(); i-- > 0;) number = number << 8 | bytes[i];
  return number;
}

// Looks here and there into a file, and reads little at a time: where blocks
// are small, several headers at once.
class Glance {
 public:
  explicit Glance(const ByteSource& file) : file_(file) {}

  // `count` bytes, or as many as there are; good until the next call.
  ByteSpan At(uint64_t offset, size_t count) {
    if (offset < at_ || offset - at_ > size_ ||
        size_ - (offset - at_) < count) {
      at_ = offset;
      size_ = file_.ReadAt(offset, buffer_);
    }
    const ByteSpan bytes = ByteSpan(buffer_).first(size_).subspan(offset - at_);
    return bytes.first(std::min(count, bytes.size()));
  }

 private:
  const ByteSource& file_;
  std::array<uint8_t, 256> buffer_;
  uint64_t at_ = 0;
  size_t size_ = 0;
};

struct Header {
  size_t bytes = 0;
  bool checksum = false;
  std::optional<uint64_t> content;
};

// `bytes` has all that follows up to the file's end, or kMostHeaderBytes.
std::optional<Header> ReadHeader(ByteSpan bytes) {
  if (bytes.size() < kLeastHeaderBytes) return std::nullopt;
  const uint8_t descriptor = bytes[kMagicBytes];
  const bool single_segment = (descriptor & 0x20) != 0;
  static constexpr std::array<size_t, 4> kDictionaryBytes = {0, 1, 2, 4};
  static constexpr std::array<size_t, 4> kContentBytes = {0, 2, 4, 8};
  size_t content_bytes = kContentBytes[descriptor >> 6];
  if (content_bytes == 0 && single_segment) content_bytes = 1;
  Header header;
  header.checksum = (descriptor & 4) != 0;
  // A window's size stands where the content's size does not stand for it.
  const size_t before = kLeastHeaderBytes + (single_segment ? 0 : 1) +
                        kDictionaryBytes[descriptor & 3];
  header.bytes = before + content_bytes;
  if (bytes.size() < header.bytes) return std::nullopt;
  if (content_bytes != 0) {
    // Two bytes count from where one ends.
    header.content = LoadLe(bytes.subspan(before, content_bytes)) +
                     (content_bytes == 2 ? 256 : 0);
  }
  return header;
}

// The frame's `packed` bytes begin with its header. False if it has more than
// `most` of them, or its blocks do not lead to its end.
bool AddBlocks(Glance& file, uint64_t offset, uint64_t most,
               ZstdFrameSize& size) {
  for (bool last = false; !last;) {
    if (size.packed > most) return false;
    const ByteSpan header = file.At(offset + size.packed, kBlockHeaderBytes);
    if (header.size() < kBlockHeaderBytes) return false;
    const uint64_t word = LoadLe(header);
    last = (word & 1) != 0;
    const uint64_t bytes = word >> 3;
    size.packed += kBlockHeaderBytes;
    switch (static_cast<BlockType>(word >> 1 & 3)) {
      case kRaw:
        size.packed += bytes;
        size.most += bytes;
        break;
      case kRle:
        size.packed += 1;
        size.most += bytes;
        break;
      case kCompressed:
        size.packed += bytes;
        size.most += kMaxBlockBytes;
        break;
      case kReserved:
        return false;
    }
  }
  return true;
}

}  // namespace

std::optional<ZstdFrameSize> ZstdFrameSizeAt(const ByteSource& source,
                                             uint64_t offset, uint64_t most) {
  Glance file(source);
  const ByteSpan bytes = file.At(offset, kMostHeaderBytes);
  if (bytes.size() < kMagicBytes) return std::nullopt;
  const uint64_t magic = LoadLe(bytes.first(kMagicBytes));
  ZstdFrameSize size;
  if ((magic & ~uint64_t{0xf}) == kSkippable) {
    if (bytes.size() < kSkippableHeaderBytes) return std::nullopt;
    size.packed = kSkippableHeaderBytes + LoadLe(bytes.subspan(kMagicBytes, 4));
    size.stated = true;
  } else {
    const std::optional<Header> header =
        magic == kMagic ? ReadHeader(bytes) : std::nullopt;
    if (!header) return std::nullopt;
    size.packed = header->bytes;
    if (!AddBlocks(file, offset, most, size)) return std::nullopt;
    if (header->checksum) size.packed += kChecksumBytes;
    size.stated = header->content.has_value();
    if (size.stated) size.most = *header->content;
  }
  if (size.packed > most || file.At(offset + size.packed - 1, 1).empty()) {
    return std::nullopt;
  }
  return size;
}

}  // namespace migstream
