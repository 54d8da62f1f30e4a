// Every driver's format, and which one a payload has.
//
//   Recognition found = Recognize(first_bytes, id);
//   PayloadDecoder decoder(*found.root, found.big_endian);
//
// The configuration space, which has the device's ids, comes behind the payload
// in a stream; so the bytes have to do where `id` is not there yet, and a later
// id is compared with Agree().

#ifndef MIGSTREAM_CODEC_PAYLOAD_FORMATS_H_
#define MIGSTREAM_CODEC_PAYLOAD_FORMATS_H_

#include <optional>
#include <span>
#include <string_view>

#include "codec/payload/driver_rules.h"
#include "codec/payload/format.h"
#include "codec/wire/bytes.h"

namespace migstream {

// How many first bytes Recognize() looks at.
inline constexpr size_t kRecognizedBytes = 64;

// Those of drivers, most telling first; not that of opaque payloads.
std::span<const payload::Format* const> AllFormats();

// Null: no driver is known for it.
const payload::Format* FormatFor(PciId id);
const payload::Format* FormatNamed(std::string_view name);
// The id's row. Null likewise.
const payload::PciRow* PciRowFor(PciId id);

struct Recognition {
  const payload::Format* format = nullptr;  // Never null when returned.
  const payload::Level* root = nullptr;
  bool big_endian = false;
  // The bytes say so by themselves, beyond doubt.
  bool by_bytes = false;
};

// `head`: the first kRecognizedBytes, or all there are. Where the id's driver
// and the bytes do not agree, bytes that are beyond doubt win.
Recognition Recognize(ByteSpan head, std::optional<PciId> id);

// What `format` makes of them, which the caller knows to be its.
Recognition RecognizeAs(const payload::Format& format, ByteSpan head);

// What there is to say against a payload of `id`'s device that was recognised
// so, or against reading it so without an id. Empty: nothing.
std::string Disagreement(const Recognition& found, std::optional<PciId> id,
                         ByteSpan head);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_PAYLOAD_FORMATS_H_
