// The state of devices that a loader's model does not look at: where it ends.
// FORMAT.md sections 7 and 8.

#ifndef MIGSTREAM_CODEC_LOADER_LOADER_OTHER_H_
#define MIGSTREAM_CODEC_LOADER_LOADER_OTHER_H_

#include <cstdint>
#include <optional>

#include "codec/loader/loader_handlers.h"
#include "codec/loader/loader_input.h"
#include "codec/qemu/description_loader.h"
#include "codec/qemu/limits.h"

namespace migstream {

struct LoaderGuesses {
  bool any = false;
  // How much may yet be searched in vain, so that time is linear.
  uint64_t bytes_left = 64 << 20;
};

// One section's content, up to where the description says that it ends; where
// there is none, or it cannot be right, to where it seems to, which `guesses`
// knows then. False if it is refused. `footers` is empty as long as it is not
// known whether there are some.
bool LoadOther(LoaderInput& input, const LoaderHandler& handler,
               const LoaderHandlers& handlers, DescriptionLoader& description,
               std::optional<bool> footers, bool has_configuration,
               const StreamLimits& limits, LoaderGuesses& guesses);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_LOADER_LOADER_OTHER_H_
