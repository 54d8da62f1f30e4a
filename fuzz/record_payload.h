// The payload of a recipe's record (stream.proto).

#ifndef MIGSTREAM_FUZZ_RECORD_PAYLOAD_H_
#define MIGSTREAM_FUZZ_RECORD_PAYLOAD_H_

#include <cstdint>
#include <string>

#include "fuzz/random.h"
#include "fuzz/stream.pb.h"

namespace migstream {

// How many bytes MakePayload() makes.
uint64_t PayloadBytes(const recipe::Record& record);

// `section_id`: of the device, for what spells its footer.
std::string MakePayload(const recipe::Record& record, uint32_t section_id,
                        Random& random);

}  // namespace migstream

#endif  // MIGSTREAM_FUZZ_RECORD_PAYLOAD_H_
