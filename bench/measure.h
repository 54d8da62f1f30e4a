// Measures code beside its ceiling: the same work without the codec, in the
// same run, turn by turn, so that what else the machine does hits both.
//
//   void BM_Copy(benchmark::State& state) {
//     …
//     Measure(state, {.items = records, .bytes = bytes},
//             [&] { DecodeAndCopy(); }, [&] { std::memcpy(…); });
//   }
//   BENCHMARK(BM_Copy)->UseManualTime();
//
// Time is CPU time of the calling thread, user and system: for work that never
// waits it is what an idle machine's clock would say, and others on the machine
// disturb it less. In each of kRounds rounds both sides run kTurns times in
// turn, and the fastest of each counts. One iteration of the benchmark is a
// whole measurement; its time is the codec's median for one call, and the
// counters say
//
//   percent, percent_min, percent_max   ceiling / codec, median of the rounds
//   ns_per_item, ceiling_ns             where items are given
//   cpu_s_per_GiB, ceiling_s,           where bytes are given; wall is the
//   wall_s_per_GiB                      codec's by the clock
//
// With --once, as the tests have it, each side is called once and sizes are
// cut short: see Scaled().

#ifndef MIGSTREAM_BENCH_MEASURE_H_
#define MIGSTREAM_BENCH_MEASURE_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "benchmark/benchmark.h"
#include "codec/wire/bytes.h"

namespace migstream {

// Work of one call. What is zero is not reported.
struct Work {
  uint64_t items = 0;
  uint64_t bytes = 0;
};

// Each benchmark is to run once, and shortly.
bool Once();
void SetOnce();

// `bytes`, or with --once no more than 1 MiB.
uint64_t Scaled(uint64_t bytes);

// Ends the program if what is measured does not even work.
void Require(bool condition, std::string_view what);

// Reads every byte once: a ceiling for what parses.
void ReadAll(ByteSpan bytes);

class Stopwatch {
 public:
  void Start();
  void Stop();

  // Between Start() and Stop(), in all.
  double wall_seconds = 0;
  double cpu_seconds = 0;  // Of this thread.

 private:
  double wall_start_ = 0;
  double cpu_start_ = 0;
};

// `codec` and `ceiling` take a Stopwatch, and start and stop it around what
// counts.
class Rounds {
 public:
  static constexpr int kRounds = 9;
  static constexpr int kTurns = 5;
  // A call that takes longer has one turn a round.
  static constexpr double kLongSeconds = 0.02;

  Rounds(benchmark::State& state, const Work& work)
      : state_(state), work_(work) {}

  template <typename Codec, typename Ceiling>
  void Run(Codec codec, Ceiling ceiling) {
    for (auto _ : state_) {
      int rounds = Once() ? 1 : kRounds;
      for (int i = 0; i < rounds; ++i) {
        Stopwatch best[2];
        for (int turn = 0; turn < kTurns; ++turn) {
          // Neither side always comes first.
          bool codec_first = (i + turn) % 2 == 0;
          for (bool is_codec : {codec_first, !codec_first}) {
            Stopwatch watch;
            is_codec ? codec(watch) : ceiling(watch);
            Keep(watch, turn, best[is_codec]);
          }
          if (Once() || best[1].cpu_seconds > kLongSeconds) break;
        }
        Add(best[1], best[0]);
      }
      Report();
    }
  }

 private:
  static void Keep(const Stopwatch& watch, int turn, Stopwatch& best) {
    if (turn == 0 || watch.cpu_seconds < best.cpu_seconds) best = watch;
  }
  void Add(const Stopwatch& codec, const Stopwatch& ceiling);
  void Report();

  benchmark::State& state_;
  const Work work_;
  std::vector<double> wall_times_, codec_times_, ceiling_times_, percents_;
};

// How often `call` has to be repeated to take 1 ms: long enough to be timed,
// short enough to be rarely interrupted.
template <typename Call>
int Repetitions(Call call) {
  if (Once()) return 1;
  for (int count = 1;; count *= 2) {
    Stopwatch watch;
    watch.Start();
    for (int i = 0; i < count; ++i) call();
    watch.Stop();
    if (watch.cpu_seconds > 0.001) return count;
  }
}

// Both sides time themselves.
template <typename Codec, typename Ceiling>
void MeasureTimed(benchmark::State& state, const Work& work, Codec codec,
                  Ceiling ceiling) {
  Rounds(state, work).Run(codec, ceiling);
}

// Each side is repeated until it can be timed.
template <typename Codec, typename Ceiling>
void Measure(benchmark::State& state, const Work& work, Codec codec,
             Ceiling ceiling) {
  int codec_count = Repetitions(codec), ceiling_count = Repetitions(ceiling);
  auto repeat = [](auto& call, int count, Stopwatch& watch) {
    watch.Start();
    for (int i = 0; i < count; ++i) call();
    watch.Stop();
    watch.wall_seconds /= count;
    watch.cpu_seconds /= count;
  };
  MeasureTimed(
      state, work, [&](Stopwatch& watch) { repeat(codec, codec_count, watch); },
      [&](Stopwatch& watch) { repeat(ceiling, ceiling_count, watch); });
}

// One size of a series, for Google Benchmark's Complexity(): `n` is what grows.
// The fastest call counts, by CPU time.
template <typename Call>
void MeasureGrowth(benchmark::State& state, int64_t n, Call call) {
  int count = Repetitions(call);
  for (auto _ : state) {
    double best = 0;
    for (int i = 0; i < (Once() ? 1 : Rounds::kRounds); ++i) {
      Stopwatch watch;
      watch.Start();
      for (int j = 0; j < count; ++j) call();
      watch.Stop();
      if (i == 0 || watch.cpu_seconds < best) best = watch.cpu_seconds;
    }
    state.SetIterationTime(best / count);
  }
  state.SetComplexityN(n);
}

}  // namespace migstream

#endif  // MIGSTREAM_BENCH_MEASURE_H_
