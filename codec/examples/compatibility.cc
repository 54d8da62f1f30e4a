// The example of codec/model/compatibility.h.

#include "codec/model/compatibility.h"

#include <string>

#include "codec/model/model_json.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

TEST(CompatibilityExample, SaysWhatIsToBeSetAtTheDestination) {
  OfferedModels offered;
  ASSERT_EQ(ParseModels(R"({"models": {"vendor-a.com/my-nic": {"params": {
                "num-queues": {"type": "int", "init_value": 8}}}}})",
                        offered),
            "");
  const std::string text = "vendor-a.com/my-nic,num-queues=4";
  std::string made;
  auto Make = [&](const DeviceConfig& device) { made = Canonical(device); };
  auto Refuse = [](const std::string& why) { FAIL() << why; };
  // [example]
  DeviceText source;  // "vendor-a.com/my-nic,num-queues=4"
  ConfigError error = ParseDevice(text, source);
  if (!error.ok()) return Refuse(ToString(error));
  Compatibility answer = CheckCompatible(source, offered.models);
  if (answer.why_not) return Refuse(ToString(*answer.why_not));
  Make(answer.destination);
  // [end]
  EXPECT_EQ(made, "num-queues=4");
}

}  // namespace
}  // namespace migstream
