// A stream through zstd, compressed at several levels and by several threads.
// The ceiling is the library alone, into a buffer of the same size.

#include <zstd.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "bench/measure.h"
#include "codec/io/decompressing_source.h"
#include "codec/io/zstd_sink.h"

namespace migstream {
namespace {

constexpr size_t kReadBytes = 256 << 10;

// Compresses to about a half: runs of words that come again.
std::string Compressible(size_t bytes) {
  std::mt19937_64 random(1);
  std::string text;
  while (text.size() < bytes) {
    uint64_t word = random();
    size_t times = random() % 4 + 1;
    for (size_t i = 0; i < times; ++i) {
      text.append(reinterpret_cast<const char*>(&word), sizeof word);
    }
  }
  text.resize(bytes);
  return text;
}

std::string Compress(const std::string& text, int level, int threads) {
  std::string compressed(ZSTD_compressBound(text.size()), '\0');
  std::unique_ptr<ZSTD_CCtx, size_t (*)(ZSTD_CCtx*)> context(ZSTD_createCCtx(),
                                                             ZSTD_freeCCtx);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, level);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_nbWorkers, threads);
  size_t size = ZSTD_compress2(context.get(), compressed.data(),
                               compressed.size(), text.data(), text.size());
  Require(!ZSTD_isError(size), "a text is compressed");
  compressed.resize(size);
  return compressed;
}

// Into a buffer, piece by piece, as a sink does.
void CompressPieces(const std::string& text, int level, int threads) {
  std::unique_ptr<ZSTD_CCtx, size_t (*)(ZSTD_CCtx*)> context(ZSTD_createCCtx(),
                                                             ZSTD_freeCCtx);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, level);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_nbWorkers, threads);
  std::vector<uint8_t> buffer(ZSTD_CStreamOutSize());
  ZSTD_inBuffer in = {text.data(), text.size(), 0};
  size_t left = 1;
  while (left != 0) {
    ZSTD_outBuffer out = {buffer.data(), buffer.size(), 0};
    left = ZSTD_compressStream2(context.get(), &out, &in, ZSTD_e_end);
    Require(!ZSTD_isError(left), "a text is compressed");
  }
}

class CountingSink : public ByteSink {
 public:
  void Write(ByteSpan bytes) override { count_ += bytes.size(); }
  uint64_t count() const { return count_; }

 private:
  uint64_t count_ = 0;
};

void BM_ZstdOut(benchmark::State& state) {
  std::string text = Compressible(Scaled(16 << 20));
  int level = static_cast<int>(state.range(0));
  int threads = static_cast<int>(state.range(1));
  Measure(
      state, {.bytes = text.size()},
      [&] {
        CountingSink counted;
        ZstdSink sink(counted, level, threads);
        for (ByteSpan left = AsBytes(text); !left.empty();) {
          ByteSpan piece = left.first(std::min(left.size(), kReadBytes));
          sink.Write(piece);
          left = left.subspan(piece.size());
        }
        sink.Finish();
        Require(counted.count() != 0, "something comes out");
      },
      [&] { CompressPieces(text, level, threads); });
}

BENCHMARK(BM_ZstdOut)
    ->ArgNames({"level", "threads"})
    ->Args({1, 0})
    ->Args({3, 0})
    ->Args({9, 0})
    ->Args({3, 2})
    ->UseManualTime();

void Decompress(const std::string& compressed) {
  std::unique_ptr<ZSTD_DCtx, size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(),
                                                             ZSTD_freeDCtx);
  std::vector<uint8_t> buffer(kReadBytes);
  ZSTD_inBuffer in = {compressed.data(), compressed.size(), 0};
  while (in.pos < in.size) {
    ZSTD_outBuffer out = {buffer.data(), buffer.size(), 0};
    Require(!ZSTD_isError(ZSTD_decompressStream(context.get(), &out, &in)),
            "a text is decompressed");
  }
}

void BM_ZstdIn(benchmark::State& state) {
  std::string text = Compressible(Scaled(64 << 20));
  std::string compressed = Compress(text, static_cast<int>(state.range(0)),
                                    static_cast<int>(state.range(1)));
  Measure(
      state, {.bytes = text.size()},
      [&] {
        DecompressingSource source(
            std::make_unique<MemorySource>(AsBytes(compressed)),
            Compression::kZstd);
        Require(source.Skip(~uint64_t{0}) == text.size(), "all comes out");
      },
      [&] { Decompress(compressed); });
  state.counters["ratio"] =
      static_cast<double>(text.size()) / static_cast<double>(compressed.size());
}

BENCHMARK(BM_ZstdIn)
    ->ArgNames({"level", "threads"})
    ->Args({1, 0})
    ->Args({3, 0})
    ->Args({9, 0})
    ->Args({3, 2})
    ->UseManualTime();

}  // namespace
}  // namespace migstream
