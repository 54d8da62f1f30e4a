// Finds out how a damaged stream can be read behind its damage: where sections
// begin again, and what lies between is a gap. FORMAT.md section 8.
//
//   RecoveryPlan plan = PlanRecovery(source, options);
//   options.recovery = &plan;
//   StreamReader reader(source, visitor, options);  // Has the gaps told.
//
// The source can go back (MoveTo) and stands where it stood afterwards. It is
// read once or twice, without its payload and guest memory, and what is kept is
// the gaps. Their number has a limit, behind which the rest is one gap.

#ifndef MIGSTREAM_CODEC_RECOVER_PLAN_RECOVERY_H_
#define MIGSTREAM_CODEC_RECOVER_PLAN_RECOVERY_H_

#include "codec/io/byte_source.h"
#include "codec/qemu/recovery_plan.h"
#include "codec/qemu/stream_reader.h"

namespace migstream {

RecoveryPlan PlanRecovery(ByteSource& source, const ReaderOptions& options);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_RECOVER_PLAN_RECOVERY_H_
