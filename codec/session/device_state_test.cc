#include "codec/session/device_state.h"

#include <iterator>
#include <string>
#include <vector>

#include "codec/wire/text.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

using enum DeviceState;

constexpr uint64_t kFlagSets[] = {1, 3, 5, 7};

DeviceState State(uint32_t number) { return static_cast<DeviceState>(number); }

// Whether a driver with these flags has the state.
bool Has(DeviceState state, uint64_t flags) {
  const bool p2p = state == kRunningP2p || state == kPreCopyP2p;
  return (!p2p || (flags & kMigrationP2p) != 0) &&
         (!IsPreCopy(state) || (flags & kMigrationPreCopy) != 0);
}

// The steps of the kernel's way, without the first state; empty if there is
// none.
std::vector<DeviceState> Way(DeviceState from, DeviceState to, uint64_t flags) {
  std::vector<DeviceState> way;
  for (DeviceState at = from; at != to;) {
    std::optional<DeviceState> next = NextState(at, to, flags);
    if (!next || way.size() > kDeviceStates) return {};
    way.push_back(at = *next);
  }
  return way;
}

std::string Text(const std::vector<DeviceState>& way) {
  std::vector<std::string> names;
  for (DeviceState state : way) names.push_back(ToString(state));
  return StrJoin(names, " ");
}

// Arcs that a driver implements, for a driver with all states: the uAPI's list.
constexpr struct {
  DeviceState from, to;
  bool fd;  // Comes with it.
} kArcs[] = {
    {kRunningP2p, kStop, false},    {kStopCopy, kStop, false},
    {kResuming, kStop, false},      {kPreCopy, kRunning, false},
    {kRunningP2p, kRunning, false}, {kPreCopyP2p, kRunningP2p, false},
    {kRunning, kRunningP2p, false}, {kStop, kRunningP2p, false},
    {kRunning, kPreCopy, true},     {kRunningP2p, kPreCopyP2p, true},
    {kStop, kStopCopy, true},       {kPreCopy, kPreCopyP2p, false},
    {kPreCopyP2p, kPreCopy, false}, {kPreCopyP2p, kStopCopy, false},
    {kStop, kResuming, true},
};

TEST(DeviceStateTest, EveryStepOfEveryWayIsAnArcThatDriversImplement) {
  for (uint32_t from = 1; from < kDeviceStates; ++from) {
    for (uint32_t to = 1; to < kDeviceStates; ++to) {
      DeviceState at = State(from);
      for (DeviceState next : Way(at, State(to), 7)) {
        bool arc = false;
        for (const auto& row : kArcs) arc |= row.from == at && row.to == next;
        EXPECT_TRUE(arc) << ToString(at) << " to " << ToString(next);
        at = next;
      }
    }
  }
}

TEST(DeviceStateTest, ThereIsAWayBetweenAllStatesButTwoPairs) {
  for (uint64_t flags : kFlagSets) {
    for (uint32_t from = 1; from < kDeviceStates; ++from) {
      for (uint32_t to = 1; to < kDeviceStates; ++to) {
        if (from == to) continue;
        const bool there = Has(State(from), flags) && Has(State(to), flags) &&
                           !(State(from) == kStopCopy && IsPreCopy(State(to)));
        EXPECT_EQ(!Way(State(from), State(to), flags).empty(), there)
            << flags << ": " << ToString(State(from)) << " to "
            << ToString(State(to));
        EXPECT_EQ(WhyNoWay(State(from), State(to), flags).empty(),
                  NextState(State(from), State(to), flags).has_value());
      }
    }
  }
}

TEST(DeviceStateTest, NoSavingSessionIsStartedOrEndedOnTheWay) {
  for (uint64_t flags : kFlagSets) {
    for (uint32_t from = 1; from < kDeviceStates; ++from) {
      for (uint32_t to = 1; to < kDeviceStates; ++to) {
        std::vector<DeviceState> way = Way(State(from), State(to), flags);
        for (size_t i = 0; i + 1 < way.size(); ++i) {
          EXPECT_TRUE(!IsSaving(way[i]) ||
                      (IsSaving(State(from)) && IsSaving(State(to))));
          EXPECT_NE(way[i], kResuming);
        }
      }
    }
  }
}

TEST(DeviceStateTest, ADataFdIsDueWhereAnArcOfTheWayGivesOneThatStays) {
  for (uint32_t from = 1; from < kDeviceStates; ++from) {
    for (uint32_t to = 1; to < kDeviceStates; ++to) {
      DeviceState at = State(from);
      bool fd = false;
      for (DeviceState next : Way(at, State(to), 7)) {
        for (const auto& row : kArcs) {
          if (row.from == at && row.to == next) fd = row.fd;
        }
        at = next;
      }
      if (at != State(to)) continue;  // No way.
      EXPECT_EQ(GivesDataFd(State(from), State(to)), fd)
          << ToString(State(from)) << " to " << ToString(State(to));
    }
  }
}

TEST(DeviceStateTest, StatesThatADriverDoesNotHaveAreLeftOut) {
  EXPECT_EQ(Text(Way(kRunning, kStopCopy, 1)), "STOP STOP_COPY");
  EXPECT_EQ(Text(Way(kRunning, kStopCopy, 3)), "RUNNING_P2P STOP STOP_COPY");
  EXPECT_EQ(Text(Way(kPreCopy, kStopCopy, 5)), "STOP_COPY");
  EXPECT_EQ(Text(Way(kPreCopy, kStopCopy, 7)), "PRE_COPY_P2P STOP_COPY");
  EXPECT_EQ(Text(Way(kPreCopy, kResuming, 5)), "RUNNING STOP RESUMING");
  EXPECT_EQ(Text(Way(kResuming, kRunning, 1)), "STOP RUNNING");
  EXPECT_EQ(Text(Way(kStop, kPreCopy, 5)), "RUNNING PRE_COPY");
}

// What a 6.12 kernel's mtty device (flags 7) did for all 8 states and 9
// numbers, each from a fresh device: the return code's sign, and whether an fd
// came. RESUMING was left with its data incomplete, which only reset does.
TEST(DeviceStateTest, A612KernelsMttyDeviceDoesAsForetold) {
  for (uint32_t from = 1; from < kDeviceStates; ++from) {
    for (uint32_t to = 0; to <= kDeviceStates; ++to) {
      const bool refused =
          to == 0 || to == 8 || (from == 3 && (to == 6 || to == 7));
      EXPECT_EQ(WhyNoWay(State(from), State(to), 7).empty(), !refused)
          << from << " to " << to;
      const bool into_saving = to == 3 || to == 6 || to == 7;
      const bool in_saving = from == 3 || from == 6 || from == 7;
      if (refused) continue;
      EXPECT_EQ(GivesDataFd(State(from), State(to)),
                (into_saving && !in_saving) || (to == 4 && from != 4));
    }
  }
}

TEST(DeviceStateTest, WhatIsRefusedSaysWhy) {
  EXPECT_EQ(WhyNoWay(kRunning, kError, 7), "ERROR cannot be asked for");
  EXPECT_EQ(WhyNoWay(kRunning, State(8), 7), "state 8 cannot be asked for");
  EXPECT_EQ(WhyNoWay(kRunning, kPreCopy, 3),
            "the driver does not have PRE_COPY");
  EXPECT_EQ(WhyNoWay(kError, kRunning, 7), "only a reset leads out of ERROR");
  EXPECT_EQ(WhyNoWay(kStopCopy, kPreCopy, 7),
            "STOP_COPY does not lead back to PRE_COPY");
}

TEST(DeviceStateTest, FourSetsOfFlagsAreDefined) {
  for (uint64_t flags = 0; flags < 16; ++flags) {
    bool listed = false;
    for (uint64_t set : kFlagSets) listed |= set == flags;
    EXPECT_EQ(IsMigrationFlags(flags), listed) << flags;
  }
}

TEST(DeviceStateTest, OfThe64V1ArcsTenAreLegal) {
  // Rows: from 0 to 7; columns: to 0 to 7.
  const std::string legal[] = {".1......", "0.234...", "01......", ".12.....",
                               ".1......", "........", "........", "........"};
  for (uint32_t from = 0; from < 8; ++from) {
    for (uint32_t to = 0; to < 8; ++to) {
      EXPECT_EQ(IsV1Arc(from, to), legal[from][to] != '.')
          << from << " to " << to;
      EXPECT_EQ(IsV1Arc(from | 0xf8, to), IsV1Arc(from, to)) << "higher bits";
    }
  }
}

TEST(DeviceStateTest, V1BitsAndStatesAreEachOthersInverse) {
  for (uint32_t bits = 0; bits < 8; ++bits) {
    const DeviceState state = StateOfV1(bits | 0x100);
    if (bits >= 5) {
      EXPECT_EQ(state, kError);
    } else {
      EXPECT_EQ(V1Bits(state), bits);
    }
  }
  EXPECT_EQ(V1Bits(kRunningP2p), std::nullopt);
}

}  // namespace
}  // namespace migstream
