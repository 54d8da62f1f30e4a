// The names that a damaged stream's headers give to section ids: a START may be
// lost, and the FULL of the same device tells whose the PARTs are.

#ifndef MIGSTREAM_CODEC_RECOVER_SECTION_NAMES_H_
#define MIGSTREAM_CODEC_RECOVER_SECTION_NAMES_H_

#include "codec/io/byte_source.h"
#include "codec/qemu/recovery_plan.h"
#include "codec/qemu/vm_description.h"

namespace migstream {

// Looks at all of the source from where it stands, once. Fills names and
// footers; the description may be null.
void FindSectionNames(ByteSource& source, const VmDescription* description,
                      RecoveryPlan& plan);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_RECOVER_SECTION_NAMES_H_
