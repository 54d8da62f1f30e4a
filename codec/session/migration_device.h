// A device whose state can be saved and loaded: what a session needs of it, and
// no more. Nothing above knows how it is done: a kernel's data fd
// (kernel_device.h), a v1 region (region_device.h), or anything else.
//
// An implementation does what it is told and says what came of it; the rules
// of who may ask for what, and what a failure means, are device_control.h's.
// Errors are errno values, 0 where all is well. One thread at a time.

#ifndef MIGSTREAM_CODEC_SESSION_MIGRATION_DEVICE_H_
#define MIGSTREAM_CODEC_SESSION_MIGRATION_DEVICE_H_

#include <cerrno>
#include <cstdint>
#include <span>

#include "codec/session/device_state.h"
#include "codec/wire/bytes.h"

namespace migstream {

struct IoResult {
  size_t bytes = 0;
  int error = 0;
};

// What of PRE_COPY's data is still to be read, as the driver estimates it.
struct PrecopyBytes {
  uint64_t initial = 0;  // Best read before the guest is stopped.
  uint64_t dirty = 0;
  bool reinit = false;  // There is new initial data: it may have risen.
};

// A v1 device's next transaction.
struct RecordStart {
  bool pending = false;  // False: there is nothing more.
  uint64_t bytes = 0;    // To be read by Read().
};

class MigrationDevice {
 public:
  virtual ~MigrationDevice() = default;

  // MigrationFlags.
  virtual uint64_t flags() const = 0;
  // v1: data comes and goes in transactions that are kept as they are, by
  // StartReading() and StartWriting().
  virtual bool has_records() const { return false; }
  // PrecopyBytes.reinit is to be relied on.
  virtual bool tells_reinit() const { return false; }

  // `new_session`: data of a new session is to be read or written from now on.
  // After an error no session is open, whatever the state is.
  virtual int SetState(DeviceState state, bool* new_session) = 0;
  virtual int GetState(DeviceState* state) = 0;
  // The session's end, without a change of state.
  virtual void DropSession() = 0;
  // Any state, ERROR too, becomes RUNNING; what was loaded is gone.
  virtual int Reset() = 0;

  // As read(2) and write(2) of the session that is open, never interrupted.
  // EAGAIN: nothing can be done before WaitForData().
  virtual IoResult Read(std::span<uint8_t> buffer) = 0;
  virtual IoResult Write(ByteSpan bytes) = 0;
  // Returns when Read(), or Write(), may have something to do. ETIMEDOUT.
  virtual int WaitForData(bool writing) = 0;

  virtual int GetPrecopyBytes(PrecopyBytes* bytes) = 0;
  // All that is to come, PRE_COPY's too, if the device were stopped now.
  virtual int GetStopCopyBytes(uint64_t* bytes) = 0;

  // has_records(): begins a transaction.
  virtual int StartReading(RecordStart*) { return ENOTSUP; }
  // One of so many bytes, which must be written before the next begins. EFBIG:
  // the device has no room for a record of that size.
  virtual int StartWriting(uint64_t) { return ENOTSUP; }
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_SESSION_MIGRATION_DEVICE_H_
