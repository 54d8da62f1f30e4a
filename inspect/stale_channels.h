// Channel files of a former run, which had more of them: beside the new main
// channel they would be taken for its own.

#ifndef MIGSTREAM_INSPECT_STALE_CHANNELS_H_
#define MIGSTREAM_INSPECT_STALE_CHANNELS_H_

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace migstream {

class StaleChannels {
 public:
  // Looks at the files that `name` gives for the channels from `first` on; one
  // that is no multifd channel is somebody else's. An error if there is one and
  // `force` is false; or if it may belong to an input: `main`, the new main
  // channel, replaces one of the `inputs`, and the channel is not. A
  // main channel alone that replaces itself keeps its channels.
  absl::Status Find(const std::string& main, size_t first,
                    const std::function<std::string(size_t number)>& name,
                    bool force, const std::vector<std::string>& inputs = {});

  // Removes what was found, with a message.
  absl::Status Remove();

 private:
  std::string main_;
  std::vector<std::string> files_;
};

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_STALE_CHANNELS_H_
