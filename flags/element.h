// The elements that a VFIO device's sections are made of: what a tag means
// once the dialect has spoken. FORMAT.md section 9.

#ifndef MIGSTREAM_FLAGS_ELEMENT_H_
#define MIGSTREAM_FLAGS_ELEMENT_H_

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace migstream {

enum class Element : uint8_t {
  kNone,        // Before the first element, or: no meaning.
  kSetup,       // The tag alone.
  kConfig,      // Tag[, subflag], payload, END_OF_STATE.
  kData,        // Tag, be64 size, that many bytes.
  kEndOfState,  // The tag alone, as are all that follow.
  kInitDataSent,
  kConfigLoadReady,
  kTrigger,
  kDataStateComplete,
};
inline constexpr int kElements = 9;

// QEMU's name, without "DEV_": "DATA", "END_OF_STATE", ….
std::string_view ToString(Element element);

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
