// One device under the rules of migration: it refuses what the kernel would
// refuse, notices a device that was reset while it was being moved, and after a
// failure finds out where the device is, or brings it back by a reset.
//
// Two sides of a rule meet here: what may be asked (device_state.h), and what
// an answer means. A device that even a reset does not bring back is lost,
// which is said and never the end of the process. One thread at a time.

#ifndef MIGSTREAM_CODEC_SESSION_DEVICE_CONTROL_H_
#define MIGSTREAM_CODEC_SESSION_DEVICE_CONTROL_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "codec/session/device_state.h"
#include "codec/session/migration_device.h"
#include "codec/wire/bytes.h"
#include "codec/wire/error.h"

namespace migstream {

enum class DeviceCall : uint8_t {
  kNone,
  kSetState,
  kGetState,
  kReset,
  kRead,
  kWrite,
  kWait,
  kPrecopyBytes,
  kStartReading,
  kStartWriting,
};
std::string_view ToString(DeviceCall call);

// Where a device is, and what went wrong with it first.
struct DeviceReport {
  std::string idstr;
  uint32_t instance_id = 0;
  DeviceState asked = DeviceState::kRunning;
  DeviceState is = DeviceState::kRunning;
  bool was_reset = false;  // Its guest has to set it up anew.
  bool lost = false;       // `is` is unknown.
  DeviceCall failed_call = DeviceCall::kNone;
  int failed_errno = 0;
};

// "0000:00:05.0/vfio: RUNNING", ", was reset", ", SET state gave EIO".
std::string ToString(const DeviceReport& report);

struct ReadResult {
  enum Kind : uint8_t {
    kData,        // `bytes` of it.
    kNothingNow,  // In PRE_COPY: the guest has to run on.
    kWait,        // The driver is not ready; see DeviceControl::Wait().
    kEnd,         // In STOP_COPY: that was all.
    kFailed,
  };
  Kind kind = kFailed;
  size_t bytes = 0;
  Error error = {};
};

class DeviceControl {
 public:
  // The device is lent and must outlive it.
  DeviceControl(MigrationDevice& device, std::string_view idstr,
                uint32_t instance_id);

  // Asks the device for its state. First of all.
  Error Open();

  // Nothing is asked of the device if it is there already. Out of RESUMING
  // leads FinishResuming() alone, and a reset.
  Error SetState(DeviceState state);
  // A reset, so that nothing of before is left in it, then RESUMING.
  Error StartResuming();
  // RESUMING to STOP, where drivers judge what was loaded. A v1 device stays as
  // it is, and goes on by RunLoaded(): it has no such judgement.
  Error FinishResuming();
  Error RunLoaded();
  // To RUNNING, by a reset if nothing else helps. Never out of RESUMING.
  Error Recover();
  // A running device, what was loaded is gone. kDeviceLost if it is not.
  Error Reset();

  // One read of the saving session that is open.
  ReadResult Read(std::span<uint8_t> buffer);
  // Writes all of it to the resuming session.
  Error Write(ByteSpan bytes);
  Error Wait(bool writing);
  Error GetPrecopyBytes(PrecopyBytes* bytes);

  // Devices that have records.
  Error StartReading(RecordStart* start);
  Error StartWriting(uint64_t bytes);

  MigrationDevice& device() { return *device_; }
  bool has_records() const { return device_->has_records(); }
  bool Has(uint64_t flag) const { return (device_->flags() & flag) != 0; }
  DeviceState state() const { return report_.is; }
  const DeviceReport& report() const { return report_; }

 private:
  Error Ask(DeviceState state);
  // Finds out where the device is, after a failure.
  void Verify();
  // It was reset under us: what is left of its session is of no use.
  void Desync();
  Error Refuse(std::string reason) const;
  Error Failed(ErrorCode code, DeviceCall call, int error, std::string reason);

  MigrationDevice* const device_;
  DeviceReport report_;
  bool session_ = false;  // Data can be read or written.
  bool loaded_ = false;   // v1: FinishResuming() was called.
  uint64_t written_ = 0;  // Bytes that the device took since RESUMING.
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_SESSION_DEVICE_CONTROL_H_
