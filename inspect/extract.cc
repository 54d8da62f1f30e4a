#include <algorithm>
#include <utility>

#include "codec/extract/lspci_text.h"
#include "codec/extract/payload_extractor.h"
#include "codec/extract/ram_extractor.h"
#include "codec/io/write_behind.h"
#include "codec/qemu/stream_reader.h"
#include "codec/survey/stream_survey.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "inspect/console.h"
#include "inspect/extract_all.h"
#include "inspect/inputs.h"
#include "inspect/output_file.h"
#include "inspect/ram_file.h"
#include "inspect/text_report.h"
#include "inspect/verb.h"
#include "inspect/written_files.h"

namespace migstream {
namespace {

// `cut`: why no more was read, or what of the device is missing, where what is
// wanted is there all the same.
// `in_part`: with --recover something would be there.
Error Extract(const Arguments& arguments, Inputs& inputs,
              PayloadExtractor& extractor, Error& cut, bool& in_part) {
  StreamSurvey survey(ReaderOptionsOf(arguments, inputs), extractor);
  Error error = ReadMigration(arguments, inputs, survey,
                              [&extractor](const ReassembledPiece& piece) {
                                extractor.OnPiece(piece);
                              });
  const StreamFacts& facts = survey.facts();
  std::string lacking;
  if (arguments.recover) {
    Error none = extractor.FinishPart(facts, lacking);
    cut = std::move(error);
    if (cut.ok() && !lacking.empty()) {
      cut = {ErrorCode::kUnwalkable, 0, "device", lacking};
    }
    return none;
  }
  if (!facts.complete()) {
    if (!extractor.IsCertain(facts)) {
      in_part = extractor.FinishPart(facts, lacking).ok() &&
                (arguments.what == "config" ||
                 std::any_of(facts.devices.begin(), facts.devices.end(),
                             [&](const DeviceFacts& device) {
                               return device.idstr == extractor.idstr() &&
                                      device.data.records() != 0;
                             }));
      return error;
    }
    cut = std::move(error);
    return extractor.Finish(facts);
  }
  // What is wrong on the channels matters only as long as they have something
  // of the device.
  return !error.ok() && extractor.NeedsChannels(facts)
             ? error
             : extractor.Finish(facts);
}

// `in_part`: with --recover something would be there.
ExitStatus SayError(const Inputs& inputs, const Error& error, bool in_part) {
  PrintError(inputs.file, error);
  if (in_part) {
    PrintError(StrCat(inputs.file, ": --recover writes what is there of it"));
  }
  return IsUnusable(error) || error.code == ErrorCode::kUnknownSection
             ? kUnusable
             : kFindings;
}

// False, and said why, if it cannot be.
bool Open(OutputFile& output, const Arguments& arguments) {
  return IsFine(
      output.Open(arguments.output, arguments.force, ModeOf(arguments.files)));
}

// The domain's XML, out of libvirt's header.
ExitStatus ExtractXml(const Arguments& arguments) {
  if (arguments.files.size() > 1) {
    PrintError("--what=libvirt-xml takes the save file alone");
    return kUnusable;
  }
  OutputFile output;
  if (!Open(output, arguments)) return kUnusable;
  OpenOptions options = OpenOptionsOf(arguments);
  options.on_xml = [&output](ByteSpan bytes) { output.Write(bytes); };
  const std::string& file = arguments.files[0];
  OpenedStream opened = OpenStream(file, options);
  // Nothing of the stream behind it is needed.
  if (!opened.libvirt) {
    PrintError(opened.error.ok() ? StrCat(file, ": is not a libvirt save file")
                                 : ErrorLine(file, opened.error));
    return kUnusable;
  }
  if (!IsFine(output.Commit())) return kUnusable;
  OutputFile* const files[] = {&output};
  return SayWritten(arguments, files, kFine);
}

ExitStatus ExtractRam(const Arguments& arguments, Inputs& inputs,
                      OutputFile& output) {
  WriteBehind behind;
  RamFile image(output, inputs.OpenMainAgain(), behind);
  RamExtractor extractor(image, arguments.ram, inputs.Channels(), {},
                         ThreadsOf(arguments, ChannelPages::kMostThreads));
  StreamSurvey survey(ReaderOptionsOf(arguments, inputs), extractor);
  Error error = ReadMigration(arguments, inputs, survey);
  // Guest memory is complete at the END of RAM; errors after it do not matter.
  Error doubt;
  if (arguments.recover || extractor.reached_end()) std::swap(error, doubt);
  const Error preempted = TakePreempt(inputs, extractor);
  const Error none = extractor.Finish();
  if (error.ok()) error = none;
  if (!error.ok()) return SayError(inputs, error, none.ok());
  if (doubt.ok()) doubt = preempted;
  if (doubt.ok()) doubt = extractor.FindMissingChannel();
  if (!IsFine(image.Finish())) return kUnusable;
  const uint64_t missing = extractor.missing_pages();
  if (!IsFine(output.Commit())) return kUnusable;
  if (!doubt.ok()) PrintError(inputs.file, doubt);
  if (missing != 0) {
    PrintError(StrCat(inputs.file, ": ", Plural(missing, "page"), " of ",
                      arguments.ram, " never came, and count as zero",
                      ChannelsHint(!inputs.channels.empty())));
  }
  OutputFile* const files[] = {&output};
  return SayWritten(arguments, files,
                    missing == 0 && doubt.ok() ? kFine : kFindings);
}

ExitStatus Run(const Arguments& arguments) {
  if (arguments.extract_all) return ExtractAll(arguments);
  if (arguments.what == "libvirt-xml") return ExtractXml(arguments);
  Inputs inputs = OpenInputs(arguments);
  if (!inputs.main) return kUnusable;
  OutputFile output;
  if (!Open(output, arguments)) return kUnusable;
  if (!arguments.ram.empty()) return ExtractRam(arguments, inputs, output);
  const bool as_text = arguments.format == "lspci";
  StringSink config;
  PayloadExtractor extractor(
      as_text ? static_cast<ByteSink&>(config) : output, inputs.device,
      arguments.what == "config" ? PayloadExtractor::kConfig
                                 : PayloadExtractor::kPayload);
  Error cut;
  bool in_part = false;
  Error error = Extract(arguments, inputs, extractor, cut, in_part);
  if (!error.ok()) return SayError(inputs, error, in_part);
  if (as_text) {
    output.Write(
        AsBytes(LspciText(extractor.idstr(), AsBytes(config.bytes()))));
  }
  SayGaps(inputs);
  if (!IsFine(output.Commit())) return kUnusable;
  if (!cut.ok()) PrintError(inputs.file, cut);
  OutputFile* const files[] = {&output};
  return SayWritten(arguments, files, cut.ok() ? kFine : kFindings);
}

std::string Misused(const Arguments& arguments) {
  if (arguments.files.empty()) return kWhichFile;
  if (arguments.output.empty()) {
    return StrCat("-o ", arguments.extract_all ? "DIR" : "OUT", " is missing");
  }
  if (arguments.extract_all && IsWrittenDirectly(arguments.output)) {
    return "with --all, -o is followed by a folder";
  }
  return arguments.format == "lspci" && arguments.what != "config"
             ? "--format=lspci needs --what=config"
             : NoPlaceForAnswer(arguments);
}

const Option kOptions[] = {
    {"all",
     "",
     "everything, a file each in the folder OUT: of each device\n"
     "payload and config space, guest memory by block, the\n"
     "state of the other devices, and the description",
     Set<&Arguments::extract_all>,
     {},
     "device what format=raw format=lspci ram"},
    {"device",
     "IDSTR",
     "as inspect names it, or a part that no other has;\n"
     "needed if there are several",
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
    {"format", "FORMAT",
     "raw (the default); of a config space also lspci: text\n"
     "that `lspci -vvv -F OUT` decodes; json: raw, and which\n"
     "files were written as JSON on standard output",
     [](Arguments& arguments, const std::string& value) {
       arguments.format = value;
       return OneOf("format", value, {"raw", "lspci", "json"});
     },
     "raw lspci json"},
    kRecoverOption,
    {"ram",
     "BLOCK",
     "the memory of a RAM block instead, with holes where it\n"
     "is zero; inspect names the blocks",
     Set<&Arguments::ram>,
     {},
     "format=raw format=lspci"},
    kOutputOption,
    kForceOption,
};

}  // namespace

const Verb kExtractVerb = {
    "extract",
    "FILE [CHANNEL]...",
    "a device's payload or config space, guest memory, or everything",
    kAnyFiles,
    kOptions,
    Run,
    {},
    Misused};

}  // namespace migstream
