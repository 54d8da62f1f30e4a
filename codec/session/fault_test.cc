// Every call of the kernel fails, in every way, on both sides: no migration may
// hang, leak an fd, or leave a guest's device on both sides or on none without
// saying that it is not known.

#include <cerrno>
#include <string>
#include <vector>

#include "codec/session/session_rig.h"
#include "codec/wire/text.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

constexpr int kErrnos[] = {EINTR,  EAGAIN, EIO,    ENODEV, EBUSY,
                           EFAULT, ENOMEM, ENOSPC, EINVAL};
constexpr FakeFault::Effect kEffects[] = {
    FakeFault::kNothing, FakeFault::kErrorState, FakeFault::kReset,
    FakeFault::kMoved, FakeFault::kStuck};

struct Shape {
  const char* name;
  RigOptions options;
};

FakeDevice Small(uint64_t flags = 7) {
  return {.flags = flags,
          .initial = "initial state",
          .dirty = "and what changed",
          .stop = "the rest of it",
          .read_limit = 10};
}

std::vector<Shape> Shapes() {
  FakeDevice v1 = Small(5);
  v1.v1 = true;
  return {
      {"one device", {.source = {Small()}}},
      {"two devices with acks",
       {.source = {Small(), Small(3)}, .switchover_ack = true}},
      {"multifd",
       {.dialect = DialectId::kV111M, .source = {Small()}, .channels = 2}},
      {"v1", {.dialect = DialectId::kV60, .source = {v1}}},
  };
}

class FaultTest : public testing::TestWithParam<bool> {};

TEST_P(FaultTest, EveryCallFailsInEveryWay) {
  const bool at_source = GetParam();
  size_t cases = 0, completed = 0, aborted = 0;
  for (const Shape& shape : Shapes()) {
    Rig whole(shape.options);
    whole.Run();
    ASSERT_EQ(whole.saved().kind, Outcome::kCompleted) << shape.name;
    RigSide& side = at_source ? whole.source() : whole.destination();
    // And as many more as undoing takes.
    const size_t calls = side.vfio.calls() + 4;
    for (size_t call = 0; call < calls; ++call) {
      for (FakeFault::Effect effect : kEffects) {
        for (int error : kErrnos) {
          // What the device does meanwhile matters more than the number.
          if (effect != FakeFault::kNothing && error != EINTR && error != EIO &&
              error != ENODEV) {
            continue;
          }
          Rig rig(shape.options);
          RigSide& faulty = at_source ? rig.source() : rig.destination();
          faulty.vfio.Fail({call, error, effect});
          rig.Run();
          ++cases;
          completed += rig.saved().kind == Outcome::kCompleted ? 1 : 0;
          aborted += rig.saved().kind == Outcome::kAborted ? 1 : 0;
          ASSERT_EQ(rig.Broken(), "")
              << shape.name << ", call " << call << ", errno " << error
              << ", effect " << static_cast<int>(effect);
        }
      }
    }
  }
  EXPECT_GT(cases, 2000u);
  EXPECT_GT(completed, 0u);
  EXPECT_GT(aborted, cases / 2);
}

INSTANTIATE_TEST_SUITE_P(Sides, FaultTest, testing::Bool(),
                         [](const auto& info) {
                           return info.param ? "Source" : "Destination";
                         });

TEST(FaultTest, ShortReadsAndWritesAreNoFaults) {
  for (const Shape& shape : Shapes()) {
    for (size_t call = 0; call < 60; ++call) {
      Rig rig(shape.options);
      rig.source().vfio.Fail({call, 0, FakeFault::kShort});
      rig.destination().vfio.Fail({call, 0, FakeFault::kShort});
      rig.Run();
      ASSERT_EQ(rig.saved().kind, Outcome::kCompleted) << shape.name << call;
      ASSERT_EQ(rig.Broken(), "") << shape.name << call;
    }
  }
}

TEST(FaultTest, AGuestsResetAtAnyCallAbortsOrIsTooLateToMatter) {
  for (const Shape& shape : Shapes()) {
    for (size_t call = 0; call < 40; ++call) {
      Rig rig(shape.options);
      rig.source().vfio.Fail({call, 0, FakeFault::kReset});
      rig.Run();
      ASSERT_EQ(rig.Broken(), "") << shape.name << call;
    }
  }
}

}  // namespace
}  // namespace migstream
