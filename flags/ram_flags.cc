#include "flags/ram_flags.h"

#include "flags/names.h"

namespace migstream {

std::string RamFlagsToString(uint64_t flags) {
  static constexpr Name kNames[] = {
      {kRamFull, "FULL"},
      {kRamZero, "ZERO"},
      {kRamMemSize, "MEM_SIZE"},
      {kRamPage, "PAGE"},
      {kRamEos, "EOS"},
      {kRamContinue, "CONTINUE"},
      {kRamXbzrle, "XBZRLE"},
      {kRamHook, "HOOK"},
      {kRamCompressPage, "COMPRESS_PAGE"},
      {kRamMultifdFlush, "MULTIFD_FLUSH"},
  };
  return NamesOfBits(flags, kNames);
}

}  // namespace migstream
