#include "codec/loader/loader_commands.h"

#include <algorithm>
#include <string_view>

#include "codec/wire/error.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

// From a command's section type.
constexpr uint64_t kLengthAt = 3;
constexpr uint64_t kDataAt = 5;

constexpr uint16_t kAdvisedBytes = 16;  // Of a postcopy of RAM.

// Whether the loader takes any length, or looks at it in its own way.
bool TakesAnyLength(Command command) {
  return command == Command::kPostcopyAdvise ||
         command == Command::kPostcopyRamDiscard ||
         command == Command::kRecvBitmap;
}

}  // namespace

bool LoaderCommands::Load(LoaderInput& input, uint64_t at,
                          std::optional<uint64_t> page_bytes,
                          std::string& section) {
  package_bytes_.reset();
  section = "COMMAND";
  const uint16_t number = input.Be16();
  const uint16_t length = input.Be16();
  if (!input.CheckEnd()) return false;
  const Command command = static_cast<Command>(number);
  section = StrCat("COMMAND ", ToString(command));
  auto unknown = [&](std::string_view what) {
    return input.Refuse(at, StrCat("MIG_CMD ", Hex(number), " ", what, " (len ",
                                   Hex(length), ")"));
  };
  if (number == 0 || command > row_.last_command) return unknown("unknown");
  if (!TakesAnyLength(command) && !IsCommandLength(command, length)) {
    return input.Refuse(
        at + kLengthAt,
        StrCat(ToString(command), " received with bad length - expecting ",
               CommandLengths(command), ", got ", length));
  }
  switch (command) {
    case Command::kOpenReturnPath:
      return_path_ = true;
      return true;
    case Command::kPing: {
      uint32_t value = input.Be32();
      return return_path_ ||
             input.Refuse(at, StrCat("CMD_PING (", Hex(value),
                                     ") received with no return path"));
    }
    case Command::kEnableColo:
      if (!row_.colo) return unknown("deprecated");
      colo_at_ = at;
      return true;
    case Command::kPostcopyAdvise:
      return LoadAdvise(input, at, length, page_bytes);
    case Command::kPostcopyListen:
      if (!CheckPostcopy(input, at, "LISTEN", {kAdvised, kDiscarding})) {
        return false;
      }
      postcopy_ = kListening;
      return true;
    case Command::kPostcopyRun:
      if (!CheckPostcopy(input, at, "RUN", {kListening})) return false;
      postcopy_ = kRunning;
      return true;
    case Command::kPostcopyRamDiscard:
      input.Skip(length);
      if (!CheckPostcopy(input, at, "RAM_DISCARD", {kAdvised, kDiscarding})) {
        return false;
      }
      postcopy_ = kDiscarding;
      return true;
    case Command::kPackaged:
      package_bytes_ = input.Be32();
      return input.CheckEnd();
    case Command::kPostcopyResume:
    case Command::kRecvBitmap:
    case Command::kSwitchoverStart:
      break;
  }
  input.Skip(length);
  return input.CheckEnd();
}

bool LoaderCommands::CheckPostcopy(
    LoaderInput& input, uint64_t at, std::string_view name,
    std::initializer_list<Postcopy> states) const {
  return std::find(states.begin(), states.end(), postcopy_) != states.end() ||
         input.Refuse(
             at, StrCat("CMD_POSTCOPY_", name, " in wrong postcopy state (",
                        static_cast<int>(postcopy_), ")"));
}

bool LoaderCommands::LoadAdvise(LoaderInput& input, uint64_t at,
                                uint16_t length,
                                std::optional<uint64_t> page_bytes) {
  if (!CheckPostcopy(input, at, "ADVISE", {kNone})) return false;
  if (length != 0 && length != kAdvisedBytes) {
    return input.Refuse(
        at + kLengthAt,
        StrCat("CMD_POSTCOPY_ADVISE invalid length (", length, ")"));
  }
  postcopy_ = kAdvised;
  if (length == 0) return true;
  advised_page_sizes_ = input.Be64();
  uint64_t advised = input.Be64();
  if (!input.CheckEnd()) return false;
  return advised == page_bytes.value_or(advised) ||
         input.Refuse(at + kDataAt + sizeof(uint64_t),
                      "Postcopy needs matching target page sizes");
}

}  // namespace migstream
