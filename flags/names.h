// How numbers of the wire get their names: one table a vocabulary, and one
// rule for what is in no table. Used by the other files of this room only.

#ifndef MIGSTREAM_FLAGS_NAMES_H_
#define MIGSTREAM_FLAGS_NAMES_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace migstream {

struct Name {
  uint64_t value;
  std::string_view name;
};

// The name of `value`; for one that has none, its number in hexadecimal.
std::string NameOf(uint64_t value, std::span<const Name> names);

// The names of the bits that are set, joined by "|", then what has no name in
// hexadecimal: "SYNC|ZSTD|0x80". "0" if no bit is set.
std::string NamesOfBits(uint64_t bits, std::span<const Name> names);

// ASCII only.
bool EqualsIgnoringCase(std::string_view a, std::string_view b);

}  // namespace migstream

#endif  // MIGSTREAM_FLAGS_NAMES_H_
