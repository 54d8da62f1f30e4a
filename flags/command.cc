#include "flags/command.h"

#include <iterator>
#include <span>
#include <string_view>

#include "flags/names.h"

namespace migstream {
namespace {

// A str8 has 1 to 256 bytes; no block is without a name.
struct Row {
  std::string_view name;
  uint16_t least;
  uint16_t most;
  std::string_view lengths;  // In words.
  uint16_t step = 1;
};

// By number, from 1 on.
constexpr Row kCommands[] = {
    {"OPEN_RETURN_PATH", 0, 0, "0"},
    {"PING", 4, 4, "4"},
    {"POSTCOPY_ADVISE", 0, 16, "0 or 16", 16},
    {"POSTCOPY_LISTEN", 0, 0, "0"},
    {"POSTCOPY_RUN", 0, 0, "0"},
    {"POSTCOPY_RAM_DISCARD", 1, 0xffff, "more than 0"},
    {"PACKAGED", 4, 4, "4"},
    {"ENABLE_COLO", 0, 0, "0"},
    {"POSTCOPY_RESUME", 0, 0, "0"},
    {"RECV_BITMAP", 1, 0xffff, "more than 0"},
    {"SWITCHOVER_START", 0, 0, "0"},
};
static_assert(std::size(kCommands) == static_cast<size_t>(kLastCommand));

constexpr Row kReturnMessages[] = {
    {"SHUT", 4, 4, "4"},
    {"PONG", 4, 4, "4"},
    {"REQ_PAGES_ID", 14, 268, "14 to 268"},
    {"REQ_PAGES", 12, 12, "12"},
    {"RECV_BITMAP", 2, 256, "2 to 256"},
    {"RESUME_ACK", 4, 4, "4"},
    {"SWITCHOVER_ACK", 0, 0, "0"},
};
static_assert(std::size(kReturnMessages) ==
              static_cast<size_t>(kLastReturnMessage));

// For a number that has none, a row that no length is right for.
template <typename Number>
const Row& Find(std::span<const Row> rows, Number number) {
  static constexpr Row kUnknown = {"", 1, 0, ""};
  size_t index = static_cast<size_t>(number) - 1;
  return index < rows.size() ? rows[index] : kUnknown;
}

template <typename Number>
std::string NameIn(std::span<const Row> rows, Number number) {
  const Row& row = Find(rows, number);
  return row.name.empty() ? NameOf(static_cast<uint64_t>(number), {})
                          : std::string(row.name);
}

bool IsLength(const Row& row, uint16_t bytes) {
  return bytes >= row.least && bytes <= row.most &&
         (bytes - row.least) % row.step == 0;
}

}  // namespace

std::string ToString(Command command) { return NameIn(kCommands, command); }

bool IsCommandLength(Command command, uint16_t bytes) {
  return IsLength(Find(kCommands, command), bytes);
}

std::string_view CommandLengths(Command command) {
  return Find(kCommands, command).lengths;
}

std::string ToString(ReturnMessage message) {
  return NameIn(kReturnMessages, message);
}

bool IsReturnMessageLength(ReturnMessage message, uint16_t bytes) {
  return IsLength(Find(kReturnMessages, message), bytes);
}

std::string_view ReturnMessageLengths(ReturnMessage message) {
  return Find(kReturnMessages, message).lengths;
}

}  // namespace migstream
