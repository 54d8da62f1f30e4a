// How the damages (damages.h) find their place in a generated stream, and what
// they write there.

#ifndef MIGSTREAM_CODEC_GENERATE_DAMAGE_MARKS_H_
#define MIGSTREAM_CODEC_GENERATE_DAMAGE_MARKS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "codec/generate/generated.h"
#include "codec/wire/be_text.h"

namespace migstream {

inline constexpr size_t kNone = ~size_t{0};
inline constexpr int kNoEndOfState = 7;  // In the place of END_OF_STATE.

// Big-endian; 0 if it is not there.
uint64_t NumberAt(const std::string& bytes, uint64_t at, int width);

absl::Status NothingThere(std::string_view what);

// The place of the nth mark of its kind that is the damage's device's; kNone if
// there is none.
size_t FindMark(
    const MarkedBytes& stream, const DoneDamage& done, MarkKind kind,
    const std::function<bool(const Mark&)>& fits = [](const Mark&) {
      return true;
    });

// Marks what was done.
void MarkDamage(MarkedBytes& stream, const Generated& all, uint64_t at);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_GENERATE_DAMAGE_MARKS_H_
