#include "flags/names.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace migstream {

std::string NameOf(uint64_t value, absl::Span<const Name> names) {
  for (const Name& entry : names) {
    if (entry.value == value) return std::string(entry.name);
  }
  return absl::StrFormat("%#x", value);
}

std::string NamesOfBits(uint64_t bits, absl::Span<const Name> names) {
  if (bits == 0) return "0";
  std::string text;
  auto append = [&text](absl::string_view name) {
    absl::StrAppend(&text, text.empty() ? "" : "|", name);
  };
  for (const Name& entry : names) {
    if ((bits & entry.value) == 0) continue;
    append(entry.name);
    bits &= ~entry.value;
  }
  if (bits != 0) append(absl::StrFormat("%#x", bits));
  return text;
}

}  // namespace migstream
