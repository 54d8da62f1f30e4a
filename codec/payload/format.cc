#include "codec/payload/format.h"

#include "codec/wire/text.h"

namespace migstream::payload {

const Record* FindRecord(const Level& level, uint64_t key) {
  for (const Record& record : level.records) {
    if (record.key == key) return &record;
  }
  return nullptr;
}

std::string FieldText(const Field& field, uint64_t value) {
  std::string text = field.show == Show::kDecimal ? StrCat(value) : Hex(value);
  for (const ValueName& name : field.names) {
    bool fits = field.show == Show::kBits ? (value >> name.value & 1) != 0
                                          : value == name.value;
    if (fits) StrAppend(&text, " ", name.name);
  }
  return text;
}

}  // namespace migstream::payload
