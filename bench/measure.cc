#include "bench/measure.h"

#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace migstream {
namespace {

bool once = false;

double Now(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) +
         1e-9 * static_cast<double>(now.tv_nsec);
}

double Median(std::vector<double> values) {
  auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

bool Once() { return once; }
void SetOnce() { once = true; }

uint64_t Scaled(uint64_t bytes) {
  return once ? std::min<uint64_t>(bytes, 1 << 20) : bytes;
}

void Require(bool condition, std::string_view what) {
  if (condition) return;
  std::fprintf(stderr, "benchmark is broken: %s\n", std::string(what).c_str());
  std::exit(1);
}

void ReadAll(ByteSpan bytes) {
  uint64_t sum = 0;
  size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) sum += LoadBe64(&bytes.data()[at]);
  for (; at < bytes.size(); ++at) sum += bytes.data()[at];
  benchmark::DoNotOptimize(sum);
}

void Stopwatch::Start() {
  wall_start_ = Now(CLOCK_MONOTONIC);
  cpu_start_ = Now(CLOCK_THREAD_CPUTIME_ID);
}

void Stopwatch::Stop() {
  cpu_seconds += Now(CLOCK_THREAD_CPUTIME_ID) - cpu_start_;
  wall_seconds += Now(CLOCK_MONOTONIC) - wall_start_;
}

void Rounds::Add(const Stopwatch& codec, const Stopwatch& ceiling) {
  wall_times_.push_back(codec.wall_seconds);
  codec_times_.push_back(codec.cpu_seconds);
  ceiling_times_.push_back(ceiling.cpu_seconds);
  percents_.push_back(100 * ceiling.cpu_seconds / codec.cpu_seconds);
}

void Rounds::Report() {
  double codec = Median(codec_times_), ceiling = Median(ceiling_times_);
  state_.SetIterationTime(codec);
  auto& counters = state_.counters;
  counters["percent"] = Median(percents_);
  auto [least, most] = std::minmax_element(percents_.begin(), percents_.end());
  counters["percent_min"] = *least;
  counters["percent_max"] = *most;
  if (work_.items != 0) {
    double ns = 1e9 / static_cast<double>(work_.items);
    counters["ns_per_item"] = ns * codec;
    counters["ceiling_ns"] = ns * ceiling;
  }
  if (work_.bytes != 0) {
    double gib = static_cast<double>(work_.bytes) / (1 << 30);
    counters["cpu_s_per_GiB"] = codec / gib;
    counters["ceiling_s"] = ceiling / gib;
    counters["wall_s_per_GiB"] = Median(wall_times_) / gib;
    state_.SetBytesProcessed(
        static_cast<int64_t>(state_.iterations() * work_.bytes));
  }
}

}  // namespace migstream
