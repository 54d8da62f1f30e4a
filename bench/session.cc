// A VMM's devices, saved and loaded over a socket: in pre-copy, and stopped.
// The ceiling reads and writes the same buffers and frames nothing. /dev/zero
// and /dev/null stand for the device. Short ones are repeated: others on the
// machine disturb them less, and the fastest of a round's turns counts.
//
// BM_Footprint runs both sides in processes of their own, and says the most
// memory that each had, in KiB, and the system calls of a record sending.

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "bench/measure.h"
#include "codec/session/load_session.h"
#include "codec/session/plain_device.h"
#include "codec/session/save_session.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

constexpr size_t kRecordBytes = 1 << 20;

class Null {
 public:
  Null()
      : zero(open("/dev/zero", O_RDONLY | O_CLOEXEC)),
        null(open("/dev/null", O_WRONLY | O_CLOEXEC)) {}
  ~Null() {
    close(zero);
    close(null);
  }
  const int zero, null;
};

class NullDevice : public PlainDevice {
 public:
  // Gives so many bytes before it is stopped, and after.
  NullDevice(const Null& files, uint64_t running, uint64_t stopped)
      : files_(files), running_(running), stopped_(stopped) {}

  IoResult Read(std::span<uint8_t> buffer) override {
    uint64_t& left = IsPreCopy(state()) ? running_ : stopped_;
    const size_t bytes = std::min<uint64_t>(left, buffer.size());
    if (bytes == 0) return {};
    ++calls;
    const ssize_t got = read(files_.zero, buffer.data(), bytes);
    if (got < 0) return {0, errno};
    left -= static_cast<size_t>(got);
    return {static_cast<size_t>(got)};
  }
  IoResult Write(ByteSpan bytes) override {
    const ssize_t put = write(files_.null, bytes.data(), bytes.size());
    if (put < 0) return {0, errno};
    return {static_cast<size_t>(put)};
  }
  int GetPrecopyBytes(PrecopyBytes* bytes) override {
    bytes->dirty = running_;
    return 0;
  }
  int GetStopCopyBytes(uint64_t* bytes) override {
    *bytes = running_ + stopped_;
    return 0;
  }

  uint64_t calls = 0;

 private:
  const Null& files_;
  uint64_t running_, stopped_;
};

class CountingOutput : public ChannelOutput {
 public:
  explicit CountingOutput(int fd) : output_(fd) {}
  int Write(std::span<const iovec> pieces) override {
    ++calls;
    return output_.Write(pieces);
  }
  uint64_t calls = 0;

 private:
  FdOutput output_;
};

// One side's devices.
struct Devices {
  Devices(const Null& files, size_t count, uint64_t running, uint64_t stopped) {
    for (size_t i = 0; i < count; ++i) {
      all.emplace_back(files, running, stopped);
      Require(set.Add(all[i], StrCat(i, "/vfio")).ok(), "a device is added");
    }
  }
  std::deque<NullDevice> all;
  MigrationSet set;
};

// All of a migration's devices.
void Save(Devices& devices, ChannelOutput& output) {
  SaveSession session(devices.set, output,
                      {.return_path = false,
                       .skip_empty_parts = true,
                       .record_bytes = kRecordBytes});
  std::vector<uint8_t> pci(4096);
  SavedConfig config;
  config.config.pci_config = pci;
  Error error = session.WriteHead("pc-q35-11.1");
  if (error.ok()) error = session.Start();
  for (Progress progress; error.ok() && !progress.idle;) {
    error = session.Iterate({}, &progress);
  }
  if (error.ok()) error = session.Switchover();
  if (error.ok()) {
    error =
        session.Complete(std::vector<SavedConfig>(devices.set.size(), config));
  }
  if (error.ok()) error = session.WriteEof();
  Require(error.ok(), ToString(error));
}

void Load(Devices& devices, int fd) {
  LoadSession session(devices.set, {});
  Require(session.Start().ok(), "a session starts");
  std::vector<uint8_t> buffer(kRecordBytes);
  size_t left = 0;
  while (!session.eof()) {
    const ssize_t got = read(fd, &buffer[left], buffer.size() - left);
    Require(got > 0, "the stream goes on");
    ByteSpan input = ByteSpan(buffer).first(left + static_cast<size_t>(got));
    LoadAction action;
    while (session.Next(input, action) == Step::kEvent) continue;
    Require(session.error().ok(), ToString(session.error()));
    std::copy(input.begin(), input.end(), buffer.begin());
    left = input.size();
  }
  Require(session.Finish().kind == Outcome::kCompleted, "all is loaded");
}

struct Pair {
  Pair() {
    Require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0,
            "socketpair()");
  }
  ~Pair() {
    close(ends[0]);
    close(ends[1]);
  }
  int ends[2];
};

void Drain(int fd) {
  std::vector<uint8_t> buffer(kRecordBytes);
  while (read(fd, buffer.data(), buffer.size()) > 0) continue;
}

// One buffer after the other, from an fd to another.
void CopyBytes(int from, int to, uint64_t bytes) {
  std::vector<uint8_t> buffer(kRecordBytes);
  while (bytes != 0) {
    const ssize_t got =
        read(from, buffer.data(), std::min<uint64_t>(bytes, buffer.size()));
    Require(got > 0, "there is something to read");
    const iovec piece = {buffer.data(), static_cast<size_t>(got)};
    Require(FdOutput(to).Write({&piece, 1}) == 0, "it can be written");
    bytes -= static_cast<size_t>(got);
  }
}

void MeasureSave(benchmark::State& state, bool stopped) {
  const uint64_t bytes = Scaled(static_cast<uint64_t>(state.range(0)) << 20);
  Null files;
  auto run = [&](Stopwatch& watch, auto send) {
    Pair pair;
    std::thread other([&] { Drain(pair.ends[1]); });
    watch.Start();
    send(pair.ends[0]);
    watch.Stop();
    shutdown(pair.ends[0], SHUT_WR);
    other.join();
  };
  MeasureTimed(
      state, {.items = bytes / kRecordBytes, .bytes = bytes},
      [&](Stopwatch& watch) {
        run(watch, [&](int fd) {
          Devices devices(files, 1, stopped ? 0 : bytes, stopped ? bytes : 0);
          FdOutput output(fd);
          Save(devices, output);
        });
      },
      [&](Stopwatch& watch) {
        run(watch, [&](int fd) { CopyBytes(files.zero, fd, bytes); });
      });
}

void MeasureLoad(benchmark::State& state, bool stopped) {
  const uint64_t bytes = Scaled(static_cast<uint64_t>(state.range(0)) << 20);
  Null files;
  auto run = [&](Stopwatch& watch, auto receive) {
    Pair pair;
    std::thread other([&] {
      Devices devices(files, 1, stopped ? 0 : bytes, stopped ? bytes : 0);
      FdOutput output(pair.ends[0]);
      Save(devices, output);
      shutdown(pair.ends[0], SHUT_WR);
    });
    watch.Start();
    receive(pair.ends[1]);
    watch.Stop();
    Drain(pair.ends[1]);
    other.join();
  };
  MeasureTimed(
      state, {.items = bytes / kRecordBytes, .bytes = bytes},
      [&](Stopwatch& watch) {
        run(watch, [&](int fd) {
          Devices devices(files, 1, 0, 0);
          Load(devices, fd);
        });
      },
      [&](Stopwatch& watch) {
        run(watch, [&](int fd) { CopyBytes(fd, files.null, bytes); });
      });
}

void BM_SavePrecopy(benchmark::State& state) { MeasureSave(state, false); }
BENCHMARK(BM_SavePrecopy)->Arg(128)->Arg(4096)->UseManualTime();
void BM_SaveStopped(benchmark::State& state) { MeasureSave(state, true); }
BENCHMARK(BM_SaveStopped)->Arg(128)->Arg(4096)->UseManualTime();
void BM_LoadPrecopy(benchmark::State& state) { MeasureLoad(state, false); }
BENCHMARK(BM_LoadPrecopy)->Arg(128)->Arg(4096)->UseManualTime();
void BM_LoadStopped(benchmark::State& state) { MeasureLoad(state, true); }
BENCHMARK(BM_LoadStopped)->Arg(128)->Arg(4096)->UseManualTime();

// The most memory that this process had.
double PeakKib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    double kib = 0;
    if (word == "VmHWM:" && status >> kib) return kib;
  }
  return 0;
}

// Runs in a process of its own; gives the pipe's end where its values come.
int InChild(const std::function<std::vector<double>()>& run) {
  int ends[2];
  Require(pipe2(ends, O_CLOEXEC) == 0, "pipe()");
  if (fork() == 0) {
    const std::vector<double> values = run();
    const ssize_t put =
        write(ends[1], values.data(), values.size() * sizeof values[0]);
    _exit(put > 0 ? 0 : 1);
  }
  close(ends[1]);
  return ends[0];
}

// `count` devices, each of so many MiB in pre-copy, and as many stopped.
void BM_Footprint(benchmark::State& state) {
  const auto count = static_cast<size_t>(state.range(0));
  const uint64_t bytes = Scaled(static_cast<uint64_t>(state.range(1)) << 20);
  while (state.KeepRunning()) {
    Null files;
    Pair pair;
    const int from_source = InChild([&]() -> std::vector<double> {
      close(pair.ends[1]);  // So that a side sees if the other is gone.
      Devices devices(files, count, bytes, bytes);
      CountingOutput output(pair.ends[0]);
      Save(devices, output);
      double calls = static_cast<double>(output.calls);
      for (const NullDevice& device : devices.all) {
        calls += static_cast<double>(device.calls);
      }
      return {PeakKib(), calls};
    });
    const int from_destination = InChild([&]() -> std::vector<double> {
      close(pair.ends[0]);
      Devices devices(files, count, 0, 0);
      Load(devices, pair.ends[1]);
      return {PeakKib()};
    });
    double source[2], destination;
    Require(read(from_source, source, sizeof source) == sizeof source &&
                read(from_destination, &destination, sizeof destination) ==
                    sizeof destination,
            "both sides end well");
    while (wait(nullptr) > 0) continue;
    close(from_source);
    close(from_destination);
    const double records =
        static_cast<double>(count) *
        static_cast<double>(std::max<uint64_t>(1, bytes / kRecordBytes)) * 2;
    state.counters["source_KiB"] = source[0];
    state.counters["destination_KiB"] = destination;
    state.counters["calls_per_record"] = source[1] / records;
    state.SetIterationTime(1);
  }
}
BENCHMARK(BM_Footprint)
    ->Args({1, 4096})
    ->Args({1000, 1})
    ->UseManualTime()
    ->Iterations(1);

}  // namespace
}  // namespace migstream
