// Reads a VFIO device's section, its header behind and its footer ahead, with
// the decoder of codec/device. FORMAT.md section 9.

#ifndef MIGSTREAM_CODEC_QEMU_DEVICE_CONTENT_H_
#define MIGSTREAM_CODEC_QEMU_DEVICE_CONTENT_H_

#include "codec/device/section_decoder.h"
#include "codec/io/byte_source.h"
#include "codec/qemu/stream_visitor.h"
#include "codec/wire/error.h"
#include "flags/dialect.h"

namespace migstream {

// Tells the visitor each event, and consumes all up to the section's footer. A
// section that ends early, as it does where the source's handler failed, is a
// finding and no error: the stream goes on behind it.
Error ReadDeviceContent(ByteSource& source, StreamVisitor& visitor,
                        const SectionView& section, const Dialect& dialect,
                        const DecoderOptions& options);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_QEMU_DEVICE_CONTENT_H_
