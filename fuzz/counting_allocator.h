// Counts the memory that operator new has given and delete has not taken back.
// Linking this replaces both for the whole program.
//
//   size_t before = AllocatedBytes();
//   ResetPeak();
//   …
//   REQUIRE(PeakBytes() - before < kBound);

#ifndef MIGSTREAM_FUZZ_COUNTING_ALLOCATOR_H_
#define MIGSTREAM_FUZZ_COUNTING_ALLOCATOR_H_

#include <cstddef>

namespace migstream {

// All of the heap as it is now, what C libraries have taken with malloc() too.
// It has no peak: look at it while they hold it.
size_t HeapBytes();

size_t AllocatedBytes();
// The most since the last reset.
size_t PeakBytes();
void ResetPeak();

}  // namespace migstream

#endif  // MIGSTREAM_FUZZ_COUNTING_ALLOCATOR_H_
