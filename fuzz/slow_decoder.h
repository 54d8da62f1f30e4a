// A second decoder of a device's sections, for comparison: slow, plain, and
// written from FORMAT.md alone. It shares no code with codec/, not even the
// dialect table; keep it so.

#ifndef MIGSTREAM_FUZZ_SLOW_DECODER_H_
#define MIGSTREAM_FUZZ_SLOW_DECODER_H_

#include <cstdint>
#include <string>
#include <vector>

namespace slow {

struct Item {
  char kind = '?';      // S(etup) D(ata) C(onfig) s(ubsection) e(nd of config)
                        // E(nd of state) I(nit data sent) R(eady) T(rigger)
                        // M (data state complete)
  uint64_t at = 0;      // From the content's first byte.
  std::string payload;  // Of D, C and s.
  uint64_t c = 0, n = 0;  // Of C: FORMAT.md 11.2 and 11.3.

  bool operator==(const Item&) const = default;
};

struct Section {
  std::vector<Item> items;
  enum { kWhole, kCut, kWrong } end = kWrong;
};

// `type` is the section type byte; `dialect` is a name of FORMAT.md section 10
// or 14, or "auto". `length` is the content's, if it is known, else 0.
Section Decode(const std::string& bytes, int type, const std::string& dialect,
               uint64_t length);

}  // namespace slow

#endif  // MIGSTREAM_FUZZ_SLOW_DECODER_H_
