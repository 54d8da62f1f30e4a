// The program's verbs, and what they are called with. A verb stands in the file
// of its name, with its options and its help; command_line.cc lists them all.

#ifndef MIGSTREAM_INSPECT_VERB_H_
#define MIGSTREAM_INSPECT_VERB_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "codec/io/decompressor.h"
#include "codec/payload/format.h"
#include "codec/payload/kernel_release.h"
#include "flags/dialect.h"
#include "inspect/console.h"

namespace migstream {

struct Arguments {
  std::vector<std::string> files;
  const Dialect* dialect = &GetDialect(DialectId::kAuto);
  bool quiet = false;
  bool recover = false;  // Reads on behind an error.
  uint64_t offset = 0;
  std::string snapshot;
  uint64_t page_bytes = 0;  // 0: found out.
  uint64_t window_bytes = CompressionLimits{}.window_bytes;
  uint64_t threads = 0;  // 0: it was not said.
  // inspect
  bool records = false;
  bool state = false;
  bool vmdesc = false;
  std::optional<uint64_t> at;  // The place to be shown.
  bool map = false;
  std::string html;
  // "text", "json", "json-strings", "jsonl", "textproto"; of a map "csv".
  std::string format = "text";
  std::string schema_format = "proto";
  // inspect, check
  bool payload = false;                             // FILE is one.
  const payload::Format* payload_format = nullptr;  // Null: not said.
  std::optional<uint64_t> split;
  // stats
  double link_bits_per_second = 100e9;
  // check
  std::string switchover_ack;      // "on", "off"; empty: not given.
  std::string destination_config;  // model's too.
  std::string destination;         // A file that describes it, or a folder.
  // The destination's settings: "on", "off"; empty: not given.
  std::string multifd_device_state;
  std::string load_config_after_iter;
  Release loader = 0;  // The release whose loader is asked; 0: none.
  std::optional<uint16_t> stable;  // Of that release.
  bool all_loaders = false;
  bool past_machine_type = false;
  // The kernel whose drivers are asked, and model's; of these one alone.
  std::optional<KernelRelease> kernel;
  const payload::Format* kernel_driver = nullptr;
  std::string machine_type;
  uint64_t region_bytes = 0;
  bool each_file = false;      // Each file is a migration of its own.
  bool list_findings = false;  // Needs no file.
  bool explain_places = false;
  std::string min_severity = "note";
  std::string color = "auto";
  // check, extract, model
  std::string device;
  // extract, repack
  std::string what = "payload";
  std::string ram;
  bool extract_all = false;
  std::string output;
  bool force = false;
  // diff
  bool ignore_cuts = false;
  bool within = false;
  bool compare_ram = false;
  bool list_all = false;  // check's too.
  bool ignore_clocks = false;
  bool diff_stat = false;
  bool loadable = false;
  // repack
  const Dialect* to_dialect = nullptr;
  uint64_t record_bytes = 0;
  bool strip_empty_parts = false;
  bool keep_header = false;
  bool single_channel = false;
  uint64_t channels = 0;
  std::string replace_config;
  std::string replace_payload;
  std::optional<uint64_t> payload_split;
  std::vector<std::string> drop_devices;
  uint64_t zstd_level = 0;
  // generate
  uint64_t seed = 0;
  bool seeded = false;  // --seed was given.
  uint64_t count = 1;
  std::string out_dir;
  std::string frame;
  std::vector<std::string> damages;
  bool list_damages = false;
  uint16_t expected_loader = 0;  // 1101 is 11.1; 0: no --expect.
  // capture
  std::vector<std::string> listen;
  std::vector<std::string> forward;
  // model
  std::string source_models;
  std::string source_config;
  bool json = false;
};

struct Option {
  std::string_view name;  // As in --NAME; a single letter as in -N.
  // What its value is called; empty for a switch; "[=…]" if it may be left out.
  std::string_view value;
  std::string_view help;  // Lines of up to 55 columns.
  // Takes the value, which is empty only if it may be; empty if it is good,
  // else what is wrong with it.
  std::string (*set)(Arguments& arguments, const std::string& value);
  // All values, with a space between, or one of the two below; empty if they
  // cannot be listed. They are added to a help that ends with ":".
  std::string_view choices = {};
  // Options beside which it makes no sense, with a space between: "ram", or
  // "what=config" for one value. "*" stands for every other.
  std::string_view excludes = {};
  // Options without one of which it does nothing.
  std::string_view needs = {};
  bool repeats = false;  // May be given again, with another value.
};

// The names of all dialects, and of all loaders: releases, and "all".
inline constexpr std::string_view kDialectChoices = "DIALECT";
inline constexpr std::string_view kLoaderChoices = "RELEASE";

struct Verb {
  std::string_view name;
  std::string_view files;    // What it is called with before its options.
  std::string_view summary;  // One line.
  size_t max_files;          // A main channel is one, its multifd channels
                             // are further ones.
  std::span<const Option> options;
  ExitStatus (*run)(const Arguments& arguments);
  // Another way to call it, instead of with `files` and -o.
  std::string_view other_usage = {};
  // What is wrong with the files and -o then; empty: nothing. Null: a file is
  // needed, and -o if there is such an option.
  std::string (*misused)(const Arguments& arguments) = nullptr;
  bool reads_stream = true;  // Takes the options that are about that.
};

inline constexpr char kWhichFile[] = "which FILE?";

// Any number of multifd channels may stand beside the main channel.
inline constexpr size_t kAnyFiles = ~size_t{0};

// Sets a switch, or takes any value.
template <auto kMember>
std::string Set(Arguments& arguments, const std::string& value) {
  if constexpr (std::is_same_v<decltype(kMember), bool Arguments::*>) {
    arguments.*kMember = true;
  } else {
    arguments.*kMember = value;
  }
  return "";
}

// What is wrong with a name that is not a dialect's.
std::string NoDialect(const std::string& name);

// Sets a dialect by its name.
template <const Dialect* Arguments::*kMember>
std::string SetDialect(Arguments& arguments, const std::string& value) {
  const Dialect* dialect = FindDialect(value);
  if (dialect == nullptr) return NoDialect(value);
  arguments.*kMember = dialect;
  return "";
}

// A decimal number, or a hexadecimal one with 0x, within bounds; `name` and
// `unit` are for the message if it is not: "offset", " of bytes".
std::string ParseNumber(std::string_view name, std::string_view unit,
                        const std::string& value, uint64_t least, uint64_t most,
                        uint64_t& number);

// Options of several verbs.
extern const Option kFormatOption;
extern const Option kRecoverOption;
extern const Option kLinesFormatOption;  // With jsonl.
extern const Option kJsonStringsOption;
extern const Option kOutputOption;
extern const Option kForceOption;

// Empty if `value` is one of `choices`, else what is wrong.
std::string OneOf(std::string_view name, const std::string& value,
                  std::initializer_list<std::string_view> choices);

extern const Verb kInspectVerb;
extern const Verb kCheckVerb;
extern const Verb kDiffVerb;
extern const Verb kStatsVerb;
extern const Verb kExtractVerb;
extern const Verb kRepackVerb;
extern const Verb kGenerateVerb;
extern const Verb kModelVerb;
extern const Verb kDescribeVerb;
extern const Verb kExplainVerb;
extern const Verb kSchemaVerb;
extern const Verb kCaptureVerb;

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_VERB_H_
