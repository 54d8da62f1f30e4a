// What scripts read: each verb's JSON, by the schema that the program prints of
// it, and what somebody with jq stumbles over.

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "codec/model/seed_models.h"
#include "codec/wire/json_schema.h"
#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "inspect/run_program.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using Words = std::vector<std::string>;

std::string Input(std::string_view name) {
  return StrCat("testdata/inputs/", name);
}

std::string Path(const std::string& name) {
  return CapturePath(GetCapture(name));
}

rapidjson::Document Parsed(const std::string& text) {
  rapidjson::Document document;
  document.Parse(text.data(), text.size());
  EXPECT_FALSE(document.HasParseError()) << text.substr(0, 300);
  return document;
}

const rapidjson::SchemaDocument& SchemaOf(const std::string& name) {
  static std::map<std::string, std::unique_ptr<rapidjson::SchemaDocument>> all;
  std::unique_ptr<rapidjson::SchemaDocument>& schema = all[name];
  if (!schema) {
    ProgramRun run = RunProgram({"schema", name, "--format=jsonschema"});
    EXPECT_EQ(run.status, 0) << run.errors;
    schema = std::make_unique<rapidjson::SchemaDocument>(Parsed(run.output));
  }
  return *schema;
}

// What is wrong with it; empty if nothing is.
std::string Invalid(const std::string& name, const std::string& text) {
  rapidjson::Document document = Parsed(text);
  if (document.HasParseError()) return "no JSON";
  rapidjson::SchemaValidator validator(SchemaOf(name));
  if (document.Accept(validator)) return "";
  rapidjson::StringBuffer where;
  validator.GetInvalidDocumentPointer().StringifyUriFragment(where);
  return StrCat(validator.GetInvalidSchemaKeyword(), " at ", where.GetString());
}

ProgramRun Json(Words words) {
  words.push_back("--format=json");
  return RunProgram(words);
}

void ExpectValid(const Words& words, const std::string& name, int status) {
  ProgramRun run = Json(words);
  EXPECT_EQ(run.status, status) << words[0] << run.errors;
  EXPECT_EQ(Invalid(name, run.output), "") << words[0] << run.output;
  EXPECT_THAT(run.output, StartsWith(StrCat("{\n  \"schema\": \"migstream.",
                                            name, "/1\",\n  \"version\": \"")));
}

TEST(JsonTest, EachVerbsAnswerIsOfItsSchema) {
  const std::string out = TestFolder() + "/out";
  const std::string recipe = WriteTestFile(
      "recipe.textproto", "dialect: V111 devices { end { bytes: 9 } }");
  ExpectValid({"inspect", Path("s111-two")}, "report", 0);
  ExpectValid({"inspect", "--records", Input("cut.qvm.zst")}, "report", 1);
  ExpectValid({"stats", Path("s111-precopy")}, "stats", 0);
  ExpectValid({"check", Path("s111-two")}, "check", 0);
  ExpectValid({"check", Input("cut.qvm.zst")}, "check", 1);
  ExpectValid({"check", Input("bm.qvm.zst")}, "check", 1);
  ExpectValid({"check", "--for=qemu-7.2", Path("s72-two")}, "check", 0);
  ExpectValid({"check", "--for=qemu-11.1", Path("s52-two")}, "check", 1);
  ExpectValid({"check", "--for=linux-6.12", Path("s111-two")}, "check", 0);
  ExpectValid({"check", "--for=all", Path("s72-two")}, "check", 0);
  ExpectValid({"check", "--list"}, "check", 0);
  ExpectValid({"check", "--list", "--for=all"}, "check", 0);
  ExpectValid({"diff", Path("s72-two"), Path("s72-two")}, "diff", 0);
  ExpectValid({"diff", Path("s72-two"), Path("s111-two")}, "diff", 1);
  ExpectValid({"inspect", "--at=0x10", Path("s72-two")}, "place", 0);
  ExpectValid({"inspect", "--at=299000", Input("cut.qvm.zst")}, "place", 1);
  ExpectValid({"generate", recipe, "-o", out, "--expect"}, "generate", 0);
  ExpectValid({"generate", "--seed=1", "--count=3", "--damage=any", "--expect",
               "--out-dir", TestFolder()},
              "generate", 0);
  ExpectValid({"generate", "--list-damages"}, "generate", 0);
  ExpectValid({"explain", "truncated", "V100M", "no such"}, "explain", 0);
  ExpectValid({"schema"}, "schema", 0);
}

TEST(JsonTest, SoIsAMap) {
  // It is written a range at a time, and not by what writes the others.
  for (const std::string& file : {Path("s111-two"), Input("cut.qvm.zst")}) {
    ProgramRun run = Json({"inspect", "--map", file});
    EXPECT_EQ(Invalid("map", run.output), "");
    rapidjson::Document map = Parsed(run.output);
    EXPECT_STREQ(map["schema"].GetString(), "migstream.map/1");
    EXPECT_GT(map["files"][0]["ranges"].Size(), 20);
  }
}

TEST(JsonTest, SoIsWhatIsSaidOfDeviceModels) {
  const std::string nic = WriteTestFile("nic.json", kMyNic);
  const std::string old_card = WriteTestFile("old.json", kOldCard);
  const std::string new_card = WriteTestFile("new.json", kNewCard);
  const std::string source = StrCat(kE1000e, ",version=2,rx-filter-size=64");
  ExpectValid({"model", "check", source, old_card, new_card}, "model", 0);
  ExpectValid({"model", "check", source, nic}, "model", 1);
  ExpectValid({"model", "canonical", nic}, "model", 0);
  ExpectValid({"model", "lint", new_card, old_card}, "model", 0);
  ExpectValid({"model", "lint", nic, old_card}, "model", 1);
  ExpectValid({"model", "check", source, "/nonexistent"}, "error", 2);

  rapidjson::Document check =
      Parsed(Json({"model", "check", source, nic, new_card}).output);
  const auto& rows = check["destinations"];
  EXPECT_FALSE(rows[0]["takes"].GetBool());
  EXPECT_STREQ(rows[0]["reason"].GetString(), "model");
  EXPECT_TRUE(rows[1]["takes"].GetBool());
  EXPECT_STREQ(rows[1]["settings"][0]["name"].GetString(), "rx-filter-size");
  EXPECT_STREQ(rows[1]["settings"][0]["value"].GetString(), "64");
  rapidjson::Document lint =
      Parsed(Json({"model", "lint", nic, old_card}).output);
  const auto& last = lint["findings"][lint["findings"].Size() - 1];
  EXPECT_STREQ(last["id"].GetString(), "model-gone");
  EXPECT_STREQ(last["severity"].GetString(), "error");
  // A description is what the other model verbs read.
  const std::string shown = Json({"model", "show", new_card}).output;
  EXPECT_EQ(shown, RunProgram({"model", "show", "--json", new_card}).output);
  EXPECT_EQ(RunProgram({"model", "show", "--json-strings", nic}).status, 2);
}

TEST(JsonTest, SoIsWhatWasWritten) {
  const std::string out = TestFolder() + "/written";
  const std::string cut = Input("cut.qvm.zst");
  const std::string device = "--device=05.0";
  ExpectValid({"repack", Path("s72-two"), "-o", out}, "written", 0);
  ExpectValid({"repack", cut, "--force", "-o", out}, "written", 1);
  ExpectValid({"extract", device, Path("s72-two"), "--force", "-o", out},
              "written", 0);
  ExpectValid({"extract", device, cut, "--force", "-o", out}, "written", 1);
  ExpectValid({"extract", device, cut, "-o", out}, "error", 2);
  ExpectValid({"extract", cut, "-o", "-"}, "error", 2);
  rapidjson::Document all = Parsed(
      Json({"extract", "--all", cut, "-o", TestFolder() + "/all"}).output);
  uint64_t bytes = 0;
  for (const auto& file : all["files"].GetArray()) {
    bytes += file["bytes"].GetUint64();
  }
  EXPECT_GT(bytes, 4 << 20);
  EXPECT_THAT(all["error"]["message"].GetString(), HasSubstr("config"));
}

// Whoever records a migration is told what check says of it.
TEST(JsonTest, SoIsWhatWasCaptured) {
  // A socket's name is short.
  const std::string path = StrCat("/tmp/migstream-json-", getpid());
  std::thread source([&path] {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    int fd = -1;
    do {
      if (fd >= 0) close(fd);
      fd = socket(AF_UNIX, SOCK_STREAM, 0);
    } while (connect(fd, reinterpret_cast<sockaddr*>(&address),
                     sizeof address) != 0);
    const std::string bytes =
        RunProgram({"repack", Path("s72-two"), "-o", "-"}).output;
    EXPECT_TRUE(WriteAll(fd, bytes.data(), bytes.size()));
    close(fd);
  });
  ExpectValid(
      {"capture", StrCat("--listen=unix:", path), "-o", TestFolder() + "/vm"},
      "check", 0);
  source.join();
  unlink(path.c_str());
}

TEST(JsonTest, NoVerbIsWithoutIt) {
  std::set<std::string_view> verbs, with;
  const std::string options = RunProgram({"--list-options"}).output;
  for (std::string_view line : Split(options, '\n')) {
    const std::string_view verb = line.substr(0, line.find('|'));
    if (verb.empty()) continue;
    verbs.insert(verb);
    if (line.find("|--format|") != line.npos &&
        line.find("json") != line.npos) {
      with.insert(verb);
    }
  }
  EXPECT_GT(verbs.size(), 10);
  EXPECT_EQ(verbs, with);
}

TEST(JsonTest, ErrorsHaveTheirPlaces) {
  const Words words = {"check", "--explain", Input("cut.qvm.zst")};
  ExpectValid(words, "check", 1);
  rapidjson::Document check = Parsed(Json(words).output);
  ASSERT_EQ(check["places"].Size(), 1);
  const auto& place = check["places"][0];
  EXPECT_STREQ(place["schema"].GetString(), "migstream.place/1");
  EXPECT_EQ(place["offset"], check["findings"][0]["offset"]);
  EXPECT_GT(place["items"].Size(), 3);
  EXPECT_THAT(
      RunProgram({"check", "--explain", "--format=jsonl", words[2]}).output,
      HasSubstr("\n{\"place\":{\"schema\":"));
}

// What other programs read has their form, and not one of ours.
TEST(JsonTest, WhatIsJsonAnywayIsTheSame) {
  for (const char* option : {"--state", "--vmdesc"}) {
    ProgramRun run = Json({"inspect", option, Path("s72-two")});
    EXPECT_EQ(run.status, 0) << run.errors;
    EXPECT_EQ(run.output,
              RunProgram({"inspect", option, Path("s72-two")}).output);
    EXPECT_TRUE(Parsed(run.output).IsObject());
  }
}

TEST(JsonTest, SoIsWhatADestinationSays) {
  const std::string two = Path("s72-two");
  const std::string dump = "--destination=testdata/dumps/qemu-7.2.json.zst";
  const std::string idle = "testdata/idle/7.2-base.qvm.zst";
  const std::string device = TestFolder() + "/lspci";
  ASSERT_EQ(RunProgram({"extract", two, "--device=05.0", "--what=config",
                        "--format=lspci", "-o", device})
                .status,
            0);
  ExpectValid({"check", two, dump}, "check", 0);
  ExpectValid({"check", two, StrCat("--destination=", idle)}, "check", 1);
  ExpectValid({"check", two, StrCat("--destination=", device), "--device=05.0"},
              "check", 0);
  ExpectValid({"diff", "--loadable", two, idle}, "diff", 1);

  rapidjson::Document check =
      Parsed(Json({"check", two, StrCat("--destination=", idle)}).output);
  const auto& destination = check["destination"];
  EXPECT_STREQ(destination["kind"].GetString(), "stream");
  EXPECT_GT(destination["compared"].GetUint64(), 10);
  // The first refusal is what the loader says.
  const auto& load = check["loads"][0];
  EXPECT_STREQ(load["release"].GetString(), "qemu-7.2");
  EXPECT_STREQ(load["outcome"].GetString(), "refuses");
  EXPECT_EQ(load["message"], destination["refusals"][0]["message"]);
  EXPECT_EQ(load["offset"], destination["refusals"][0]["offset"]);
}

// What a script reads of all releases is what it would read of each.
TEST(JsonTest, AllReleasesAreARowEach) {
  const std::string two = Path("s72-two");
  rapidjson::Document all = Parsed(Json({"check", "--for=all", two}).output);
  ASSERT_GT(all["loads"].Size(), 10);
  for (const char* release : {"qemu-5.2", "qemu-7.2", "qemu-11.1"}) {
    rapidjson::Document one =
        Parsed(Json({"check", StrCat("--for=", release), two}).output);
    bool found = false;
    for (const auto& load : all["loads"].GetArray()) {
      found |= load == one["loads"][0];
    }
    EXPECT_TRUE(found) << release;
  }
  rapidjson::Document list =
      Parsed(Json({"check", "--list", "--for=all"}).output);
  ASSERT_EQ(list["releases"].Size(), all["loads"].Size());
  for (unsigned i = 0; i < list["releases"].Size(); ++i) {
    EXPECT_EQ(list["releases"][i]["release"], all["loads"][i]["release"]);
    EXPECT_GT(list["releases"][i]["dialects"].Size(), 0);
  }
}

TEST(JsonTest, APlaceHasItsFields) {
  rapidjson::Document place =
      Parsed(Json({"inspect", "--at=0", Path("s72-two")}).output);
  EXPECT_EQ(place["offset"].GetUint64(), 0);
  EXPECT_FALSE(place.HasMember("error"));
  const auto& magic = place["items"][0]["fields"][0];
  EXPECT_STREQ(magic["first"].GetString(), "51 45 56 4d");
  EXPECT_STREQ(magic["value"].GetString(), "QEVM");
  EXPECT_TRUE(magic["here"].GetBool());
}

TEST(JsonTest, SoIsWhatFails) {
  ExpectValid({"check", "/nonexistent"}, "error", 2);
  ExpectValid({"inspect", WriteTestFile("text", "hello, world")}, "error", 2);
  ExpectValid({"diff", Path("s72-two")}, "error", 2);
  ExpectValid({"stats", "--link=fast", Path("s72-two")}, "error", 2);
  // What is wrong may stand before what says that it is JSON.
  EXPECT_EQ(Invalid("error",
                    RunProgram({"check", "--bad", "--format", "json"}).output),
            "");
  ExpectValid({"generate", "/nonexistent", "-o", "/dev/null"}, "error", 2);
  rapidjson::Document document =
      Parsed(Json({"check", WriteTestFile("text", "hello, world")}).output);
  EXPECT_EQ(document["error"]["offset"].GetUint64(), 0);
  EXPECT_THAT(document["error"]["message"].GetString(),
              StartsWith("not a migration stream"));
}

TEST(JsonTest, ASchemaRefusesWhatIsOfAnother) {
  const std::string stats = Json({"stats", Path("s72-two")}).output;
  EXPECT_NE(Invalid("check", stats), "");
  EXPECT_NE(Invalid("stats", "{}"), "");
}

TEST(JsonTest, SchemasAreListedAndPrintedAsTheProgramHasThem) {
  EXPECT_THAT(RunProgram({"schema"}).output, HasSubstr("\nrecipe "));
  for (const char* name : {"report", "check", "stats", "diff", "generate",
                           "explain", "place", "map", "model", "written",
                           "schema", "error", "recipe", "expectation"}) {
    EXPECT_THAT(RunProgram({"schema", name}).output,
                HasSubstr("syntax = \"proto3\";"))
        << name;
    SchemaOf(name);
  }
  EXPECT_EQ(RunProgram({"schema", "no-such"}).status, 2);
}

// The traps: numbers as strings, zeros left out, an offset or an index that is
// missing.
TEST(JsonTest, NumbersAreNumbersAndZerosAreThere) {
  ProgramRun run = Json({"inspect", Path("s111-two")});
  rapidjson::Document report = Parsed(run.output);
  uint64_t sum = 0;
  for (const auto& device : report["otherDevices"].GetArray()) {
    sum += device["bytes"].GetUint64();
  }
  EXPECT_GT(sum, 10000);
  const auto& device = report["devices"][0];
  EXPECT_LT(device["payloadBytes"].GetUint64(), 100000000000);
  EXPECT_EQ(device["preCopy"]["bytes"].GetUint64(), 0);
  EXPECT_EQ(device["stopCopy"]["bytes"].GetUint64(), 39321);
  const auto& pci = device["config"]["pci"];
  EXPECT_EQ(pci["bars"][0]["index"].GetUint(), 0);
  EXPECT_EQ(pci["command"].GetUint(), 0);
  EXPECT_FALSE(report["devices"][0]["configLoadReady"].GetBool());
}

TEST(JsonTest, ProtobufsOwnFormIsToBeHad) {
  ProgramRun run = RunProgram({"inspect", "--json-strings", Path("s111-two")});
  EXPECT_EQ(run.status, 0);
  EXPECT_THAT(run.output, HasSubstr("\"payloadBytes\": \"39321\""));
  EXPECT_THAT(run.output, Not(HasSubstr("\"configLoadReady\"")));
}

TEST(JsonTest, TheVerdictIsData) {
  rapidjson::Document check =
      Parsed(Json({"check", Input("cut.qvm.zst")}).output);
  const auto& verdict = check["verdict"];
  EXPECT_STREQ(verdict["outcome"].GetString(), "cut");
  EXPECT_STREQ(verdict["phase"].GetString(), "stop-copy");
  EXPECT_TRUE(verdict["guestStopped"].GetBool());
  EXPECT_EQ(verdict["errors"].GetUint64(), 1);
  EXPECT_STREQ(check["findings"][0]["id"].GetString(), "truncated");
  EXPECT_STRNE(check["findings"][0]["advice"].GetString(), "");
}

TEST(JsonTest, LinesAreJsonEach) {
  ProgramRun run = RunProgram({"inspect", "--format=jsonl", Path("s111-two")});
  EXPECT_EQ(run.status, 0);
  size_t records = 0;
  for (std::string_view line : Split(run.output, '\n')) {
    if (line.empty()) continue;
    rapidjson::Document row = Parsed(std::string(line));
    if (!row.HasMember("record")) {
      EXPECT_TRUE(row.HasMember("report"));
      continue;
    }
    EXPECT_TRUE(row["record"]["offset"].IsUint64());
    EXPECT_TRUE(row["device"].IsString());
    ++records;
  }
  EXPECT_GT(records, 10);
  run = RunProgram({"check", "--format=jsonl", Input("cut.qvm.zst")});
  EXPECT_THAT(run.output, StartsWith("{\"finding\":{\"severity\":\"error\""));
  EXPECT_THAT(run.output, HasSubstr("\n{\"verdict\":{\"outcome\":\"cut\""));
}

void ExpectJq(std::string_view filter, const std::string& file) {
  EXPECT_EQ(
      std::system(StrCat("jq -e '", filter, "' ", file, " >/dev/null").c_str()),
      0)
      << filter;
}

TEST(JsonTest, JqAddsAndSelects) {
  const std::string file =
      WriteTestFile("report", Json({"inspect", Path("s111-two")}).output);
  for (const char* filter :
       {"[.otherDevices[].bytes] | add > 10000",
        "[.devices[] | select(.payloadBytes > 100000000000)] | length == 0",
        ".devices[0].config.pci.bars[0].index == 0",
        "[.evidence[].offset | type] | unique == [\"number\"]"}) {
    ExpectJq(filter, file);
  }
  ExpectJq(
      "[.loads[] | select(.outcome == \"loads\") | .release] | "
      "index(\"qemu-7.2\") != null",
      WriteTestFile("loads",
                    Json({"check", "--for=all", Path("s72-two")}).output));
  ExpectJq("[.items[].fields[] | select(.here)] | length == 1",
           WriteTestFile("place",
                         Json({"inspect", "--at=5", Path("s72-two")}).output));
}

TEST(JsonTest, HostileNamesAreEscaped) {
  ProgramRun run = Json({"inspect", Input("c1-vmdesc.qvm.zst")});
  for (char c : run.output) {
    EXPECT_TRUE(c == '\n' || (c >= 0x20 && c < 0x7f)) << static_cast<int>(c);
  }
}

}  // namespace
}  // namespace migstream
