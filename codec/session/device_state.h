// The states of a migrating VFIO device, and which may follow which: the
// kernel's rules as tables, so that what it would refuse is not asked. Some
// kernels do worse: Linux 6.12.95 never comes back from STOP_COPY to PRE_COPY.
//
// A state may be asked for from afar: the kernel then goes one step after the
// other, and NextState() says which. A device of the v1 protocol has bits
// instead; they are given the names of v2.

#ifndef MIGSTREAM_CODEC_SESSION_DEVICE_STATE_H_
#define MIGSTREAM_CODEC_SESSION_DEVICE_STATE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace migstream {

// The numbers are the kernel's.
enum class DeviceState : uint32_t {
  kError = 0,  // Left by a reset alone.
  kStop = 1,
  kRunning = 2,
  kStopCopy = 3,    // Stopped, and its state can be read.
  kResuming = 4,    // Its state can be written.
  kRunningP2p = 5,  // Running, but it touches no other device.
  kPreCopy = 6,     // Running, and its state can be read.
  kPreCopyP2p = 7,
};
inline constexpr uint32_t kDeviceStates = 8;

// "PRE_COPY_P2P"; "state 9" for what is no state.
std::string ToString(DeviceState state);

// What a driver can do. The kernel's numbers.
inline constexpr uint64_t kMigrationStopCopy = 1;
inline constexpr uint64_t kMigrationP2p = 2;
inline constexpr uint64_t kMigrationPreCopy = 4;
// All else is undefined: STOP_COPY is in each of the four.
constexpr bool IsMigrationFlags(uint64_t flags) {
  return (flags & kMigrationStopCopy) != 0 && flags <= 7;
}

// A saving session is open in these, with one data fd for all three.
constexpr bool IsSaving(DeviceState state) {
  return state == DeviceState::kPreCopy || state == DeviceState::kPreCopyP2p ||
         state == DeviceState::kStopCopy;
}
constexpr bool IsPreCopy(DeviceState state) {
  return state == DeviceState::kPreCopy || state == DeviceState::kPreCopyP2p;
}
// The first step on the kernel's way; `to` itself if it is one step, `from` if
// they are the same. Nothing where the kernel gives EINVAL.
std::optional<DeviceState> NextState(DeviceState from, DeviceState to,
                                     uint64_t flags);

// Why the kernel would refuse; empty where there is a way.
std::string WhyNoWay(DeviceState from, DeviceState to, uint64_t flags);

// Whether a data fd comes with it. One that comes where none is due, or does
// not where one is: the device is not in the state that it was believed in.
constexpr bool GivesDataFd(DeviceState from, DeviceState to) {
  if (to == DeviceState::kResuming) return from != to;
  return IsSaving(to) && !IsSaving(from);
}

// The v1 protocol: device_state's bits. What is above them is kept as it is.
inline constexpr uint32_t kV1Running = 1;
inline constexpr uint32_t kV1Saving = 2;
inline constexpr uint32_t kV1Resuming = 4;
inline constexpr uint32_t kV1Bits = 7;

// kError for 5, 6 and 7.
DeviceState StateOfV1(uint32_t bits);
// Nothing for P2P states, which v1 does not have, and for kError.
std::optional<uint32_t> V1Bits(DeviceState state);
// Whether bits may be written while those are there.
bool IsV1Arc(uint32_t from, uint32_t to);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_SESSION_DEVICE_STATE_H_
