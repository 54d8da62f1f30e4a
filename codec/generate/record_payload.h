// The payload of a recipe's record (stream.proto).

#ifndef MIGSTREAM_CODEC_GENERATE_RECORD_PAYLOAD_H_
#define MIGSTREAM_CODEC_GENERATE_RECORD_PAYLOAD_H_

#include <cstdint>
#include <string>

#include "codec/generate/random.h"
#include "codec/generate/stream.pb.h"

namespace migstream {

// How many bytes MakePayload() makes.
uint64_t PayloadBytes(const recipe::Record& record);

// `section_id`: of the device, for what spells its footer.
std::string MakePayload(const recipe::Record& record, uint32_t section_id,
                        Random& random);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_GENERATE_RECORD_PAYLOAD_H_
