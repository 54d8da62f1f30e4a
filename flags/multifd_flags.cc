#include "flags/multifd_flags.h"

#include "flags/names.h"

namespace migstream {

std::string MultifdFlagsToString(uint32_t flags) {
  static constexpr Name kNames[] = {
      {kMultifdSync, "SYNC"},
      {kMultifdZlib, "ZLIB"},
      {kMultifdZstd, "ZSTD"},
      {kMultifdQpl, "QPL"},
      {kMultifdUadk, "UADK"},
      {kMultifdQatzip, "QATZIP"},
      {kMultifdDeviceState, "DEVICE_STATE"},
  };
  return NamesOfBits(flags, kNames);
}

std::string VfioPacketFlagsToString(uint32_t flags) {
  static constexpr Name kNames[] = {{kVfioPacketConfigState, "CONFIG_STATE"}};
  return NamesOfBits(flags, kNames);
}

}  // namespace migstream
