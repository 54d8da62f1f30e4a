#include "codec/diff/diff_text.h"

#include <algorithm>
#include <span>
#include <string_view>

#include "absl/strings/escaping.h"
#include "codec/io/absl_view.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

constexpr size_t kShownBytes = 12;  // Of a long value.
constexpr size_t kShownItems = 4;   // Of a list on one line.

std::string HexText(std::string_view bytes) {
  return StrCat(absl::BytesToHexString(AbslView(bytes.substr(0, kShownBytes))),
                bytes.size() > kShownBytes ? "..." : "");
}

// Bytes that spell a name are shown as one: their text has a blank between two.
std::string WholeText(const StateValue& value) {
  constexpr size_t kShortest = 3;
  const std::string_view bytes = value.bytes;
  const std::string_view name =
      bytes.substr(0, bytes.find_last_not_of('\0') + 1);
  const bool in_hex = value.text.size() == 3 * bytes.size() - 1;
  const bool spelled = std::all_of(
      name.begin(), name.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
  return in_hex && spelled && name.size() >= kShortest ? std::string(name)
                                                       : value.text;
}

}  // namespace

std::string NameText(const DeviceName& device, bool is_known) {
  return StrCat(Printable(is_known ? device.first : UnknownName(device.first)),
                device.second == 0 ? "" : StrCat("#", device.second));
}

std::string ListText(std::span<const std::string> items) {
  size_t shown = std::min(items.size(), kShownItems);
  return StrCat(StrJoin(items.first(shown), ", "),
                shown == items.size()
                    ? ""
                    : StrCat(" and ", items.size() - shown, " more"));
}

std::string CommandText(const CommandState& command) {
  ByteSpan data = AsBytes(command.data);
  std::string name(ToString(command.command));
  if (data.empty()) return name;
  if (command.command == Command::kPing && data.size() == 4) {
    return StrCat(name, " ", Hex(LoadBe32(data.data())));
  }
  if (command.command == Command::kPackaged && data.size() == 4) {
    return StrCat(name, " ", LoadBe32(data.data()), " bytes");
  }
  if (command.command == Command::kRecvBitmap) {
    return StrCat(name, " ", Printable(AsText(data.subspan(1))));
  }
  return StrCat(name, " ", HexText(command.data));
}

std::string VersionsText(const std::set<uint32_t>& versions) {
  return StrJoin(versions, ", ");
}

std::string ValueText(const StateValue& value, size_t at) {
  if (!value.text.empty() && at == 0) return WholeText(value);
  if (at >= value.bytes.size()) return "ends";
  return HexText(std::string_view(value.bytes).substr(at));
}

}  // namespace migstream
