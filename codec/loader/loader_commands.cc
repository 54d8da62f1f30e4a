#include "codec/loader/loader_commands.h"

#include <algorithm>
#include <string_view>

#include "codec/wire/bytes.h"
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

// How long a string is with its length before it.
size_t NameBytes(ByteSpan bytes) {
  return bytes.empty() ? 0 : size_t{1} + bytes[0];
}

}  // namespace

bool LoaderCommands::Load(LoaderInput& input, uint64_t at,
                          std::optional<uint64_t> page_bytes,
                          std::string& section) {
  package_bytes_.reset();
  section = "COMMAND";
  const Command command = static_cast<Command>(input.Be16());
  const uint16_t length = input.Be16();
  if (!input.CheckEnd()) return false;
  section = StrCat("COMMAND ", ToString(command));
  if (auto refusal = CheckHead(at, command, length)) {
    return input.Refuse(*std::move(refusal));
  }
  // The block's name is read, whatever length is given.
  const size_t wanted = command == Command::kRecvBitmap
                            ? std::max<size_t>(length, NameBytes(input.Peek(1)))
                            : length;
  const std::string data = input.Bytes(wanted);
  if (auto refusal = Obey(at, command, length, AsBytes(data), page_bytes)) {
    return input.Refuse(*std::move(refusal));
  }
  // Nobody looks whether a PING's number was there.
  return command == Command::kPing || input.CheckEnd();
}

std::optional<LoaderRefusal> LoaderCommands::Judge(
    uint64_t at, Command command, ByteSpan data,
    std::optional<uint64_t> page_bytes) {
  const uint16_t length = static_cast<uint16_t>(data.size());
  auto refusal = CheckHead(at, command, length);
  return refusal ? refusal : Obey(at, command, length, data, page_bytes);
}

std::optional<LoaderRefusal> LoaderCommands::CheckHead(uint64_t at,
                                                       Command command,
                                                       uint16_t length) const {
  const uint16_t number = static_cast<uint16_t>(command);
  const bool known = number != 0 && command <= row_.last_command;
  if (!known || (command == Command::kEnableColo && !row_.colo)) {
    return LoaderRefusal{
        at, StrCat("MIG_CMD ", Hex(number), known ? " deprecated" : " unknown",
                   " (len ", Hex(length), ")")};
  }
  if (TakesAnyLength(command) || IsCommandLength(command, length)) {
    return std::nullopt;
  }
  return LoaderRefusal{
      at + kLengthAt,
      StrCat(ToString(command), " received with bad length - expecting ",
             CommandLengths(command), ", got ", length)};
}

std::optional<LoaderRefusal> LoaderCommands::Obey(
    uint64_t at, Command command, uint16_t length, ByteSpan data,
    std::optional<uint64_t> page_bytes) {
  switch (command) {
    case Command::kOpenReturnPath:
      return_path_ = true;
      return std::nullopt;
    case Command::kPing: {
      if (return_path_) return std::nullopt;
      const uint32_t value = data.size() < 4 ? 0 : LoadBe32(data.data());
      return LoaderRefusal{at, StrCat("CMD_PING (", Hex(value),
                                      ") received with no return path")};
    }
    case Command::kEnableColo:
      colo_at_ = at;
      return std::nullopt;
    case Command::kPostcopyAdvise:
      return Advise(at, length, data, page_bytes);
    case Command::kPostcopyListen:
      return Enter(at, "LISTEN", {kAdvised, kDiscarding}, kListening);
    case Command::kPostcopyRun:
      return Enter(at, "RUN", {kListening}, kRunning);
    case Command::kPostcopyRamDiscard:
      return Enter(at, "RAM_DISCARD", {kAdvised, kDiscarding}, kDiscarding);
    case Command::kPackaged:
      if (data.size() >= 4) package_bytes_ = LoadBe32(data.data());
      return std::nullopt;
    case Command::kRecvBitmap:
      return CheckBitmap(at, length, data);
    case Command::kPostcopyResume:
    case Command::kSwitchoverStart:
      break;
  }
  return std::nullopt;
}

std::optional<LoaderRefusal> LoaderCommands::Enter(
    uint64_t at, std::string_view name, std::initializer_list<Postcopy> from,
    Postcopy to) {
  if (std::find(from.begin(), from.end(), postcopy_) == from.end()) {
    return LoaderRefusal{
        at, StrCat("CMD_POSTCOPY_", name, " in wrong postcopy state (",
                   static_cast<int>(postcopy_), ")")};
  }
  postcopy_ = to;
  return std::nullopt;
}

std::optional<LoaderRefusal> LoaderCommands::Advise(
    uint64_t at, uint16_t length, ByteSpan data,
    std::optional<uint64_t> page_bytes) {
  auto refusal = Enter(at, "ADVISE", {kNone}, kAdvised);
  if (refusal || length == 0) return refusal;
  if (length != kAdvisedBytes) {
    return LoaderRefusal{
        at + kLengthAt,
        StrCat("CMD_POSTCOPY_ADVISE invalid length (", length, ")")};
  }
  if (data.size() < kAdvisedBytes) return std::nullopt;
  advised_page_sizes_ = LoadBe64(data.data());
  const uint64_t advised = LoadBe64(&data[sizeof(uint64_t)]);
  if (advised == page_bytes.value_or(advised)) return std::nullopt;
  return LoaderRefusal{at + kDataAt + sizeof(uint64_t),
                       "Postcopy needs matching target page sizes"};
}

std::optional<LoaderRefusal> LoaderCommands::CheckBitmap(uint64_t at,
                                                         uint16_t length,
                                                         ByteSpan data) const {
  const std::string_view who =
      row_.savevm_words ? "loadvm_handle_recv_bitmap: " : "";
  const size_t named = NameBytes(data);
  if (named <= 1 || data.size() < named) {
    return LoaderRefusal{at, StrCat(who, "failed to read block name")};
  }
  if (length == named) return std::nullopt;
  return LoaderRefusal{at + kLengthAt,
                       StrCat(who, "invalid payload length (", length, ")")};
}

}  // namespace migstream
