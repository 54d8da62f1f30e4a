// COMMAND numbers of the main channel, and message types of the return path.
// FORMAT.md section 4.

#ifndef MIGSTREAM_FLAGS_COMMAND_H_
#define MIGSTREAM_FLAGS_COMMAND_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace migstream {

// be16 after the COMMAND byte; then be16 length, then that many bytes of data.
enum class Command : uint16_t {
  kOpenReturnPath = 1,      // No data. First, if there is a return path.
  kPing = 2,                // be32 that the destination sends back.
  kPostcopyAdvise = 3,      // None, or be64 page sizes, be64 target page size.
  kPostcopyListen = 4,      // No data. First inside PACKAGED.
  kPostcopyRun = 5,         // No data. Last inside PACKAGED.
  kPostcopyRamDiscard = 6,  // u8 version, str8 block, 00, ranges.
  kPackaged = 7,            // be32 L; L bytes of sections follow the data.
  kEnableColo = 8,          // No data. Refused since 11.0.
  kPostcopyResume = 9,      // No data. After a broken postcopy.
  kRecvBitmap = 10,         // str8 block. After a broken postcopy.
  kSwitchoverStart = 11,    // No data. Before the first END; since 10.0.
};

std::string ToString(Command command);

inline constexpr Command kLastCommand = Command::kSwitchoverStart;

// Whether such a command can have so much data; false for an unknown one.
bool IsCommandLength(Command command, uint16_t bytes);
// The right ones in words: "0 or 16"; empty for an unknown one.
std::string_view CommandLengths(Command command);

// be16 in the other direction; then be16 length, then that many bytes of data.
enum class ReturnMessage : uint16_t {
  kShut = 1,           // be32, 0 if all is well.
  kPong = 2,           // be32 of the PING.
  kReqPagesId = 3,     // be64 start, be32 length, str8 block. Postcopy.
  kReqPages = 4,       // be64 start, be32 length; block as before. Postcopy.
  kRecvBitmap = 5,     // str8 block; then, outside of the length, be64 size,
                       // bitmap, be64 kRecvBitmapEnd.
  kResumeAck = 6,      // be32. After a broken postcopy.
  kSwitchoverAck = 7,  // No data. Since 8.1.
};

std::string ToString(ReturnMessage message);

inline constexpr ReturnMessage kLastReturnMessage =
    ReturnMessage::kSwitchoverAck;

// Whether such a message can have so much data; false for an unknown one.
bool IsReturnMessageLength(ReturnMessage message, uint16_t bytes);
// The right ones in words: "14 to 268"; empty for an unknown one.
std::string_view ReturnMessageLengths(ReturnMessage message);

inline constexpr uint64_t kRecvBitmapEnd = 0x0123456789abcdef;

}  // namespace migstream

#endif  // MIGSTREAM_FLAGS_COMMAND_H_
