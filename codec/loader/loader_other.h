// The state of devices that a loader's model does not look at: where it ends.
// FORMAT.md sections 7 and 8.

#ifndef MIGSTREAM_CODEC_LOADER_LOADER_OTHER_H_
#define MIGSTREAM_CODEC_LOADER_LOADER_OTHER_H_

#include "codec/loader/loader_handlers.h"
#include "codec/loader/loader_input.h"
#include "codec/qemu/limits.h"

namespace migstream {

// One section's content, up to where the description says that it ends; without
// one, to where it seems to: `guessed` becomes true. False if it is refused.
// `footers` is empty as long as it is not known whether there are some.
bool LoadOther(LoaderInput& input, const LoaderHandler& handler,
               const LoaderHandlers& handlers, std::optional<bool> footers,
               bool has_configuration, const StreamLimits& limits,
               bool& guessed);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_LOADER_LOADER_OTHER_H_
