#include "flags/command.h"

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

absl::string_view CommandLengths(Command command) {
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

}  // namespace migstream
