#include "codec/io/zstd_sink.h"

#include <zstd.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace migstream {
namespace {

// One thread's.
std::shared_ptr<ZSTD_CCtx> NewContext(int level) {
  std::shared_ptr<ZSTD_CCtx> context(ZSTD_createCCtx(), ZSTD_freeCCtx);
  if (context == nullptr) return context;
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, level);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  return context;
}

// In MiB, of several threads: what all have, and what each has besides.
struct LevelMemory {
  int last_level;
  size_t common;
  size_t thread;
};
constexpr LevelMemory kMemory[] = {
    {3, 10, 5},
    {6, 11, 7},
    {8, 10, 10},
    {9, 10, 16},
    {ZstdSink::kMaxLevel, 30, 100},
};

}  // namespace

int ZstdSink::ThreadsWithin(size_t mib, int level) {
  const LevelMemory& memory = *std::find_if(
      std::begin(kMemory), std::end(kMemory) - 1,
      [level](const LevelMemory& each) { return level <= each.last_level; });
  const size_t left = mib - std::min(mib, memory.common);
  return static_cast<int>(std::max<size_t>(1, left / memory.thread));
}

ZstdSink::ZstdSink(ByteSink& sink, int level, int threads)
    : sink_(sink),
      frame_bytes_(FrameBytes(level)),
      most_frames_(threads > 1 ? threads + 1 : 1),
      work_(threads > 1 ? threads : 0, [level] {
        auto context = NewContext(level);
        return [context](Frame& frame) {
          frame.out.resize(ZSTD_compressBound(frame.in.size()));
          frame.bytes = context == nullptr
                            ? 0
                            : ZSTD_compress2(context.get(), frame.out.data(),
                                             frame.out.size(), frame.in.data(),
                                             frame.in.size());
          // Only lack of memory makes it fail.
          if (ZSTD_isError(frame.bytes)) frame.bytes = 0;
        };
      }) {}

ZstdSink::~ZstdSink() = default;

void ZstdSink::Write(ByteSpan bytes) {
  while (!bytes.empty() && ok_) {
    const ByteSpan here =
        bytes.first(std::min(bytes.size(), frame_bytes_ - next_.in.size()));
    next_.in.insert(next_.in.end(), here.begin(), here.end());
    if (next_.in.size() == frame_bytes_) EndFrame();
    bytes = bytes.subspan(here.size());
  }
}

void ZstdSink::Finish() {
  // An empty stream is a frame, too.
  if (!next_.in.empty() || !begun_) EndFrame();
  while (work_.size() != 0) WriteOldest();
}

void ZstdSink::EndFrame() {
  begun_ = true;
  if (work_.size() == most_frames_) WriteOldest();
  work_.Add(std::exchange(next_, std::exchange(spare_, Frame())));
  next_.in.clear();
}

void ZstdSink::WriteOldest() {
  Frame frame = work_.Take();
  ok_ = ok_ && frame.bytes != 0;
  if (ok_) sink_.Write(ByteSpan(frame.out).first(frame.bytes));
  spare_ = std::move(frame);
}

}  // namespace migstream
