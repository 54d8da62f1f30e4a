// The example of codec/session/save_session.h.

#include "codec/session/save_session.h"

#include <memory>
#include <vector>

#include "codec/session/session_rig.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

TEST(SaveSessionExample, SavesADevice) {
  FakeVfio vfio;
  std::unique_ptr<KernelDevice> nic;
  int fd = vfio.Add({.initial = "first", .stop = "last"});
  ASSERT_TRUE(KernelDevice::Open(fd, &nic, {.calls = &vfio}).ok());
  MigrationSet devices;
  ASSERT_TRUE(devices.Add(*nic, "0000:00:05.0/vfio").ok());
  MemoryOutput main;
  const Dialect& dialect = GetDialect(DialectId::kV111);
  const std::string pci(256, '\0');
  std::vector<SavedConfig> configs(1);
  configs[0].config.pci_config = AsBytes(pci);
  const std::string_view shut("\0\1\0\4\0\0\0\0", 8);
  ByteSpan replies = AsBytes(shut);
  // [example]
  SaveSession session(devices, main, {.dialect = &dialect});
  Error error = session.Start();  // The guest runs on.
  Progress progress;
  while (error.ok() && !progress.idle) {
    error = session.Iterate({.max_bytes = 1 << 20}, &progress);
  }
  if (error.ok()) error = session.Switchover();  // The vCPUs are stopped.
  if (error.ok()) error = session.Complete(configs);
  if (error.ok()) error = session.WriteEof();
  if (error.ok()) error = session.OnReturnPath(replies);  // Until SHUT.
  Outcome outcome = session.Finish();
  // [end]
  EXPECT_TRUE(error.ok()) << ToString(error);
  EXPECT_EQ(outcome.kind, Outcome::kCompleted);
  EXPECT_NE(main.bytes.find("first"), std::string::npos);
}

}  // namespace
}  // namespace migstream
