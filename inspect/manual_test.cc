// The manual and the shell completion say what the program takes: no more, and
// no less.

#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "codec/io/absl_view.h"
#include "codec/version.h"
#include "codec/wire/text.h"
#include "flags/dialect.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "inspect/run_program.h"

namespace migstream {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::Not;
using testing::UnorderedElementsAre;

constexpr char kManual[] = "inspect/migstream.1";
constexpr char kCommon[] = "COMMON OPTIONS";

// What a shell command prints, standard error too.
std::string Shell(const std::string& command) {
  std::string out = TestFolder() + "/out";
  EXPECT_EQ(std::system(StrCat(command, " >", out, " 2>&1").c_str()), 0)
      << ReadTestFile(out);
  return ReadTestFile(out);
}

struct Row {
  std::string verb, option, value, choices;
};

std::vector<Row> Rows() {
  std::vector<Row> rows;
  std::string list = RunProgram({"--list-options"}).output;
  for (std::string_view line : Split(list, '\n')) {
    if (line.empty()) continue;
    std::vector<std::string> fields = absl::StrSplit(AbslView(line), '|');
    EXPECT_EQ(fields.size(), 4) << line;
    rows.push_back({fields[0], fields[1], fields[2], fields[3]});
  }
  EXPECT_GT(rows.size(), 20);
  return rows;
}

// The options that the manual explains, by verb or kCommon.
std::map<std::string, std::set<std::string>> ManualOptions() {
  std::map<std::string, std::set<std::string>> options;
  std::string part;
  bool term = false;  // The line after .TP is what is explained.
  const std::string manual = ReadTestFile(kManual);
  for (std::string_view line : Split(manual, '\n')) {
    if (line.starts_with(".SS ") || line.starts_with(".SH ")) {
      part = std::string(line.substr(4));
    } else if (term) {
      std::string text = absl::StrReplaceAll(AbslView(line), {{"\\-", "-"}});
      std::vector<std::string> words =
          absl::StrSplit(text, absl::ByAnyChar(" =,\""), absl::SkipEmpty());
      for (const std::string& word : words) {
        if (word.starts_with("-")) options[part].insert(word);
      }
    }
    term = line == ".TP";
  }
  return options;
}

TEST(ManualTest, GroffHasNothingToSayAgainstIt) {
  EXPECT_EQ(Shell(StrCat("groff -man -ww -z ", kManual)), "");
}

TEST(ManualTest, HasEveryVerbAndOption) {
  auto options = ManualOptions();
  for (const Row& row : Rows()) {
    EXPECT_TRUE(options[row.verb].count(row.option) != 0 ||
                options[kCommon].count(row.option) != 0)
        << row.verb << " " << row.option;
  }
}

TEST(ManualTest, HasNoVerbOrOptionThatIsNone) {
  std::map<std::string, std::set<std::string>> real;
  for (const Row& row : Rows()) {
    real[row.verb].insert(row.option);
    real[kCommon].insert(row.option);
  }
  real[kCommon].insert({"-q", "--help", "--version", "--list-options"});
  for (const auto& [part, options] : ManualOptions()) {
    for (const std::string& option : options) {
      EXPECT_EQ(real[part].count(option), 1) << part << " " << option;
    }
  }
}

TEST(VersionTest, IsThatOfTheProgramTheManualAndTheChangelog) {
  const std::string version = MIGSTREAM_VERSION;
  EXPECT_EQ(version,
            StrCat(MIGSTREAM_VERSION_MAJOR, ".", MIGSTREAM_VERSION_MINOR, ".",
                   MIGSTREAM_VERSION_PATCH));
  EXPECT_EQ(RunProgram({"--version"}).output,
            StrCat("migstream ", version, "\n"));
  EXPECT_THAT(ReadTestFile(kManual),
              HasSubstr(StrCat("\"migstream ", version, "\"")));
  const std::string changelog = ReadTestFile("CHANGELOG.md");
  std::string_view first = std::string_view(changelog).substr(
      changelog.find("\n## "), version.size() + 4);
  EXPECT_EQ(first, StrCat("\n## ", version));
}

TEST(OptionTest, ChoicesAreTakenAndNothingElseIs) {
  for (const Row& row : Rows()) {
    if (row.choices.empty()) continue;
    std::vector<std::string> values = absl::StrSplit(row.choices, ' ');
    // What is wrong with a value is said with the value in quotes.
    auto quoted_in_errors = [&](const std::string& value) {
      ProgramRun run = RunProgram(
          {row.verb, "/nonexistent/file", StrCat(row.option, "=", value)});
      return (run.errors.find(StrCat("'", value, "'")) !=
              std::string_view::npos);
    };
    for (const std::string& value : values) {
      EXPECT_FALSE(quoted_in_errors(value)) << row.option << " " << value;
    }
    EXPECT_TRUE(quoted_in_errors("nothing")) << row.verb << " " << row.option;
  }
}

TEST(ManualTest, NamesEveryDialectAndSoDoesHelp) {
  std::string manual = ReadTestFile(kManual);
  absl::StrReplaceAll({{"\\-", "-"}}, &manual);
  const std::string help = RunProgram({"inspect", "--help"}).output;
  for (const Dialect& dialect : AllDialects()) {
    if (dialect.id == DialectId::kAuto) continue;
    std::string name = StrCat("[ \n]", dialect.name, "[ ,\n]");
    EXPECT_THAT(help, ContainsRegex(name));
    EXPECT_THAT(manual, ContainsRegex(name));
  }
}

// What bash offers where the cursor stands at the end of `words`.
std::vector<std::string> Complete(const std::vector<std::string>& words) {
  std::string command = StrCat(
      "bash -euc 'source inspect/completion.bash; COMP_WORDS=(migstream");
  for (const std::string& word : words) {
    StrAppend(&command, " \"", word, "\"");
  }
  StrAppend(&command, "); COMP_CWORD=", words.size(),
            "; _migstream inspect/migstream; "
            "printf \"%s\\n\" \"${COMPREPLY[@]}\"'");
  std::string text = Shell(command);
  return absl::StrSplit(text, '\n', absl::SkipEmpty());
}

TEST(CompletionTest, OffersEveryVerb) {
  std::set<std::string> verbs = {"help", "--help", "--version"};
  for (const Row& row : Rows()) verbs.insert(row.verb);
  EXPECT_THAT(Complete({""}), testing::UnorderedElementsAreArray(verbs));
  EXPECT_THAT(Complete({"ins"}), ElementsAre("inspect"));
  EXPECT_THAT(Complete({"nothing"}), ElementsAre());
}

TEST(CompletionTest, OffersEveryOptionOfAVerb) {
  std::map<std::string, std::vector<std::string>> options;
  for (const Row& row : Rows()) {
    bool takes_value = !row.value.empty() && row.value[0] != '[';
    options[row.verb].push_back(StrCat(
        row.option, takes_value && row.option.starts_with("--") ? "=" : ""));
  }
  for (auto& [verb, expected] : options) {
    expected.push_back("--help");
    EXPECT_THAT(Complete({verb, "-"}),
                testing::UnorderedElementsAreArray(expected));
  }
  EXPECT_THAT(Complete({"inspect", "--records"}), ElementsAre("--records"));
  EXPECT_THAT(Complete({"inspect", "file", "--form"}),
              ElementsAre("--format="));
}

TEST(CompletionTest, OffersAnOptionsValues) {
  // bash takes "--format=j" for three words.
  EXPECT_THAT(Complete({"stats", "--format", "=", "j"}), ElementsAre("json"));
  EXPECT_THAT(Complete({"stats", "--format", "="}),
              UnorderedElementsAre("text", "json", "textproto"));
  EXPECT_THAT(Complete({"inspect", "--format", "te"}),
              UnorderedElementsAre("text", "textproto"));
  EXPECT_THAT(Complete({"extract", "--device", "=", ""}), ElementsAre());
}

TEST(CompletionTest, TakesAnOptionWithItsValueForOneWordToo) {
  EXPECT_THAT(Complete({"inspect", "--format=textp"}),
              ElementsAre("--format=textproto"));
  EXPECT_THAT(Complete({"help", "che"}), ElementsAre("check"));
}

TEST(CompletionTest, OffersFiles) {
  std::string path = WriteTestFile("stream.qvm", "");
  std::string start = path.substr(0, path.size() - 4);
  EXPECT_THAT(Complete({"inspect", start}), ElementsAre(path));
  EXPECT_THAT(Complete({"inspect", "--records", start}), ElementsAre(path));
  EXPECT_THAT(Complete({"extract", "file", "-o", start}), ElementsAre(path));
  EXPECT_THAT(Complete({"check", "--destination-config", "=", start}),
              ElementsAre(path));
  std::string folder = path.substr(0, path.rfind('/'));
  EXPECT_THAT(Complete({"generate", "--out-dir", "=", folder}),
              ElementsAre(folder));
  EXPECT_THAT(Complete({"generate", "--out-dir", "=", start}), ElementsAre());
}

TEST(CompletionTest, OffersWhatModelDoesAndThenFiles) {
  EXPECT_THAT(Complete({"model", "c"}),
              UnorderedElementsAre("check", "canonical"));
  // As many as there are.
  const std::string errors = RunProgram({"model"}).errors;
  for (const std::string& action : Complete({"model", ""})) {
    EXPECT_THAT(errors, ContainsRegex(StrCat("[ ]", action, "[,\n]")));
  }
  EXPECT_EQ(Complete({"model", ""}).size(),
            Split(errors.substr(0, errors.find('\n')), ',').size());
  std::string path = WriteTestFile("new.json", "");
  EXPECT_THAT(Complete({"model", "show", path.substr(0, path.size() - 2)}),
              ElementsAre(path));
}

TEST(CompletionTest, IsSilentWithoutTheProgram) {
  EXPECT_EQ(Shell("bash -c 'source inspect/completion.bash; "
                  "COMP_WORDS=(migstream x); COMP_CWORD=1; "
                  "_migstream /nonexistent/migstream || true'"),
            "");
}

}  // namespace
}  // namespace migstream
