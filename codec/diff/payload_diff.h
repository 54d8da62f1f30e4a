// What two payloads of one driver differ in, by record and field: what is
// inserted in one shifts nothing. codec/payload/PAYLOADS.md.
//
//   PayloadSide a, b;
//   Error error = ReadPayload(kept, state, a);
//   …
//   if (IsComparable(a, b)) error = ComparePayloads(a, b, out);
//
// Records are held against each other by their path and number, of xe by GT and
// offset, of virtio by selector; snapshots of a device are counted from the
// last one. Large bodies are compared as bytes, with offsets in the record.
// Memory is bounded by what a PayloadTally keeps.

#ifndef MIGSTREAM_CODEC_DIFF_PAYLOAD_DIFF_H_
#define MIGSTREAM_CODEC_DIFF_PAYLOAD_DIFF_H_

#include "codec/diff/difference.h"
#include "codec/diff/stored_bytes.h"
#include "codec/diff/stream_state.h"
#include "codec/io/kept_bytes.h"
#include "codec/payload/payload_report.h"
#include "codec/wire/error.h"

namespace migstream {

struct PayloadSide {
  const KeptBytes* kept = nullptr;
  const StoredBytes* bytes = nullptr;
  PayloadReport report;
};

// Both must outlive `side`. Errors are those of reading the bytes.
Error ReadPayload(const KeptBytes& kept, const VfioState& state,
                  PayloadSide& side);

// Whether both are of one driver that is known, and written in one way.
bool IsComparable(const PayloadSide& a, const PayloadSide& b);

Error ComparePayloads(const PayloadSide& a, const PayloadSide& b,
                      Differences& out);

// Whether the driver sends its state several times.
bool HasSnapshots(const PayloadSide& side);

// The first snapshot of the device against the last: A is the first.
Error CompareWithin(const PayloadSide& side, Differences& out);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_DIFF_PAYLOAD_DIFF_H_
