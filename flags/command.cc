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

std::string ToString(ReturnMessage message) {
  static constexpr Name kNames[] = {
      {1, "SHUT"},           {2, "PONG"},        {3, "REQ_PAGES_ID"},
      {4, "REQ_PAGES"},      {5, "RECV_BITMAP"}, {6, "RESUME_ACK"},
      {7, "SWITCHOVER_ACK"},
  };
  return NameOf(static_cast<uint64_t>(message), kNames);
}

}  // namespace migstream
