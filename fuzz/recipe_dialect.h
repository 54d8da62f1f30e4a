// The dialects as a recipe (stream.proto) names them.

#ifndef MIGSTREAM_FUZZ_RECIPE_DIALECT_H_
#define MIGSTREAM_FUZZ_RECIPE_DIALECT_H_

#include "flags/dialect.h"
#include "fuzz/stream.pb.h"

namespace migstream {

// The row that a recipe names; `usual` for NEWEST.
const Dialect& RecipeDialect(recipe::Dialect dialect, const Dialect& usual);
// The inverse; NEWEST for kAuto.
recipe::Dialect RecipeDialect(const Dialect& dialect);

}  // namespace migstream

#endif  // MIGSTREAM_FUZZ_RECIPE_DIALECT_H_
