// check --destination with what an idle destination saved, as a user runs it:
// real QEMUs were asked the same.

#include <string>
#include <string_view>
#include <vector>

#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "inspect/run_program.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

constexpr char kFolder[] = "testdata/idle/";

std::string IdlePath(std::string_view release, std::string_view machine) {
  return StrCat(kFolder, release, "-", machine, ".qvm.zst");
}

ProgramRun Check(const std::string& file, const std::string& destination,
                 const std::string& option = "--quiet") {
  return RunProgram(
      {"check", file, StrCat("--destination=", destination), option});
}

// RELEASE FROM TO WORDS…
struct Verdict {
  std::string release;
  std::string from;
  std::string to;
  std::string words;
};

std::vector<Verdict> Verdicts() {
  std::vector<Verdict> verdicts;
  const std::string text = ReadTestFile(StrCat(kFolder, "verdicts.txt"));
  for (std::string_view line : Split(text, '\n')) {
    if (line.empty()) continue;
    Verdict verdict;
    for (std::string* part : {&verdict.release, &verdict.from, &verdict.to}) {
      const size_t space = line.find(' ');
      *part = std::string(line.substr(0, space));
      line.remove_prefix(space + 1);
    }
    verdict.words = std::string(line);
    verdicts.push_back(verdict);
  }
  return verdicts;
}

TEST(IdleDestinationTest, WhatQemuSaidIsSaidFirst) {
  const std::vector<Verdict> verdicts = Verdicts();
  EXPECT_GT(verdicts.size(), 50);
  for (const Verdict& verdict : verdicts) {
    const ProgramRun run = Check(IdlePath(verdict.release, verdict.from),
                                 IdlePath(verdict.release, verdict.to),
                                 StrCat("--for=qemu-", verdict.release));
    const std::string first = run.output.substr(0, run.output.find('\n'));
    const bool loads = verdict.words == "loads";
    EXPECT_EQ(run.status, loads ? 0 : 1);
    EXPECT_THAT(
        first,
        loads ? HasSubstr(StrCat(": qemu-", verdict.release, " would load it"))
              : HasSubstr(StrCat(" would refuse it: ", verdict.words)))
        << verdict.release << " " << verdict.from << " " << verdict.to;
  }
}

TEST(IdleDestinationTest, AllThatDiffersIsListedAndTheRestCounted) {
  const ProgramRun run =
      Check(IdlePath("11.1", "smp2"), IdlePath("11.1", "base"), "--for=11.1");
  EXPECT_THAT(
      run.output,
      AllOf(HasSubstr("apic#1 FULL: qemu-11.1 would refuse it: "),
            HasSubstr("cpu_common#1 FULL: and then: "),
            HasSubstr("/piix4_pm FULL: and then: Missing section footer"),
            HasSubstr(": 32 sections, 6 RAM blocks, 5 config spaces")));
}

TEST(IdleDestinationTest, ARegisterIsNamedWithBothValues) {
  const ProgramRun run = Check(IdlePath("7.2", "vec"), IdlePath("7.2", "base"));
  EXPECT_THAT(run.output, HasSubstr("(0x9a MSI-X + 0x2: 0x0008, the "
                                    "destination's 0x0003)\n"));
}

TEST(IdleDestinationTest, ADeviceThatTheStreamLeavesAloneIsNamed) {
  const ProgramRun run = Check(IdlePath("7.2", "base"), IdlePath("7.2", "rng"));
  EXPECT_EQ(run.status, 0);
  EXPECT_THAT(run.output, EndsWith("nothing in it is for the destination's "
                                   "0000:00:03.0/virtio-rng\n"));
}

TEST(IdleDestinationTest, WhatWasComparedIsNoAssumption) {
  const ProgramRun run =
      Check(IdlePath("7.2", "base"), IdlePath("7.2", "base"));
  EXPECT_THAT(run.output, Not(HasSubstr("RAM blocks, of")));
  EXPECT_THAT(run.output, Not(HasSubstr("machine type")));
}

// A migration with devices, and itself as the destination that it fits.
TEST(IdleDestinationTest, EveryCaptureLoadsWhereItCameFrom) {
  for (const char* name : {"s72-two", "s100-rootport", "s111-precopy"}) {
    const std::string file = CapturePath(GetCapture(name));
    const ProgramRun run = Check(file, file);
    EXPECT_EQ(run.status, 0) << name << run.output << run.errors;
  }
}

TEST(IdleDestinationTest, AVfioDevicesRegistersAreCompared) {
  // The devices of these have 64 and 5 vectors.
  const ProgramRun run = Check(CapturePath(GetCapture("s111-msix-64")),
                               CapturePath(GetCapture("s111-tiny")));
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output,
              HasSubstr("/vfio FULL: qemu-11.1 would refuse it: "
                        "get_pci_config_device: Bad config data: i=0x72 read: "
                        "3f device: 4 cmask: ff wmask: 0 w1cmask:0"));
}

TEST(DiffLoadableTest, ShowsOnlyWhatALoaderCompares) {
  ProgramRun run = RunProgram(
      {"diff", "--loadable", IdlePath("7.2", "m8"), IdlePath("7.2", "base")});
  EXPECT_EQ(run.status, 1);
  EXPECT_EQ(run.output,
            "DEVICE  WHAT              A         B\n"
            "ram     RAM block pc.ram  0x800000  0x400000\n");
  run = RunProgram(
      {"diff", "--loadable", IdlePath("7.2", "base"), IdlePath("7.2", "smp2")});
  EXPECT_EQ(run.status, 0);
  EXPECT_EQ(run.output, "");
}

TEST(IdleDestinationTest, APipeIsReadOnlyOnce) {
  const ProgramRun run = Check("-", IdlePath("7.2", "base"));
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("-: it can be read only once"));
}

}  // namespace
}  // namespace migstream
