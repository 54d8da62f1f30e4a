// The elements that a VFIO device's sections are made of: what a tag means
// once the dialect has spoken. FORMAT.md section 9.

#ifndef MIGSTREAM_FLAGS_ELEMENT_H_
#define MIGSTREAM_FLAGS_ELEMENT_H_

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace migstream {

// In the order in which an error says what is expected.
enum class Element : uint8_t {
  kNone,               // Before the first element, or: no meaning.
  kSetup,              // Opens a START.
  kConfig,             // Tag[, subflag], payload, END_OF_STATE.
  kTrigger,            // Before END_OF_STATE; pre-release dialects only.
  kDataStateComplete,  // As kTrigger.
  kData,               // Tag, be64 size, that many bytes.
  kEndOfState,         // Closes the section, or takes all of it.
  kInitDataSent,       // In END_OF_STATE's place: the section ends with it.
  kConfigLoadReady,    // As kInitDataSent.
};
// For how many there is room in an ElementSet and in tables by element.
inline constexpr int kMaxElements = 16;

// QEMU's name, without "DEV_": "DATA", "END_OF_STATE", …; "nothing" for kNone,
// empty for what is no element.
std::string_view ToString(Element element);

enum class ElementForm : uint8_t {
  kNone,
  kMore,     // The tag and more: needs code of its own in decoder and encoder.
  kTag,      // The tag alone.
  kLastTag,  // The tag alone, and the section is over with it.
};
constexpr ElementForm FormOf(Element element) {
  switch (element) {
    case Element::kConfig:
    case Element::kData:
      return ElementForm::kMore;
    case Element::kSetup:
    case Element::kTrigger:
    case Element::kDataStateComplete:
      return ElementForm::kTag;
    case Element::kEndOfState:
    case Element::kInitDataSent:
    case Element::kConfigLoadReady:
      return ElementForm::kLastTag;
    case Element::kNone:
      break;
  }
  return ElementForm::kNone;
}
constexpr bool IsTagAlone(Element element) {
  return FormOf(element) >= ElementForm::kTag;
}
constexpr bool EndsSection(Element element) {
  return FormOf(element) == ElementForm::kLastTag;
}

class ElementSet {
 public:
  constexpr ElementSet() = default;
  constexpr ElementSet(std::initializer_list<Element> elements) {
    for (Element element : elements) bits_ |= Bit(element);
  }

  constexpr bool Contains(Element element) const {
    return (bits_ & Bit(element)) != 0;
  }
  constexpr void Remove(Element element) {
    bits_ &= static_cast<uint16_t>(~Bit(element));
  }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr bool operator==(const ElementSet&) const = default;

 private:
  static constexpr uint16_t Bit(Element element) {
    return static_cast<uint16_t>(1u << static_cast<int>(element));
  }

  uint16_t bits_ = 0;
};

// "DATA, CONFIG or END_OF_STATE"; "nothing" for the empty set.
std::string ToString(ElementSet elements);

}  // namespace migstream

#endif  // MIGSTREAM_FLAGS_ELEMENT_H_
