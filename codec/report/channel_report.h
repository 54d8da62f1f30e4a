// What a report says of multifd channels. FORMAT.md section 13.

#ifndef MIGSTREAM_CODEC_REPORT_CHANNEL_REPORT_H_
#define MIGSTREAM_CODEC_REPORT_CHANNEL_REPORT_H_

#include <vector>

#include "codec/channels/channel_reader.h"
#include "codec/report/device_reports.h"
#include "codec/report/report.pb.h"
#include "codec/wire/error.h"

namespace migstream {

// Reads all of them, and gives the devices their packets. What is wrong is a
// finding; an error only if a channel could not be read.
Error ReportChannels(std::vector<ChannelReader::Channel> channels,
                     const ChannelReaderOptions& options,
                     DeviceReports& devices, report::Report& report);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_REPORT_CHANNEL_REPORT_H_
