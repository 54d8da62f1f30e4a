// How much of a migration moved when, out of its report.
//
//   report::Stats stats = MakeStats(report, 100e9);

#ifndef MIGSTREAM_CODEC_REPORT_STATS_H_
#define MIGSTREAM_CODEC_REPORT_STATS_H_

#include <string_view>

#include "codec/report/report.pb.h"

namespace migstream {

// `link_bits_per_second` is more than 0.
report::Stats MakeStats(const report::Report& report,
                        double link_bits_per_second);

// Bits per second of "100Gb", "25Gbit/s", "10GB/s", "1.5MiB/s": a number; k, M,
// G or T for powers of 1000, with an i of 1024; b or bit for bits, B for bytes;
// and "/s" or "ps", which may be left out. 0 if it is not like this, or not
// within the bounds.
inline constexpr double kLeastLinkRate = 1e3;
inline constexpr double kMostLinkRate = 1e15;
double ParseLinkRate(std::string_view text);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_REPORT_STATS_H_
