// Lists that are sets in truth: two arrays of a device's state, of keys and of
// their values. Which element a register stands in differs between releases
// and CPU models; what is compared is the register.
//
//   cpreg_vmstate_indexes[7] = 0x603000000013c030
//   cpreg_vmstate_values[7] = 0x1f
//
// becomes cpreg_vmstate_values[0x603000000013c030] = 0x1f.

#ifndef MIGSTREAM_CODEC_DIFF_KEYED_LISTS_H_
#define MIGSTREAM_CODEC_DIFF_KEYED_LISTS_H_

#include <map>
#include <string>

#include "codec/diff/stream_state.h"

namespace migstream {

// Changes a device's values, by path. A list with a key twice, or of which
// elements are missing, stays as it is.
void NameByKey(std::map<std::string, StateValue>& values);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_DIFF_KEYED_LISTS_H_
