#include "testdata/payloads.h"

#include <fstream>
#include <iterator>

#include "codec/wire/text.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

constexpr char kFolder[] = "testdata/payloads/";

std::string ReadFile(const std::string& name) {
  std::ifstream file(StrCat(kFolder, name), std::ios::binary);
  EXPECT_TRUE(file.good()) << name;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::vector<testdata::Payload> ReadTruth() {
  testdata::Payloads payloads;
  auto status = google::protobuf::util::JsonStringToMessage(
      StrCat("{\"payloads\":", ReadFile("truth.json"), "}"), &payloads);
  EXPECT_TRUE(status.ok()) << status.ToString();
  return {payloads.payloads().begin(), payloads.payloads().end()};
}

}  // namespace

const std::vector<testdata::Payload>& AllPayloads() {
  static const auto* payloads = new std::vector<testdata::Payload>(ReadTruth());
  return *payloads;
}

const testdata::Payload& GetPayload(std::string_view name) {
  for (const testdata::Payload& payload : AllPayloads()) {
    if (payload.name() == name) return payload;
  }
  ADD_FAILURE() << "no payload " << name;
  static const auto* none = new testdata::Payload;
  return *none;
}

std::string ReadPayload(const testdata::Payload& payload) {
  std::string bytes = ReadFile(StrCat(payload.name(), ".bin"));
  EXPECT_EQ(bytes.size(), payload.bytes());
  return bytes;
}

}  // namespace migstream
