// A report for people.

#ifndef MIGSTREAM_INSPECT_TEXT_REPORT_H_
#define MIGSTREAM_INSPECT_TEXT_REPORT_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "codec/report/report.pb.h"

namespace migstream {

// "1 page", "2 pages".
std::string Plural(uint64_t count, std::string_view what);

// What the stream is, a table of its VFIO devices, and what is known of each
// one's config and payload, with `payload_records` each record of it. Findings
// are not in it.
std::string TextReport(const report::Report& report,
                       bool payload_records = false);

// One line of `inspect --records`; a line of headings first.
std::string RecordHeadings();
std::string RecordLine(const std::string& idstr, const report::Record& record);

// "FILE:OFFSET: SECTION: SEVERITY: REASON [ID]" without a line's end; without
// the place where the whole file is meant.
std::string FindingLine(const std::string& file,
                        const report::Finding& finding);

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_TEXT_REPORT_H_
