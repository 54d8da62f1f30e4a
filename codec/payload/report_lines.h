// A payload's report as lines, for tests that compare reports.

#ifndef MIGSTREAM_CODEC_PAYLOAD_REPORT_LINES_H_
#define MIGSTREAM_CODEC_PAYLOAD_REPORT_LINES_H_

#include <optional>
#include <string>
#include <vector>

#include "codec/payload/payload_report.h"
#include "codec/wire/bytes.h"

namespace migstream {

// Without places in the stream.
std::vector<std::string> ReportLines(const PayloadReport& report);

// A payload stands in DATA records of a stream: the 16 bytes before each are
// not payload. Where byte `offset` of a payload stands whose records are
// `piece` bytes long.
uint64_t PlaceOf(uint64_t offset, size_t piece);

// Tallied in pieces of `piece` bytes, cut at `split` too, where stop-copy
// begins; the id comes first or last, or not at all.
PayloadReport TallyInPieces(ByteSpan bytes, std::optional<PciId> id,
                            uint64_t split, size_t piece, bool late_id = false);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_PAYLOAD_REPORT_LINES_H_
