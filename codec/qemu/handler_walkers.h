// Walks the content of handlers, other than RAM and VFIO, whose grammar is
// known without a description. FORMAT.md section 6.

#ifndef MIGSTREAM_CODEC_QEMU_HANDLER_WALKERS_H_
#define MIGSTREAM_CODEC_QEMU_HANDLER_WALKERS_H_

#include <string_view>

#include "codec/qemu/content_reader.h"
#include "flags/section_type.h"

namespace migstream {

using HandlerWalker = void (*)(ContentReader& content, SectionType type);

// The walker for a handler's sections of this type; null if there is none, and
// only a description can tell how long they are.
HandlerWalker FindHandlerWalker(std::string_view idstr, SectionType type);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_QEMU_HANDLER_WALKERS_H_
