// What every fuzz target uses. A target is a function of any bytes that states
// a property:
//
//   extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
//     FuzzInput input(data, size);
//     uint8_t choice = input.Choice();     // From the input's end, …
//     ByteSpan bytes = input.Rest();       // … so that these stay in place.
//     REQUIRE(Decode(bytes).steps <= bytes.size());
//     return 0;
//   }

#ifndef MIGSTREAM_FUZZ_FUZZING_H_
#define MIGSTREAM_FUZZ_FUZZING_H_

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "codec/wire/bytes.h"
#include "codec/wire/error.h"

// Ends the process, as a sanitizer does, if the property does not hold.
#define REQUIRE(property)                                                    \
  do {                                                                       \
    if (!(property)) {                                                       \
      std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, \
                   #property);                                               \
      std::abort();                                                          \
    }                                                                        \
  } while (false)

namespace migstream {

// The last bytes say how the target is called, the others what with.
class FuzzInput {
 public:
  FuzzInput(const uint8_t* data, size_t size) : rest_(data, size) {}

  uint8_t Choice() {
    if (rest_.empty()) return 0;
    uint8_t choice = rest_.back();
    rest_ = rest_.first(rest_.size() - 1);
    return choice;
  }
  ByteSpan Rest() const { return rest_; }

 private:
  ByteSpan rest_;
};

// Whether an error has one of the codes of these classes: the hundreds of
// error.h, as 0x2c for 2xx, 3xx and 5xx. None at all is right as well.
inline bool IsOfClass(const Error& error, unsigned classes) {
  int code = static_cast<int>(error.code);
  return code == 0 || (classes >> code / 100 & 1) != 0;
}

}  // namespace migstream

#endif  // MIGSTREAM_FUZZ_FUZZING_H_
