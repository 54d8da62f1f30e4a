// Names off the wire, for people to read.

#ifndef MIGSTREAM_CODEC_WIRE_PRINTABLE_H_
#define MIGSTREAM_CODEC_WIRE_PRINTABLE_H_

#include <string>
#include <string_view>

namespace migstream {

// Printable ASCII as it is; the rest, which a terminal might obey and a JSON
// string may not hold, as "\x1b". A backslash becomes "\x5c" only where it
// could be taken for the beginning of such a one.
std::string Printable(std::string_view text);

// A name that nothing else in the stream confirms. What a damaged stream makes
// of guest memory is secret, so that no more than 16 bytes of it are shown:
// "16 bytes of name...". The PCI address before a device's name is not counted,
// nor is the "configuration/" of a subsection.
std::string UnknownName(std::string_view name);

// Whether somebody who says `given` means `name`: as it is, or as it is shown.
bool IsNamed(std::string_view name, std::string_view given);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_WIRE_PRINTABLE_H_
