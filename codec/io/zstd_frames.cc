#include "codec/io/zstd_frames.h"

#include <algorithm>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace migstream {
namespace {

CompressionLimits WithSmallWindow(CompressionLimits limits) {
  limits.window_bytes =
      std::min(limits.window_bytes, ZstdFrames::kMaxWindowBytes);
  return limits;
}

// Null if no frame that will do is there.
std::optional<ZstdFrameSize> LookAtOne(const ByteSource& compressed,
                                       uint64_t at) {
  std::optional<ZstdFrameSize> size =
      ZstdFrameSizeAt(compressed, at, ZstdFrames::kMaxFrameBytes);
  if (!size || size->most <= ZstdFrames::kMaxFrameBytes) return size;
  // Blocks seldom have as much as they can.
  if (size->stated) return std::nullopt;
  size->most = ZstdFrames::kMaxFrameBytes;
  return size;
}

// Handing a frame over takes as long as decoding some KiB.
bool IsSmall(const ZstdFrameSize& size) {
  constexpr uint64_t kSmallBytes = 256 << 10;
  return size.packed < kSmallBytes && size.most < kSmallBytes;
}

}  // namespace

// Decodes as DecompressingSource does, so that both find the same.
class ZstdFrames::Worker {
 public:
  Worker(const ByteSource& compressed, const CompressionLimits& limits)
      : compressed_(compressed),
        limits_(WithSmallWindow(limits)),
        decompressor_(NewZstdDecompressor(limits_)),
        buffer_(kPieceBytes) {}

  void Decode(Frames& frames) {
    std::span<uint8_t> out(frames.out.data(), frames.out.size());
    uint64_t at = frames.at;
    const uint64_t end = at + frames.packed;
    frames.whole = false;
    ByteSpan in;
    while (true) {
      if (in.empty() && at != end) {
        const size_t most = std::min<uint64_t>(buffer_.size(), end - at);
        const size_t got =
            compressed_.ReadAt(at, std::span(buffer_).first(most));
        if (got == 0) break;
        in = ByteSpan(buffer_).first(got);
        at += got;
      }
      const size_t left = in.size() + out.size();
      if (!decompressor_->Run(in, out).empty()) break;
      frames.whole = in.empty() && at == end && decompressor_->ended();
      if (frames.whole || left == in.size() + out.size()) break;
    }
    frames.bytes = frames.out.size() - out.size();
    if (!frames.whole) decompressor_ = NewZstdDecompressor(limits_);
  }

 private:
  static constexpr size_t kPieceBytes = 128 << 10;

  const ByteSource& compressed_;
  const CompressionLimits limits_;
  std::unique_ptr<Decompressor> decompressor_;
  std::vector<uint8_t> buffer_;  // Of what is compressed.
};

ZstdFrames::ZstdFrames(ByteSource& compressed, const CompressionLimits& limits)
    : compressed_(compressed),
      most_jobs_(limits.threads),
      work_(limits.threads, [&compressed, limits] {
        auto worker = std::make_shared<Worker>(compressed, limits);
        return [worker](Frames& frames) { worker->Decode(frames); };
      }) {}

ZstdFrames::~ZstdFrames() = default;

bool ZstdFrames::AreSeveral(const ByteSource& compressed) {
  const std::optional<ZstdFrameSize> first =
      Look(compressed, compressed.offset());
  uint8_t byte;
  return first && compressed.ReadAt(compressed.offset() + first->packed,
                                    {&byte, 1}) == 1;
}

std::optional<ZstdFrameSize> ZstdFrames::Look(const ByteSource& compressed,
                                              uint64_t at) {
  std::optional<ZstdFrameSize> all = LookAtOne(compressed, at);
  // The last may be large, if all together are no larger than one may be:
  // before each of pzstd's stands one of 12 bytes that holds nothing.
  while (all && IsSmall(*all)) {
    const std::optional<ZstdFrameSize> more =
        LookAtOne(compressed, at + all->packed);
    if (!more) break;
    if (!IsSmall(*more) && all->most + more->most > kMaxFrameBytes) break;
    all->packed += more->packed;
    all->most += more->most;
  }
  return all;
}

bool ZstdFrames::Add() {
  Frames frames;
  frames.out = std::exchange(spare_, LargeBytes());
  if (frames.out.size() < next_->most) frames.out = LargeBytes(next_->most);
  frames.at = compressed_.offset();
  frames.packed = next_->packed;
  next_.reset();
  if (compressed_.Skip(frames.packed) != frames.packed) {
    compressed_.MoveTo(frames.at);
    return false;
  }
  held_ += frames.out.size();
  work_.Add(std::move(frames));
  return true;
}

ZstdFrames::Frames ZstdFrames::TakeOldest() {
  Frames frames = work_.Take();
  held_ -= frames.out.size();
  return frames;
}

std::optional<ByteSpan> ZstdFrames::Next() {
  if (shown_.out.size() > spare_.size()) spare_ = std::move(shown_.out);
  shown_ = Frames();
  while (more_ && work_.size() < most_jobs_) {
    if (!next_) next_ = Look(compressed_, compressed_.offset());
    more_ = next_.has_value();
    if (!more_) break;
    const size_t more = std::max<size_t>(next_->most, spare_.size());
    if (held_ != 0 && held_ + more > kMaxHeldBytes) break;
    more_ = Add();
  }
  if (work_.size() == 0) return std::nullopt;
  shown_ = TakeOldest();
  if (shown_.whole) return ByteSpan(shown_.out.data(), shown_.bytes);
  compressed_.MoveTo(shown_.at);
  more_ = false;
  while (work_.size() != 0) TakeOldest();
  return std::nullopt;
}

}  // namespace migstream
