// How often this program has asked operator new for memory, and for how much:
// linking this replaces it. For tests of what must not allocate.
//
//   const Allocated before = AllocatedSoFar();
//   act();
//   EXPECT_EQ(AllocatedSoFar().times, before.times);

#ifndef MIGSTREAM_CODEC_WIRE_COUNT_ALLOCATIONS_H_
#define MIGSTREAM_CODEC_WIRE_COUNT_ALLOCATIONS_H_

#include <cstdint>

namespace migstream {

// Since the program began, by all threads; what was freed is not taken off.
struct Allocated {
  uint64_t times = 0;
  uint64_t bytes = 0;
};
Allocated AllocatedSoFar();

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_WIRE_COUNT_ALLOCATIONS_H_
