// What the driver of a destination's kernel says to a payload, from the table
// of its readers and from what was found.
//
//   PayloadVerdict verdict = Judge(report, {6, 12});
//   verdict.text   // "linux-6.1: mlx5_vfio_pci refuses it at 0x0: …"
//
// Stable kernels may have taken a later release's reader back; where that is
// known the text says so. Whether device and firmware fit is not in a stream.

#ifndef MIGSTREAM_CODEC_PAYLOAD_PAYLOAD_VERDICT_H_
#define MIGSTREAM_CODEC_PAYLOAD_PAYLOAD_VERDICT_H_

#include <cstdint>
#include <string>

#include "codec/payload/format.h"
#include "codec/payload/kernel_release.h"
#include "codec/payload/payload_report.h"

namespace migstream {

enum class PayloadFate : uint8_t {
  kAccepted,
  kAcceptedWithLoss,  // The kernel does not notice what is wrong.
  kRefused,
  kDeviceDecides,
  kNoDriver,  // The release has no driver for it.
  kUnknown,   // Nobody knows the driver.
};

struct PayloadVerdict {
  PayloadFate fate = PayloadFate::kUnknown;
  payload::Refusal refusal = {};
  uint64_t offset = 0;  // Of what is refused.
  std::string text;     // One line.
};

// What the destination's kernel does with what was found: "refuses it at the
// write: EFAULT, \"failed validation\"", "accepts it". Empty for a note, and
// where no released kernel reads such payloads.
std::string KernelText(const PayloadReport& report,
                       const PayloadFinding& finding);

PayloadVerdict Judge(const PayloadReport& report, KernelRelease release);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_PAYLOAD_PAYLOAD_VERDICT_H_
