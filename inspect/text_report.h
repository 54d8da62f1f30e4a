// A report for people.

#ifndef MIGSTREAM_INSPECT_TEXT_REPORT_H_
#define MIGSTREAM_INSPECT_TEXT_REPORT_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace migstream {

namespace report {
class Finding;
class Record;
class Report;
}  // namespace report

// "1 page", "2 pages".
std::string Plural(uint64_t count, std::string_view what);

// What the stream is, a table of its VFIO devices, and what is known of each
// one's config and payload, with `payload_records` each record of it. Findings
// are not in it.
std::string TextReport(const report::Report& report,
                       bool payload_records = false);

// The lines of --records. Empty PARTs, of which some thousands may follow each
// other, are one line.
class RecordList {
 public:
  static std::string Headings();
  void Add(const std::string& idstr, const report::Record& record);
  // Ends a run of empty PARTs.
  void Fold();
  size_t size() const { return lines_.size(); }
  std::string Take();

 private:
  static std::string Line(const std::string& idstr,
                          const report::Record& record);

  std::string lines_;
  std::string in_part_;  // The device in whose PART an element was.
  uint64_t empty_parts_ = 0;
  uint64_t first_empty_ = 0;  // Offset.
  std::string last_;          // The line of the last of them.
};

// "FILE:OFFSET: SECTION: SEVERITY: REASON [ID]" without a line's end; without
// the place where the whole file is meant.
std::string FindingLine(const std::string& file,
                        const report::Finding& finding);

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_TEXT_REPORT_H_
