// A device of the v1 protocol (Linux 5.8 to 5.17, QEMU 5.2 to 7.2): a region of
// the device with its state, sizes and data. FORMAT.md section 9.6.
//
// The order of the accesses and the size of each transaction are part of the
// protocol and kept: StartReading() reads pending_bytes, data_offset and
// data_size, Read() the data; the pending_bytes after it tells the driver that
// the data was taken. pending_bytes is the only end: it need not shrink.
// StartWriting() reads data_offset; after the last byte data_size is written.

#ifndef MIGSTREAM_CODEC_SESSION_REGION_DEVICE_H_
#define MIGSTREAM_CODEC_SESSION_REGION_DEVICE_H_

#include <cstdint>

#include "codec/session/migration_device.h"
#include "codec/session/vfio_calls.h"
#include "codec/wire/error.h"

namespace migstream {

// Where the migration region is, in the device's fd.
struct MigrationRegion {
  uint64_t offset = 0;
  uint64_t bytes = 0;
};

// Asks for it: the region of type 3, subtype 1. kDeviceCannotMigrate where
// there is none.
Error FindMigrationRegion(int device_fd, MigrationRegion* region,
                          VfioCalls& calls = SystemVfioCalls());

class RegionDevice : public MigrationDevice {
 public:
  // The fd is lent and must outlive it.
  RegionDevice(int device_fd, const MigrationRegion& region,
               VfioCalls& calls = SystemVfioCalls())
      : fd_(device_fd), region_(region), calls_(calls) {}

  uint64_t flags() const override {
    return kMigrationStopCopy | kMigrationPreCopy;
  }
  bool has_records() const override { return true; }

  int SetState(DeviceState state, bool* new_session) override;
  int GetState(DeviceState* state) override;
  void DropSession() override;
  int Reset() override;
  IoResult Read(std::span<uint8_t> buffer) override;
  IoResult Write(ByteSpan bytes) override;
  int WaitForData(bool) override { return ETIMEDOUT; }
  int GetPrecopyBytes(PrecopyBytes* bytes) override;
  int GetStopCopyBytes(uint64_t* bytes) override;
  int StartReading(RecordStart* start) override;
  int StartWriting(uint64_t bytes) override;

 private:
  template <typename Number>
  int Get(uint64_t field, Number* value);
  template <typename Number>
  int Put(uint64_t field, Number value);

  const int fd_;
  const MigrationRegion region_;
  VfioCalls& calls_;
  uint64_t data_offset_ = 0;  // Of the transaction's next byte.
  uint64_t data_left_ = 0;    // In the transaction.
  uint64_t data_bytes_ = 0;   // Of all of it, when it is written.
  bool writing_ = false;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_SESSION_REGION_DEVICE_H_
