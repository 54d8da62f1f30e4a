// The example of codec/session/load_session.h.

#include "codec/session/load_session.h"

#include <memory>
#include <string>
#include <vector>

#include "codec/session/session_rig.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

TEST(LoadSessionExample, LoadsADevice) {
  Rig rig({.source = {{.initial = "first", .stop = "last"}}});
  rig.Run();
  const std::string stream = rig.main().bytes;
  ByteSpan input = AsBytes(stream);

  FakeVfio vfio;
  std::unique_ptr<KernelDevice> nic;
  int fd = vfio.Add({});
  ASSERT_TRUE(KernelDevice::Open(fd, &nic, {.calls = &vfio}).ok());
  MigrationSet devices;
  ASSERT_TRUE(devices.Add(*nic, "0000:00:05.0/vfio").ok());
  const Dialect& dialect = GetDialect(DialectId::kV111);
  int configs = 0;
  auto Do = [&](const LoadAction& action) {
    configs += action.kind == LoadAction::kApplyConfig ? 1 : 0;
  };
  std::string sent;
  auto Send = [&](const ReturnPathMessage& message) {
    sent += ToString(message);
  };
  // [example]
  LoadSession session(devices, {.dialect = &dialect});
  Error error = session.Start();
  LoadAction action;
  while (session.Next(input, action) == Step::kEvent) Do(action);
  Outcome outcome = session.Finish();  // When session.complete().
  Send(session.Shut());
  if (outcome.kind == Outcome::kCompleted) error = devices.Run();
  // [end]
  EXPECT_TRUE(error.ok()) << ToString(error);
  EXPECT_EQ(vfio.device(fd).loaded, "firstlast");
  EXPECT_EQ(vfio.device(fd).state, DeviceState::kRunning);
  EXPECT_EQ(configs, 1);
  EXPECT_EQ(sent, "SHUT 0");
}

}  // namespace
}  // namespace migstream
