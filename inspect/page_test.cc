// `inspect --html`: what a browser makes of the page. Skipped without Chromium.

#include <array>
#include <cstdio>
#include <cstdlib>
#include <regex>
#include <string>
#include <vector>

#include "codec/wire/json_document.h"
#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "inspect/run_program.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kStream[] = "testdata/captures/s111-switchover-ack.qvm.zst";

std::string Page(const std::vector<std::string>& files, int status = 0) {
  const std::string page = StrCat(TestFolder(), "/page.html");
  std::vector<std::string> words = {"inspect", "--force",
                                    StrCat("--html=", page)};
  words.insert(words.end(), files.begin(), files.end());
  ProgramRun run = RunProgram(words);
  EXPECT_EQ(run.status, status) << run.errors;
  return page;
}

// What the browser's document is once the page's script has run.
class BrowserTest : public testing::Test {
 protected:
  void SetUp() override {
    if (std::system("command -v chromium >/dev/null 2>&1") != 0) {
      GTEST_SKIP() << "there is no Chromium here";
    }
  }

  static std::string Document(const std::string& page) {
    // All that is asked of a network would go to a port where nobody is.
    const std::string command = StrCat(
        "chromium --headless --no-sandbox --disable-gpu "
        "--disable-dev-shm-usage --proxy-server=127.0.0.1:9 "
        "--user-data-dir='",
        TestFolder(), "/browser' --dump-dom 'file://", page, "' 2>/dev/null");
    FILE* pipe = popen(command.c_str(), "r");
    if (pipe == nullptr) return "";
    std::string text;
    std::array<char, 4096> piece;
    for (size_t count;
         (count = fread(piece.data(), 1, piece.size(), pipe)) != 0;) {
      text.append(piece.data(), count);
    }
    pclose(pipe);
    return text;
  }
};

std::vector<std::string> Matches(const std::string& text,
                                 const std::string& pattern) {
  const std::regex regex(pattern);
  std::vector<std::string> found;
  for (std::sregex_iterator i(text.begin(), text.end(), regex), end; i != end;
       ++i) {
    found.push_back((*i)[1]);
  }
  return found;
}

TEST_F(BrowserTest, ShowsTheNumbersOfTheJson) {
  const std::string document = Document(Page({kStream}));
  ASSERT_THAT(document, HasSubstr("data-ready=\""));
  EXPECT_THAT(document, HasSubstr("complete, nothing wrong found"));
  EXPECT_THAT(document, HasSubstr("pc-q35-11.1"));
  // Every byte is in one row of the table.
  uint64_t sum = 0;
  const auto sizes =
      Matches(document,
              "<tr data-i=\"[^>]*><td class=\"n\">[^<]*</td><td class=\"n\">"
              "([0-9]+)</td>");
  for (const std::string& size : sizes) sum += std::stoull(size);
  EXPECT_EQ(sum, ReadDecompressed(kStream).size());
  EXPECT_EQ(Matches(document, "data-ready=\"([0-9]+)\""),
            std::vector<std::string>({StrCat(sizes.size())}));
  ProgramRun run = RunProgram({"inspect", "--format=json", kStream});
  rapidjson::Document json;
  ASSERT_EQ(ParseJson(run.output, 1 << 22, 32, json), "");
  const auto& device = json["devices"][0];
  for (const char* phase : {"preCopy", "stopCopy"}) {
    EXPECT_THAT(document,
                HasSubstr(StrCat("<td class=\"n\">",
                                 device[phase]["bytes"].GetUint64(), "</td>")));
  }
  // Where the guest is stopped.
  EXPECT_THAT(
      document,
      HasSubstr(StrCat("stopped from ",
                       Hex(json["switchover"]["offset"].GetUint64()), " on")));
}

TEST_F(BrowserTest, ShowsAllChannels) {
  const std::string start = "testdata/captures/s111-multifd-two";
  std::vector<std::string> files = {StrCat(start, ".qvm.zst")};
  for (int i = 1; i <= 4; ++i) {
    files.push_back(StrCat(start, ".ch", i, ".qvm.zst"));
  }
  const std::string document = Document(Page(files));
  for (const std::string& file : files) {
    EXPECT_THAT(document, HasSubstr(StrCat("bytes of ", file)));
  }
}

TEST_F(BrowserTest, NamesStayText) {
  std::string bytes = ReadDecompressed(kStream);
  const std::string hostile = "<b>x</b>&\"'";
  const size_t at = bytes.find("pc-q35-11.1");
  bytes.replace(at, hostile.size(), hostile);
  const std::string file =
      WriteTestFile("<img src=x onerror=document.title=1>.qvm", bytes);
  // No release has such a machine type.
  const std::string document = Document(Page({file}, 1));
  ASSERT_THAT(document, HasSubstr("data-ready=\""));
  EXPECT_THAT(document, HasSubstr("&lt;b&gt;x&lt;/b&gt;&amp;\"'"));
  EXPECT_THAT(document, Not(HasSubstr("<b>")));
  EXPECT_THAT(document, Not(HasSubstr("<img")));
  EXPECT_THAT(document, Not(HasSubstr("<title>1")));
}

// What matters is not pushed off the screen by what was guessed.
TEST_F(BrowserTest, FoldsFindingsOfAKind) {
  const std::string document =
      Document(Page({"testdata/inputs/cut.qvm.zst"}, 1));
  const auto shown = Matches(document, "<li class=\"note\">(.)");
  const auto folded = Matches(document, "<li class=\"note\" hidden=\"(.?)");
  EXPECT_EQ(shown.size(), 5);  // Three, how many more, and one of another kind.
  EXPECT_THAT(document,
              HasSubstr(StrCat(">", folded.size(), " more</button>")));
  EXPECT_GT(folded.size(), 10);
}

TEST_F(BrowserTest, LinksFindingsToTheirBytes) {
  const std::string document =
      Document(Page({"testdata/inputs/midflip.qvm.zst"}, 1));
  EXPECT_THAT(document, HasSubstr("not complete, 1 error"));
  EXPECT_THAT(document, HasSubstr("<button class=\"at\">0x17862"));
  EXPECT_THAT(document, HasSubstr("class=\"flag error\""));
  EXPECT_THAT(document, HasSubstr("<td>unread</td>"));
}

TEST(PageTest, AsksNothingOfANetwork) {
  const std::string page = ReadTestFile(Page({kStream}));
  EXPECT_THAT(page, HasSubstr("default-src 'none'; script-src 'sha256-"));
  for (const std::string& url : Matches(page, "(https?://[^\"' <]*)")) {
    EXPECT_EQ(url, "http://www.w3.org/2000/svg");  // SVG's name.
  }
  EXPECT_EQ(Matches(page, "(@import|url\\(|src=|href=)"),
            std::vector<std::string>());
}

TEST(PageTest, StaysSmall) {
  EXPECT_LT(ReadTestFile(Page({kStream})).size(), 200000U);
}

TEST(PageTest, OverwritesNothingUnasked) {
  const std::string page = WriteTestFile("mine.html", "mine");
  EXPECT_EQ(RunProgram({"inspect", StrCat("--html=", page), kStream}).status,
            2);
  EXPECT_EQ(ReadTestFile(page), "mine");
}

}  // namespace
}  // namespace migstream
