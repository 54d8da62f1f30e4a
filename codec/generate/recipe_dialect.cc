#include "codec/generate/recipe_dialect.h"

namespace migstream {

const Dialect& RecipeDialect(recipe::Dialect dialect, const Dialect& usual) {
  int number = static_cast<int>(dialect);
  bool known = number >= 1 && number < static_cast<int>(DialectId::kAuto) + 1;
  return known ? GetDialect(static_cast<DialectId>(number - 1)) : usual;
}

recipe::Dialect RecipeDialect(const Dialect& dialect) {
  return dialect.id == DialectId::kAuto
             ? recipe::NEWEST
             : static_cast<recipe::Dialect>(static_cast<int>(dialect.id) + 1);
}

}  // namespace migstream
