// What diff says, and with which exit status.

#include <algorithm>
#include <string>
#include <vector>

#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "inspect/run_program.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string Path(const std::string& name) {
  return CapturePath(GetCapture(name));
}

size_t Lines(const std::string& text) {
  return std::count(text.begin(), text.end(), '\n');
}

TEST(DiffTest, EqualStreamsGiveNoOutputAndStatus0) {
  std::string file = Path("s72-plain");
  ProgramRun run = RunProgram({"diff", file, file});
  EXPECT_EQ(run.status, 0);
  EXPECT_THAT(run.output, IsEmpty());
  EXPECT_THAT(run.errors, HasSubstr("guest memory was not compared"));
  run = RunProgram({"diff", "--quiet", file, file});
  EXPECT_EQ(run.status, 0);
  EXPECT_THAT(run.errors, IsEmpty());
  run = RunProgram({"diff", "--ram", file, file});
  EXPECT_EQ(run.status, 0);
  EXPECT_THAT(run.output, IsEmpty());
  EXPECT_THAT(run.errors, Not(HasSubstr("not compared")));
}

TEST(DiffTest, AnOffsetIsTheMainChannelsAlone) {
  const testdata::Capture& capture = GetCapture("s111-multifd-two");
  std::vector<std::string> words = {"diff", "--quiet", "--offset=5"};
  for (int i = 0; i < 2; ++i) {
    words.push_back(
        WriteTestFile("main", std::string(5, 'x') + ReadCapture(capture)));
    for (const std::string& channel : ReadChannels(capture)) {
      words.push_back(WriteTestFile(StrCat("channel", words.size()), channel));
    }
  }
  ProgramRun run = RunProgram(words);
  EXPECT_EQ(run.status, 0) << run.errors;
}

TEST(DiffTest, GuestMemoryIsComparedIfItIsAskedFor) {
  ProgramRun run =
      RunProgram({"diff", "--ram", Path("s111-plain"), Path("s72-plain")});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, HasSubstr("pages of /rom@etc/acpi/tables"));
}

// A file's pages are read a second time; what is compressed is kept.
TEST(DiffTest, GuestMemoryIsTheSameWhereverItIsKept) {
  const std::string bytes = ReadCapture(GetCapture("s111-plain"));
  ProgramRun run = RunProgram(
      {"diff", "--ram", WriteTestFile("plain", bytes), Path("s111-plain")});
  EXPECT_EQ(run.status, 0) << run.output << run.errors;
  const std::string behind = WriteTestFile("behind", "12345" + bytes);
  run = RunProgram({"diff", "--ram", "--offset=5", behind, behind});
  EXPECT_EQ(run.status, 0) << run.output << run.errors;
}

// Merged, the memory of the channels is the main channel's.
TEST(DiffTest, ChannelsAreReadForDevicesAndForMemory) {
  std::vector<std::string> split;
  for (const testdata::File& file : GetCapture("s111-multifd-two").files()) {
    if (file.file().find(".return") != std::string::npos) continue;
    split.push_back("testdata/captures/" + file.file() + ".zst");
  }
  std::string merged = TestFolder() + "/merged";
  std::vector<std::string> repack = {"repack", "--single-channel", "-o",
                                     merged};
  repack.insert(repack.end(), split.begin(), split.end());
  ASSERT_EQ(RunProgram(repack).status, 0);
  std::vector<std::string> diff = {"diff", "--ram", "--ignore-cuts"};
  diff.insert(diff.end(), split.begin(), split.end());
  diff.push_back(merged);
  ProgramRun run = RunProgram(diff);
  EXPECT_EQ(run.status, 0) << run.output << run.errors;
}

TEST(DiffTest, AllListsWhatIsCountedOtherwise) {
  std::string config = TestFolder() + "/config";
  ASSERT_EQ(RunProgram(
                {"extract", "--what=config", Path("s111-stop3m"), "-o", config})
                .status,
            0);
  std::string bytes = ReadTestFile(config);
  for (size_t i = 0x200; i < 0x300; i += 4) bytes[i] ^= 1;
  config = WriteTestFile("changed", bytes);
  std::string changed = TestFolder() + "/stream";
  ASSERT_EQ(RunProgram({"repack", Path("s111-stop3m"), "--replace-config",
                        config, "-o", changed})
                .status,
            0);
  ProgramRun run = RunProgram({"diff", Path("s111-stop3m"), changed});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, HasSubstr("54 more registers"));
  EXPECT_EQ(Lines(run.output), 12);
  run = RunProgram({"diff", "--all", Path("s111-stop3m"), changed});
  EXPECT_EQ(Lines(run.output), 65);
}

TEST(DiffTest, WithinIsOfOneStream) {
  std::string folder = TestFolder();
  auto stream = [&](const std::string& name, const std::string& vendor) {
    std::string recipe =
        WriteTestFile(name, StrCat("devices { vendor { ", vendor, " {} } }"));
    std::string out = StrCat(folder, "/", name);
    EXPECT_EQ(RunProgram({"generate", recipe, "-o", out}).status, 0);
    return out;
  };
  std::string virtio = stream("virtio", "virtio"),
              mtty = stream("mtty", "mtty");
  ProgramRun run = RunProgram({"diff", "--within", virtio});
  EXPECT_EQ(run.status, 1) << run.errors;
  EXPECT_THAT(run.output, HasSubstr("FIRST"));
  EXPECT_THAT(run.output, HasSubstr("DEVICE_STATUS device_status"));
  run = RunProgram({"diff", "--within", mtty});
  EXPECT_EQ(run.status, 0);
  EXPECT_THAT(run.output, IsEmpty());
  EXPECT_THAT(run.errors, HasSubstr("no device's driver sends more than one"));
  run = RunProgram({"diff", "--within", virtio, mtty});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("--within is of one stream, not 2"));
}

TEST(DiffTest, AStreamThatIsCutIsAFindingAndAFewLines) {
  std::string whole = ReadCapture(GetCapture("s111-plain"));
  std::string cut = WriteTestFile("cut", whole.substr(0, whole.size() * 2 / 3));
  ProgramRun run = RunProgram({"diff", Path("s111-plain"), cut});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, HasSubstr("cut off"));
  EXPECT_LE(Lines(run.output), 5);
  EXPECT_THAT(run.errors, HasSubstr(cut));
}

TEST(DiffTest, ThereMustBeTwoMainChannels) {
  ProgramRun run = RunProgram({"diff", Path("s111-plain")});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("two streams"));
}

}  // namespace
}  // namespace migstream
