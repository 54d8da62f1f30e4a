#include "codec/generate/record_payload.h"

#include "codec/wire/be_text.h"
#include "codec/wire/text.h"
#include "flags/tag.h"

namespace migstream {

uint64_t PayloadBytes(const recipe::Record& record) {
  return record.payload().empty() ? record.bytes() : record.payload().size();
}

std::string MakePayload(const recipe::Record& record, uint32_t section_id,
                        Random& random) {
  if (!record.payload().empty()) return record.payload();
  const uint64_t bytes = record.bytes();
  std::string payload;
  switch (record.fill()) {
    case recipe::Record::ZEROES:
      return std::string(bytes, '\0');
    case recipe::Record::TAGS:
      for (int number = 1; payload.size() < bytes; number = number % 6 + 1) {
        payload += Be64Text(kTagPrefix + number);
      }
      break;
    case recipe::Record::FOOTERS:
      while (payload.size() < bytes) {
        std::string id = Be32Text(section_id);
        payload += StrCat("\x7e", id, "\x03", id);
      }
      break;
    default:
      return random.Bytes(bytes);
  }
  payload.resize(bytes);
  return payload;
}

}  // namespace migstream
