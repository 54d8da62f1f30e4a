#include "flags/section_type.h"

#include "flags/names.h"

namespace migstream {

std::string ToString(SectionType type) {
  static constexpr Name kNames[] = {
      {0x00, "EOF"},           {0x01, "START"},         {0x02, "PART"},
      {0x03, "END"},           {0x04, "FULL"},          {0x05, "SUBSECTION"},
      {0x06, "VMDESCRIPTION"}, {0x07, "CONFIGURATION"}, {0x08, "COMMAND"},
      {0x7e, "FOOTER"},
  };
  return NameOf(static_cast<uint64_t>(type), kNames);
}

}  // namespace migstream
