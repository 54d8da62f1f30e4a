// The program's verbs, and what they are called with.

#ifndef MIGSTREAM_INSPECT_VERB_H_
#define MIGSTREAM_INSPECT_VERB_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "codec/qemu/byte_source.h"
#include "codec/qemu/channel_reader.h"
#include "codec/wire/error.h"
#include "flags/dialect.h"

namespace migstream {

// What a verb's process ends with.
enum ExitStatus {
  kFine = 0,
  kFindings = 1,  // Or a difference.
  kUnusable = 2,  // Input that cannot be read, output that cannot be written,
                  // or wrong usage.
};

struct Arguments {
  std::vector<std::string> files;
  const Dialect* dialect = &GetDialect(DialectId::kAuto);
  bool switchover_ack_off = false;
  // inspect
  bool records = false;
  std::string format = "text";
  // check, extract
  std::string device;
  std::string destination_config;
  // extract, repack
  std::string what = "payload";
  std::string output;
  bool force = false;
  bool quiet = false;
};

struct Verb {
  absl::string_view name;
  absl::string_view usage;    // What follows the name.
  absl::string_view summary;  // One line.
  absl::string_view help;     // Its options, a line each.
  bool takes_channels;  // Multifd channels may stand beside the main channel.
  // Names of the options that it takes.
  std::vector<absl::string_view> options;
  ExitStatus (*run)(const Arguments& arguments);
};

ExitStatus RunInspect(const Arguments& arguments);
ExitStatus RunCheck(const Arguments& arguments);
ExitStatus RunExtract(const Arguments& arguments);
ExitStatus RunRepack(const Arguments& arguments);

// The whole command line, without the program's name.
ExitStatus RunMain(const std::vector<std::string>& words);

// A file that is no channel of a migration, opened; null, and said why, if that
// cannot be.
std::unique_ptr<ByteSource> OpenInput(const std::string& file);

// The files of one migration, told apart by their first bytes.
struct Inputs {
  std::string file;                  // The main channel's name.
  std::unique_ptr<ByteSource> main;  // Null, and said why, if one cannot be.
  std::vector<std::string> channel_files;
  std::vector<std::unique_ptr<ByteSource>> channels;

  std::vector<ChannelReader::Channel> Channels() const;
};
Inputs OpenInputs(const Arguments& arguments);

// "migstream: …" on standard error.
void Complain(absl::string_view message);

// "FILE:OFFSET: SECTION: REASON"
std::string ErrorLine(absl::string_view file, const Error& error);

// Whether an error means that the input is no stream at all, or unreadable.
bool IsUnusable(const Error& error);

// Writes to standard output; kUnusable, and said why, if that fails.
ExitStatus Print(absl::string_view text, ExitStatus status);

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_VERB_H_
