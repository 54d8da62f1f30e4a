#include <utility>

#include "codec/channels/channel_reader.h"
#include "codec/extract/payload_extractor.h"
#include "codec/extract/ram_extractor.h"
#include "codec/io/absl_view.h"
#include "codec/qemu/stream_reader.h"
#include "codec/wire/text.h"
#include "inspect/inputs.h"
#include "inspect/output_file.h"
#include "inspect/progress.h"
#include "inspect/ram_file.h"
#include "inspect/say.h"
#include "inspect/text_report.h"
#include "inspect/verb.h"

namespace migstream {
namespace {

Error Extract(const Arguments& arguments, Inputs& inputs,
              PayloadExtractor& extractor) {
  ReaderOptions options;
  options.dialect = arguments.dialect;
  StreamReader reader(*inputs.main, extractor, options);
  Error error;
  {
    Progress progress(*inputs.main, arguments.quiet);
    error = reader.Read();
  }
  if (!error.ok()) return error;
  if (extractor.needs_channels() && !inputs.channels.empty()) {
    ChannelReaderOptions of_channels =
        ChannelOptionsOf(reader, *arguments.dialect);
    // The extractor knows what it needs; of other devices it needs nothing.
    of_channels.devices.reset();
    ChannelReader channels(inputs.Channels(), of_channels);
    error = channels.Read([&extractor](const ReassembledPiece& piece) {
      extractor.OnPiece(piece);
    });
    if (!error.ok()) return error;
    extractor.OnChannelsRead(channels.FindMissing().reason);
  }
  return extractor.Finish();
}

ExitStatus SayError(const Inputs& inputs, const Error& error) {
  Complain(ErrorLine(inputs.file, error));
  return IsUnusable(error) || error.code == ErrorCode::kUnknownSection
             ? kUnusable
             : kFindings;
}

ExitStatus Commit(OutputFile& output, ExitStatus fine) {
  absl::Status status = output.Commit();
  if (status.ok()) return fine;
  Complain(StdView(status.message()));
  return kUnusable;
}

// The domain's XML, out of libvirt's header.
ExitStatus ExtractXml(const Arguments& arguments) {
  if (arguments.files.size() > 1) {
    Complain("--what=libvirt-xml takes the save file alone");
    return kUnusable;
  }
  OutputFile output;
  if (absl::Status status = output.Open(arguments.output, arguments.force);
      !status.ok()) {
    Complain(StdView(status.message()));
    return kUnusable;
  }
  OpenOptions options = OpenOptionsOf(arguments);
  options.on_xml = [&output](ByteSpan bytes) { output.Write(bytes); };
  const std::string& file = arguments.files[0];
  OpenedStream opened = OpenStream(file, options);
  // Of the stream behind it nothing is needed.
  if (!opened.libvirt) {
    Complain(opened.error.ok() ? StrCat(file, ": is no libvirt save file")
                               : ErrorLine(file, opened.error));
    return kUnusable;
  }
  return Commit(output, kFine);
}

ExitStatus ExtractRam(const Arguments& arguments, Inputs& inputs,
                      OutputFile& output) {
  RamFile image(output);
  RamExtractor extractor(image, arguments.ram, inputs.Channels());
  ReaderOptions options;
  options.dialect = arguments.dialect;
  StreamReader reader(*inputs.main, extractor, options);
  Error error;
  {
    Progress progress(*inputs.main, arguments.quiet);
    error = reader.Read();
  }
  // Memory is over with the END of RAM, whatever is wrong behind it.
  Error doubt;
  if (extractor.reached_end()) std::swap(error, doubt);
  if (error.ok()) error = extractor.Finish();
  if (!error.ok()) return SayError(inputs, error);
  if (doubt.ok()) doubt = extractor.FindMissingChannel();
  if (absl::Status status = image.Finish(); !status.ok()) {
    Complain(StdView(status.message()));
    return kUnusable;
  }
  const uint64_t missing = extractor.missing_pages();
  const ExitStatus status =
      Commit(output, missing == 0 && doubt.ok() ? kFine : kFindings);
  if (status == kUnusable) return status;
  if (!doubt.ok()) Complain(ErrorLine(inputs.file, doubt));
  if (missing != 0) {
    Complain(StrCat(inputs.file, ": ", Plural(missing, "page"), " of ",
                    arguments.ram, " never came, and count as zero",
                    ChannelsHint(!inputs.channels.empty())));
  }
  return status;
}

ExitStatus Run(const Arguments& arguments) {
  if (arguments.what == "libvirt-xml") return ExtractXml(arguments);
  Inputs inputs = OpenInputs(arguments);
  if (!inputs.main) return kUnusable;
  OutputFile output;
  if (absl::Status status = output.Open(arguments.output, arguments.force);
      !status.ok()) {
    Complain(StdView(status.message()));
    return kUnusable;
  }
  if (!arguments.ram.empty()) return ExtractRam(arguments, inputs, output);
  PayloadExtractor extractor(output, arguments.device,
                             arguments.what == "config"
                                 ? PayloadExtractor::kConfig
                                 : PayloadExtractor::kPayload,
                             *arguments.dialect);
  Error error = Extract(arguments, inputs, extractor);
  return error.ok() ? Commit(output, kFine) : SayError(inputs, error);
}

const Option kOptions[] = {
    {"device",
     "IDSTR",
     "as inspect names it; needed if there are several",
     Set<&Arguments::device>,
     {},
     "ram what=libvirt-xml"},
    {"what", "WHAT",
     "payload (the default) or config; or libvirt-xml, the\n"
     "domain's XML in a save file",
     [](Arguments& arguments, const std::string& value) {
       arguments.what = value;
       return OneOf("what", value, {"payload", "config", "libvirt-xml"});
     },
     "payload config libvirt-xml", "ram"},
    {"ram", "BLOCK",
     "the memory of a RAM block instead, with holes where it\n"
     "is zero; inspect names the blocks",
     Set<&Arguments::ram>},
    kOutputOption,
    kForceOption,
};

}  // namespace

const Verb kExtractVerb = {
    "extract",
    "FILE [CHANNEL]...",
    "a device's payload or config space, or guest memory",
    kAnyFiles,
    kOptions,
    Run};

}  // namespace migstream
