#include "codec/session/kernel_device.h"

#include <sys/ioctl.h>

#include <cerrno>
#include <cstring>

#include "codec/session/vfio_uapi.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

template <typename Feature>
Feature MakeFeature(uint32_t number, uint32_t what) {
  Feature feature;
  feature.header = {sizeof feature, number | what};
  return feature;
}

uapi::FeatureHeader Header(uint32_t number, uint32_t what) {
  return {sizeof(uapi::FeatureHeader), number | what};
}

IoResult ResultOf(ssize_t got) {
  if (got < 0) return {0, static_cast<int>(-got)};
  return {static_cast<size_t>(got), 0};
}

}  // namespace

Error KernelDevice::Open(int device_fd, std::unique_ptr<KernelDevice>* device,
                         const Options& options) {
  std::unique_ptr<KernelDevice> opened(new KernelDevice(device_fd, options));
  auto migration = MakeFeature<uapi::MigrationFeature>(uapi::kFeatureMigration,
                                                       uapi::kFeatureGet);
  int error = opened->Ioctl(device_fd, uapi::kDeviceFeature, &migration);
  if (error == ENOTTY || error == EINVAL) {
    return {ErrorCode::kDeviceCannotMigrate, 0, "",
            "the kernel's driver cannot migrate this device"};
  }
  if (error != 0) {
    return {ErrorCode::kDeviceFailed, 0, "",
            StrCat("the device does not say whether it can migrate: ",
                   std::strerror(error))};
  }
  if (!IsMigrationFlags(migration.flags)) {
    return {ErrorCode::kDeviceCannotMigrate, 0, "",
            StrCat("the kernel's driver has migration flags ",
                   Hex(migration.flags), ", which are not defined")};
  }
  opened->flags_ = migration.flags;
  // An old kernel has neither of these.
  uapi::FeatureHeader header =
      Header(uapi::kFeatureMigPrecopyInfoV2, uapi::kFeatureSet);
  opened->tells_reinit_ =
      (migration.flags & kMigrationPreCopy) != 0 &&
      opened->Ioctl(device_fd, uapi::kDeviceFeature, &header) == 0;
  header = Header(uapi::kFeatureDmaLoggingStart,
                  uapi::kFeatureProbe | uapi::kFeatureSet);
  opened->logs_dma_ =
      opened->Ioctl(device_fd, uapi::kDeviceFeature, &header) == 0;
  *device = std::move(opened);
  return {};
}

KernelDevice::~KernelDevice() { DropSession(); }

int KernelDevice::Ioctl(int fd, unsigned long request, void* argument) {
  int result;
  do {
    result = options_.calls->Ioctl(fd, request, argument);
  } while (result == -EINTR);
  return result < 0 ? -result : 0;
}

int KernelDevice::SetState(DeviceState state, bool* new_session) {
  *new_session = false;
  auto feature = MakeFeature<uapi::DeviceStateFeature>(
      uapi::kFeatureMigDeviceState, uapi::kFeatureSet);
  feature.state = static_cast<uint32_t>(state);
  // Not once more after EINTR: it may have gone some of the way.
  int result = options_.calls->Ioctl(fd_, uapi::kDeviceFeature, &feature);
  if (result < 0) {
    // It may be past the step that ended the old session.
    DropSession();
    return -result;
  }
  if (feature.data_fd >= 0) {
    DropSession();
    data_fd_ = feature.data_fd;
    options_.calls->Ioctl(data_fd_, FIOCLEX, nullptr);
    *new_session = true;
  } else if (!IsSaving(state) && state != DeviceState::kResuming) {
    DropSession();
  }
  return 0;
}

int KernelDevice::GetState(DeviceState* state) {
  auto feature = MakeFeature<uapi::DeviceStateFeature>(
      uapi::kFeatureMigDeviceState, uapi::kFeatureGet);
  int error = Ioctl(fd_, uapi::kDeviceFeature, &feature);
  if (error == 0) *state = static_cast<DeviceState>(feature.state);
  return error;
}

void KernelDevice::DropSession() {
  if (data_fd_ >= 0) options_.calls->Close(data_fd_);
  data_fd_ = -1;
}

int KernelDevice::Reset() {
  DropSession();
  return Ioctl(fd_, uapi::kDeviceReset, nullptr);
}

IoResult KernelDevice::Read(std::span<uint8_t> buffer) {
  if (data_fd_ < 0) return {0, EBADF};
  ssize_t got;
  do {
    got = options_.calls->Read(data_fd_, buffer.data(), buffer.size());
  } while (got == -EINTR);
  return ResultOf(got);
}

IoResult KernelDevice::Write(ByteSpan bytes) {
  if (data_fd_ < 0) return {0, EBADF};
  ssize_t put;
  do {
    put = options_.calls->Write(data_fd_, bytes.data(), bytes.size());
  } while (put == -EINTR);
  return ResultOf(put);
}

int KernelDevice::WaitForData(bool writing) {
  if (data_fd_ < 0) return EBADF;
  int ready;
  do {
    ready = options_.calls->Poll(data_fd_, writing, options_.wait_milliseconds);
  } while (ready == -EINTR);
  if (ready == 0) return ETIMEDOUT;
  return ready < 0 ? -ready : 0;
}

int KernelDevice::GetPrecopyBytes(PrecopyBytes* bytes) {
  if (data_fd_ < 0) return EBADF;
  uapi::PrecopyInfo info = {.argsz = sizeof info};
  int error = Ioctl(data_fd_, uapi::kMigGetPrecopyInfo, &info);
  if (error != 0) return error;
  bytes->initial = info.initial_bytes;
  bytes->dirty = info.dirty_bytes;
  // A kernel that was not asked for them leaves any flags there.
  bytes->reinit = tells_reinit_ && (info.flags & uapi::kPrecopyInfoReinit) != 0;
  return 0;
}

int KernelDevice::GetStopCopyBytes(uint64_t* bytes) {
  auto feature = MakeFeature<uapi::DataSizeFeature>(uapi::kFeatureMigDataSize,
                                                    uapi::kFeatureGet);
  int error = Ioctl(fd_, uapi::kDeviceFeature, &feature);
  if (error == 0) *bytes = feature.stop_copy_bytes;
  return error;
}

}  // namespace migstream
