// The walk of a whole stream of 1 GiB, from a file in the page cache and from a
// pipe. The ceiling reads the same descriptor from front to back in pieces of
// 256 KiB, as the codec does.

#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "bench/measure.h"
#include "bench/stream_file.h"
#include "codec/qemu/stream_reader.h"

namespace migstream {
namespace {

constexpr size_t kReadBytes = 256 << 10;

void Walk(int fd) {
  FileSource source(fd);
  StreamVisitor visitor;
  StreamReader reader(source, visitor);
  Require(reader.Read().ok(), "a stream is walked");
}

void ReadToEnd(int fd) {
  std::vector<uint8_t> buffer(kReadBytes);
  while (read(fd, buffer.data(), buffer.size()) > 0) {
  }
  close(fd);
}

// Peak memory of this program, in MiB, from a call with `reset` on.
double PeakMiB(bool reset) {
  if (reset) std::ofstream("/proc/self/clear_refs") << "5";
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmHWM:", 0) == 0) {
      return static_cast<double>(std::stol(line.substr(6))) / 1024;
    }
  }
  return 0;
}

void MeasureWalk(benchmark::State& state, StreamContent content, bool pipe) {
  StreamFile file(content, Scaled(state.range(0) << 20));
  // A pipe is filled by another thread, whose time does not count.
  auto run = [&](auto use, Stopwatch& watch) {
    int fd = file.Open();
    std::thread feeder;
    if (pipe) {
      int ends[2];
      Require(pipe2(ends, O_CLOEXEC) == 0, "pipe()");
      fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
      feeder = std::thread([from = fd, to = ends[1]] {
        while (splice(from, nullptr, to, nullptr, 1 << 20, 0) > 0) {
        }
        close(from);
        close(to);
      });
      fd = ends[0];
    }
    watch.Start();
    use(fd);
    watch.Stop();
    if (pipe) feeder.join();
  };
  PeakMiB(true);
  MeasureTimed(
      state, {.bytes = file.bytes()},
      [&](Stopwatch& watch) { run(Walk, watch); },
      [&](Stopwatch& watch) { run(ReadToEnd, watch); });
  state.counters["peak_MiB"] = PeakMiB(false);
}

void BM_WalkRamFile(benchmark::State& state) {
  MeasureWalk(state, StreamContent::kRam, false);
}
void BM_WalkRamPipe(benchmark::State& state) {
  MeasureWalk(state, StreamContent::kRam, true);
}
// Records are sought over.
void BM_WalkDeviceFile(benchmark::State& state) {
  MeasureWalk(state, StreamContent::kDevice, false);
}
void BM_WalkDevicePipe(benchmark::State& state) {
  MeasureWalk(state, StreamContent::kDevice, true);
}

BENCHMARK(BM_WalkRamFile)->Arg(1024)->UseManualTime();
BENCHMARK(BM_WalkRamPipe)->Arg(1024)->UseManualTime();
BENCHMARK(BM_WalkDeviceFile)->Arg(1024)->UseManualTime();
BENCHMARK(BM_WalkDevicePipe)->Arg(1024)->UseManualTime();

}  // namespace
}  // namespace migstream
