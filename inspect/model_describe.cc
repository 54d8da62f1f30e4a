#include "inspect/model_describe.h"

#include <string>

#include "codec/device/pci_config.h"
#include "codec/extract/payload_extractor.h"
#include "codec/io/byte_sink.h"
#include "codec/model/generic_model.h"
#include "codec/model/model_json.h"
#include "codec/payload/payload_tally.h"
#include "codec/survey/stream_survey.h"
#include "inspect/inputs.h"

namespace migstream {
namespace {

class TallySink : public ByteSink {
 public:
  explicit TallySink(PayloadTally& tally) : tally_(tally) {}
  void Write(ByteSpan bytes) override { tally_.Add(bytes, {}); }

 private:
  PayloadTally& tally_;
};

// Reads the stream once, for one of a device's two parts; kFine, else there
// was a message.
ExitStatus Read(const Arguments& arguments, PayloadExtractor::What what,
                ByteSink& sink) {
  Inputs inputs = OpenInputs(arguments);
  if (!inputs.main) return kUnusable;
  PayloadExtractor extractor(sink, inputs.device, what);
  StreamSurvey survey({.dialect = arguments.dialect}, extractor);
  Error error = ReadMigration(arguments, inputs, survey,
                              [&extractor](const ReassembledPiece& piece) {
                                extractor.OnPiece(piece);
                              });
  const StreamFacts& facts = survey.facts();
  const bool matters = !facts.complete() || extractor.NeedsChannels(facts);
  if (error.ok() || !matters) error = extractor.Finish(facts);
  if (error.ok()) return kFine;
  PrintError(inputs.file, error);
  return IsUnusable(error) || error.code == ErrorCode::kUnknownSection
             ? kUnusable
             : kFindings;
}

}  // namespace

ExitStatus DescribeModel(const Arguments& arguments) {
  for (const std::string& file : arguments.files) {
    if (file != "-") continue;
    PrintError(
        "model describe reads a stream twice, and standard input cannot be");
    return kUnusable;
  }
  StringSink config;
  ExitStatus status = Read(arguments, PayloadExtractor::kConfig, config);
  if (status != kFine) return status;
  const ByteSpan space = AsBytes(config.bytes());
  const PciConfig pci = PciConfig::Parse(space);
  PayloadTally tally({.id = PciId{pci.vendor_id, pci.device_id}});
  TallySink sink(tally);
  status = Read(arguments, PayloadExtractor::kPayload, sink);
  if (status != kFine) return status;
  return Print(
      ToJson({{DescribeDevice(space, tally.Finish(), arguments.kernel)}, {}}),
      kFine);
}

}  // namespace migstream
