// For tests and benchmarks: a device that goes to each state that it is told,
// has nothing to give, and takes all that it is given. Those that do more
// derive from it.

#ifndef MIGSTREAM_CODEC_SESSION_PLAIN_DEVICE_H_
#define MIGSTREAM_CODEC_SESSION_PLAIN_DEVICE_H_

#include <cstdint>
#include <span>

#include "codec/session/device_state.h"
#include "codec/session/migration_device.h"
#include "codec/wire/bytes.h"

namespace migstream {

class PlainDevice : public MigrationDevice {
 public:
  uint64_t flags() const override {
    return kMigrationStopCopy | kMigrationP2p | kMigrationPreCopy;
  }
  int SetState(DeviceState state, bool* new_session) override {
    *new_session = GivesDataFd(state_, state);
    state_ = state;
    return 0;
  }
  int GetState(DeviceState* state) override {
    *state = state_;
    return 0;
  }
  void DropSession() override {}
  int Reset() override {
    state_ = DeviceState::kRunning;
    return 0;
  }
  IoResult Read(std::span<uint8_t>) override { return {}; }
  IoResult Write(ByteSpan bytes) override { return {bytes.size()}; }
  int WaitForData(bool) override { return 0; }
  int GetPrecopyBytes(PrecopyBytes*) override { return 0; }
  int GetStopCopyBytes(uint64_t*) override { return 0; }

  DeviceState state() const { return state_; }

 private:
  DeviceState state_ = DeviceState::kRunning;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_SESSION_PLAIN_DEVICE_H_
