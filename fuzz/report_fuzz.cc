// What is told of a stream: its report, the state as JSON, guest memory, what
// it differs in from itself, and what a loader would say. All of it is well
// formed, and names places that there are.

#include <google/protobuf/util/json_util.h>

#include <span>
#include <string>
#include <vector>

#include "codec/channels/channel_reader.h"
#include "codec/diff/stream_diff.h"
#include "codec/extract/ram_extractor.h"
#include "codec/loader/loader.h"
#include "codec/loader/loader_row.h"
#include "codec/report/finding_ids.h"
#include "codec/report/report.pb.h"
#include "codec/report/report_builder.h"
#include "codec/report/stats.h"
#include "codec/state/field_reader.h"
#include "codec/state/state_json.h"
#include "codec/survey/stream_survey.h"
#include "codec/wire/json.h"
#include "flags/release.h"
#include "fuzz/fuzzing.h"

using namespace migstream;  // NOLINT: this file is a program.

namespace {

// A main channel, and perhaps a multifd channel, to be read several times.
struct Files {
  ByteSpan main;
  ByteSpan channel;

  std::vector<ChannelReader::Channel> Channels(MemorySource& source) const {
    if (channel.empty()) return {};
    return {{"ch1", &source}};
  }
  bool Has(const std::string& file, uint64_t offset) const {
    return offset <= (file.empty() ? main : channel).size();
  }
};

// All that it is given lies within the block.
class CheckedImage : public RamImage {
 public:
  void Resize(uint64_t bytes) override {
    REQUIRE(bytes >= bytes_);
    bytes_ = bytes;
  }
  void Write(uint64_t offset, ByteSpan bytes) override {
    Check(offset, bytes.size());
  }
  void Zero(uint64_t offset, uint64_t bytes) override { Check(offset, bytes); }
  void Read(uint64_t offset, std::span<uint8_t> bytes) override {
    Check(offset, bytes.size());
    std::fill(bytes.begin(), bytes.end(), uint8_t{0});
  }

 private:
  void Check(uint64_t offset, uint64_t bytes) const {
    REQUIRE(bytes <= bytes_ && offset <= bytes_ - bytes);
  }

  uint64_t bytes_ = 0;
};

report::Report ReportOf(const Files& files, const ReaderOptions& reader,
                        bool records) {
  MemorySource main(files.main);
  MemorySource channel(files.channel);
  ReportOptions options;
  options.reader = reader;
  options.records = records;
  options.region_bytes = 16;
  report::Report report;
  Error error = BuildReport(main, files.Channels(channel), options, report);
  REQUIRE(error.ok() || files.Has(error.file, error.offset));
  return report;
}

// Without a list of records, rows of them are read as one.
void Rows(report::Report listed, const report::Report& report) {
  for (report::Device& device : *listed.mutable_devices()) {
    device.clear_records();
    device.clear_records_omitted();
  }
  REQUIRE(listed.SerializeAsString() == report.SerializeAsString());
}

void Report(const Files& files, const ReaderOptions& reader) {
  const report::Report report = ReportOf(files, reader, /*records=*/true);
  Rows(report, ReportOf(files, reader, /*records=*/false));
  for (const report::Finding& finding : report.findings()) {
    REQUIRE(FindFinding(finding.id()) != nullptr);
    REQUIRE(!finding.message().empty());
    REQUIRE(files.Has(finding.file(), finding.offset()));
  }
  std::string json;
  REQUIRE(google::protobuf::util::MessageToJsonString(report, &json).ok());
  report::Stats stats = MakeStats(report, 1e11);
  const uint64_t all = files.main.size() + files.channel.size();
  for (const report::Device& device : report.devices()) {
    REQUIRE(device.payload_bytes() <= all);
    REQUIRE(device.pre_copy().bytes() + device.stop_copy().bytes() ==
            device.payload_bytes());
    REQUIRE(device.largest_record_bytes() <= all);
    for (uint64_t bytes : device.record_sizes()) REQUIRE(bytes <= all);
  }
  REQUIRE(stats.stopped().device_bytes() <= all);
}

void State(const Files& files, const ReaderOptions& reader) {
  MemorySource main(files.main);
  StringSink text;
  StateJson json(text);
  FieldReader fields(json);
  MemorySource channel(files.channel);
  Error error = StreamSurvey(reader, fields)
                    .ReadAll(main, files.Channels(channel),
                             [&](const ReassembledPiece& piece) {
                               fields.OnPiece(piece);
                             });
  fields.Finish(error);
  json.Finish();
  rapidjson::MemoryStream characters(text.bytes().data(), text.bytes().size());
  rapidjson::BaseReaderHandler<> nobody;
  rapidjson::Reader parser;
  REQUIRE(parser.Parse<rapidjson::kParseIterativeFlag>(characters, nobody));
}

void Memory(const Files& files, const ReaderOptions& reader) {
  MemorySource main(files.main);
  MemorySource channel(files.channel);
  CheckedImage image;
  RamExtractor extractor(image, "pc.ram", files.Channels(channel));
  Error error = StreamReader(main, extractor, reader).Read();
  if (error.ok()) error = extractor.Finish();
  REQUIRE(error.ok() || files.Has(error.file, error.offset));
}

void Differ(const Files& files, const ReaderOptions& reader) {
  StreamState states[2];
  StateOptions options;
  options.reader = reader;
  Error errors[2];
  options.ram = true;
  for (int i = 0; i < 2; ++i) {
    MemorySource main(files.main);
    MemorySource channel(files.channel);
    MemorySource again(files.channel);
    options.ram_channels = files.Channels(again);
    errors[i] = states[i].Read(main, files.Channels(channel), options);
  }
  REQUIRE(ToString(errors[0]) == ToString(errors[1]));
  std::vector<Difference> differences;
  REQUIRE(CompareStreams(states[0], states[1], {}, differences).ok());
  REQUIRE(differences.empty());
}

void Load(const Files& files, Release release) {
  MemorySource main(files.main);
  MemorySource channel(files.channel);
  LoaderOptions options;
  options.release = release;
  LoadVerdict verdict = PredictLoad(main, files.Channels(channel), options);
  REQUIRE(verdict.outcome != LoadVerdict::kUnreadable);
  REQUIRE(files.Has(verdict.file, verdict.offset));
  REQUIRE((verdict.outcome == LoadVerdict::kLoads) == verdict.message.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzInput input(data, size);
  ReaderOptions options;
  uint8_t dialect = input.Choice();
  if (dialect < AllDialects().size()) options.dialect = &AllDialects()[dialect];
  Release release = kReleases[input.Choice() % std::size(kReleases)].release;
  size_t channel_bytes = input.Choice() * size_t{256};
  channel_bytes += input.Choice();

  Files files{input.Rest(), {}};
  if (channel_bytes <= files.main.size()) {
    files.channel = files.main.last(channel_bytes);
    files.main = files.main.first(files.main.size() - channel_bytes);
  }
  Report(files, options);
  State(files, options);
  Memory(files, options);
  Differ(files, options);
  Load(files, release);
  return 0;
}
