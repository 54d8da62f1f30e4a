#include <algorithm>
#include <deque>
#include <filesystem>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_split.h"
#include "codec/generate/damage.h"
#include "codec/generate/expectation.h"
#include "codec/generate/frame.h"
#include "codec/generate/generator.h"
#include "codec/generate/payload_damage.h"
#include "codec/generate/random.h"
#include "codec/generate/random_recipe.h"
#include "codec/generate/recipe_dialect.h"
#include "codec/io/absl_view.h"
#include "codec/loader/loader_row.h"
#include "codec/report/answers.pb.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "flags/release.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/text_format.h"
#include "inspect/inputs.h"
#include "inspect/json_output.h"
#include "inspect/output_file.h"
#include "inspect/stale_channels.h"
#include "inspect/table.h"
#include "inspect/verb.h"

namespace migstream {
namespace {

constexpr size_t kMaxRecipeBytes = 64 << 20;
constexpr size_t kMaxFrameBytes = size_t{1} << 30;
constexpr uint64_t kMaxCount = 1000000;
constexpr std::string_view kAnyDamage = "any";

class FirstProblem : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, int column, const std::string& message) override {
    if (!text.empty()) return;
    text = StrCat(line + 1, ":", column + 1, ": ", message);
  }
  void AddWarning(int, int, const std::string&) override {}

  std::string text;
};

// All of a file; false, with a message, if it cannot be read or holds more, or
// if its first bytes are a `problem`.
bool ReadAll(const std::string& path, size_t limit,
             std::string (*problem)(ByteSpan bytes), std::string& bytes) {
  std::unique_ptr<ByteSource> source = OpenInput(path);
  if (!source) return false;
  if (std::string found = problem == nullptr ? "" : problem(source->Peek(8));
      !found.empty()) {
    PrintError(StrCat(path, ": ", found));
    return false;
  }
  while (true) {
    ByteSpan piece = source->Peek(1);
    if (piece.empty()) break;
    bytes.append(AsText(piece).data(), piece.size());
    source->Consume(piece.size());
    if (bytes.size() > limit) {
      PrintError(StrCat(path, ": more than ", limit, " bytes"));
      return false;
    }
  }
  if (source->failure().empty()) return true;
  PrintError(StrCat(path, ": ", source->failure()));
  return false;
}

bool ReadRecipe(const std::string& path, recipe::Migration& recipe) {
  std::string text;
  if (!ReadAll(path, kMaxRecipeBytes, nullptr, text)) return false;
  FirstProblem problem;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&problem);
  if (parser.ParseFromString(text, &recipe)) return true;
  PrintError(StrCat(path, ":", problem.text));
  return false;
}

// The payloads that devices of a recipe carry; false, and said why, if one
// cannot be read.
bool ReadCarried(recipe::Migration& recipe) {
  for (recipe::Device& device : *recipe.mutable_devices()) {
    if (device.vendor().carried().file().empty()) continue;
    recipe::Carried& carried = *device.mutable_vendor()->mutable_carried();
    if (!ReadAll(carried.file(), kMaxFrameBytes, nullptr,
                 *carried.mutable_bytes())) {
      return false;
    }
    carried.clear_file();
  }
  return true;
}

// A real stream for a frame; false, with a message, if it is not one.
bool ReadFrame(const std::string& path, std::string& bytes) {
  if (!ReadAll(
          path, kMaxFrameBytes, [](ByteSpan head) { return NotAStream(head); },
          bytes))
    return false;
  auto frame = Frame::Read(AsBytes(bytes));
  if (!frame.ok())
    PrintError(StrCat(path, ": ", StdView(frame.status().message())));
  return frame.ok();
}

// The files of one stream: all of them get into their places, or none.
class Files {
 public:
  explicit Files(bool force) : force_(force) {}

  void Add(const std::string& path, std::string_view bytes) {
    if (!status_.ok()) return;
    OutputFile& file = files_.emplace_back();
    status_ = file.Open(path, force_);
    if (status_.ok()) file.Write(AsBytes(bytes));
  }

  absl::Status Commit() {
    std::vector<OutputFile*> files;
    for (OutputFile& file : files_) files.push_back(&file);
    return status_.ok() ? CommitAll(files) : status_;
  }

 private:
  const bool force_;
  std::deque<OutputFile> files_;
  absl::Status status_;
};

// "vm.ch1.qvm" beside "vm.qvm".
std::string Beside(const std::string& path, const std::string& what) {
  std::filesystem::path file(path);
  return (file.parent_path() /
          StrCat(file.stem().string(), what, file.extension().string()))
      .string();
}

// `recipe` is written beside the stream if there is one. `row` gets what was
// written.
bool WriteAll(const Generated& made, const std::string& path,
              const recipe::Migration* recipe, const Arguments& arguments,
              report::GeneratedStream& row) {
  if (path == "-" &&
      (!made.channels.empty() || arguments.expected_loader != 0)) {
    PrintError(
        "standard output takes one stream, and this makes several files");
    return false;
  }
  auto channel_name = [&path](size_t number) {
    return Beside(path, StrCat(".ch", number));
  };
  Files files(arguments.force);
  auto add = [&](const std::string& name, std::string_view bytes) {
    files.Add(name, bytes);
    row.add_files(Printable(name));
  };
  auto add_text = [&](const google::protobuf::Message& message,
                      const char* extension) {
    std::string text;
    google::protobuf::TextFormat::PrintToString(message, &text);
    add(std::filesystem::path(path).replace_extension(extension).string(),
        text);
  };
  add(path, made.main.bytes);
  for (size_t i = 0; i < made.channels.size(); ++i) {
    add(channel_name(i + 1), made.channels[i].bytes);
  }
  for (const DoneDamage& done : made.damages) {
    row.add_damages(DamageName(done.damage.kind()));
  }
  if (arguments.expected_loader != 0) {
    const recipe::Expectation expected =
        Expect(made, arguments.expected_loader);
    row.set_verdict(recipe::Expectation::Verdict_Name(expected.verdict()));
    row.set_message(Printable(expected.message()));
    add_text(expected, ".expect");
  }
  if (recipe != nullptr) add_text(*recipe, ".textproto");
  StaleChannels stale;
  absl::Status status;
  if (path != "-") {
    status = stale.Find(path, made.channels.size() + 1, channel_name,
                        arguments.force);
  }
  if (status.ok()) status = files.Commit();
  if (status.ok()) status = stale.Remove();
  return IsFine(status);
}

// The first damage, in an order that the seed decides, that can be done.
absl::Status InflictAny(uint64_t seed, Generated& made) {
  Random random(seed);
  std::span<const DamageRow> rows = DamageRows();
  size_t first = random.Below(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    recipe::Damage damage;
    damage.set_kind(rows[(first + i) % rows.size()].kind);
    if (Inflict(damage, made).ok()) return absl::OkStatus();
  }
  return absl::NotFoundError("nothing can be done to the stream");
}

bool IsPayloadDamage(std::string_view name) {
  return FindPayloadDamage(name) != recipe::PayloadDamage::NONE;
}

// Those of a payload are done to the first device that has a vendor's, before
// the stream is written around it.
absl::Status AskForPayloadDamage(const Arguments& arguments,
                                 recipe::Migration& recipe) {
  for (const std::string& name : arguments.damages) {
    if (!IsPayloadDamage(name)) continue;
    auto device = std::find_if(
        recipe.mutable_devices()->begin(), recipe.mutable_devices()->end(),
        [](const recipe::Device& device) { return device.has_vendor(); });
    if (device == recipe.mutable_devices()->end()) {
      return absl::NotFoundError(
          StrCat("damage ", name, ": no device has a vendor's payload"));
    }
    device->mutable_vendor()->add_damage()->set_kind(FindPayloadDamage(name));
  }
  return absl::OkStatus();
}

// In the recipe's order those of the recipe, and then those of the command
// line. `missed` counts what a stream has nothing to do it to.
absl::Status InflictAll(const Arguments& arguments, uint64_t seed,
                        uint64_t* missed, Generated& made) {
  for (const std::string& name : arguments.damages) {
    absl::Status status;
    if (IsPayloadDamage(name)) continue;  // It was asked for before.
    if (name == kAnyDamage) {
      status = InflictAny(seed, made);
    } else {
      recipe::Damage damage;
      damage.set_kind(FindDamage(name)->kind);
      status = Inflict(damage, made);
    }
    if (status.ok()) continue;
    if (missed == nullptr) return status;
    ++*missed;
  }
  return absl::OkStatus();
}

// Text says nothing: the files are the answer.
ExitStatus PrintAnswer(const Arguments& arguments,
                       report::GeneratedStreams& answer) {
  if (arguments.format == "text") return kFine;
  if (arguments.format != "jsonl") {
    return PrintMessage(answer, "generate", arguments.format, kFine);
  }
  for (const report::GeneratedStream& row : answer.streams()) {
    ExitStatus printed = Print(JsonLine("stream", row), kFine);
    if (printed != kFine) return printed;
  }
  return kFine;
}

ExitStatus GenerateRecipe(const Arguments& arguments) {
  recipe::Migration recipe;
  const std::string& file = arguments.files[0];
  if (!ReadRecipe(file, recipe)) return kUnusable;
  if (arguments.seeded) recipe.set_seed(arguments.seed);
  if (!arguments.frame.empty()) recipe.set_frame(arguments.frame);
  if (arguments.dialect->id != DialectId::kAuto) {
    recipe.set_dialect(RecipeDialect(*arguments.dialect));
  }
  std::string frame;
  if (!recipe.frame().empty() && !ReadFrame(recipe.frame(), frame)) {
    return kUnusable;
  }
  GenerateOptions options;
  options.frame = AsBytes(frame);
  options.keep_payload = false;
  if (!ReadCarried(recipe)) return kUnusable;
  absl::Status status = AskForPayloadDamage(arguments, recipe);
  absl::StatusOr<Generated> made;
  if (status.ok()) {
    made = Generate(recipe, options);
    status = made.status();
  }
  if (status.ok()) {
    status = InflictAll(arguments, recipe.seed(), nullptr, *made);
  }
  if (!status.ok()) {
    PrintError(StrCat(file, ": ", StdView(status.message())));
    return kUnusable;
  }
  report::GeneratedStreams answer;
  report::GeneratedStream& row = *answer.add_streams();
  row.set_seed(recipe.seed());
  row.set_dialect(recipe::Dialect_Name(recipe.dialect()));
  if (!WriteAll(*made, arguments.output, nullptr, arguments, row)) {
    return kUnusable;
  }
  return PrintAnswer(arguments, answer);
}

ExitStatus GenerateSeeds(const Arguments& arguments) {
  std::string frame;
  if (!arguments.frame.empty() && !ReadFrame(arguments.frame, frame)) {
    return kUnusable;
  }
  const bool into_folder = !arguments.out_dir.empty();
  std::error_code error;
  if (into_folder) {
    std::filesystem::create_directories(arguments.out_dir, error);
  }
  if (error) {
    PrintError(StrCat(arguments.out_dir, ": ", error.message()));
    return kUnusable;
  }
  uint64_t missed = 0;
  report::GeneratedStreams answer;
  for (uint64_t i = 0; i < arguments.count; ++i) {
    uint64_t seed = arguments.seed + i;
    recipe::Migration recipe =
        RandomRecipe(seed, RecipeDialect(*arguments.dialect));
    if (!arguments.frame.empty()) PutIntoFrame(arguments.frame, recipe);
    GenerateOptions options;
    options.frame = AsBytes(frame);
    options.keep_payload = false;
    const recipe::Migration sound = recipe;
    absl::Status asked = AskForPayloadDamage(arguments, recipe);
    auto made = Generate(recipe, options);
    if (!asked.ok() || absl::IsNotFound(made.status())) {
      ++missed;
      recipe = sound;
      made = Generate(recipe, options);
    }
    if (!made.ok()) {
      PrintError(StrCat("seed ", seed, ": ", StdView(made.status().message())));
      return kUnusable;
    }
    if (!InflictAll(arguments, seed, &missed, *made).ok()) return kUnusable;
    // With the damage, so that the recipe alone makes the stream again.
    for (const DoneDamage& done : made->damages) {
      *recipe.add_damage() = done.damage;
    }
    std::string path = arguments.output;
    if (into_folder) {
      path = (std::filesystem::path(arguments.out_dir) /
              StrCat("seed-", seed, ".qvm"))
                 .string();
    }
    report::GeneratedStream& row = *answer.add_streams();
    row.set_seed(seed);
    row.set_dialect(recipe::Dialect_Name(recipe.dialect()));
    if (!WriteAll(*made, path, into_folder ? &recipe : nullptr, arguments,
                  row)) {
      return kUnusable;
    }
    if (arguments.format == "jsonl") {
      ExitStatus printed = Print(JsonLine("stream", row), kFine);
      if (printed != kFine) return printed;
    }
    if (arguments.format == "text" || arguments.format == "jsonl") {
      answer.clear_streams();
    }
  }
  if (missed != 0) {
    PrintError(StrCat(missed, " times a stream had nothing to do ",
                      StrJoin(arguments.damages, " or "), " to"));
  }
  return PrintAnswer(arguments, answer);
}

ExitStatus ListDamages(const Arguments& arguments) {
  Table table("lw");
  report::GeneratedStreams answer;
  auto add = [&](const std::string& name, const std::string& what) {
    table.Row({name, what});
    report::KnownDamage& row = *answer.add_known_damages();
    row.set_name(name);
    row.set_what(what);
  };
  table.Row({"DAMAGE", "WHAT IT DOES"});
  add(std::string(kAnyDamage), "one of those below, by the seed");
  for (const DamageRow& row : DamageRows()) {
    add(DamageName(row.kind), std::string(row.what));
  }
  for (const PayloadFindingRow& row : AllPayloadFindings()) {
    add(std::string(row.name),
        StrCat("a vendor's payload gets: ", row.meaning));
  }
  if (arguments.format == "text") return Print(table.Text(), kFine);
  if (arguments.format != "jsonl") {
    return PrintMessage(answer, "generate", arguments.format, kFine);
  }
  std::string lines;
  for (const report::KnownDamage& row : answer.known_damages()) {
    StrAppend(&lines, JsonLine("damage", row));
  }
  return Print(lines, kFine);
}

ExitStatus Run(const Arguments& arguments) {
  if (arguments.list_damages) return ListDamages(arguments);
  return arguments.files.empty() ? GenerateSeeds(arguments)
                                 : GenerateRecipe(arguments);
}

std::string Misused(const Arguments& arguments) {
  const bool of_recipe = !arguments.files.empty() && !arguments.output.empty();
  const bool of_seeds = arguments.seeded && (!arguments.out_dir.empty() ||
                                             !arguments.output.empty());
  if (arguments.list_damages) return "";
  if (arguments.files.empty() ? !of_seeds : !of_recipe) {
    return "either RECIPE and -o OUT, or --seed and -o OUT or --out-dir";
  }
  if (arguments.output == "-" && arguments.format != "text") {
    return "standard output takes the stream, or what was written of it";
  }
  if (arguments.count - 1 > UINT64_MAX - arguments.seed) {
    return StrCat("--seed and --count go beyond the last seed, ", UINT64_MAX);
  }
  return "";
}

std::string SetDamages(Arguments& arguments, const std::string& value) {
  for (std::string_view name : Split(value, ',')) {
    if (name != kAnyDamage && FindDamage(name) == nullptr &&
        !IsPayloadDamage(name)) {
      std::vector<std::string> names;
      for (const DamageRow& row : DamageRows()) {
        names.push_back(DamageName(row.kind));
      }
      for (const PayloadFindingRow& row : AllPayloadFindings()) {
        names.emplace_back(row.name);
      }
      return StrCat("there is no damage '", name, "', but ", kAnyDamage, ", ",
                    StrJoin(names, ", "));
    }
    arguments.damages.emplace_back(name);
  }
  return "";
}

const Option kOptions[] = {
    {"o", "OUT",
     "the main channel's file; - is standard output. Multifd\n"
     "channels stand beside it: vm.ch1.qvm beside vm.qvm",
     Set<&Arguments::output>},
    {"seed", "N", "what the recipe leaves open; or all, without a recipe",
     [](Arguments& arguments, const std::string& value) {
       arguments.seeded = true;
       return ParseNumber("seed", "", value, 0, UINT64_MAX, arguments.seed);
     }},
    {"count",
     "N",
     "as many seeds, from --seed on; one if not said",
     [](Arguments& arguments, const std::string& value) {
       return ParseNumber("count", "", value, 1, kMaxCount, arguments.count);
     },
     {},
     {},
     "out-dir"},
    {"out-dir",
     "DIR",
     "where they go: seed-N.qvm and what stands beside it, and\n"
     "its recipe, seed-N.textproto",
     Set<&Arguments::out_dir>,
     {},
     "o",
     "seed"},
    {"dialect", "NAME", "of the stream, whatever the recipe says",
     SetDialect<&Arguments::dialect>, kDialectChoices},
    {"frame", "FILE",
     "a real stream; only its VFIO devices are replaced, so\n"
     "that a QEMU that loads it can load this",
     Set<&Arguments::frame>},
    {"damage",
     "NAME,...",
     "what to damage, in this order; any takes one by the seed\n"
     "(--list-damages)",
     SetDamages,
     {},
     {},
     {},
     true},
    {"list-damages",
     "",
     "what can be damaged",
     Set<&Arguments::list_damages>,
     {},
     "o seed count out-dir dialect frame damage expect force"},
    {"expect", "[=qemu-X.Y]",
     "write what that release's loader must say beside the\n"
     "stream: vm.expect; 11.1 if none is named",
     [](Arguments& arguments, const std::string& value) {
       arguments.expected_loader = value.empty()
                                       ? std::rbegin(kReleases)->release
                                       : ParseRelease(value);
       return arguments.expected_loader != 0
                  ? std::string()
                  : StrCat("--expect is of ", ReleaseName(kReleases->release),
                           " to ", ReleaseName(std::rbegin(kReleases)->release),
                           ", not '", value, "'");
     }},
    kLinesFormatOption,
    kJsonStringsOption,
    {"force", "",
     "replace files that exist, and remove the channels' files\n"
     "of a former run with more channels",
     Set<&Arguments::force>},
};

}  // namespace

const Verb kGenerateVerb = {
    "generate",
    "RECIPE",
    "make streams from a recipe (see schema recipe) or a seed",
    1,
    kOptions,
    Run,
    "--seed=N --out-dir=DIR [OPTION]...\n"
    "       migstream generate --list-damages",
    Misused,
    false};

}  // namespace migstream
