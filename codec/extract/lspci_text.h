// A PCI configuration space as `lspci -x` prints it, which `lspci -F` reads and
// decodes: all capabilities, with every field.
//
//   migstream extract --what=config --format=lspci -o - FILE | lspci -vvv -F -

#ifndef MIGSTREAM_CODEC_EXTRACT_LSPCI_TEXT_H_
#define MIGSTREAM_CODEC_EXTRACT_LSPCI_TEXT_H_

#include <string>
#include <string_view>

#include "codec/wire/bytes.h"

namespace migstream {

// The slot is taken out of the device's name; "00:00.0" where none is in it.
std::string LspciText(std::string_view idstr, ByteSpan config);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_EXTRACT_LSPCI_TEXT_H_
