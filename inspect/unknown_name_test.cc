// Names that nothing in a stream confirms: a damaged one makes them of guest
// memory. At most 16 bytes of each are shown, and none that a terminal obeys.

#include <string>
#include <utility>
#include <vector>

#include "codec/qemu/stream_bytes.h"
#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "inspect/run_program.h"

namespace migstream {
namespace {

using testing::HasSubstr;
using testing::Not;

const HandlerBytes kRam = {.id = 2, .idstr = "ram", .version = 4};
const std::string kRamEnd = Be64Bytes(0x10);

std::string Stream(const std::string& rest) {
  return HeaderBytes() +
         kRam.Start(Be64Bytes(0x2004) + Str8Bytes("pc.ram") +
                    Be64Bytes(0x2000) + kRamEnd) +
         rest;
}

// Where such a name can stand, and a stream that has it there.
std::vector<std::pair<std::string, std::string>> StreamsWith(
    const std::string& name) {
  const HandlerBytes unknown = {.id = 3, .idstr = name};
  const std::string page = Be64Bytes(8) + Str8Bytes(name) + "page";
  const std::string entry = Str8Bytes(name) + std::string(8, '\x7f');
  const std::string configuration = "\x07" + Be32Bytes(2) + "pc\x05" +
                                    Str8Bytes("configuration/" + name) +
                                    Be32Bytes(1);
  return {
      {"page", Stream(kRam.Part(page))},
      {"block",
       HeaderBytes() + kRam.Start(Be64Bytes(0x2004) + entry + kRamEnd)},
      {"START", Stream(unknown.Start("state"))},
      {"FULL", Stream(unknown.Named(4) + "state" + EofBytes())},
      {"subsection", HeaderBytes() + configuration + "state"},
  };
}

// All that is said of a file without being asked for its bytes.
std::vector<std::vector<std::string>> Asked(const std::string& file) {
  const HandlerBytes known = {.id = 3, .idstr = "timer"};
  const std::string other =
      WriteTestFile("other", Stream(known.Full("state") + EofBytes()));
  return {{"inspect", file},
          {"inspect", "--records", file},
          {"inspect", "--map", file},
          {"inspect", "--map", "--format=json", file},
          {"inspect", "--state", file},
          {"inspect", "--format=json", file},
          {"check", "--all", file},
          {"check", "--recover", file},
          {"check", "--for=qemu-7.2", file},
          {"check", "--for=qemu-11.1", file},
          {"check", "--for=all", file},
          {"check", "--for=qemu-11.1", "--destination=" + other, file},
          {"check", "--for=qemu-11.1", "--destination=" + file, other},
          {"diff", file, other},
          {"diff", "--loadable", other, file},
          {"stats", file},
          {"extract", "--ram=pc.ram", "--force", "-o", "/dev/null", file},
          {"repack", "--force", "-o", "/dev/null", file}};
}

TEST(UnknownNameTest, NoMoreThan16BytesOfItAreShown) {
  const std::string name = "GUEST-SECRET-ABC" + std::string(200, 'Z');
  for (const auto& [where, bytes] : StreamsWith(name)) {
    const std::string file = WriteTestFile("stream", bytes);
    bool shown = false;
    for (const std::vector<std::string>& words : Asked(file)) {
      const ProgramRun run = RunProgram(words);
      EXPECT_THAT(run.output + run.errors, Not(HasSubstr("ABCZ")))
          << where << ": " << StrJoin(words, " ");
      shown |= run.output.find("GUEST-SECRET-ABC...") != run.output.npos;
    }
    EXPECT_TRUE(shown) << where;
  }
}

TEST(UnknownNameTest, NoTerminalObeysIt) {
  // CSI of 8 bits, in UTF-8 and alone; two marks that turn the line around; a
  // line's end, of three kinds.
  const std::string name =
      "a\xc2\x9b\x9b\xe2\x80\xae\xe2\x81\xa7\xe2\x80\xa8\n\r\x1b[2J";
  for (const auto& [where, bytes] : StreamsWith(name)) {
    const std::string file = WriteTestFile("stream", bytes);
    for (const std::vector<std::string>& words : Asked(file)) {
      const ProgramRun run = RunProgram(words);
      for (char c : run.output + run.errors) {
        ASSERT_TRUE(c == '\n' || (c >= ' ' && c <= '~'))
            << where << ": " << StrJoin(words, " ");
      }
    }
  }
}

}  // namespace
}  // namespace migstream
