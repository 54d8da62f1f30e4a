#include "codec/state/field.h"

#include "absl/strings/str_format.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"

namespace migstream {

std::string HexText(ByteSpan bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(3 * bytes.size());
  for (uint8_t byte : bytes) {
    if (!text.empty()) text += ' ';
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::string ValueText(const Field& field, const FieldValue& value) {
  constexpr uint64_t kNullMarker = 0x30;
  constexpr uint64_t kPointerMarker = 0x31;
  const int digits = static_cast<int>(2 * value.bytes.size());
  std::string number = absl::StrFormat("0x%0*x", digits, value.number);
  switch (field.kind) {
    case FieldKind::kUnsigned:
      return number;
    case FieldKind::kSigned: {
      int unused_bits = 64 - 4 * digits;
      int64_t extended =
          static_cast<int64_t>(value.number << unused_bits) >> unused_bits;
      return extended < 0 ? StrCat(number, " (", extended, ")") : number;
    }
    case FieldKind::kBool:
      return value.number != 0 ? "true" : "false";
    case FieldKind::kPointer:
      if (value.number == kNullMarker) return "null-ptr";
      if (value.number == kPointerMarker) return "valid-ptr";
      break;
    default:
      if (field.type == "capability") return Printable(AsText(value.bytes));
      break;
  }
  return HexText(value.bytes);
}

}  // namespace migstream
