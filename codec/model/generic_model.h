// A model for a device whose driver describes none, from what a stream of it
// shows: its configuration space, and what its driver put before its state.
//
//   ModelDescription model = DescribeDevice(config, report, KernelRelease{6,
//   12}); CanonicalDevice(InitialConfig(model))
//   // "pci://15b3.101e.15b3.0001,config-bytes=4096,driver=mlx5_vfio_pci,…"
//
// Described from a stream of the source and one that an idle device of the
// destination saved, two hosts can be compared before a migration begins. That
// is a cautious bound: some drivers take what differs here.
//
// The model's name is pci://VENDOR.DEVICE.SUBVENDOR.SUBDEVICE, in hexadecimal.

#ifndef MIGSTREAM_CODEC_MODEL_GENERIC_MODEL_H_
#define MIGSTREAM_CODEC_MODEL_GENERIC_MODEL_H_

#include <optional>

#include "codec/model/device_model.h"
#include "codec/payload/kernel_release.h"
#include "codec/payload/payload_report.h"
#include "codec/wire/bytes.h"

namespace migstream {

// `config`: a PCI configuration space, of 256 or 4096 bytes. `kernel`: what the
// device's host runs, and so what its driver reads beside what it writes.
ModelDescription DescribeDevice(ByteSpan config, const PayloadReport& report,
                                std::optional<KernelRelease> kernel);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_MODEL_GENERIC_MODEL_H_
