// A config payload's part of a report.

#ifndef MIGSTREAM_CODEC_REPORT_CONFIG_REPORT_H_
#define MIGSTREAM_CODEC_REPORT_CONFIG_REPORT_H_

#include "codec/device/config_view.h"
#include "codec/device/event.h"
#include "codec/report/report.pb.h"

namespace migstream {

void FillConfig(const Event& event, const ConfigView& view, bool msix_table,
                report::Config& config);

void FillSubsection(const SubsectionView& view, report::Subsection& subsection);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_REPORT_CONFIG_REPORT_H_
