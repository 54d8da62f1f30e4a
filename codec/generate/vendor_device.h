// A recipe's devices with a vendor's payload, as devices with parts, records
// and ids of their own.

#ifndef MIGSTREAM_CODEC_GENERATE_VENDOR_DEVICE_H_
#define MIGSTREAM_CODEC_GENERATE_VENDOR_DEVICE_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "codec/generate/generated.h"
#include "codec/generate/stream.pb.h"

namespace migstream {

bool HasVendors(const recipe::Migration& recipe);

// Each such device of `recipe`, in place; what is known of it goes into
// `devices`, one element for each of the recipe's. The status says what cannot
// be; NOT_FOUND: which damage has nothing to be done to.
absl::Status SpellOutVendors(uint64_t max_bytes, recipe::Migration& recipe,
                             std::vector<GeneratedDevice>& devices);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_GENERATE_VENDOR_DEVICE_H_
