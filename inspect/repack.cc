#include <deque>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "codec/qemu/zstd_sink.h"
#include "codec/rewrite/rewrite.h"
#include "inspect/inputs.h"
#include "inspect/output_file.h"
#include "inspect/verb.h"

namespace migstream {
namespace {

constexpr int kMaxRecordBytes = 1 << 20;
constexpr int kMaxChannels = 255;
constexpr int kDefaultZstdLevel = 3;

// A channel's or the main channel's file, compressed if that was asked for.
class Output {
 public:
  absl::Status Open(const std::string& path, const Arguments& arguments) {
    absl::Status status = file_.Open(path, arguments.force);
    if (status.ok() && arguments.zstd_level != 0) {
      zstd_.emplace(file_, arguments.zstd_level);
    }
    return status;
  }
  ByteSink* sink() { return zstd_ ? static_cast<ByteSink*>(&*zstd_) : &file_; }
  absl::Status Commit() {
    if (zstd_) zstd_->Finish();
    if (zstd_ && !zstd_->ok()) {
      return absl::ResourceExhaustedError("zstd: not enough memory");
    }
    return file_.Commit();
  }

 private:
  OutputFile file_;
  std::optional<ZstdSink> zstd_;
};

// Whether there is anything to do but to decode and encode.
bool IsPlain(const RewriteOptions& options) {
  return options.record_bytes == 0 && options.to == nullptr &&
         !options.strip_empty_parts && !options.single_channel &&
         !options.spread && options.config.empty() &&
         options.payload == nullptr && options.dropped_devices.empty();
}

// A file as --replace-config or --replace-payload names it; false, and said
// why, if it will not do.
bool OpenReplacements(const Arguments& arguments, RewriteOptions& options,
                      std::unique_ptr<ByteSource>& payload) {
  if (!arguments.replace_config.empty() &&
      !ReadConfigSpace(arguments.replace_config, options.config)) {
    return false;
  }
  if (arguments.replace_payload.empty()) return true;
  payload = OpenRaw(arguments.replace_payload);
  if (payload && !payload->size()) {
    Complain(absl::StrCat(arguments.replace_payload,
                          ": a payload must be a file of known size"));
    return false;
  }
  options.payload = payload.get();
  return payload != nullptr;
}

ExitStatus Run(const Arguments& arguments) {
  RewriteOptions options;
  options.reader.dialect = arguments.dialect;
  options.to = arguments.to_dialect;
  options.record_bytes = arguments.record_bytes;
  options.strip_empty_parts = arguments.strip_empty_parts;
  options.spread = arguments.channels != 0;
  options.device = arguments.device;
  options.dropped_devices = arguments.drop_devices;
  std::unique_ptr<ByteSource> payload;
  if (!OpenReplacements(arguments, options, payload)) return kUnusable;
  Inputs inputs = OpenInputs(arguments);
  if (!inputs.main) return kUnusable;
  // What is spread anew is folded first.
  options.single_channel =
      arguments.single_channel || (options.spread && !inputs.channels.empty());

  std::deque<Output> outputs(1);
  size_t channels = options.spread           ? arguments.channels
                    : options.single_channel ? 0
                                             : inputs.channels.size();
  if (channels > 0 && arguments.output == "-") {
    Complain("several channels do not go to standard output");
    return kUnusable;
  }
  absl::Status status = outputs[0].Open(arguments.output, arguments);
  RewriteOutput output = {outputs[0].sink()};
  for (size_t i = 0; i < channels && status.ok(); ++i) {
    status = outputs.emplace_back().Open(
        absl::StrCat(arguments.output, ".ch", i + 1), arguments);
    output.channels.push_back(outputs.back().sink());
  }
  if (!status.ok()) {
    Complain(status.message());
    return kUnusable;
  }

  Error error = Rewrite(inputs.Reopenable(arguments.quiet), output, options);
  if (!error.ok()) Complain(inputs.Line(error));
  if (IsUnusable(error) || error.code == ErrorCode::kUnknownSection) {
    return kUnusable;
  }
  // What is cut short is copied up to the cut; what is wrong is not copied.
  bool copied = error.code == ErrorCode::kTruncated && IsPlain(options);
  if (!error.ok() && !copied) return kFindings;
  for (Output& file : outputs) {
    if (absl::Status status = file.Commit(); !status.ok()) {
      Complain(status.message());
      return kUnusable;
    }
  }
  return error.ok() ? kFine : kFindings;
}

// A number within bounds; empty if it is one.
std::string Number(absl::string_view name, const std::string& value, int least,
                   int most, int& number) {
  if (absl::SimpleAtoi(value, &number) && number >= least && number <= most) {
    return "";
  }
  return absl::StrCat("--", name, " is a number from ", least, " to ", most,
                      ", not '", value, "'");
}

const Option kOptions[] = {
    {"record-size", "N", "cut DATA records to N bytes; v2 dialects only",
     [](Arguments& arguments, const std::string& value) {
       return Number("record-size", value, 1, kMaxRecordBytes,
                     arguments.record_bytes);
     }},
    {"dialect", "NAME",
     "write this dialect: V60 moves CONFIG from END to FULL,\n"
     "V52 moves it back",
     [](Arguments& arguments, const std::string& value) {
       arguments.to_dialect = FindDialect(value);
       return arguments.to_dialect
                  ? std::string()
                  : absl::StrCat("there is no dialect '", value, "'");
     },
     kDialectChoices},
    {"from-dialect", "NAME",
     "take FILE for this dialect, instead of finding out",
     [](Arguments& arguments, const std::string& value) {
       arguments.dialect = FindDialect(value);
       return arguments.dialect
                  ? std::string()
                  : absl::StrCat("there is no dialect '", value, "'");
     },
     kDialectChoices},
    {"strip-empty-parts", "", "leave out PARTs that give a device nothing",
     Set<&Arguments::strip_empty_parts>},
    {"single-channel", "", "put what the CHANNELs carry into the main channel",
     Set<&Arguments::single_channel>},
    {"channels", "N",
     "spread device state over N channels: OUT.ch1, OUT.ch2, …",
     [](Arguments& arguments, const std::string& value) {
       return Number("channels", value, 1, kMaxChannels, arguments.channels);
     }},
    {"device", "IDSTR", "which device the next two mean, if there are several",
     Set<&Arguments::device>},
    {"replace-config", "FILE",
     "give the device this config space (see extract)",
     Set<&Arguments::replace_config>},
    {"replace-payload", "FILE", "give the device this payload",
     Set<&Arguments::replace_payload>},
    {"drop-device", "IDSTR", "leave a device out; may be given again",
     [](Arguments& arguments, const std::string& value) {
       arguments.drop_devices.push_back(value);
       return std::string();
     }},
    {"zstd", "[=LEVEL]", "compress what is written; level 3 unless told",
     [](Arguments& arguments, const std::string& value) {
       arguments.zstd_level = kDefaultZstdLevel;
       return value.empty() ? std::string()
                            : Number("zstd", value, ZstdSink::kMinLevel,
                                     ZstdSink::kMaxLevel, arguments.zstd_level);
     }},
    kOutputOption,
    kForceOption,
};

}  // namespace

const Verb kRepackVerb = {"repack",
                          "FILE [CHANNEL]...",
                          "decode a stream and encode it again, as it is or in "
                          "another shape",
                          kAnyFiles,
                          kOptions,
                          Run};

}  // namespace migstream
