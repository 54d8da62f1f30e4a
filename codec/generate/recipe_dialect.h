// The dialects as a recipe (stream.proto) names them.

#ifndef MIGSTREAM_CODEC_GENERATE_RECIPE_DIALECT_H_
#define MIGSTREAM_CODEC_GENERATE_RECIPE_DIALECT_H_

#include "codec/generate/stream.pb.h"
#include "flags/dialect.h"

namespace migstream {

// The row that a recipe names; `usual` for NEWEST.
const Dialect& RecipeDialect(recipe::Dialect dialect, const Dialect& usual);
// The inverse; NEWEST for kAuto.
recipe::Dialect RecipeDialect(const Dialect& dialect);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_GENERATE_RECIPE_DIALECT_H_
