// What stands around or beside a stream, as data: libvirt's header, a return
// path, a CPR state channel, a postcopy-preempt channel.

#ifndef MIGSTREAM_CODEC_REPORT_SIDE_REPORT_H_
#define MIGSTREAM_CODEC_REPORT_SIDE_REPORT_H_

#include <string>

#include "codec/io/byte_source.h"
#include "codec/io/libvirt_save.h"
#include "codec/wire/error.h"

namespace migstream {

namespace report {
class Report;
}  // namespace report

// Adds a finding if the file was never finished.
void ReportLibvirt(const LibvirtSave& save, report::Report& report);

// Add what is there, up to an error.
Error ReportReturnPath(const std::string& file, ByteSource& source,
                       report::Report& report);
Error ReportCpr(const std::string& file, ByteSource& source,
                report::Report& report);
// Its pages have the size that the report has of the stream's.
Error ReportPreempt(const std::string& file, ByteSource& source,
                    report::Report& report);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_REPORT_SIDE_REPORT_H_
