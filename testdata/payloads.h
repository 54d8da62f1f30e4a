// What drivers put inside DATA, for tests: sound and damaged payloads, with the
// truth about each.

#ifndef MIGSTREAM_TESTDATA_PAYLOADS_H_
#define MIGSTREAM_TESTDATA_PAYLOADS_H_

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "testdata/payload.pb.h"

namespace migstream {

const std::vector<testdata::Payload>& AllPayloads();

const testdata::Payload& GetPayload(std::string_view name);

std::string ReadPayload(const testdata::Payload& payload);

// Names a payload in a parameterized test.
struct PayloadName {
  template <typename Info>
  std::string operator()(const Info& info) const {
    std::string name = info.param.name();
    for (char& c : name) {
      if (c == '-') c = '_';
    }
    return name;
  }
};

namespace testdata {
inline void PrintTo(const Payload& payload, std::ostream* out) {
  *out << payload.name();
}
}  // namespace testdata

}  // namespace migstream

#endif  // MIGSTREAM_TESTDATA_PAYLOADS_H_
