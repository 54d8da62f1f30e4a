#include <algorithm>
#include <deque>
#include <optional>

#include "absl/status/status.h"
#include "codec/extract/channel_pages.h"
#include "codec/io/zstd_sink.h"
#include "codec/qemu/stream_reader.h"
#include "codec/rewrite/rewrite.h"
#include "codec/wire/text.h"
#include "inspect/before_stream.h"
#include "inspect/inputs.h"
#include "inspect/output_file.h"
#include "inspect/stale_channels.h"
#include "inspect/verb.h"
#include "inspect/written_files.h"

namespace migstream {
namespace {

constexpr uint64_t kMaxRecordBytes = 1 << 20;
constexpr uint64_t kMaxChannels = 255;
constexpr uint64_t kDefaultZstdLevel = 3;

// A channel's or the main channel's file, compressed if that was asked for.
class Output {
 public:
  absl::Status Open(const std::string& path, const Arguments& arguments,
                    mode_t mode, int zstd_threads) {
    absl::Status status = file_.Open(path, arguments.force, mode);
    if (status.ok() && arguments.zstd_level != 0) {
      zstd_.emplace(file_, static_cast<int>(arguments.zstd_level),
                    zstd_threads);
    }
    return status;
  }
  ByteSink* sink() { return zstd_ ? static_cast<ByteSink*>(&*zstd_) : &file_; }
  // All is written; what is left is to commit the file.
  absl::Status Finish() {
    if (zstd_) zstd_->Finish();
    return !zstd_ || zstd_->ok()
               ? absl::OkStatus()
               : absl::ResourceExhaustedError("zstd: not enough memory");
  }
  OutputFile& file() { return file_; }

 private:
  OutputFile file_;
  std::optional<ZstdSink> zstd_;
};

// How many threads compress each output. Where there are several, it is the
// caller's alone: each would have threads of its own, with their memory. So do
// those that decode a compressed input.
int ZstdThreads(const Arguments& arguments, const ByteSource& input,
                size_t outputs) {
  constexpr size_t kMib = 43;
  constexpr size_t kMibBesideDecoding = 26;
  const bool decodes = input.raw_size() && !input.size();
  const int level = static_cast<int>(arguments.zstd_level);
  const int most =
      ZstdSink::ThreadsWithin(decodes ? kMibBesideDecoding : kMib, level);
  return outputs > 1 ? 1 : ThreadsOf(arguments, most);
}

// Whether there is anything to do but to decode and encode.
bool IsPlain(const RewriteOptions& options) {
  return options.record_bytes == 0 && options.to == nullptr &&
         !options.strip_empty_parts && !options.single_channel &&
         !options.split_channels && options.config.empty() &&
         options.payload == nullptr && options.dropped_devices.empty();
}

// A file as --replace-config or --replace-payload names it; false, and said
// why, if it will not do.
bool OpenReplacements(const Arguments& arguments, RewriteOptions& options,
                      std::unique_ptr<ByteSource>& payload) {
  if (!ReadConfigSpace(arguments.replace_config, options.config)) return false;
  if (arguments.replace_payload.empty()) return true;
  payload = OpenRaw(arguments.replace_payload);
  if (payload && !payload->size()) {
    PrintError(StrCat(arguments.replace_payload,
                      ": a payload must be a file of known size"));
    return false;
  }
  options.payload = payload.get();
  options.payload_split = arguments.payload_split;
  return payload != nullptr;
}

absl::Status Commit(std::deque<Output>& outputs,
                    std::vector<OutputFile*>& files) {
  for (Output& output : outputs) {
    if (absl::Status status = output.Finish(); !status.ok()) return status;
    files.push_back(&output.file());
  }
  return CommitAll(files);
}

ExitStatus Run(const Arguments& arguments) {
  RewriteOptions options;
  options.reader = ReaderOptionsOf(arguments);
  options.to = arguments.to_dialect;
  options.record_bytes = arguments.record_bytes;
  options.strip_empty_parts = arguments.strip_empty_parts;
  options.split_channels = arguments.channels != 0;
  options.threads = ThreadsOf(arguments, ChannelPages::kMostThreads);
  std::unique_ptr<ByteSource> payload;
  if (!OpenReplacements(arguments, options, payload)) return kUnusable;
  Inputs inputs = OpenInputs(arguments);
  if (!inputs.main) return kUnusable;
  options.device = inputs.device;
  options.dropped_devices = inputs.drop_devices;
  // What is split anew is merged first.
  options.single_channel = arguments.single_channel ||
                           (options.split_channels && !inputs.channels.empty());

  std::deque<Output> outputs(1);
  size_t channels = options.split_channels   ? arguments.channels
                    : options.single_channel ? 0
                                             : inputs.channels.size();
  if (channels > 0 && IsWrittenDirectly(arguments.output)) {
    PrintError(
        StrCat("several channels do not go to ",
               arguments.output == "-" ? "standard output" : arguments.output));
    return kUnusable;
  }
  BeforeStream before;
  if (!FindBefore(inputs, channels, arguments.keep_header, before)) {
    return kUnusable;
  }
  auto channel_name = [&arguments](size_t number) {
    return StrCat(arguments.output, ".ch", number);
  };
  std::vector<std::string> sources = arguments.files;
  for (const std::string& file :
       {arguments.replace_config, arguments.replace_payload}) {
    if (!file.empty()) sources.push_back(file);
  }
  const mode_t mode = ModeOf(sources);
  const int threads = ZstdThreads(arguments, *inputs.main, channels + 1);
  absl::Status status =
      outputs[0].Open(arguments.output, arguments, mode, threads);
  RewriteOutput output;
  output.main = outputs[0].sink();
  for (size_t i = 0; i < channels && status.ok(); ++i) {
    status = outputs.emplace_back().Open(channel_name(i + 1), arguments, mode,
                                         threads);
    output.channels.push_back(outputs.back().sink());
  }
  StaleChannels stale;
  if (status.ok() && !IsWrittenDirectly(arguments.output)) {
    status = stale.Find(arguments.output, channels + 1, channel_name,
                        arguments.force, arguments.files);
  }
  if (!IsFine(status)) return kUnusable;

  output.before = before.bytes;
  ByteSink& first = before.names_compression ? outputs[0].file() : *output.main;
  if (!WriteBefore(inputs, before, arguments.zstd_level != 0, first)) {
    return kUnusable;
  }
  Error error = Rewrite(inputs.Reopenable(arguments.quiet), output, options);
  SayContainerDamage(inputs, error);
  if (error.code == ErrorCode::kBadOptions) {
    PrintError(error.reason);
  } else if (!error.ok()) {
    PrintError(inputs.file, error);
  }
  if (IsUnusable(error) || error.code == ErrorCode::kUnknownSection) {
    return kUnusable;
  }
  // What is cut short is copied up to the cut; what is wrong is not copied.
  bool copied = error.code == ErrorCode::kTruncated && IsPlain(options);
  if (!error.ok() && !copied) return kFindings;
  std::vector<OutputFile*> files;
  status = Commit(outputs, files);
  if (status.ok()) status = stale.Remove();
  if (!IsFine(status)) return kUnusable;
  return SayWritten(arguments, files, error.ok() ? kFine : kFindings);
}

std::string Misused(const Arguments& arguments) {
  if (arguments.files.empty()) return kWhichFile;
  if (arguments.output.empty()) return "-o OUT is missing";
  return NoPlaceForAnswer(arguments);
}

const Option kOptions[] = {
    {"record-size", "N", "cut DATA records to N bytes; v2 dialects only",
     [](Arguments& arguments, const std::string& value) {
       return ParseNumber("record-size", " of bytes", value, 1, kMaxRecordBytes,
                          arguments.record_bytes);
     }},
    {"dialect", "NAME",
     "write this dialect: V60 moves CONFIG from END to FULL,\n"
     "V52 moves it back",
     SetDialect<&Arguments::to_dialect>, kDialectChoices},
    {"from-dialect", "NAME",
     "take FILE for this dialect, instead of finding out",
     SetDialect<&Arguments::dialect>, kDialectChoices},
    {"strip-empty-parts", "", "leave out PARTs that give a device nothing",
     Set<&Arguments::strip_empty_parts>},
    {"single-channel", "", "put what the CHANNELs carry into the main channel",
     Set<&Arguments::single_channel>},
    {"channels",
     "N",
     "split device state over N channels: OUT.ch1, OUT.ch2, …",
     [](Arguments& arguments, const std::string& value) {
       return ParseNumber("channels", "", value, 1, kMaxChannels,
                          arguments.channels);
     },
     {},
     "single-channel dialect"},
    {"device",
     "IDSTR",
     "which device the next two mean, if there are several",
     Set<&Arguments::device>,
     {},
     {},
     "replace-config replace-payload"},
    {"replace-config", "FILE",
     "give the device this config space (see extract)",
     Set<&Arguments::replace_config>},
    {"replace-payload", "FILE", "give the device this payload",
     Set<&Arguments::replace_payload>},
    {"split",
     "N",
     "the payload's first N bytes are of pre-copy: they go into\n"
     "PART, and the others into END",
     [](Arguments& arguments, const std::string& value) {
       return ParseNumber("split", " of bytes", value, 0, UINT64_MAX,
                          arguments.payload_split.emplace());
     },
     {},
     {},
     "replace-payload"},
    {"drop-device",
     "IDSTR",
     "leave a device out; may be given again",
     [](Arguments& arguments, const std::string& value) {
       arguments.drop_devices.push_back(value);
       return std::string();
     },
     {},
     {},
     {},
     true},
    {"keep-header",
     "",
     "keep libvirt's header and XML before the stream",
     Set<&Arguments::keep_header>,
     {},
     "channels"},
    {"zstd", "[=LEVEL]", "compress what is written; level 3 unless told",
     [](Arguments& arguments, const std::string& value) {
       arguments.zstd_level = kDefaultZstdLevel;
       return value.empty()
                  ? std::string()
                  : ParseNumber("zstd", "", value, ZstdSink::kMinLevel,
                                ZstdSink::kMaxLevel, arguments.zstd_level);
     }},
    kFormatOption,
    kJsonStringsOption,
    kOutputOption,
    {"force", "",
     "replace OUT and OUT.chN if they exist, and remove the\n"
     "OUT.chN of a former run with more channels",
     Set<&Arguments::force>},
};

}  // namespace

const Verb kRepackVerb = {"repack",
                          "FILE [CHANNEL]...",
                          "decode a stream and encode it again, as it is or in "
                          "another shape",
                          kAnyFiles,
                          kOptions,
                          Run,
                          {},
                          Misused};

}  // namespace migstream
