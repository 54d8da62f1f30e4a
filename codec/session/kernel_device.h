// A device of the kernel's v2 protocol (Linux 5.18 on): states set by
// VFIO_DEVICE_FEATURE, data through an fd of its own.
//
// The device's fd is lent and must outlive it; data fds are its own, closed on
// exec and after every SET that fails.

#ifndef MIGSTREAM_CODEC_SESSION_KERNEL_DEVICE_H_
#define MIGSTREAM_CODEC_SESSION_KERNEL_DEVICE_H_

#include <cstdint>
#include <memory>

#include "codec/session/migration_device.h"
#include "codec/session/vfio_calls.h"
#include "codec/wire/error.h"

namespace migstream {

struct KernelDeviceOptions {
  VfioCalls* calls = &SystemVfioCalls();
  // How long a driver may have nothing to give, or not take what it is given.
  int wait_milliseconds = 10000;
};

class KernelDevice : public MigrationDevice {
 public:
  using Options = KernelDeviceOptions;

  // Asks what the driver can do. kDeviceCannotMigrate: nothing, or something
  // that the kernel's rules do not have.
  static Error Open(int device_fd, std::unique_ptr<KernelDevice>* device,
                    const Options& options = {});
  ~KernelDevice() override;
  KernelDevice(const KernelDevice&) = delete;
  KernelDevice& operator=(const KernelDevice&) = delete;

  uint64_t flags() const override { return flags_; }
  bool tells_reinit() const override { return tells_reinit_; }
  // Whether the device reports by itself which guest memory it wrote.
  bool logs_dma() const { return logs_dma_; }

  int SetState(DeviceState state, bool* new_session) override;
  int GetState(DeviceState* state) override;
  void DropSession() override;
  int Reset() override;
  IoResult Read(std::span<uint8_t> buffer) override;
  IoResult Write(ByteSpan bytes) override;
  int WaitForData(bool writing) override;
  int GetPrecopyBytes(PrecopyBytes* bytes) override;
  int GetStopCopyBytes(uint64_t* bytes) override;

 private:
  KernelDevice(int device_fd, const Options& options)
      : fd_(device_fd), options_(options) {}

  // For what may be asked twice.
  int Ioctl(int fd, unsigned long request, void* argument);

  const int fd_;
  const Options options_;
  uint64_t flags_ = 0;
  bool tells_reinit_ = false;
  bool logs_dma_ = false;
  int data_fd_ = -1;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_SESSION_KERNEL_DEVICE_H_
