#include "codec/io/decompressing_source.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

#include "codec/wire/text.h"

namespace migstream {

DecompressingSource::DecompressingSource(std::unique_ptr<ByteSource> compressed,
                                         Compression compression,
                                         const CompressionLimits& limits)
    : compressed_(std::move(compressed)),
      compression_(compression),
      limits_(limits),
      decompressor_(NewDecompressor(compression, limits)) {
  compressed_->SetReadAhead(true);
}

size_t DecompressingSource::Read(uint8_t* to, size_t count) {
  if (viewed_) read_at_ = offset();
  viewed_ = false;
  size_t got = ReadFrames(to, count);
  if (got == 0) got = ReadPieces(to, count);
  // The frames begin where a piece has ended.
  if (got == 0 && frames_ != nullptr) return Read(to, count);
  if (got != kNothingYet) read_at_ += got;
  return got;
}

// In a file that can go back, at its first byte.
bool DecompressingSource::HasFrames() const {
  return compression_ == Compression::kZstd && limits_.threads > 1 &&
         compressed_->size().has_value() &&
         ZstdFrames::AreSeveral(*compressed_);
}

bool DecompressingSource::NextFrame() {
  const uint64_t begin = frame_begin_ + frame_.size();
  const std::optional<ByteSpan> bytes = frames_->Next();
  frame_begin_ = begin;
  frame_ = bytes.value_or(ByteSpan());
  if (bytes) return true;
  frames_ = nullptr;
  side_by_side_ = false;
  return false;
}

size_t DecompressingSource::ReadFrames(uint8_t* to, size_t count) {
  if (frames_ == nullptr) return 0;
  while (read_at_ == frame_begin_ + frame_.size()) {
    if (!NextFrame()) return 0;
  }
  const ByteSpan left = frame_.subspan(read_at_ - frame_begin_);
  count = std::min(count, left.size());
  std::memcpy(to, left.data(), count);
  return count;
}

std::optional<ByteSpan> DecompressingSource::View(size_t count) {
  const uint64_t at = offset();
  // What is left of the frame before has been read into the buffer.
  if (frames_ == nullptr || at < frame_begin_) return std::nullopt;
  while (at == frame_begin_ + frame_.size()) {
    if (!NextFrame()) return std::nullopt;
  }
  const ByteSpan left = frame_.subspan(at - frame_begin_);
  if (left.size() < count) return std::nullopt;
  viewed_ = true;
  return left;
}

size_t DecompressingSource::ReadPieces(uint8_t* to, size_t count) {
  if (!failure().empty()) return 0;
  if (decompressor_ == nullptr) {
    Refuse("is not supported; decompress it beforehand");
    return 0;
  }
  std::span<uint8_t> out(to, count);
  while (out.size() == count) {
    ByteSpan bytes = compressed_->Peek(1);
    if (bytes.empty() && compressed_->nothing_yet()) return kNothingYet;
    bool at_end = bytes.empty();
    if (at_end && !compressed_->failure().empty()) {
      Fail(compressed_->failure());
      return 0;
    }
    if (at_end && decompressor_->ended()) return 0;
    if (begun_ && decompressor_->ended()) {
      const bool padding = IsPadding();
      if (compressed_->nothing_yet()) return kNothingYet;  // Undecided.
      if (padding) {
        padding_bytes_ = compressed_->Skip(~uint64_t{0});
        return 0;
      }
      if (side_by_side_) {
        frames_ = std::make_unique<ZstdFrames>(*compressed_, limits_);
        frame_begin_ = read_at_;
        return 0;
      }
      bytes = compressed_->Peek(1);
    }
    if (!std::exchange(begun_, true)) {
      side_by_side_ = HasFrames();
      bytes = compressed_->Peek(1);  // It looked further.
    }
    ByteSpan in = bytes;
    std::string problem = decompressor_->Run(in, out);
    compressed_->Consume(bytes.size() - in.size());
    if (!problem.empty()) {
      // What came before is good, and the failure is met again.
      Refuse(problem);
      break;
    }
    if (at_end && out.size() == count && !decompressor_->ended()) {
      Refuse("the compressed file is cut short");
      return 0;
    }
  }
  return count - out.size();
}

// Behind a frame: whether what follows begins no other. Zeros may stand between
// two; with the next they are consumed.
bool DecompressingSource::IsPadding() {
  constexpr size_t kMostZeros = 1 << 16;
  // No more is asked for than decides: of a live input it may not come.
  for (size_t zeros = 0, wanted = 1;;) {
    const ByteSpan bytes = compressed_->Peek(wanted);
    while (zeros < bytes.size() && bytes[zeros] == 0) ++zeros;
    const ByteSpan rest = bytes.subspan(zeros);
    if (CompressionOf(rest) == compression_ ||
        (bytes.size() < wanted && MayBegin(compression_, rest))) {
      compressed_->Consume(zeros);
      return false;
    }
    const bool may_follow =
        rest.empty() ? zeros < kMostZeros : MayBegin(compression_, rest);
    if (!may_follow || bytes.size() < wanted) return true;
    wanted = bytes.size() + 1;
  }
}

void DecompressingSource::Refuse(std::string_view why) {
  Fail(StrCat(ToString(compression_), ": ", why));
}

std::unique_ptr<ByteSource> Decompressed(std::unique_ptr<ByteSource> source,
                                         const CompressionLimits& limits) {
  Compression compression = CompressionOf(source->Peek(kCompressionMagicBytes));
  if (compression == Compression::kNone) return source;
  return std::make_unique<DecompressingSource>(std::move(source), compression,
                                               limits);
}

}  // namespace migstream
