#include "flags/trigger_flags.h"

#include "flags/names.h"

namespace migstream {

std::string TriggerFlagsToString(uint8_t flags) {
  static constexpr Name kNames[] = {
      {kTriggerEnableInterrupts, "ENABLE_INTERRUPTS"},
      {kTriggerConfigFollows, "CONFIG_FOLLOWS"},
  };
  return NamesOfBits(flags, kNames);
}

}  // namespace migstream
