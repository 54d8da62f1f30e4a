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

}  // namespace

// Decodes as DecompressingSource does, so that both find the same.
class ZstdFrames::Worker {
 public:
  Worker(const ByteSource& compressed, const CompressionLimits& limits)
      : compressed_(compressed),
        limits_(WithSmallWindow(limits)),
        decompressor_(NewZstdDecompressor(limits_)),
        buffer_(kPieceBytes) {}

  void Decode(Frame& frame) {
    std::span<uint8_t> out(frame.out.data(), frame.out.size());
    uint64_t at = frame.at;
    const uint64_t end = at + frame.packed;
    frame.whole = false;
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
      frame.whole = in.empty() && at == end && decompressor_->ended();
      if (frame.whole || left == in.size() + out.size()) break;
    }
    frame.bytes = frame.out.size() - out.size();
    if (!frame.whole) decompressor_ = NewZstdDecompressor(limits_);
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
      most_frames_(limits.threads),
      work_(limits.threads, [&compressed, limits] {
        auto worker = std::make_shared<Worker>(compressed, limits);
        return [worker](Frame& frame) { worker->Decode(frame); };
      }) {}

ZstdFrames::~ZstdFrames() = default;

bool ZstdFrames::AreSeveral(const ByteSource& compressed) {
  const std::optional<ZstdFrameSize> first =
      Look(compressed, compressed.offset());
  uint8_t byte;
  return first && compressed.ReadAt(compressed.offset() + first->packed,
                                    {&byte, 1}) == 1;
}

// Null if no frame that will do is there.
std::optional<ZstdFrameSize> ZstdFrames::Look(const ByteSource& compressed,
                                              uint64_t at) {
  std::optional<ZstdFrameSize> size =
      ZstdFrameSizeAt(compressed, at, kMaxFrameBytes);
  if (!size || size->most <= kMaxFrameBytes) return size;
  // Blocks seldom have as much as they can.
  if (size->stated) return std::nullopt;
  size->most = kMaxFrameBytes;
  return size;
}

void ZstdFrames::Add() {
  Frame frame;
  frame.out = std::exchange(spare_, LargeBytes());
  if (frame.out.size() < next_->most) frame.out = LargeBytes(next_->most);
  frame.at = compressed_.offset();
  frame.packed = next_->packed;
  compressed_.Skip(frame.packed);
  next_.reset();
  held_ += frame.out.size();
  work_.Add(std::move(frame));
}

ZstdFrames::Frame ZstdFrames::TakeOldest() {
  Frame frame = work_.Take();
  held_ -= frame.out.size();
  return frame;
}

std::optional<ByteSpan> ZstdFrames::Next() {
  if (shown_.out.size() > spare_.size()) spare_ = std::move(shown_.out);
  shown_ = Frame();
  while (more_ && work_.size() < most_frames_) {
    if (!next_) next_ = Look(compressed_, compressed_.offset());
    more_ = next_.has_value();
    if (!more_) break;
    const size_t more = std::max<size_t>(next_->most, spare_.size());
    if (held_ != 0 && held_ + more > kMaxHeldBytes) break;
    Add();
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
