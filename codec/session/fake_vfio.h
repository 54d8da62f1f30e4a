// A kernel for tests: VFIO devices in memory that keep to the rules of the uAPI
// more strictly than drivers do, and fail where they are told to.
//
//   FakeVfio vfio;
//   int fd = vfio.Add({.initial = "…", .stop = "…"});
//   vfio.Fail({.call = 7, .error = EIO});
//   KernelDevice::Open(fd, &device, {.calls = &vfio});
//
// Calls of all devices are counted from 0. Thread-safe.

#ifndef MIGSTREAM_CODEC_SESSION_FAKE_VFIO_H_
#define MIGSTREAM_CODEC_SESSION_FAKE_VFIO_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "codec/session/device_state.h"
#include "codec/session/vfio_calls.h"

namespace migstream {

struct FakeDevice {
  uint64_t flags = 7;
  bool can_migrate = true;
  bool knows_precopy_v2 = true;
  // What it gives: in PRE_COPY, then when it is stopped.
  std::string initial = {};
  std::string dirty = {};
  std::string stop = {};
  size_t read_limit = SIZE_MAX;  // Bytes of one read or write.
  // How much each read gives, in order, before that; 0: nothing now.
  std::vector<size_t> reads = {};
  int empty_errno = ENOMSG;  // In PRE_COPY; 0: read gives 0.
  // What it wants to be given; RESUMING to STOP fails with anything else.
  std::optional<std::string> expected = std::nullopt;
  bool reinit = false;  // The next PRECOPY_INFO says so, once.
  // v1: a migration region, and what one transaction holds.
  bool v1 = false;
  uint64_t region_bytes = 1 << 20;

  // What has become of it.
  DeviceState state = DeviceState::kRunning;
  std::string loaded = {};
  std::vector<size_t> record_sizes = {};  // v1: of the loaded transactions.
  uint32_t resets = 0;
  std::vector<DeviceState> states = {};  // Each that it came to.
  std::string misuse = {};               // A rule that the caller broke.
};

struct FakeFault {
  size_t call = 0;
  int error = 0;  // 0: none; the effect alone.
  enum Effect : uint8_t {
    kNothing,
    kErrorState,  // The device is in ERROR after it.
    kReset,       // The guest resets the device before it.
    kMoved,       // A SET that fails has gone one step.
    kShort,       // A read or write of one byte.
    kStuck,       // The device stays in ERROR, whatever is done.
  } effect = kNothing;
};

class FakeVfio : public VfioCalls {
 public:
  static constexpr uint64_t kRegionOffset = 0x100000;

  // Its fd.
  int Add(FakeDevice device);
  FakeDevice& device(int fd) { return devices_.at(fd).device; }
  void Fail(const FakeFault& fault) { faults_.push_back(fault); }
  // The guest resets it.
  void GuestReset(int fd);
  // How many calls there were.
  size_t calls() const { return calls_; }
  // Data fds that were given and not closed.
  size_t open_data_fds() const { return data_fds_.size(); }

  int Ioctl(int fd, unsigned long request, void* argument) override;
  ssize_t Read(int fd, void* buffer, size_t bytes) override;
  ssize_t Write(int fd, const void* bytes, size_t size) override;
  ssize_t Pread(int fd, void* buffer, size_t bytes, uint64_t at) override;
  ssize_t Pwrite(int fd, const void* bytes, size_t size, uint64_t at) override;
  int Poll(int fd, bool writing, int milliseconds) override;
  void Close(int fd) override;

 private:
  struct Entry {
    FakeDevice device;
    int session = -1;  // The data fd that works.
    size_t read_at = 0;
    size_t read_number = 0;
    bool opted_in = false;
    bool stuck = false;
    bool started_reinit = false;
    // v1
    uint32_t bits = 1;
    uint64_t data_size = 0;
    std::string transaction;
    int expects = 0;  // Which access is due: see Pread().
  };

  const FakeFault* Fault(Entry& entry, bool may_reset = true);
  void Reset(Entry& entry);
  int Feature(Entry& entry, void* argument);
  int SetState(int fd, Entry& entry, DeviceState to, int* data_fd,
               const FakeFault* fault);
  bool Enter(int fd, Entry& entry, DeviceState next, int* data_fd);
  std::string Data(const Entry& entry, bool stopped) const;
  bool HasNothingNow(Entry& entry);
  size_t Limit(Entry& entry, size_t bytes, const FakeFault* fault);
  int RegionInfo(const Entry& entry, void* argument);
  int SetV1State(Entry& entry, uint32_t bits);

  std::mutex mutex_;
  std::map<int, Entry> devices_;
  std::map<int, int> data_fds_;  // To the device's fd.
  std::vector<FakeFault> faults_;
  size_t calls_ = 0;
  int next_fd_ = 1000000;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_SESSION_FAKE_VFIO_H_
