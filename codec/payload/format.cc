#include "codec/payload/format.h"

#include "codec/wire/text.h"

namespace migstream::payload {

namespace {

// A name ends at its first zero byte, whatever stands behind it.
uint64_t UpToItsEnd(uint64_t name) {
  for (int bits = 0; bits < 64; bits += 8) {
    if ((name >> bits & 0xff) == 0) return name & ((uint64_t{1} << bits) - 1);
  }
  return name;
}

}  // namespace

const Record* FindRecord(const Level& level, uint64_t key) {
  if (level.key.bytes == 8) key = UpToItsEnd(key);
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
