// The 64-bit delimiters inside a VFIO device's sections. FORMAT.md section 9.
//
// On the wire each is a be64: 32 one-bits, then 0xef10, then a number. Numbers
// 5 and 6 each have two meanings; which one holds is a matter of the dialect
// (dialect.h), never of the number alone.

#ifndef MIGSTREAM_FLAGS_TAG_H_
#define MIGSTREAM_FLAGS_TAG_H_

#include <cstddef>
#include <cstdint>

namespace migstream {

enum class Tag : uint64_t {
  // Ends a section, the setup and the config payload. Alone: nothing to say.
  // START, PART, END, FULL; since QEMU 5.2.
  kEndOfState = 0xffffffffef100001,
  // Opens the config payload. END in 5.2, FULL since 6.0; in multifd mode the
  // last device-state packet, since 10.0.
  kDevConfigState = 0xffffffffef100002,
  // START only; since 5.2.
  kDevSetupState = 0xffffffffef100003,
  // Opens a data record: be64 size, then that many bytes. PART and END; since
  // 5.2.
  kDevDataState = 0xffffffffef100004,
  // The device's initial data is complete. PART only, in END_OF_STATE's place;
  // since 8.1.
  kDevInitDataSent = 0xffffffffef100005,
  // Number 5 in dialect E2: enable interrupts now. FULL only, before
  // END_OF_STATE; never released.
  kStateTrigger = 0xffffffffef100005,
  // Multifd mode: the config may be loaded now. FULL only, in END_OF_STATE's
  // place; since 10.1.
  kDevConfigLoadReady = 0xffffffffef100006,
  // Number 6 in dialect E6: no more data on the main channel. END only, before
  // END_OF_STATE; never released.
  kDataStateComplete = 0xffffffffef100006,
};

// What all tags have in common.
inline constexpr uint64_t kTagPrefix = 0xffffffffef100000;
inline constexpr size_t kTagBytes = 8;
// Numbers for which the dialect table has room.
inline constexpr size_t kTagNumbers = 16;
// What is before a DATA record's payload: the tag and a be64.
inline constexpr size_t kRecordHeaderBytes = 2 * kTagBytes;

}  // namespace migstream

#endif  // MIGSTREAM_FLAGS_TAG_H_
