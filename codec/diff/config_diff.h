// What two CONFIGs of a VFIO device differ in. FORMAT.md sections 11, 12, 14.

#ifndef MIGSTREAM_CODEC_DIFF_CONFIG_DIFF_H_
#define MIGSTREAM_CODEC_DIFF_CONFIG_DIFF_H_

#include <string>

#include "codec/diff/difference.h"
#include "codec/diff/stream_state.h"

namespace migstream {

// `prefix` goes before each line's WHAT. `cuts`: also where it was.
void CompareConfigs(const std::string& prefix, const ConfigState& a,
                    const ConfigState& b, bool cuts, Differences& out);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_DIFF_CONFIG_DIFF_H_
