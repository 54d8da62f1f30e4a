// Words for people: numbers and names put together, without a library behind.
//
//   StrCat("record claims ", bytes, " bytes, the limit is ", limit)
//   Hex(0x2e41)                        // "0x2e41"
//   StrJoin(names, ", ")
//
// Numbers are decimal; a bool is 0 or 1. A char is not taken: is it a letter
// or a number?

#ifndef MIGSTREAM_CODEC_WIRE_TEXT_H_
#define MIGSTREAM_CODEC_WIRE_TEXT_H_

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace migstream {

namespace text_internal {

// One argument as text; a number's digits are kept here.
class Piece {
 public:
  template <typename Text>
  requires std::convertible_to<const Text&, std::string_view> Piece(
      const Text& text)
      : text_(text) {}  // NOLINT
  // Another library's view.
  template <typename View>
  requires(!std::convertible_to<const View&, std::string_view> &&
           std::same_as<decltype(View().data()), const char*>)
      Piece(const View& view)
      : text_(view.data(), view.size()) {}  // NOLINT
  template <std::integral Number>
  requires(!std::same_as<Number, char>) Piece(Number number)  // NOLINT
      : Piece(Digits(),
              static_cast<std::conditional_t<std::is_signed_v<Number>, int64_t,
                                             uint64_t>>(number)) {}
  Piece(const Piece&) = delete;
  Piece& operator=(const Piece&) = delete;

  std::string_view text() const { return text_; }

 private:
  struct Digits {};
  Piece(Digits, uint64_t number);
  Piece(Digits, int64_t number);

  std::string_view text_;
  char digits_[20];
};

// Out of line: there are a thousand calls.
void Append(std::string& to, std::initializer_list<Piece> pieces);
std::string Cat(std::initializer_list<Piece> pieces);

}  // namespace text_internal

// `values` may not be views into `to`.
template <typename... Values>
[[gnu::always_inline]] inline void StrAppend(std::string* to,
                                             const Values&... values) {
  text_internal::Append(*to, {text_internal::Piece(values)...});
}

template <typename... Values>
[[nodiscard, gnu::always_inline]] inline std::string StrCat(
    const Values&... values) {
  return text_internal::Cat({text_internal::Piece(values)...});
}

template <typename Values>
[[nodiscard]] std::string StrJoin(const Values& values,
                                  std::string_view between) {
  std::string text;
  std::string_view before;
  for (const auto& value : values) {
    StrAppend(&text, before, value);
    before = between;
  }
  return text;
}

// The parts between the `at`s, empty ones too.
std::vector<std::string_view> Split(std::string_view text, char at);

// "0x2e41"; with zeros before it, at least `digits` digits.
std::string Hex(uint64_t value, size_t digits = 1);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_WIRE_TEXT_H_
