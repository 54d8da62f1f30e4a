#include "codec/wire/text.h"

#include <charconv>
#include <span>

namespace migstream {

namespace text_internal {
namespace {

template <typename Number>
std::string_view Decimal(Number number, std::span<char> digits) {
  char* end = digits.data() + digits.size();
  return std::string_view(digits.data(),
                          std::to_chars(digits.data(), end, number).ptr);
}

}  // namespace

Piece::Piece(Digits, uint64_t number) : text_(Decimal(number, digits_)) {}
Piece::Piece(Digits, int64_t number) : text_(Decimal(number, digits_)) {}

void Append(std::string& to, std::initializer_list<Piece> pieces) {
  size_t size = to.size();
  for (const Piece& piece : pieces) size += piece.text().size();
  to.reserve(size);
  for (const Piece& piece : pieces) to.append(piece.text());
}

std::string Cat(std::initializer_list<Piece> pieces) {
  std::string text;
  Append(text, pieces);
  return text;
}

}  // namespace text_internal

std::vector<std::string_view> Split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (size_t end; (end = text.find(at)) != std::string_view::npos;) {
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  parts.push_back(text);
  return parts;
}

std::string Hex(uint64_t value, size_t digits) {
  char text[16];
  std::string_view shown(
      text, std::to_chars(text, text + sizeof text, value, 16).ptr - text);
  std::string zeros(digits > shown.size() ? digits - shown.size() : 0, '0');
  return StrCat("0x", zeros, shown);
}

}  // namespace migstream
