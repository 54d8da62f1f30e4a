// Deliberate damage to a generated stream, by name. The names, what each does
// and what the loaders of QEMU say to it are the table in damage.cc, which
// `migstream generate --help` and fuzz/README.md show. LOADERS.md.

#ifndef MIGSTREAM_CODEC_GENERATE_DAMAGE_H_
#define MIGSTREAM_CODEC_GENERATE_DAMAGE_H_

#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "codec/generate/damages.h"
#include "codec/generate/generated.h"
#include "codec/generate/stream.pb.h"
#include "flags/dialect.h"

namespace migstream {

// What loaders from one release to another say.
struct LoaderVerdict {
  Release first = 502;
  Release last = kNewestRelease;
  recipe::Expectation::Verdict verdict = recipe::Expectation::UNKNOWN;
  recipe::Expectation::Basis basis = recipe::Expectation::NOT_KNOWN;
  // Part of the message; "$0" is what the damage put there.
  std::string_view message = "";
  // What the destination must be for that.
  std::string_view provided = "";
};

struct DamageRow {
  recipe::Damage::Kind kind;
  std::string_view what;
  std::span<const LoaderVerdict> verdicts;
  // Does it; the status says why that cannot be. `done.found` is for "$0".
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
