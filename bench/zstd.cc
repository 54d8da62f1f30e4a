// A stream through zstd, compressed at several levels and by several threads.
// The ceiling is the library alone, into a buffer of the same size.

#include <zstd.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "bench/measure.h"
#include "codec/qemu/decompressing_source.h"

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
