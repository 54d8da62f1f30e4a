#include "codec/session/device_state.h"

#include <utility>

#include "codec/wire/text.h"

namespace migstream {
namespace {

using enum DeviceState;

constexpr std::string_view kNames[kDeviceStates] = {
    "ERROR",    "STOP",        "RUNNING",  "STOP_COPY",
    "RESUMING", "RUNNING_P2P", "PRE_COPY", "PRE_COPY_P2P"};

constexpr uint64_t kNeeds[kDeviceStates] = {0,
                                            0,
                                            0,
                                            kMigrationStopCopy,
                                            kMigrationStopCopy,
                                            kMigrationP2p,
                                            kMigrationPreCopy,
                                            kMigrationPreCopy | kMigrationP2p};

// The next step from a row's state to a column's, for a driver that has all
// states; kError: there is no way. A step into a state that the driver does
// not have is followed by that state's own row.
constexpr DeviceState kNext[kDeviceStates][kDeviceStates] = {
    // To:   ERROR, STOP, RUNNING, STOP_COPY,
    //       RESUMING, RUNNING_P2P, PRE_COPY, PRE_COPY_P2P
    {kError, kError, kError, kError, kError, kError, kError, kError},
    // STOP
    {kError, kStop, kRunningP2p, kStopCopy,  //
     kResuming, kRunningP2p, kRunningP2p, kRunningP2p},
    // RUNNING
    {kError, kRunningP2p, kRunning, kRunningP2p,  //
     kRunningP2p, kRunningP2p, kPreCopy, kRunningP2p},
    // STOP_COPY
    {kError, kStop, kStop, kStopCopy,  //
     kStop, kStop, kError, kError},
    // RESUMING
    {kError, kStop, kStop, kStop,  //
     kResuming, kStop, kStop, kStop},
    // RUNNING_P2P
    {kError, kStop, kRunning, kStop,  //
     kStop, kRunningP2p, kRunning, kPreCopyP2p},
    // PRE_COPY
    {kError, kRunning, kRunning, kPreCopyP2p,  //
     kRunning, kRunning, kPreCopy, kPreCopyP2p},
    // PRE_COPY_P2P
    {kError, kRunningP2p, kRunningP2p, kStopCopy,  //
     kRunningP2p, kRunningP2p, kPreCopy, kPreCopyP2p},
};

constexpr uint32_t Index(DeviceState state) {
  return static_cast<uint32_t>(state);
}

// Whether a driver with these flags has the state.
bool HasState(DeviceState state, uint64_t flags) {
  return Index(state) < kDeviceStates && (kNeeds[Index(state)] & ~flags) == 0;
}

struct V1Arc {
  uint8_t from, to;
};
// Saving, loading, and back out of saving. 5 and 7 are invalid, 6 is an error
// that is only ever read.
constexpr V1Arc kV1Arcs[] = {{1, 0}, {1, 2}, {1, 3}, {3, 2}, {2, 0},
                             {1, 4}, {4, 1}, {3, 1}, {2, 1}, {0, 1}};

}  // namespace

std::string ToString(DeviceState state) {
  if (Index(state) < kDeviceStates) return std::string(kNames[Index(state)]);
  return StrCat("state ", Index(state));
}

std::optional<DeviceState> NextState(DeviceState from, DeviceState to,
                                     uint64_t flags) {
  if (!HasState(from, flags) || !HasState(to, flags)) return std::nullopt;
  DeviceState next = kNext[Index(from)][Index(to)];
  while (!HasState(next, flags)) next = kNext[Index(next)][Index(to)];
  if (next == kError) return std::nullopt;
  return next;
}

std::string WhyNoWay(DeviceState from, DeviceState to, uint64_t flags) {
  if (NextState(from, to, flags)) return "";
  if (to == kError || Index(to) >= kDeviceStates) {
    return StrCat(ToString(to), " cannot be asked for");
  }
  if (!HasState(to, flags)) {
    return StrCat("the driver does not have ", ToString(to));
  }
  if (from == kError) return "only a reset leads out of ERROR";
  return StrCat(ToString(from), " does not lead back to ", ToString(to));
}

DeviceState StateOfV1(uint32_t bits) {
  switch (bits & kV1Bits) {
    case 0:
      return kStop;
    case kV1Running:
      return kRunning;
    case kV1Saving:
      return kStopCopy;
    case kV1Saving | kV1Running:
      return kPreCopy;
    case kV1Resuming:
      return kResuming;
    default:
      return kError;
  }
}

std::optional<uint32_t> V1Bits(DeviceState state) {
  switch (state) {
    case kStop:
      return 0;
    case kRunning:
      return kV1Running;
    case kStopCopy:
      return kV1Saving;
    case kPreCopy:
      return kV1Saving | kV1Running;
    case kResuming:
      return kV1Resuming;
    case kError:
    case kRunningP2p:
    case kPreCopyP2p:
      break;
  }
  return std::nullopt;
}

bool IsV1Arc(uint32_t from, uint32_t to) {
  for (const V1Arc& arc : kV1Arcs) {
    if (arc.from == (from & kV1Bits) && arc.to == to) return true;
  }
  return false;
}

}  // namespace migstream
