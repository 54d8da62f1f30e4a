#include "codec/session/region_device.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "codec/session/vfio_uapi.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

// A region's description with its capabilities; a kernel's is far smaller.
constexpr uint32_t kMaxRegionInfoBytes = 4096;

// Whether a region's description has the capability that it is the one.
bool IsMigrationRegion(ByteSpan info) {
  uapi::RegionInfo head;
  std::memcpy(&head, info.data(), sizeof head);
  uint32_t at = head.cap_offset;
  while (at != 0 && at <= info.size() - sizeof(uapi::RegionType)) {
    uapi::RegionType type;
    std::memcpy(&type, &info[at], sizeof type);
    if (type.id == uapi::kRegionTypeCapability) {
      return type.type == uapi::kMigrationRegionType &&
             type.subtype == uapi::kMigrationRegionSubtype;
    }
    if (type.next <= at) break;
    at = type.next;
  }
  return false;
}

}  // namespace

Error FindMigrationRegion(int device_fd, MigrationRegion* region,
                          VfioCalls& calls) {
  uapi::DeviceInfo device = {.argsz = sizeof device};
  if (int result = calls.Ioctl(device_fd, uapi::kDeviceGetInfo, &device);
      result < 0) {
    return {ErrorCode::kDeviceFailed, 0, "",
            StrCat("the device does not say which regions it has: ",
                   std::strerror(-result))};
  }
  for (uint32_t i = 0; i < device.regions; ++i) {
    uapi::RegionInfo head = {.argsz = sizeof head, .index = i};
    if (calls.Ioctl(device_fd, uapi::kDeviceGetRegionInfo, &head) < 0) continue;
    // With its capabilities, if it has any.
    if (head.argsz < sizeof head + sizeof(uapi::RegionType) ||
        head.argsz > kMaxRegionInfoBytes) {
      continue;
    }
    std::vector<uint8_t> info(head.argsz);
    std::memcpy(info.data(), &head, sizeof head);
    if (calls.Ioctl(device_fd, uapi::kDeviceGetRegionInfo, info.data()) < 0 ||
        !IsMigrationRegion(info)) {
      continue;
    }
    std::memcpy(&head, info.data(), sizeof head);
    *region = {head.offset, head.size};
    return {};
  }
  return {ErrorCode::kDeviceCannotMigrate, 0, "",
          "the device has no migration region"};
}

template <typename Number>
int RegionDevice::Get(uint64_t field, Number* value) {
  ssize_t got;
  do {
    got = calls_.Pread(fd_, value, sizeof *value, region_.offset + field);
  } while (got == -EINTR);
  if (got < 0) return static_cast<int>(-got);
  return got == sizeof *value ? 0 : EIO;
}

template <typename Number>
int RegionDevice::Put(uint64_t field, Number value) {
  ssize_t put;
  do {
    put = calls_.Pwrite(fd_, &value, sizeof value, region_.offset + field);
  } while (put == -EINTR);
  if (put < 0) return static_cast<int>(-put);
  return put == sizeof value ? 0 : EIO;
}

int RegionDevice::SetState(DeviceState state, bool* new_session) {
  *new_session = false;
  uint32_t there;
  if (int error = Get(uapi::kV1DeviceState, &there); error != 0) return error;
  std::optional<uint32_t> bits = V1Bits(state);
  if (!bits || !IsV1Arc(there, *bits)) return EINVAL;
  data_left_ = 0;
  int error = Put<uint32_t>(uapi::kV1DeviceState, (there & ~kV1Bits) | *bits);
  if (error == 0) *new_session = GivesDataFd(StateOfV1(there), state);
  return error;
}

int RegionDevice::GetState(DeviceState* state) {
  uint32_t there;
  int error = Get(uapi::kV1DeviceState, &there);
  if (error == 0) *state = StateOfV1(there);
  return error;
}

void RegionDevice::DropSession() { data_left_ = 0; }

int RegionDevice::Reset() {
  data_left_ = 0;
  int result;
  do {
    result = calls_.Ioctl(fd_, uapi::kDeviceReset, nullptr);
  } while (result == -EINTR);
  return result < 0 ? -result : 0;
}

int RegionDevice::StartReading(RecordStart* start) {
  *start = {};
  if (data_left_ != 0) return EBUSY;
  uint64_t pending;
  if (int error = Get(uapi::kV1PendingBytes, &pending); error != 0) {
    return error;
  }
  start->pending = pending != 0;
  if (pending == 0) {
    // A device that was reset has nothing either.
    uint32_t bits;
    if (int error = Get(uapi::kV1DeviceState, &bits); error != 0) return error;
    return IsSaving(StateOfV1(bits)) ? 0 : ENODEV;
  }
  if (int error = Get(uapi::kV1DataOffset, &data_offset_); error != 0) {
    return error;
  }
  uint64_t bytes;
  if (int error = Get(uapi::kV1DataSize, &bytes); error != 0) return error;
  if (bytes != 0 &&
      (data_offset_ < uapi::kV1HeadBytes || data_offset_ > region_.bytes ||
       bytes > region_.bytes - data_offset_)) {
    return EPROTO;
  }
  writing_ = false;
  start->bytes = data_left_ = bytes;
  return 0;
}

IoResult RegionDevice::Read(std::span<uint8_t> buffer) {
  if (writing_) return {0, EBADF};
  const size_t bytes = std::min<uint64_t>(buffer.size(), data_left_);
  if (bytes == 0) return {};
  ssize_t got;
  do {
    got =
        calls_.Pread(fd_, buffer.data(), bytes, region_.offset + data_offset_);
  } while (got == -EINTR);
  if (got < 0) return {0, static_cast<int>(-got)};
  if (got == 0) return {0, EIO};
  data_offset_ += got;
  data_left_ -= got;
  return {static_cast<size_t>(got), 0};
}

int RegionDevice::StartWriting(uint64_t bytes) {
  if (data_left_ != 0) return EBUSY;
  if (int error = Get(uapi::kV1DataOffset, &data_offset_); error != 0) {
    return error;
  }
  if (data_offset_ < uapi::kV1HeadBytes || data_offset_ > region_.bytes) {
    return EPROTO;
  }
  // QEMU would cut it; a driver need not take it then.
  if (bytes > region_.bytes - data_offset_) return EFBIG;
  writing_ = true;
  data_left_ = data_bytes_ = bytes;
  return 0;
}

IoResult RegionDevice::Write(ByteSpan bytes) {
  if (!writing_ || bytes.size() > data_left_) return {0, EBADF};
  ssize_t put;
  do {
    put = calls_.Pwrite(fd_, bytes.data(), bytes.size(),
                        region_.offset + data_offset_);
  } while (put == -EINTR);
  if (put < 0) return {0, static_cast<int>(-put)};
  data_offset_ += put;
  data_left_ -= put;
  if (data_left_ == 0 && put != 0) {
    if (int error = Put(uapi::kV1DataSize, data_bytes_); error != 0) {
      return {0, error};
    }
  }
  return {static_cast<size_t>(put), 0};
}

int RegionDevice::GetPrecopyBytes(PrecopyBytes* bytes) {
  *bytes = {};
  // It tells the driver that the last record was taken, which it was.
  if (data_left_ != 0) return EBUSY;
  return Get(uapi::kV1PendingBytes, &bytes->dirty);
}

int RegionDevice::GetStopCopyBytes(uint64_t* bytes) {
  if (data_left_ != 0) return EBUSY;
  return Get(uapi::kV1PendingBytes, bytes);
}

}  // namespace migstream
