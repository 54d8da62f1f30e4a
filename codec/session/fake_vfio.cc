#include "codec/session/fake_vfio.h"

#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "codec/session/vfio_uapi.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

using enum DeviceState;

constexpr uint64_t kV1DataAt = 4096;  // In the region.

// A region's description with its one capability.
struct RegionInfoWithType {
  uapi::RegionInfo info;
  uapi::RegionType type;
};

}  // namespace

int FakeVfio::Add(FakeDevice device) {
  int fd = 100 + static_cast<int>(devices_.size());
  devices_[fd].device = std::move(device);
  return fd;
}

// Counts the call; what is to become of it.
const FakeFault* FakeVfio::Fault(Entry& entry, bool may_reset) {
  const size_t call = calls_++;
  for (const FakeFault& fault : faults_) {
    if (fault.call != call) continue;
    if (fault.effect == FakeFault::kReset && may_reset) Reset(entry);
    if (fault.effect == FakeFault::kErrorState ||
        fault.effect == FakeFault::kStuck) {
      entry.stuck |= fault.effect == FakeFault::kStuck;
      entry.device.state = kError;
      entry.bits = 6;
    }
    return &fault;
  }
  return nullptr;
}

void FakeVfio::Reset(Entry& entry) {
  ++entry.device.resets;
  entry.session = -1;
  entry.device.loaded.clear();
  if (entry.stuck) return;
  entry.device.state = kRunning;
  entry.bits = 1;
  entry.expects = 0;
}

void FakeVfio::GuestReset(int fd) {
  std::lock_guard lock(mutex_);
  Reset(devices_.at(fd));
}

std::string FakeVfio::Data(const Entry& entry, bool stopped) const {
  const FakeDevice& device = entry.device;
  return device.initial + device.dirty + (stopped ? device.stop : "");
}

int FakeVfio::Ioctl(int fd, unsigned long request, void* argument) {
  std::lock_guard lock(mutex_);
  if (auto data = data_fds_.find(fd); data != data_fds_.end()) {
    Entry& entry = devices_.at(data->second);
    if (request == FIOCLEX) return 0;
    const FakeFault* fault = Fault(entry);
    if (fault != nullptr && fault->error != 0) return -fault->error;
    if (request != uapi::kMigGetPrecopyInfo) return -ENOTTY;
    if (entry.session != fd) return -ENODEV;
    if (!IsPreCopy(entry.device.state)) return -EINVAL;
    auto* info = static_cast<uapi::PrecopyInfo*>(argument);
    if (info->argsz < sizeof *info) return -EINVAL;
    if (entry.device.reinit) {
      entry.device.reinit = false;
      entry.read_at = 0;
      info->flags = uapi::kPrecopyInfoReinit;
    }
    const size_t initial = entry.device.initial.size();
    const size_t all = initial + entry.device.dirty.size();
    info->initial_bytes = initial - std::min(initial, entry.read_at);
    info->dirty_bytes = all - std::max(initial, std::min(all, entry.read_at));
    return 0;
  }
  auto found = devices_.find(fd);
  if (found == devices_.end()) return -EBADF;
  Entry& entry = found->second;
  if (request == uapi::kDeviceFeature &&
      (static_cast<uapi::FeatureHeader*>(argument)->flags &
       (uapi::kFeatureSet | uapi::kFeatureMask)) ==
          (uapi::kFeatureSet | uapi::kFeatureMigDeviceState)) {
    auto* state = static_cast<uapi::DeviceStateFeature*>(argument);
    const FakeFault* fault = Fault(entry);
    int fd_given = -1;
    int error = SetState(fd, entry, static_cast<DeviceState>(state->state),
                         &fd_given, fault);
    state->data_fd = error == 0 ? fd_given : -1;
    return -error;
  }
  const FakeFault* fault = Fault(entry);
  if (fault != nullptr && fault->error != 0) return -fault->error;
  if (request == uapi::kDeviceReset) {
    Reset(entry);
    return 0;
  }
  if (request == uapi::kDeviceGetInfo) {
    static_cast<uapi::DeviceInfo*>(argument)->regions = 10;
    return 0;
  }
  if (request == uapi::kDeviceGetRegionInfo) {
    return -RegionInfo(entry, argument);
  }
  return request == uapi::kDeviceFeature ? -Feature(entry, argument) : -ENOTTY;
}

int FakeVfio::RegionInfo(const Entry& entry, void* argument) {
  auto* info = static_cast<uapi::RegionInfo*>(argument);
  if (!entry.device.v1 || info->index != 9) return EINVAL;
  const bool room = info->argsz >= sizeof(RegionInfoWithType);
  info->argsz = sizeof(RegionInfoWithType);
  info->offset = kRegionOffset;
  info->size = entry.device.region_bytes;
  info->cap_offset = room ? sizeof(uapi::RegionInfo) : 0;
  if (room) {
    uapi::RegionType type = {.id = uapi::kRegionTypeCapability,
                             .version = 1,
                             .type = uapi::kMigrationRegionType,
                             .subtype = uapi::kMigrationRegionSubtype};
    std::memcpy(static_cast<char*>(argument) + info->cap_offset, &type,
                sizeof type);
  }
  return 0;
}

int FakeVfio::Feature(Entry& entry, void* argument) {
  auto* header = static_cast<uapi::FeatureHeader*>(argument);
  const uint32_t number = header->flags & uapi::kFeatureMask;
  FakeDevice& device = entry.device;
  if (!device.can_migrate) return ENOTTY;
  if (number == uapi::kFeatureMigration) {
    static_cast<uapi::MigrationFeature*>(argument)->flags = device.flags;
    return 0;
  }
  if (number == uapi::kFeatureMigPrecopyInfoV2) {
    entry.opted_in = device.knows_precopy_v2;
    return device.knows_precopy_v2 ? 0 : EINVAL;
  }
  if (number == uapi::kFeatureMigDataSize) {
    static_cast<uapi::DataSizeFeature*>(argument)->stop_copy_bytes =
        Data(entry, true).size();
    return 0;
  }
  if (number == uapi::kFeatureMigDeviceState) {
    auto* state = static_cast<uapi::DeviceStateFeature*>(argument);
    state->state = static_cast<uint32_t>(device.state);
    return 0;
  }
  return ENOTTY;
}

bool FakeVfio::Enter(int fd, Entry& entry, DeviceState next, int* data_fd) {
  FakeDevice& device = entry.device;
  if (device.state == kResuming && device.expected &&
      *device.expected != device.loaded) {
    return false;
  }
  if (GivesDataFd(device.state, next)) {
    *data_fd = entry.session = next_fd_++;
    data_fds_[*data_fd] = fd;
    entry.read_at = 0;
    device.loaded.clear();
  } else if (!IsSaving(next)) {
    entry.session = -1;
    if (*data_fd >= 0) data_fds_.erase(*data_fd);
    *data_fd = -1;
  }
  device.state = next;
  device.states.push_back(next);
  return true;
}

int FakeVfio::SetState(int fd, Entry& entry, DeviceState to, int* data_fd,
                       const FakeFault* fault) {
  FakeDevice& device = entry.device;
  const int error = fault == nullptr ? 0 : fault->error;
  if (error != 0 && fault->effect != FakeFault::kMoved) return error;
  if (!WhyNoWay(device.state, to, device.flags).empty()) {
    // ERROR is the device's own doing; all else the caller should know.
    if (device.state != kError) {
      device.misuse = StrCat(ToString(device.state), " to ", ToString(to));
    }
    return EINVAL;
  }
  while (device.state != to) {
    DeviceState next = *NextState(device.state, to, device.flags);
    if (!Enter(fd, entry, next, data_fd)) return EINVAL;
    if (error != 0) break;
  }
  if (error != 0 && *data_fd >= 0) {
    // The kernel closes what it does not hand out.
    data_fds_.erase(*data_fd);
    entry.session = -1;
  }
  return error;
}

bool FakeVfio::HasNothingNow(Entry& entry) {
  const std::vector<size_t>& reads = entry.device.reads;
  if (entry.read_number >= reads.size() || reads[entry.read_number] != 0) {
    return false;
  }
  ++entry.read_number;
  return true;
}

size_t FakeVfio::Limit(Entry& entry, size_t bytes, const FakeFault* fault) {
  if (fault != nullptr && fault->effect == FakeFault::kShort) {
    return std::min<size_t>(bytes, 1);
  }
  if (entry.read_number < entry.device.reads.size()) {
    return std::min(bytes, entry.device.reads[entry.read_number++]);
  }
  return std::min(bytes, entry.device.read_limit);
}

ssize_t FakeVfio::Read(int fd, void* buffer, size_t bytes) {
  std::lock_guard lock(mutex_);
  auto data = data_fds_.find(fd);
  if (data == data_fds_.end()) return -EBADF;
  Entry& entry = devices_.at(data->second);
  const FakeFault* fault = Fault(entry);
  if (fault != nullptr && fault->error != 0) return -fault->error;
  if (entry.session != fd) return -ENODEV;
  if (!IsSaving(entry.device.state)) return -EINVAL;
  const bool stopped = entry.device.state == kStopCopy;
  if (HasNothingNow(entry)) return -entry.device.empty_errno;
  const std::string all = Data(entry, stopped);
  const size_t left = all.size() - std::min(all.size(), entry.read_at);
  if (left == 0) return stopped ? 0 : -entry.device.empty_errno;
  const size_t count = Limit(entry, std::min(left, bytes), fault);
  std::memcpy(buffer, all.data() + entry.read_at, count);
  entry.read_at += count;
  return static_cast<ssize_t>(count);
}

ssize_t FakeVfio::Write(int fd, const void* bytes, size_t size) {
  std::lock_guard lock(mutex_);
  auto data = data_fds_.find(fd);
  if (data == data_fds_.end()) return -EBADF;
  Entry& entry = devices_.at(data->second);
  const FakeFault* fault = Fault(entry);
  if (fault != nullptr && fault->error != 0) return -fault->error;
  if (entry.session != fd) return -ENODEV;
  if (entry.device.state != kResuming) return -EINVAL;
  const size_t count = Limit(entry, size, fault);
  std::string& loaded = entry.device.loaded;
  loaded.append(static_cast<const char*>(bytes), count);
  // What does not fit to what it expects is refused at once.
  if (entry.device.expected && loaded.size() > entry.device.expected->size()) {
    return -ENOMEM;
  }
  return static_cast<ssize_t>(count);
}

int FakeVfio::SetV1State(Entry& entry, uint32_t bits) {
  if (!IsV1Arc(entry.bits, bits & kV1Bits)) {
    if (entry.bits != 6) {
      entry.device.misuse = StrCat("v1 ", entry.bits, " to ", bits);
    }
    return EINVAL;
  }
  const bool saved = (entry.bits & kV1Saving) != 0;
  if ((bits & kV1Saving) != 0 && !saved) entry.read_at = 0;
  entry.bits = bits;
  entry.expects = 0;
  entry.device.state = StateOfV1(bits);
  entry.device.states.push_back(entry.device.state);
  return 0;
}

// Saving: pending_bytes (0), data_offset (1), data_size (2), the data (3), and
// from the start. Loading: data_offset (0), the data (1), data_size.
ssize_t FakeVfio::Pread(int fd, void* buffer, size_t bytes, uint64_t at) {
  std::lock_guard lock(mutex_);
  Entry& entry = devices_.at(fd);
  const FakeFault* fault = Fault(entry);
  if (fault != nullptr && fault->error != 0) return -fault->error;
  const uint64_t field = at - kRegionOffset;
  auto give = [&](auto value) -> ssize_t {
    if (bytes != sizeof value) entry.device.misuse = "width of an access";
    std::memcpy(buffer, &value, sizeof value);
    return sizeof value;
  };
  const bool stopped = (entry.bits & kV1Running) == 0;
  const std::string all = Data(entry, stopped);
  const uint64_t left = all.size() - std::min(all.size(), entry.read_at);
  auto expect = [&](int which, int next) {
    if (entry.expects != which) {
      entry.device.misuse =
          StrCat("v1 access ", which, ", due was ", entry.expects);
    }
    entry.expects = next;
  };
  if (field == uapi::kV1DeviceState) return give(entry.bits);
  if ((entry.bits & kV1Bits) == 6) return -EIO;
  if ((entry.bits & (kV1Saving | kV1Resuming)) == 0) {
    // It was reset; the caller cannot know.
    if (field == uapi::kV1PendingBytes) return give(uint64_t{0});
    return -EINVAL;
  }
  switch (field) {
    case uapi::kV1PendingBytes:
      // May be asked for again; after the data it says that they were taken.
      if (entry.expects == 2 || entry.expects == 3) expect(0, 0);
      if (HasNothingNow(entry)) return give(uint64_t{0});
      entry.expects = left == 0 ? 0 : 1;
      return give(left);
    case uapi::kV1DataOffset:
      if ((entry.bits & kV1Resuming) != 0) {
        expect(0, 1);
        entry.transaction.clear();
      } else {
        expect(1, 2);
      }
      return give(kV1DataAt);
    case uapi::kV1DataSize:
      expect(2, 3);
      entry.data_size = Limit(entry, left, nullptr);
      entry.transaction = all.substr(entry.read_at, entry.data_size);
      return give(entry.data_size);
    default:
      break;
  }
  if (entry.expects != 3) entry.device.misuse = "data that is not due";
  const uint64_t from = field - kV1DataAt;
  const size_t count = std::min<uint64_t>(
      bytes, entry.data_size - std::min(entry.data_size, from));
  std::memcpy(buffer, entry.transaction.data() + from, count);
  if (from + count == entry.data_size) {
    entry.read_at += entry.data_size;
    entry.expects = 0;
  }
  return static_cast<ssize_t>(count);
}

ssize_t FakeVfio::Pwrite(int fd, const void* bytes, size_t size, uint64_t at) {
  std::lock_guard lock(mutex_);
  Entry& entry = devices_.at(fd);
  // Between the two accesses of one change of state nobody could see it; the
  // vCPUs that would do it are stopped then.
  const FakeFault* fault = Fault(entry, /*may_reset=*/false);
  if (fault != nullptr && fault->error != 0) return -fault->error;
  const uint64_t field = at - kRegionOffset;
  FakeDevice& device = entry.device;
  if (field == uapi::kV1DeviceState) {
    uint32_t bits;
    std::memcpy(&bits, bytes, sizeof bits);
    int error = SetV1State(entry, bits);
    return error == 0 ? static_cast<ssize_t>(size) : -error;
  }
  // It was reset; the region is memory, and takes all.
  if ((entry.bits & kV1Resuming) == 0) return static_cast<ssize_t>(size);
  if (entry.expects != 1) {
    device.misuse = "a write that is not due";
  }
  if (field == uapi::kV1DataSize) {
    uint64_t data_size;
    std::memcpy(&data_size, bytes, sizeof data_size);
    if (data_size != entry.transaction.size()) device.misuse = "data_size";
    device.loaded += entry.transaction;
    device.record_sizes.push_back(data_size);
    entry.expects = 0;
    return static_cast<ssize_t>(size);
  }
  entry.transaction.append(static_cast<const char*>(bytes), size);
  return static_cast<ssize_t>(size);
}

int FakeVfio::Poll(int fd, bool, int) {
  std::lock_guard lock(mutex_);
  auto data = data_fds_.find(fd);
  if (data == data_fds_.end()) return -EBADF;
  const FakeFault* fault = Fault(devices_.at(data->second));
  if (fault != nullptr && fault->error != 0) return -fault->error;
  return 1;
}

void FakeVfio::Close(int fd) {
  std::lock_guard lock(mutex_);
  data_fds_.erase(fd);
}

}  // namespace migstream
