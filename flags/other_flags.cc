#include "flags/other_flags.h"

#include "flags/names.h"

namespace migstream {

std::string DirtyBitmapFlagsToString(uint32_t flags) {
  static constexpr Name kNames[] = {
      {kDirtyBitmapEos, "EOS"},
      {kDirtyBitmapZeroes, "ZEROES"},
      {kDirtyBitmapName, "BITMAP_NAME"},
      {kDirtyBitmapDeviceName, "DEVICE_NAME"},
      {kDirtyBitmapStart, "START"},
      {kDirtyBitmapComplete, "COMPLETE"},
      {kDirtyBitmapBits, "BITS"},
      {kDirtyBitmapExtraFlags, "EXTRA_FLAGS"},
  };
  return NamesOfBits(flags, kNames);
}

std::string BlockFlagsToString(uint64_t flags) {
  static constexpr Name kNames[] = {
      {kBlockDevice, "DEVICE"},
      {kBlockEos, "EOS"},
      {kBlockProgress, "PROGRESS"},
      {kBlockZero, "ZERO"},
  };
  return NamesOfBits(flags, kNames);
}

std::string S390FlagsToString(uint64_t flags) {
  static constexpr Name kNames[] = {
      {kS390Eos, "EOS"},
      {kS390More, "MORE"},
      {kS390Error, "ERROR"},
      {kS390Done, "DONE"},
  };
  return NamesOfBits(flags, kNames);
}

}  // namespace migstream
