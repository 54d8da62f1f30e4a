// Deliberate damage to a generated stream, by name. The names and what each
// does are the table in damage.cc, which fuzz/README.md shows.

#ifndef MIGSTREAM_CODEC_GENERATE_DAMAGE_H_
#define MIGSTREAM_CODEC_GENERATE_DAMAGE_H_

#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "codec/generate/damages.h"
#include "codec/generate/generated.h"
#include "codec/generate/stream.pb.h"

namespace migstream {

struct DamageRow {
  recipe::Damage::Kind kind;
  std::string_view what;
  // Does it; the status says why that cannot be.
  DoDamage* inflict;
};

std::span<const DamageRow> DamageRows();

// "bad-tag" for BAD_TAG.
std::string DamageName(recipe::Damage::Kind kind);
// Null if there is no such damage.
const DamageRow* FindDamage(std::string_view name);

// Adds to stream.damages. A stream that has nothing to do it to is left alone,
// and NOT_FOUND says what is missing.
absl::Status Inflict(const recipe::Damage& damage, Generated& stream);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_GENERATE_DAMAGE_H_
