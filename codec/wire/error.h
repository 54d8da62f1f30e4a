// What is wrong with a stream, and at which byte. FORMAT.md section 15.
//
// No code here throws; nothing here is touched where all is well. An error is
// final: the object that gave it gives it again for every further call.

#ifndef MIGSTREAM_CODEC_WIRE_ERROR_H_
#define MIGSTREAM_CODEC_WIRE_ERROR_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "codec/wire/text.h"

namespace migstream {

// In ranges by class. The numbers are part of the interface.
enum class ErrorCode : uint16_t {
  kNone = 0,

  // 1xx: the input is not all there.
  kTruncated = 100,   // It ends within something.
  kReadFailed = 101,  // The source failed: an I/O error, a damaged zstd.

  // 2xx: a VFIO device's section.
  kUnknownTag = 200,         // No tag of the dialect.
  kMisplacedTag = 201,       // A tag that may not stand here.
  kSetupNotEnded = 202,      // No END_OF_STATE after SETUP.
  kUnexpectedSection = 203,  // No such section type in the dialect.
  kSwitchoverAckOff = 204,   // INIT_DATA_SENT with switchover-ack off.
  kRecordOverrun = 205,      // The caller moved more than the record holds.
  kMissingPayload = 206,     // Encoding: a record's payload is not complete.

  // 3xx: a config payload.
  kConfigVersion = 300,      // Its version is not 0, 1 or 2.
  kConfigIrqState = 301,     // An IRQ state is neither 0 nor 1.
  kConfigNotEnded = 302,     // No END_OF_STATE where each size puts it.
  kConfigSize = 303,         // It does not fill the size that is known.
  kConfigAmbiguous = 304,    // Several sizes fit and nothing decides.
  kUnknownSubsection = 306,  // And nothing tells how long it is.
  kUnknownSubflag = 307,     // Dialect E3.

  // 4xx: a claim beyond a caller's limit.
  kRecordLimit = 400,
  kConfigLimit = 401,
  kSubsectionLimit = 402,
  kSectionLimit = 403,
  kDeviceLimit = 404,
  kBlockLimit = 405,
  kHoldLimit = 406,
  kDescriptionLimit = 407,

  // 5xx: the enclosing stream.
  kNotAStream = 500,
  kUnknownVersion = 501,
  kUnknownSectionType = 502,
  kUnknownSection = 503,  // A PART or END without its START.
  kMissingFooter = 504,
  kMismatchedFooter = 505,
  kUnwalkable = 506,  // Nothing tells how long the content is.
  kBadConfiguration = 507,
  kBadCommand = 508,
  kBadRam = 509,
  kBadHandler = 510,  // dirty-bitmap, block, s390, spapr.
  kBadDescription = 511,
  kOutOfStep = 512,  // The description and the stream disagree.
  kTrailingBytes = 513,

  // 6xx: use of the library.
  kWriteFailed = 600,
  kNotWritable = 601,  // Encoding: not in this dialect.
  kBadOptions = 602,   // They go neither together nor with the files given.

  // 7xx: multifd channels.
  kMultifdMagic = 700,
  kMultifdVersion = 701,
  kMultifdFlags = 702,
  kMultifdIdstr = 703,        // Not terminated.
  kMultifdPages = 704,        // More than the packet has slots.
  kMultifdPacketLimit = 705,  // A payload's size.
  kMultifdShortPacket = 706,  // Shorter than its own header.
  kMultifdUnknownDevice = 707,
  kMultifdIndexLimit = 708,
  kMultifdGapLimit = 709,
  kMultifdHeldLimit = 710,  // Of one device.
  kMultifdDuplicate = 711,
  kMultifdConfigNotLast = 712,
  kMultifdGap = 713,             // A packet never came.
  kMultifdNotTaken = 714,        // Use of the library: see Reassembler::Add().
  kMultifdEmptyPacket = 715,     // A device-state packet without payload.
  kMultifdPayloadSize = 716,     // Not that of the pages, uncompressed.
  kMultifdTotalHeldLimit = 717,  // Of all devices together.
  kMultifdInflate = 718,         // It does not inflate to its pages, exactly.
  kMultifdWindowLimit = 719,     // What inflating takes.
  kMultifdPageLengths = 720,     // qpl, uadk: they do not fill the payload.
  kMultifdPageOffset = 721,      // No multiple of the page size.
  kMultifdOtherVm = 722,         // A channel's uuid is not that of the others.
  kMultifdChannelId = 723,       // Two channels have one id.

  // 8xx: what a driver put inside DATA.
  kPayloadNesting = 800,  // A record runs over the list that it stands in.
  kPayloadCount = 801,    // A list has fewer records than it says.

  // 9xx: devices, and sessions that move them.
  kDeviceCannotMigrate = 900,  // Its driver cannot, or not with the others.
  kDeviceRefused = 901,        // A way between states that there is not.
  kDeviceFailed = 902,         // A call of the kernel gave an errno.
  kDeviceDesync = 903,         // It was reset while it was being moved.
  kDeviceProtocol = 904,       // It does what the kernel's rules forbid.
  kDeviceRejected = 905,       // It does not take the data.
  kDeviceRecordLimit = 906,    // A record is larger than a v1 region.
  kDeviceLost = 907,           // Not even a reset brings it back.
  kSessionOrder = 910,         // Use of the library: not now.
  kSessionNeedsPreCopy = 911,  // A device began anew: let the guest run on.
  kSessionUnknownDevice = 912,
  kSessionRepeated = 913,    // A START, END or CONFIG comes once too often.
  kSessionIncomplete = 914,  // Something of a device never came.
  kSessionReturnPath = 915,  // A message that may not come now.
  kSessionPeerFailed = 916,  // The destination says so.
  kSessionActionLimit = 917,
};

struct Error {
  Error() = default;
  Error(ErrorCode error_code, uint64_t at, std::string where = {},
        std::string why = {}, std::string which_file = {});
  // Out of line: there are a thousand places, and none is where all is well.
  Error(const Error& other);
  Error(Error&& other) noexcept;
  Error& operator=(const Error& other);
  Error& operator=(Error&& other) noexcept;
  ~Error() = default;

  ErrorCode code = ErrorCode::kNone;
  uint64_t offset = 0;  // From the first byte of the stream.
  // "0000:00:05.0/vfio END"; "header". Empty: no byte is to blame, and the
  // offset means nothing.
  std::string section;
  std::string reason;  // What was there, and what was expected.
  // The multifd channel whose byte it is, by its name; empty: the main channel.
  std::string file;

  bool ok() const { return code == ErrorCode::kNone; }
};

// "0x2e41: 0000:00:05.0/vfio END: unknown tag 0x…, expected DATA"; a channel's
// with "FILE:" before it, and the reason alone where no byte is to blame.
std::string ToString(const Error& error);
// The same with `file` before it where it does not name a file itself:
// "FILE:OFFSET: SECTION: REASON", or "FILE: REASON".
std::string ErrorLine(std::string_view file, const Error& error);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_WIRE_ERROR_H_
