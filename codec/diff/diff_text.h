// What is compared, as people read it: short, however long it is.

#ifndef MIGSTREAM_CODEC_DIFF_DIFF_TEXT_H_
#define MIGSTREAM_CODEC_DIFF_DIFF_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string>

#include "codec/diff/stream_state.h"

namespace migstream {

// "timer"; "timer#1" for an instance other than 0. Printable, and whole if it
// is known for a name.
std::string NameText(const DeviceName& device, bool is_known);

// "a, b and 7 more"
std::string ListText(std::span<const std::string> items);

// "PING 0x1", "PACKAGED 5000 bytes"
std::string CommandText(const CommandState& command);

// "1", or "1, 2" if sections disagree.
std::string VersionsText(const std::set<uint32_t>& versions);

// A value, from byte `at` on; "ends" if it has no more.
std::string ValueText(const StateValue& value, size_t at);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_DIFF_DIFF_TEXT_H_
