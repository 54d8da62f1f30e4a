#include "codec/io/zstd_frames.h"

#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <string>
#include <utility>

namespace migstream {
namespace {

constexpr size_t kFirstLook = 256 << 10;

CompressionLimits WithSmallWindow(CompressionLimits limits) {
  limits.window_bytes =
      std::min(limits.window_bytes, ZstdFrames::kMaxWindowBytes);
  return limits;
}

}  // namespace

// Decodes as DecompressingSource does, so that both find the same.
class ZstdFrames::Worker {
 public:
  explicit Worker(const CompressionLimits& limits)
      : limits_(WithSmallWindow(limits)),
        decompressor_(NewZstdDecompressor(limits_)) {}

  void Decode(Frame& frame) {
    ByteSpan in = frame.in;
    std::span<uint8_t> out(frame.out.get(), frame.room);
    frame.whole = false;
    for (size_t left = 0; !frame.whole && left != in.size() + out.size();) {
      left = in.size() + out.size();
      if (!decompressor_->Run(in, out).empty()) break;
      frame.whole = in.empty() && decompressor_->ended();
    }
    frame.bytes = frame.room - out.size();
    if (!frame.whole) decompressor_ = NewZstdDecompressor(limits_);
  }

 private:
  const CompressionLimits limits_;
  std::unique_ptr<Decompressor> decompressor_;
};

ZstdFrames::ZstdFrames(ByteSource& compressed, const CompressionLimits& limits)
    : compressed_(compressed),
      most_frames_(limits.threads),
      work_(limits.threads, [limits] {
        auto worker = std::make_shared<Worker>(limits);
        return [worker](Frame& frame) { worker->Decode(frame); };
      }) {}

ZstdFrames::~ZstdFrames() = default;

bool ZstdFrames::AreSeveral(ByteSource& compressed) {
  size_t frame = 0, most = 0;
  return Look(compressed, frame, most) &&
         compressed.Peek(frame + 1).size() > frame;
}

bool ZstdFrames::Look(ByteSource& compressed, size_t& next_bytes,
                      size_t& next_most) {
  for (size_t wanted = kFirstLook;;
       wanted = std::min(2 * wanted, kMaxFrameBytes + 1)) {
    const ByteSpan bytes = compressed.Peek(wanted);
    // What is no frame's header has an error here, which is a large number.
    const unsigned long long content =
        ZSTD_getFrameContentSize(bytes.data(), bytes.size());
    const bool known = content != ZSTD_CONTENTSIZE_UNKNOWN;
    if (known && content > kMaxFrameBytes) return false;
    const size_t frame =
        ZSTD_findFrameCompressedSize(bytes.data(), bytes.size());
    if (!ZSTD_isError(frame)) {
      next_bytes = frame;
      next_most = frame + (known ? content : kMaxFrameBytes);
      return frame <= kMaxFrameBytes;
    }
    if (ZSTD_getErrorCode(frame) != ZSTD_error_srcSize_wrong ||
        bytes.size() < wanted || wanted > kMaxFrameBytes) {
      return false;
    }
  }
}

void ZstdFrames::Add() {
  Frame frame = spare_ ? *std::exchange(spare_, std::nullopt) : Frame();
  // What is not written to takes no memory. What a larger one has left behind
  // would count as well.
  const size_t room = next_most_ - next_bytes_;
  if (frame.room < room ||
      frame.in.capacity() + frame.room > next_most_ + kFirstLook) {
    frame = Frame();
    frame.out = std::make_unique_for_overwrite<uint8_t[]>(room);
    frame.room = room;
  }
  frame.at = compressed_.offset();
  frame.most = next_most_;
  const ByteSpan in = compressed_.Peek(next_bytes_).first(next_bytes_);
  frame.in.assign(in.begin(), in.end());
  compressed_.Consume(std::exchange(next_bytes_, 0));
  held_ += next_most_;
  work_.Add(std::move(frame));
}

ZstdFrames::Frame ZstdFrames::TakeOldest() {
  Frame frame = work_.Take();
  held_ -= frame.most;
  return frame;
}

std::optional<ByteSpan> ZstdFrames::Next() {
  if (shown_.room != 0) spare_ = std::exchange(shown_, Frame());
  while (more_ && work_.size() < most_frames_) {
    if (next_bytes_ == 0) more_ = Look(compressed_, next_bytes_, next_most_);
    if (!more_ || (held_ != 0 && held_ + next_most_ > kMaxHeldBytes)) break;
    Add();
  }
  spare_.reset();
  if (work_.size() == 0) return std::nullopt;
  shown_ = TakeOldest();
  if (shown_.whole) return ByteSpan(shown_.out.get(), shown_.bytes);
  compressed_.MoveTo(shown_.at);
  more_ = false;
  while (work_.size() != 0) TakeOldest();
  return std::nullopt;
}

}  // namespace migstream
