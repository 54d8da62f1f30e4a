// Reads the CPR state channel: the file descriptors that a QEMU hands over to
// the one that takes its place on the same host. It is no migration stream, but
// stands beside one. FORMAT.md section 7.10.
//
//   CprState state;
//   Error error = ReadCprState(source, state);
//
// The descriptors themselves travel beside the bytes (cpr-transfer) or as
// numbers in them (cpr-exec).

#ifndef MIGSTREAM_CODEC_QEMU_CPR_STATE_H_
#define MIGSTREAM_CODEC_QEMU_CPR_STATE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "codec/io/byte_source.h"
#include "codec/wire/error.h"

namespace migstream {

struct CprState {
  struct Descriptor {
    uint64_t offset = 0;
    std::string name;
    uint32_t id = 0;
    std::optional<uint32_t> number;  // cpr-exec only.
  };
  // How a VFIO device is attached to an iommufd.
  struct VfioDevice {
    uint64_t offset = 0;
    std::string name;
    uint32_t device_id = 0;
    uint32_t ioas_id = 0;
    uint32_t hwpt_id = 0;
  };
  std::vector<Descriptor> descriptors;
  std::vector<VfioDevice> vfio_devices;
};

struct CprLimits {
  // Descriptors, and VFIO devices.
  uint32_t entries = 1 << 14;
  // Bytes of a name.
  uint32_t name_bytes = 4096;
};

// What came before an error is in `state`.
Error ReadCprState(ByteSource& source, CprState& state,
                   const CprLimits& limits = {});

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_QEMU_CPR_STATE_H_
