#include "inspect/extract_all.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/extract/lspci_text.h"
#include "codec/extract/payload_extractor.h"
#include "codec/extract/ram_extractor.h"
#include "codec/io/write_behind.h"
#include "codec/qemu/stream_reader.h"
#include "codec/qemu/stream_visitor.h"
#include "codec/survey/stream_survey.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "inspect/inputs.h"
#include "inspect/output_file.h"
#include "inspect/ram_file.h"
#include "inspect/safe_file_name.h"
#include "inspect/state.h"
#include "inspect/text_report.h"
#include "inspect/unfinished_files.h"
#include "inspect/written_files.h"

namespace migstream {
namespace {

// The files that are written, none of them twice.
class Folder {
 public:
  Folder(std::string path, bool force, mode_t mode)
      : path_(std::move(path)), force_(force), mode_(mode) {}
  ~Folder() {
    files_.clear();
    if (!created_) return;
    // It goes if it is new and has remained empty.
    Uninterrupted uninterrupted;
    rmdir(path_.c_str());
    ForgetUnfinished(path_);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  // False, and said why, if it cannot be there.
  bool Create() {
    created_ = CreateUnfinishedFolder(path_);
    if (created_ || errno == EEXIST) return true;
    PrintError(StrCat(path_, ": ", std::strerror(errno)));
    return false;
  }

  // Null, and said why, if there is none.
  OutputFile* Open(std::string_view name, std::string_view suffix) {
    if (failed_ || full_) return nullptr;
    if (files_.size() == kMostFiles) {
      full_ = true;
      PrintError(StrCat("more than ", kMostFiles,
                        " files; what is left out can be extracted by its "
                        "name"));
      return nullptr;
    }
    const std::string safe = SafeFileName(name);
    std::string file = StrCat(safe, suffix);
    for (int n = 2; !names_.insert(file).second; ++n) {
      file = StrCat(safe, "-", n, suffix);
    }
    OutputFile& output = files_.emplace_back();
    failed_ = !IsFine(output.Open(StrCat(path_, "/", file), force_, mode_));
    return failed_ ? nullptr : &output;
  }

  // A file could not be opened.
  bool failed() const { return failed_; }
  // There were more than are written.
  bool full() const { return full_; }

  std::vector<OutputFile*> files() {
    std::vector<OutputFile*> all;
    for (OutputFile& file : files_) all.push_back(&file);
    return all;
  }

 private:
  // All are open until the end.
  static constexpr size_t kMostFiles = 500;

  const std::string path_;
  const bool force_;
  const mode_t mode_;
  std::set<std::string> names_;
  std::deque<OutputFile> files_;
  bool created_ = false;
  bool failed_ = false;
  bool full_ = false;
};

// Each VFIO device's sections, to extractors of its own.
class Devices : public StreamVisitor {
 public:
  explicit Devices(Folder& folder) : folder_(folder) {}

  bool wants_payload() const override { return true; }
  void OnSection(const SectionView& section) override {
    device_ = section.vfio ? Find(section.idstr) : nullptr;
    if (device_ == nullptr) return;
    device_->payload.OnSection(section);
    device_->config.OnSection(section);
  }
  void OnDeviceEvent(const SectionView& section, const Event& event) override {
    if (device_ == nullptr) return;
    device_->payload.OnDeviceEvent(section, event);
    device_->config.OnDeviceEvent(section, event);
  }
  void OnFinding(const Finding& finding) override {
    doubtful_ |= finding.severity == Severity::kError;
  }
  void OnDescription(uint64_t, ByteSpan json) override {
    OutputFile* file = folder_.Open("description", ".json");
    if (file != nullptr) file->Write(json);
  }
  void OnPiece(const ReassembledPiece& piece) {
    auto found = devices_.find(piece.idstr);
    if (found == devices_.end()) return;
    found->second->payload.OnPiece(piece);
    found->second->config.OnPiece(piece);
  }

  // Writes what is not written yet, and says what is missing; false if anything
  // is.
  bool Finish(const std::string& file, const StreamFacts& facts) {
    bool all = !doubtful_;
    for (const auto& [idstr, device] : devices_) {
      std::string before;
      for (PayloadExtractor* extractor : {&device->payload, &device->config}) {
        const std::string lacking = Lacking(*extractor, facts);
        if (lacking.empty()) continue;
        all = false;
        if (lacking == before) continue;
        PrintError(StrCat(file, ": ", Printable(idstr), ": ", lacking));
        before = lacking;
      }
      const std::string& config = device->config_bytes.bytes();
      if (config.empty()) continue;
      OutputFile* raw = folder_.Open(idstr, ".config");
      OutputFile* text = folder_.Open(idstr, ".lspci");
      if (raw == nullptr || text == nullptr) return false;
      raw->Write(AsBytes(config));
      text->Write(AsBytes(LspciText(idstr, AsBytes(config))));
    }
    return all;
  }

 private:
  struct Device {
    Device(OutputFile& file, const std::string& idstr)
        : payload(file, idstr, PayloadExtractor::kPayload),
          config(config_bytes, idstr, PayloadExtractor::kConfig) {}

    StringSink config_bytes;
    PayloadExtractor payload;
    PayloadExtractor config;
  };

  Device* Find(std::string_view idstr) {
    auto found = devices_.find(idstr);
    if (found != devices_.end()) return found->second.get();
    OutputFile* file = folder_.Open(idstr, ".payload");
    if (file == nullptr) return nullptr;
    std::string name(idstr);
    auto device = std::make_unique<Device>(*file, name);
    return devices_.emplace(std::move(name), std::move(device))
        .first->second.get();
  }

  static std::string Lacking(PayloadExtractor& extractor,
                             const StreamFacts& facts) {
    std::string lacking;
    const Error error = extractor.FinishPart(facts, lacking);
    if (!error.ok() && lacking.empty()) lacking = error.reason;
    if (!lacking.empty() || facts.complete() || extractor.IsCertain(facts)) {
      return lacking;
    }
    return "what came of it may not be all";
  }

  Folder& folder_;
  std::map<std::string, std::unique_ptr<Device>, std::less<>> devices_;
  Device* device_ = nullptr;  // Of the section that is read.
  bool doubtful_ = false;
};

// Guest memory, a file for each block.
class Memory {
 public:
  explicit Memory(Folder& folder) : folder_(folder) {}

  RamImage* ImageOf(const RamBlock& block) {
    OutputFile* file = folder_.Open(block.name, ".ram");
    // Files of a folder can be written anywhere.
    return file == nullptr ? nullptr
                           : &images_.emplace_back(*file, nullptr, behind_);
  }
  bool Finish() {
    return std::all_of(images_.begin(), images_.end(),
                       [](RamFile& image) { return IsFine(image.Finish()); });
  }

 private:
  Folder& folder_;
  WriteBehind behind_;
  std::deque<RamFile> images_;
};

// The same files once more; where they are damaged is known.
Inputs OpenAgain(const Arguments& arguments, Inputs& before) {
  Arguments again = arguments;
  again.recover = false;
  again.quiet = true;
  Inputs inputs = OpenInputs(again);
  inputs.recovery = std::move(before.recovery);
  if (inputs.main && inputs.recovery != nullptr && !CanGoBack(inputs)) {
    return {};
  }
  return inputs;
}

ExitStatus ExtractState(const Arguments& arguments, Inputs& inputs,
                        Folder& folder) {
  OutputFile* file = folder.Open("state", ".json");
  return file == nullptr ? kUnusable : WriteState(arguments, inputs, *file);
}

ExitStatus ExtractDevices(const Arguments& arguments, Inputs& inputs,
                          Folder& folder) {
  Devices devices(folder);
  StreamSurvey survey(ReaderOptionsOf(arguments, inputs), devices);
  const Error error = survey.ReadAll(
      *inputs.main, inputs.Channels(),
      [&devices](const ReassembledPiece& piece) { devices.OnPiece(piece); });
  const bool all = devices.Finish(inputs.file, survey.facts());
  return error.ok() && all ? kFine : kFindings;
}

ExitStatus ExtractMemory(const Arguments& arguments, Inputs& inputs,
                         Memory& memory) {
  RamExtractor extractor(
      [&memory](const RamBlock& block) { return memory.ImageOf(block); },
      inputs.Channels(), {}, ThreadsOf(arguments, ChannelPages::kMostThreads));
  StreamSurvey survey(ReaderOptionsOf(arguments, inputs), extractor);
  ExitStatus status = survey.Read(*inputs.main).ok() ? kFine : kFindings;
  auto say = [&](const Error& error) {
    if (error.ok()) return;
    PrintError(inputs.file, error);
    status = kFindings;
  };
  say(TakePreempt(inputs, extractor));
  say(extractor.Finish());
  if (status == kFine) say(extractor.FindMissingChannel());
  if (const uint64_t missing = extractor.missing_pages(); missing != 0) {
    PrintError(StrCat(inputs.file, ": ", Plural(missing, "page"),
                      " of guest memory never came, and count as zero",
                      ChannelsHint(!inputs.channels.empty())));
    status = kFindings;
  }
  return memory.Finish() ? status : kUnusable;
}

}  // namespace

ExitStatus ExtractAll(const Arguments& arguments) {
  Inputs inputs = OpenInputs(arguments);
  if (!inputs.main) return kUnusable;
  for (const std::string& file : arguments.files) {
    if (IsRegularFile(file)) continue;
    PrintError(StrCat(file,
                      ": it can be read only once, and --all reads it three "
                      "times"));
    return kUnusable;
  }
  Folder folder(arguments.output, arguments.force, ModeOf(arguments.files));
  if (!folder.Create()) return kUnusable;
  // The first reading says what is wrong with the stream.
  ExitStatus status = ExtractState(arguments, inputs, folder);
  if (status == kUnusable) return kUnusable;
  SayGaps(inputs);
  inputs = OpenAgain(arguments, inputs);
  if (!inputs.main) return kUnusable;
  status = std::max(status, ExtractDevices(arguments, inputs, folder));
  inputs = OpenAgain(arguments, inputs);
  if (!inputs.main) return kUnusable;
  Memory memory(folder);
  status = std::max(status, ExtractMemory(arguments, inputs, memory));
  if (folder.full()) status = std::max(status, kFindings);
  const std::vector<OutputFile*> files = folder.files();
  const bool written =
      status != kUnusable && !folder.failed() && IsFine(CommitAll(files));
  return written ? SayWritten(arguments, files, status) : kUnusable;
}

}  // namespace migstream
