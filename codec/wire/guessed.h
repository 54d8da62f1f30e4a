// A number that was loaded, for a processor that goes on before it is there.

#ifndef MIGSTREAM_CODEC_WIRE_GUESSED_H_
#define MIGSTREAM_CODEC_WIRE_GUESSED_H_

#include <cstdint>

namespace migstream {

// `value`; until it is loaded the processor goes on with `guess`. Where the
// next record stands depends on the size of this one: each address would wait
// for a miss of the cache or of the TLB. The empty asm hides from the compiler
// that both branches give the same number.
inline uint64_t Guessed(uint64_t value, uint64_t guess) {
  if (value != guess) return value;
  asm volatile("" : "+r"(guess));
  return guess;
}

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_WIRE_GUESSED_H_
