#include "flags/command.h"

#include <iterator>
#include <string_view>

#include "flags/names.h"

namespace migstream {

std::string ToString(Command command) {
  static constexpr Name kNames[] = {
      {1, "OPEN_RETURN_PATH"},  {2, "PING"},
      {3, "POSTCOPY_ADVISE"},   {4, "POSTCOPY_LISTEN"},
      {5, "POSTCOPY_RUN"},      {6, "POSTCOPY_RAM_DISCARD"},
      {7, "PACKAGED"},          {8, "ENABLE_COLO"},
      {9, "POSTCOPY_RESUME"},   {10, "RECV_BITMAP"},
      {11, "SWITCHOVER_START"},
  };
  return NameOf(static_cast<uint64_t>(command), kNames);
}

bool IsCommandLength(Command command, uint16_t bytes) {
  switch (command) {
    case Command::kPing:
    case Command::kPackaged:
      return bytes == 4;
    case Command::kPostcopyAdvise:
      return bytes == 0 || bytes == 16;
    case Command::kPostcopyRamDiscard:
    case Command::kRecvBitmap:
      return bytes > 0;
    default:
      return bytes == 0;
  }
}

std::string_view CommandLengths(Command command) {
  switch (command) {
    case Command::kPing:
    case Command::kPackaged:
      return "4";
    case Command::kPostcopyAdvise:
      return "0 or 16";
    case Command::kPostcopyRamDiscard:
    case Command::kRecvBitmap:
      return "more than 0";
    default:
      return "0";
  }
}

std::string ToString(ReturnMessage message) {
  static constexpr Name kNames[] = {
      {1, "SHUT"},           {2, "PONG"},        {3, "REQ_PAGES_ID"},
      {4, "REQ_PAGES"},      {5, "RECV_BITMAP"}, {6, "RESUME_ACK"},
      {7, "SWITCHOVER_ACK"},
  };
  return NameOf(static_cast<uint64_t>(message), kNames);
}

namespace {

// By type. A str8 has 1 to 256 bytes; no block is without a name.
struct ReturnLengths {
  uint16_t least;
  uint16_t most;
  std::string_view words;
};
constexpr ReturnLengths kReturnLengths[] = {
    {4, 4, "4"},             // SHUT
    {4, 4, "4"},             // PONG
    {14, 268, "14 to 268"},  // REQ_PAGES_ID
    {12, 12, "12"},          // REQ_PAGES
    {2, 256, "2 to 256"},    // RECV_BITMAP
    {4, 4, "4"},             // RESUME_ACK
    {0, 0, "0"},             // SWITCHOVER_ACK
};

const ReturnLengths* FindReturnLengths(ReturnMessage message) {
  size_t index = static_cast<size_t>(message) - 1;
  return index < std::size(kReturnLengths) ? &kReturnLengths[index] : nullptr;
}

}  // namespace

bool IsReturnMessageLength(ReturnMessage message, uint16_t bytes) {
  const ReturnLengths* lengths = FindReturnLengths(message);
  return lengths != nullptr && bytes >= lengths->least &&
         bytes <= lengths->most;
}

std::string_view ReturnMessageLengths(ReturnMessage message) {
  const ReturnLengths* lengths = FindReturnLengths(message);
  return lengths == nullptr ? "" : lengths->words;
}

}  // namespace migstream
