// DATA records of a VFIO device that are whole, as many at once: those that
// follow each other in a section, or one of each of many PARTs that hold
// nothing else. FORMAT.md section 9.
//
//   records.ForEach([&](uint64_t offset, ByteSpan payload) { … });
//
// The payloads are views into the decoder's input, and good as long as that.

#ifndef MIGSTREAM_CODEC_DEVICE_DEVICE_RECORDS_H_
#define MIGSTREAM_CODEC_DEVICE_DEVICE_RECORDS_H_

#include <sys/uio.h>

#include <cstdint>
#include <span>

#include "codec/wire/bytes.h"
#include "flags/tag.h"

namespace migstream {

struct DeviceRecords {
  uint64_t offset = 0;  // Of the first one's header.
  // A payload each, of at least one; its header of kRecordHeaderBytes stands in
  // front of it.
  std::span<const iovec> payloads;
  // What stands between a payload and the next record's header, in bytes.
  uint8_t between = 0;

  // Calls `take` with the offset of each one's header, and its payload.
  template <typename Take>
  void ForEach(Take take) const {
    uint64_t at = offset;
    for (const iovec& payload : payloads) {
      take(at, ByteSpan(static_cast<const uint8_t*>(payload.iov_base),
                        payload.iov_len));
      at += kRecordHeaderBytes + payload.iov_len + between;
    }
  }
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_DEVICE_DEVICE_RECORDS_H_
