#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "codec/diff/ram_difference.h"
#include "codec/diff/stream_diff.h"
#include "codec/diff/stream_state.h"
#include "codec/extract/channel_pages.h"
#include "codec/io/file_kind.h"
#include "codec/qemu/stream_reader.h"
#include "codec/report/answers.pb.h"
#include "codec/rewrite/rewrite.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "inspect/destination.h"
#include "inspect/destination_stream.h"
#include "inspect/inputs.h"
#include "inspect/json_output.h"
#include "inspect/table.h"
#include "inspect/text_report.h"
#include "inspect/verb.h"

namespace migstream {
namespace {

// The files of the two migrations: a main channel, and the multifd channels
// that follow it.
std::vector<Arguments> Split(const Arguments& arguments) {
  std::vector<Arguments> sides;
  for (const std::string& file : arguments.files) {
    // What cannot be read twice is a main channel.
    if (sides.empty() ||
        !IsChannelFile(file, OpenOptionsOf(arguments).limits)) {
      sides.push_back(arguments);
      sides.back().files.clear();
    }
    sides.back().files.push_back(file);
  }
  const size_t wanted = arguments.within ? 1 : 2;
  if (sides.size() == wanted) return sides;
  PrintError(
      StrCat("diff ", arguments.within ? "--within" : "compares two",
             arguments.within ? " is of one stream, not " : " streams, not ",
             sides.size()));
  return {};
}

// The channels, opened once more; `sources` are their owners. False, and said
// so, if one cannot be.
bool OpenChannels(const RewriteInput& input,
                  std::vector<std::unique_ptr<ByteSource>>& sources,
                  std::vector<ChannelReader::Channel>& channels) {
  for (const RewriteInput::Channel& channel : input.channels) {
    sources.push_back(channel.open());
    if (!sources.back()) {
      PrintError(StrCat(channel.name, ": it can be read only once"));
      return false;
    }
    channels.push_back({channel.name, sources.back().get()});
  }
  return true;
}

// kFine; else there was a message.
ExitStatus Read(const Arguments& arguments, StreamState& state) {
  Arguments all = arguments;
  all.device.clear();
  Inputs inputs = OpenInputs(all);
  if (!inputs.main) return kUnusable;
  RewriteInput input = inputs.Reopenable(arguments.quiet);
  StateOptions options;
  options.reader = ReaderOptionsOf(arguments);
  options.ram = arguments.compare_ram;
  options.threads = ThreadsOf(arguments, ChannelPages::kMostThreads);
  options.open_again = [&inputs] { return inputs.OpenMainAgain(); };
  std::vector<std::unique_ptr<ByteSource>> sources;
  std::vector<ChannelReader::Channel> channels;
  if (!OpenChannels(input, sources, channels) ||
      (options.ram && !OpenChannels(input, sources, options.ram_channels))) {
    return kUnusable;
  }
  Error error = state.Read(*input.main(), channels, options);
  if (error.ok()) return kFine;
  SayContainerDamage(inputs, error);
  PrintError(inputs.file, error);
  const bool not_kept = error.code == ErrorCode::kWriteFailed ||
                        error.code == ErrorCode::kHoldLimit;
  return IsUnusable(error) || not_kept ? kUnusable : kFindings;
}

// What an empty list of differences does not mean.
void SayWhatIsNotCompared(const Arguments& arguments,
                          const std::vector<Arguments>& sides,
                          const StreamState (&states)[2]) {
  if (arguments.quiet) return;
  if (!arguments.compare_ram && (states[0].has_ram || states[1].has_ram)) {
    PrintError("guest memory was not compared; --ram compares it");
  }
  std::set<DeviceName> too_many;
  for (const StreamState& state : states) {
    for (const auto& [name, device] : state.devices) {
      if (device.too_many) too_many.insert(name);
    }
  }
  if (!too_many.empty()) {
    PrintError(StrCat("too many fields: of ", Plural(too_many.size(), "device"),
                      " the bytes were compared, and not each field"));
  }
  for (int i = 0; i < 2; ++i) {
    uint64_t missing = 0;
    for (const auto& [name, block] : states[i].ram) {
      missing += block.missing_pages;
    }
    if (missing == 0) continue;
    PrintError(StrCat(Plural(missing, "page"),
                      " of guest memory never came in ", i == 0 ? "A" : "B",
                      ", and count as zero",
                      ChannelsHint(sides[i].files.size() > 1)));
  }
}

// A clock goes on from one stream to the next, whatever else is the same.
bool IsClock(const Difference& difference) {
  constexpr std::string_view kWords[] = {"clock", "timer", "rtc",   "hpet",
                                         "ticks", "tsc",   "_time", "expire"};
  if (difference.device.ends_with("vfio")) return false;
  return std::any_of(
      std::begin(kWords), std::end(kWords), [&](std::string_view word) {
        return difference.device.find(word) != std::string::npos ||
               difference.what.find(word) != std::string::npos;
      });
}

// How many there are of each device, in the order of the list.
std::string StatText(const std::vector<Difference>& differences) {
  Table table("lr");
  table.Row({"DEVICE", "DIFFERENCES"});
  for (size_t i = 0; i < differences.size();) {
    size_t end = i + 1;
    while (end < differences.size() &&
           differences[end].device == differences[i].device) {
      ++end;
    }
    table.Row({differences[i].device, StrCat(end - i)});
    i = end;
  }
  return table.Text();
}

// `column_a` and `column_b` stand above what the two have.
ExitStatus PrintDifferences(const Arguments& arguments,
                            std::vector<Difference> differences,
                            std::string_view column_a,
                            std::string_view column_b, report::Diff& diff,
                            ExitStatus status) {
  std::erase_if(differences, [&](const Difference& difference) {
    const bool other =
        difference.device.find(arguments.device) == std::string::npos;
    return other || (arguments.ignore_clocks && IsClock(difference));
  });
  if (!differences.empty()) status = std::max(status, kFindings);
  if (arguments.format != "text") {
    diff.set_ram_compared(arguments.compare_ram);
    for (const Difference& d : differences) {
      report::Difference& row = *diff.add_differences();
      row.set_device(d.device);
      row.set_what(d.what);
      row.set_a(d.a);
      row.set_b(d.b);
    }
    return PrintMessage(diff, "diff", arguments.format, status);
  }
  if (differences.empty()) return status;
  if (arguments.diff_stat) return Print(StatText(differences), status);
  Table table("lwww");
  table.Row({"DEVICE", "WHAT", std::string(column_a), std::string(column_b)});
  for (Difference& d : differences) {
    table.Row({std::move(d.device), std::move(d.what),
               d.a.empty() ? "-" : std::move(d.a),
               d.b.empty() ? "-" : std::move(d.b)});
  }
  return Print(table.Text(), status);
}

DiffOptions OptionsOf(const Arguments& arguments) {
  DiffOptions options;
  options.ignore_cuts = arguments.ignore_cuts;
  options.threads = ThreadsOf(arguments, kMostCompareThreads);
  // What is left out, or counted, has to be known first.
  if (arguments.list_all || arguments.diff_stat || arguments.ignore_clocks) {
    options.max_of_a_kind = ~size_t{0};
  }
  return options;
}

ExitStatus RunWithin(const Arguments& arguments) {
  StreamState state;
  ExitStatus status = Read(arguments, state);
  if (status == kUnusable) return status;
  std::vector<Difference> differences;
  size_t devices = 0;
  Error error =
      CompareSnapshots(state, OptionsOf(arguments), differences, devices);
  if (!error.ok()) {
    PrintError(ToString(error));
    return kUnusable;
  }
  if (devices == 0 && !arguments.quiet) {
    PrintError("no device's driver sends more than one snapshot of it here");
  }
  report::Diff diff;
  diff.set_a(Printable(arguments.files[0]));
  diff.set_b(diff.a());
  return PrintDifferences(arguments, std::move(differences), "FIRST", "LAST",
                          diff, status);
}

ExitStatus Run(const Arguments& arguments) {
  if (arguments.files.size() == 2 && IsDump(arguments, arguments.files[0]) &&
      IsDump(arguments, arguments.files[1])) {
    return DiffDumps(arguments);
  }
  std::vector<Arguments> sides = Split(arguments);
  if (sides.empty()) return kUnusable;
  if (arguments.within) return RunWithin(sides[0]);
  if (arguments.loadable) return DiffLoadable(sides[0], sides[1]);
  StreamState states[2];
  ExitStatus status = kFine;
  for (int i = 0; i < 2; ++i) {
    status = std::max(status, Read(sides[i], states[i]));
    if (status == kUnusable) return status;
  }
  std::vector<Difference> differences;
  Error error =
      CompareStreams(states[0], states[1], OptionsOf(arguments), differences);
  if (!error.ok()) {
    PrintError(ToString(error));
    return kUnusable;
  }
  SayWhatIsNotCompared(arguments, sides, states);
  report::Diff diff;
  diff.set_a(Printable(sides[0].files[0]));
  diff.set_b(Printable(sides[1].files[0]));
  return PrintDifferences(arguments, std::move(differences), "A", "B", diff,
                          status);
}

const Option kOptions[] = {
    {"ignore-cuts", "",
     "compare what a destination would end up with: not how\n"
     "many PARTs there were, nor how payload was cut",
     Set<&Arguments::ignore_cuts>},
    {"within",
     "",
     "compare the first snapshot of each device with its last,\n"
     "in one stream: what the guest changed meanwhile",
     Set<&Arguments::within>,
     {},
     "ignore-cuts ram"},
    {"ram", "",
     "compare guest memory too, by block; what cannot be read\n"
     "again in the input is put into files in $TMPDIR or\n"
     "/var/tmp",
     Set<&Arguments::compare_ram>},
    {"device", "NAME",
     "only the devices that have NAME in theirs, such as 05.0\n"
     "or timer",
     Set<&Arguments::device>},
    {"ignore", "WHAT", "clocks: fields and devices that only tell the time",
     [](Arguments& arguments, const std::string& value) {
       arguments.ignore_clocks = true;
       return OneOf("ignore", value, {"clocks"});
     },
     "clocks"},
    {"stat", "", "how many differences each device has, and no more",
     Set<&Arguments::diff_stat>},
    {"loadable",
     "",
     "only what a loader of A compares with itself, if B is the\n"
     "stream that it saved while it was idle",
     Set<&Arguments::loadable>,
     {},
     "ignore-cuts within ram all device ignore stat"},
    {"all", "", "list every difference, not ten of a kind and a count",
     Set<&Arguments::list_all>},
    kFormatOption,
    kJsonStringsOption,
};

}  // namespace

const Verb kDiffVerb = {
    "diff",
    "A [CHANNEL]... B [CHANNEL]...",
    "what two streams differ in: devices, fields, registers, payload",
    kAnyFiles,
    kOptions,
    Run,
    "--within A [CHANNEL]... [OPTION]...",
    nullptr};

}  // namespace migstream
