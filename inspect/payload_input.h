// --payload: a file that holds a device's payload, with no stream around it.

#ifndef MIGSTREAM_INSPECT_PAYLOAD_INPUT_H_
#define MIGSTREAM_INSPECT_PAYLOAD_INPUT_H_

#include "codec/payload/payload_report.h"
#include "codec/report/report.pb.h"
#include "inspect/verb.h"

namespace migstream {

// Options of inspect and check.
extern const Option kPayloadOption;
extern const Option kSplitOption;

// Reads the file; false, and said why, if that cannot be.
bool ReadPayloadFile(const Arguments& arguments, PayloadReport& payload,
                     report::Report& report);

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_PAYLOAD_INPUT_H_
