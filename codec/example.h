#include <sys/uio.h>

#include <span>

#include "codec/device/section_decoder.h"
#include "codec/device/section_encoder.h"

namespace ms = migstream;
inline const ms::Dialect& kDialect = ms::GetDialect(ms::DialectId::kV111);

// Destination: the content of a PART, received in any pieces. Returns false
// when more input is needed, or `error` is set.
template <typename Device>
bool Load(ms::SectionDecoder& decoder, ms::ByteSpan& input, Device& device,
          ms::Error& error) {
  for (ms::Event event;;) {
    switch (decoder.Next(input, event)) {
      case ms::Step::kEvent:
        if (event.kind == ms::EventKind::kData) device.Write(event.payload);
        break;
      case ms::Step::kNeedInput:  // Append to what is left of input.
        return false;
      case ms::Step::kDone:  // input begins with what follows the section.
        return true;
      case ms::Step::kError:
        error = decoder.error("0000:00:05.0/vfio");
        return false;
    }
  }
}

// Source: one read of the device as a PART, with no copy of it.
inline bool Save(int fd, ms::ByteSpan payload) {
  uint8_t headers[32];
  iovec pieces[3];
  ms::SectionEncoder encoder(ms::SectionType::kPart, kDialect, headers, pieces);
  encoder.Data(payload);
  encoder.EndOfState();
  ssize_t all = static_cast<ssize_t>(encoder.bytes());
  return encoder.ok() && writev(fd, pieces, encoder.pieces().size()) == all;
}
