// What a pre-release trigger or subflag asks the destination to do.
// FORMAT.md section 14 (E2, E3).

#ifndef MIGSTREAM_FLAGS_TRIGGER_FLAGS_H_
#define MIGSTREAM_FLAGS_TRIGGER_FLAGS_H_

#include <cstdint>
#include <string>

namespace migstream {

enum TriggerFlag : uint8_t {
  // Enable MSI or MSI-X now. E2: the meaning of the trigger tag in FULL. E3: in
  // the subflag after a CONFIG tag.
  kTriggerEnableInterrupts = 0x1,
  // A config payload follows the subflag. E3 only.
  kTriggerConfigFollows = 0x2,
};

std::string TriggerFlagsToString(uint8_t flags);

}  // namespace migstream

#endif  // MIGSTREAM_FLAGS_TRIGGER_FLAGS_H_
