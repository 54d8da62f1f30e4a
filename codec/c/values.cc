#include "codec/c/values.h"

#include <iterator>
#include <string_view>

namespace migstream::c {
namespace {

struct Row {
  DialectId id;
  int32_t number;
  const char* name;
};
constexpr Row kDialects[] = {
    {DialectId::kV52, MIGSTREAM_DIALECT_V52, "V52"},
    {DialectId::kV60, MIGSTREAM_DIALECT_V60, "V60"},
    {DialectId::kV80, MIGSTREAM_DIALECT_V80, "V80"},
    {DialectId::kV81, MIGSTREAM_DIALECT_V81, "V81"},
    {DialectId::kV100, MIGSTREAM_DIALECT_V100, "V100"},
    {DialectId::kV100M, MIGSTREAM_DIALECT_V100M, "V100M"},
    {DialectId::kV101M, MIGSTREAM_DIALECT_V101M, "V101M"},
    {DialectId::kV111, MIGSTREAM_DIALECT_V111, "V111"},
    {DialectId::kV111M, MIGSTREAM_DIALECT_V111M, "V111M"},
    {DialectId::kE1, MIGSTREAM_DIALECT_E1, "E1"},
    {DialectId::kE2, MIGSTREAM_DIALECT_E2, "E2"},
    {DialectId::kE3, MIGSTREAM_DIALECT_E3, "E3"},
    {DialectId::kE4, MIGSTREAM_DIALECT_E4, "E4"},
    {DialectId::kE5V7, MIGSTREAM_DIALECT_E5_V7, "E5-v7"},
    {DialectId::kE5V26, MIGSTREAM_DIALECT_E5_V26, "E5-v26"},
    {DialectId::kE6, MIGSTREAM_DIALECT_E6, "E6"},
    {DialectId::kE7, MIGSTREAM_DIALECT_E7, "E7"},
    {DialectId::kAuto, MIGSTREAM_DIALECT_AUTO, "auto"},
};
// A dialect that is new has its number here, or this does not compile.
static_assert(std::size(kDialects) ==
              static_cast<size_t>(DialectId::kAuto) + 1);

const Row* Find(int32_t number) {
  for (const Row& row : kDialects) {
    if (row.number == number) return &row;
  }
  return nullptr;
}

}  // namespace

const Dialect* DialectOf(int32_t number) {
  const Row* row = Find(number);
  return row == nullptr ? nullptr : &GetDialect(row->id);
}

int32_t NumberOf(DialectId dialect) {
  for (const Row& row : kDialects) {
    if (row.id == dialect) return row.number;
  }
  return MIGSTREAM_DIALECT_AUTO;
}

std::optional<SectionType> SectionTypeOf(int32_t number) {
  if (number < MIGSTREAM_SECTION_START || number > MIGSTREAM_SECTION_FULL) {
    return std::nullopt;
  }
  return static_cast<SectionType>(number);
}

std::optional<Element> TagOf(int32_t number) {
  if (number < 0 || number >= kMaxElements) return std::nullopt;
  const Element element = static_cast<Element>(number);
  if (!IsTagAlone(element)) return std::nullopt;
  return element;
}

}  // namespace migstream::c

extern "C" {

const char* migstream_dialect_name(int32_t dialect) {
  const migstream::c::Row* row = migstream::c::Find(dialect);
  return row == nullptr ? nullptr : row->name;
}

migstream_status migstream_find_dialect(const char* name, int32_t* dialect) {
  if (name == nullptr || dialect == nullptr) return MIGSTREAM_BAD_ARGUMENT;
  const migstream::Dialect* found = migstream::FindDialect(name);
  if (found == nullptr) return MIGSTREAM_BAD_ARGUMENT;
  *dialect = migstream::c::NumberOf(found->id);
  return MIGSTREAM_OK;
}

}  // extern "C"
