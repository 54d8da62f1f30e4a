// A migration from one VMM to another, in every dialect and every shape.

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "codec/multifd/channel_receiver.h"
#include "codec/qemu/stream_bytes.h"
#include "codec/session/load_session.h"
#include "codec/session/plain_device.h"
#include "codec/session/session_rig.h"
#include "codec/wire/text.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

FakeDevice SomeDevice() {
  return {.initial = std::string(3000, 'i'),
          .dirty = std::string(5000, 'd'),
          .stop = std::string(7000, 's'),
          .read_limit = 1024};
}

FakeDevice V1Device() {
  FakeDevice device = SomeDevice();
  device.flags = 5;
  device.v1 = true;
  return device;
}

// Runs it; what was said of it when it ends well is all that is expected.
void ExpectCompleted(Rig& rig) {
  rig.Run();
  EXPECT_EQ(rig.saved().kind, Outcome::kCompleted)
      << ToString(rig.saved().error);
  EXPECT_EQ(rig.loaded().kind, Outcome::kCompleted)
      << ToString(rig.loaded().error);
  EXPECT_EQ(rig.Broken(), "");
}

class DialectTest : public testing::TestWithParam<DialectId> {};

TEST_P(DialectTest, TheDevicesGetTheBytesAndTheConfigs) {
  const Dialect& dialect = GetDialect(GetParam());
  const bool v1 = dialect.protocol == VfioProtocol::kV1;
  Rig rig({.dialect = GetParam(),
           .source = {v1 ? V1Device() : SomeDevice(),
                      v1 ? V1Device() : SomeDevice()},
           .channels = dialect.multifd_device_state ? 2u : 0u});
  ExpectCompleted(rig);
  EXPECT_EQ(rig.configs(), (std::vector<uint32_t>{1, 1}));
}

INSTANTIATE_TEST_SUITE_P(Released, DialectTest,
                         testing::Values(DialectId::kV52, DialectId::kV60,
                                         DialectId::kV80, DialectId::kV81,
                                         DialectId::kV100, DialectId::kV100M,
                                         DialectId::kV101M, DialectId::kV111,
                                         DialectId::kV111M, DialectId::kE1),
                         [](const auto& info) {
                           std::string name(GetDialect(info.param).name);
                           std::erase(name, '-');
                           return name;
                         });

TEST(SessionTest, AnyCutOfAllChannelsGivesTheSame) {
  for (size_t piece : {1, 7, 300, 5000}) {
    Rig single({.source = {SomeDevice(), SomeDevice()}, .piece = piece});
    ExpectCompleted(single);
    Rig multifd({.dialect = DialectId::kV111M,
                 .source = {SomeDevice(), SomeDevice()},
                 .channels = 3,
                 .piece = piece});
    ExpectCompleted(multifd);
  }
}

TEST(SessionTest, EverySetOfFlagsIsMoved) {
  for (uint64_t flags : {1, 3, 5, 7}) {
    FakeDevice device = SomeDevice();
    device.flags = flags;
    Rig rig({.source = {device}});
    ExpectCompleted(rig);
  }
}

TEST(SessionTest, AConfigPacketIsWholeOrRefused) {
  for (size_t count = 0; count <= 20; ++count) {
    Rig rig({.dialect = DialectId::kV111M,
             .channels = 1,
             .compare_configs = false,
             .subsections = std::vector<SubsectionView>(
                 count, {.name = "VFIOPCIDevicea",
                         .version = 1,
                         .payload = AsBytes("state")})});
    rig.Run();
    ChannelReceiver receiver;
    MultifdEvent event;
    ByteSpan input = AsBytes(rig.channel(0).bytes);
    while (receiver.Next(input, event) == Step::kEvent) continue;
    EXPECT_TRUE(receiver.AtEndOfInput("channel", input).ok()) << count;
    // However it ends, nothing else is the reason.
    const ErrorCode code = rig.saved().error.code;
    if (count < 10) {
      EXPECT_EQ(code, ErrorCode::kNone) << ToString(rig.saved().error);
    } else {
      EXPECT_TRUE(code == ErrorCode::kNone || code == ErrorCode::kConfigLimit)
          << ToString(rig.saved().error);
    }
  }
}

TEST(SessionTest, ADeviceMayHaveNoConfigurationSpace) {
  for (bool multifd : {false, true}) {
    Rig rig({.dialect = multifd ? DialectId::kV111M : DialectId::kV111,
             .channels = multifd ? 2u : 0u,
             .compare_configs = false,
             .empty_configs = true});
    ExpectCompleted(rig);
    EXPECT_EQ(rig.configs(), (std::vector<uint32_t>{1})) << "an empty one";
  }
}

TEST(SessionTest, OneDevicesPacketsGoOverAllChannelsInTurn) {
  Rig rig({.dialect = DialectId::kV111M,
           .source = {{.stop = std::string(100, 'x')}},
           .channels = 4,
           .record_bytes = 10});
  ExpectCompleted(rig);
  std::vector<size_t> packets;
  for (size_t i = 0; i < 4; ++i) {
    ChannelReceiver receiver;
    MultifdEvent event;
    ByteSpan input = AsBytes(rig.channel(i).bytes);
    packets.push_back(0);
    while (receiver.Next(input, event) == Step::kEvent) {
      packets[i] += receiver.has_packet() ? 1 : 0;
    }
  }
  // Ten of data, and the config.
  EXPECT_EQ(packets, (std::vector<size_t>{3, 3, 3, 2}));
}

TEST(SessionTest, TransactionsDoNotGoByChannels) {
  Rig rig(
      {.dialect = DialectId::kV111M, .source = {V1Device()}, .channels = 1});
  rig.Run();
  for (const Outcome* outcome : {&rig.saved(), &rig.loaded()}) {
    EXPECT_EQ(outcome->kind, Outcome::kAborted);
    EXPECT_EQ(outcome->error.code, ErrorCode::kDeviceCannotMigrate)
        << ToString(outcome->error);
  }
  EXPECT_EQ(rig.Broken(), "");
}

TEST(SessionTest, AChannelsNumberIsOneByte) {
  Rig most({.dialect = DialectId::kV111M, .channels = 255});
  ExpectCompleted(most);
  Rig rig({.dialect = DialectId::kV111M, .channels = 256});
  rig.Run();
  EXPECT_TRUE(rig.channel(0).bytes.empty());
  EXPECT_EQ(ToString(rig.saved().error), "multifd has at most 255 channels");
}

TEST(SessionTest, TheChannelThatIsGoneIsNamed) {
  Rig rig({.dialect = DialectId::kV111M,
           .source = {SomeDevice()},
           .channels = 3,
           .last_channel_cut = 200});
  rig.Run();
  EXPECT_EQ(rig.saved().kind, Outcome::kAborted);
  EXPECT_EQ(ToString(rig.saved().error), "channel 2 is gone: Broken pipe");
  EXPECT_EQ(rig.Broken(), "");
}

TEST(SessionTest, NothingAndALittleAreMovedToo) {
  for (size_t bytes : {0, 1, 13}) {
    Rig rig({.source = {{.stop = std::string(bytes, 'x')}}});
    ExpectCompleted(rig);
    Rig multifd({.dialect = DialectId::kV111M,
                 .source = {{.stop = std::string(bytes, 'x')}},
                 .channels = 4});
    ExpectCompleted(multifd);
  }
}

TEST(SessionTest, AStreamsFirstStateOfStopCopyComesAfterTheLastDeviceStopped) {
  Rig rig({.source = {SomeDevice(), SomeDevice(), SomeDevice()}});
  ExpectCompleted(rig);
  using enum DeviceState;
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(
        rig.source().fake(i).states,
        (std::vector<DeviceState>{kPreCopy, kPreCopyP2p, kStopCopy, kStop}));
    EXPECT_EQ(rig.destination().fake(i).states,
              (std::vector<DeviceState>{kRunningP2p, kStop, kResuming, kStop}));
  }
}

TEST(SessionTest, V1TransactionsArriveAsTheyLeft) {
  Rig rig({.dialect = DialectId::kV60,
           .source = {V1Device()},
           .record_bytes = 100});  // Less than one of them.
  ExpectCompleted(rig);
  std::vector<size_t> sizes(7, 1024);
  sizes.push_back(832);
  sizes.insert(sizes.end(), 6, 1024);
  sizes.push_back(856);
  EXPECT_EQ(rig.destination().fake(0).record_sizes, sizes);
}

TEST(SessionTest, WithoutAnAckThereIsNoSwitchover) {
  // 11.1 wants an ack for each device with PRE_COPY, older ones one in all.
  for (bool legacy : {false, true}) {
    Rig rig({.source = {SomeDevice(), SomeDevice(), {.flags = 3}},
             .switchover_ack = true,
             .switchover_ack_legacy = legacy});
    ExpectCompleted(rig);
    EXPECT_EQ(std::count(rig.actions().begin(), rig.actions().end(),
                         "reply SWITCHOVER_ACK"),
              legacy ? 1 : 2);
  }
}

TEST(SessionTest, ALegacySourceGetsItsAckAlthoughNoDeviceHasPreCopy) {
  Rig rig({.dialect = DialectId::kV100,
           .source = {{.flags = 3, .stop = "x"}},
           .switchover_ack = true});
  ExpectCompleted(rig);
  EXPECT_EQ(rig.actions(), (std::vector<std::string>{
                               "open return path", "reply SWITCHOVER_ACK",
                               "reply PONG 1", "config 0"}));
}

TEST(SessionTest, NewInitialDataGivesTheGuestBackAndIsAcknowledgedAgain) {
  Rig rig({.source = {SomeDevice()},
           .destination = {{.expected = AllOf(SomeDevice()).substr(0, 8000) +
                                        AllOf(SomeDevice())}},
           .switchover_ack = true,
           .before_switchover = [](FakeVfio& vfio) {
             vfio.device(100).reinit = true;
           }});
  rig.Run();
  EXPECT_EQ(rig.loaded().kind, Outcome::kCompleted);
  EXPECT_EQ(rig.saved().kind, Outcome::kCompleted);
  EXPECT_EQ(std::count(rig.actions().begin(), rig.actions().end(),
                       "reply SWITCHOVER_ACK"),
            2);
}

TEST(SessionTest, AConfigIsGivenWhenItsDialectSaysSo) {
  Rig at_once({.dialect = DialectId::kV52, .source = {V1Device()}});
  ExpectCompleted(at_once);
  Rig marked({.dialect = DialectId::kV111M,
              .source = {SomeDevice()},
              .channels = 1,
              .config_load_ready = true});
  ExpectCompleted(marked);
  Rig told({.source = {SomeDevice()}, .wait_for_interrupts = true});
  ExpectCompleted(told);
}

TEST(SessionTest, AGuestThatResetsItsDeviceInPreCopyAbortsTheMigration) {
  Rig rig({.source = {SomeDevice()},
           .before_switchover = [](FakeVfio& vfio) { vfio.GuestReset(100); }});
  rig.Run();
  EXPECT_EQ(rig.saved().kind, Outcome::kAborted);
  EXPECT_EQ(rig.saved().error.code, ErrorCode::kDeviceDesync);
  EXPECT_EQ(rig.loaded().kind, Outcome::kAborted);
  EXPECT_EQ(rig.Broken(), "");
}

TEST(SessionTest, ADriverThatRejectsTheDataSaysSoBeforeSuccessIsSaid) {
  Rig rig({.source = {SomeDevice()},
           .destination = {{.expected = "something else of many bytes" +
                                        std::string(20000, 'x')}}});
  rig.Run();
  EXPECT_EQ(rig.loaded().kind, Outcome::kAborted);
  EXPECT_EQ(rig.saved().kind, Outcome::kAborted);
  EXPECT_EQ(rig.saved().error.code, ErrorCode::kSessionPeerFailed);
  EXPECT_EQ(rig.Broken(), "");
  EXPECT_EQ(rig.destination().fake(0).state, DeviceState::kRunning);
}

TEST(SessionTest, ShutIsNotBelievedWithMultifdUnlessTheCallerDoes) {
  Rig rig({.dialect = DialectId::kV111M,
           .source = {SomeDevice()},
           .channels = 2,
           .trust_shut = false});
  rig.Run();
  EXPECT_EQ(rig.loaded().kind, Outcome::kCompleted);
  EXPECT_EQ(rig.saved().kind, Outcome::kUnknown);
  EXPECT_EQ(rig.Broken(), "");
  EXPECT_EQ(rig.source().fake(0).state, DeviceState::kStopCopy);
}

// A destination does not trust its source: bytes are inverted at random on all
// channels at once. Where the driver cannot tell, nobody can; that the framing
// holds, or is refused, and that no device is left half loaded, must hold.
TEST(SessionTest, HostileBytesOnAllChannelsAreRefusedOrAreTheDriversAffair) {
  size_t refused = 0;
  for (uint32_t seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    const bool multifd = seed % 2 == 0;
    Rig rig({.dialect = multifd ? DialectId::kV111M : DialectId::kV111,
             .source = {SomeDevice(), {.flags = 3, .stop = "a little"}},
             .channels = multifd ? 2u : 0u,
             .switchover_ack = seed % 3 == 0,
             .piece = seed % 5 == 0 ? 100 : SIZE_MAX,
             .on_the_way =
                 [&](int, std::string& bytes) {
                   for (char& byte : bytes) {
                     if (random() % 4000 == 0) {
                       byte = static_cast<char>(random());
                     }
                   }
                 },
             .compare_configs = false});
    rig.Run();
    // The device wants its bytes exactly: with others it is not loaded.
    EXPECT_EQ(rig.Broken(), "") << seed;
    refused += rig.loaded().kind == Outcome::kAborted ? 1 : 0;
    for (size_t i = 0; i < 2; ++i) {
      const DeviceState state = rig.destination().fake(i).state;
      EXPECT_EQ(state, rig.loaded().kind == Outcome::kAborted
                           ? DeviceState::kRunning
                           : DeviceState::kStop)
          << seed;
    }
  }
  EXPECT_GT(refused, 50u);
}

// The table of outcome.h: the main channel is cut behind each of its bytes that
// begin or end something, and the return path as well.
TEST(SessionTest, EveryCutPointHasTheOutcomeOfTheTable) {
  const RigOptions options = {.source = {SomeDevice(), SomeDevice()}};
  Rig whole(options);
  ExpectCompleted(whole);
  const size_t bytes = whole.main().bytes.size();
  for (size_t cut = 0; cut <= bytes; cut += cut + 300 < bytes ? 97 : 1) {
    RigOptions with_cut = options;
    with_cut.cut = cut;
    Rig rig(with_cut);
    rig.Run();
    ASSERT_EQ(rig.Broken(), "") << cut;
    const bool eof_begun = cut >= bytes - 1;
    if (!eof_begun) {
      EXPECT_EQ(rig.saved().kind, Outcome::kAborted) << cut;
    }
    EXPECT_EQ(rig.loaded().kind,
              cut == bytes ? Outcome::kCompleted : Outcome::kAborted)
        << cut;
  }
  // EOF was written, and nothing came back but the PONG.
  for (size_t return_cut : {0, 8, 15}) {
    RigOptions with_cut = options;
    with_cut.return_cut = return_cut;
    Rig rig(with_cut);
    rig.Run();
    EXPECT_EQ(rig.Broken(), "");
    EXPECT_EQ(rig.loaded().kind, Outcome::kCompleted);
    EXPECT_EQ(rig.saved().kind, Outcome::kUnknown) << return_cut;
  }
}

TEST(LoadSessionTest, ASectionOfADeviceThatNeverStartedIsRefused) {
  const HandlerBytes device = {.id = 7, .idstr = "0000:00:05.0/vfio"};
  PlainDevice plain;
  MigrationSet set;
  ASSERT_TRUE(set.Add(plain, device.idstr).ok());
  LoadSession session(set, {.dialect = &GetDialect(DialectId::kV111)});
  ASSERT_TRUE(session.Start().ok());
  session.decoder().Learn(device.id, device.idstr, 0, 1);
  const std::string bytes = HeaderBytes() + device.Part(kEos);
  ByteSpan input = AsBytes(bytes);
  LoadAction action;
  Step step = Step::kEvent;
  while (step == Step::kEvent) step = session.Next(input, action);
  EXPECT_EQ(step, Step::kError);
  EXPECT_EQ(ToString(session.Finish().error),
            "0x8: 0000:00:05.0/vfio: no START of it came");
}

}  // namespace
}  // namespace migstream
