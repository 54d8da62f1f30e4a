#include "inspect/inputs.h"

#include <malloc.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <thread>

#include "codec/device/pci_config.h"
#include "codec/io/absl_view.h"
#include "codec/io/decompressing_source.h"
#include "codec/io/open_file.h"
#include "codec/io/qcow2_image.h"
#include "codec/io/temp_file.h"
#include "codec/place/damage_kind.h"
#include "codec/qemu/stream_reader.h"
#include "codec/qemu/stream_visitor.h"
#include "codec/recover/plan_recovery.h"
#include "codec/report/report.pb.h"
#include "codec/report/report_builder.h"
#include "codec/report/report_findings.h"
#include "codec/report/side_report.h"
#include "codec/rewrite/rewrite.h"
#include "codec/survey/stream_survey.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "inspect/console.h"
#include "inspect/progress.h"
#include "inspect/text_report.h"

namespace migstream {
namespace {

// False, with a message, if there is nothing to be read.
bool CanRead(const std::string& file) {
  if (file != "-" || !isatty(STDIN_FILENO)) return true;
  PrintError("standard input is a terminal, not a stream");
  return false;
}

OpenedStream Reported(const std::string& file, OpenedStream opened) {
  if (!opened.error.ok()) PrintError(file, opened.error);
  return opened;
}

// What is wrong with a compressed file; empty if nothing is. A stream is read
// up to its first error, and a checksum stands behind all of it, or behind a
// block.
std::string DamageOf(const std::string& file, const OpenOptions& options,
                     uint64_t most) {
  if (!IsRegularFile(file)) return "";
  OpenedStream opened = OpenStream(file, options);
  if (!opened.source || opened.source->size()) return "";
  opened.source->Skip(most);
  return opened.source->failure();
}

// After an error, the files that are damaged themselves, and how.
std::vector<std::pair<std::string, std::string>> ContainerDamages(
    const Inputs& inputs, const Error& error) {
  std::vector<std::pair<std::string, std::string>> damages;
  // One that was read to where it is damaged is named by the error.
  if (error.ok() || error.code == ErrorCode::kReadFailed ||
      error.code == ErrorCode::kBadOptions) {
    return damages;
  }
  // What is no stream may be anything, of any size.
  const uint64_t most = uint64_t{1} << (IsUnusable(error) ? 24 : 36);
  auto look = [&](const std::string& file, const OpenOptions& options) {
    const std::string damage = DamageOf(file, options, most);
    if (damage.empty()) return;
    damages.emplace_back(file,
                         StrCat(damage,
                                "; what follows may be this file's damage, and "
                                "not the migration's"));
  };
  look(inputs.file, inputs.options);
  for (const std::string& file : inputs.channel_files) {
    look(file, {.limits = inputs.options.limits});
  }
  return damages;
}

// What the bytes around an error of the main channel look like; empty if that
// is not known.
std::string DamageAround(const Inputs& inputs, uint64_t offset) {
  if (!IsRegularFile(inputs.file)) return "";
  std::unique_ptr<ByteSource> source =
      OpenStream(inputs.file, inputs.options).source;
  if (!source) return "";
  const uint64_t start =
      std::max(source->offset(), offset - std::min(offset, kDamageBytesBefore));
  source->Skip(start - source->offset());
  ByteSpan bytes = source->Peek(offset - start + kDamageBytesAfter);
  bytes = bytes.first(
      std::min<uint64_t>(bytes.size(), offset - start + kDamageBytesAfter));
  return DamageKind(bytes, start, offset);
}

// The rest of a source, in a file without a name, at the same offsets. Null,
// with a message, if that cannot be.
std::unique_ptr<ByteSource> Spooled(ByteSource& source) {
  TempFile file;
  Error error;
  while (error.ok()) {
    const ByteSpan bytes = source.Peek(256 << 10);
    if (bytes.empty()) break;
    error = file.WriteAt(source.offset(), bytes);
    source.Consume(bytes.size());
  }
  if (error.ok()) error = file.Flush();
  if (!error.ok()) {
    PrintError(error.reason);
    return nullptr;
  }
  const int fd = file.Release();
  if (fd < 0) return std::make_unique<MemorySource>(ByteSpan());
  return std::make_unique<FileSource>(fd, FileAccess::kFastest);
}

// What the windows of files that are read together may take, and how many of
// them may be compressed: each takes some memory beside its window.
constexpr uint64_t kWindowsBytes = 14 << 20;
constexpr size_t kMostCompressed = 16;
constexpr size_t kMostBzip2 = 3;  // Each takes 4 MiB.

// Whether so many files that are compressed like this one, a regular file, can
// be read together.
bool FitsBesideOthers(const std::string& file, Compression compression,
                      const OpenOptions& options, size_t files) {
  if (files > kMostCompressed ||
      (compression == Compression::kBzip2 && files > kMostBzip2)) {
    return false;
  }
  auto opened = OpenFile(file, options.access);
  if (!opened.ok()) return true;
  const std::unique_ptr<ByteSource> source = Decompressed(
      *std::move(opened), {.window_bytes = std::min(options.limits.window_bytes,
                                                    kWindowsBytes / files)});
  source->Peek(1);
  return source->failure().empty();
}

// One of several files through its compression; one that takes too much memory
// beside the others is decompressed first, as a whole. Null, with a message, if
// that cannot be.
std::unique_ptr<ByteSource> OneOfSeveral(const std::string& file,
                                         std::unique_ptr<ByteSource> source,
                                         const OpenOptions& options,
                                         size_t files) {
  if (source == nullptr) return nullptr;
  const Compression compression =
      CompressionOf(source->Peek(kCompressionMagicBytes));
  source = Decompressed(std::move(source), options.limits);
  if (compression == Compression::kNone || !IsRegularFile(file) ||
      FitsBesideOthers(file, compression, options, files)) {
    return source;
  }
  std::unique_ptr<ByteSource> spooled = Spooled(*source);
  if (spooled == nullptr || source->failure().empty()) return spooled;
  // A damaged one is met again where it is.
  auto again = OpenFile(file, options.access);
  if (!again.ok()) return spooled;
  return Decompressed(*std::move(again), options.limits);
}

// `files`: how many are read together.
Reopen OpenedOften(const std::string& file, const OpenOptions& options,
                   size_t files, std::unique_ptr<ByteSource>& source,
                   bool quiet) {
  auto first = std::make_shared<std::unique_ptr<ByteSource>>(std::move(source));
  return [file, options, files, first, quiet]() -> std::unique_ptr<ByteSource> {
    std::unique_ptr<ByteSource> opened = std::move(*first);
    if (!opened && IsRegularFile(file)) {
      opened = files == 1 ? OpenInput(file, options)
                          : OneOfSeveral(file, OpenRaw(file), options, files);
    }
    if (opened) ShowProgress(*opened, quiet);
    return opened;
  };
}

// One of several files. The options are for a main channel only.
bool AddInput(const std::string& file, const OpenOptions& options, size_t files,
              Inputs& inputs) {
  auto opened = OpenFile(file, options.access);
  if (!opened.ok()) {
    PrintError(StrCat(file, ": ", StdView(opened.status().message())));
    return false;
  }
  std::unique_ptr<ByteSource> source = *std::move(opened);
  source->SetReadAhead(false);
  if (Qcow2Image::IsImage(source->Peek(4)) && !inputs.main) {
    inputs.file = file;
    inputs.main = Reported(file, OpenStream(file, options)).source;
    return inputs.main != nullptr;
  }
  source = OneOfSeveral(file, std::move(source), options, files);
  if (source == nullptr) return false;
  FileKind kind = KindOf(source->Peek(kFileKindBytes));
  if (kind == FileKind::kEmpty && !source->failure().empty()) {
    PrintError(StrCat(file, ": ", source->failure()));
    return false;
  }
  if (kind == FileKind::kMultifd || IsSide(kind)) {
    source->SetReadAhead(true);
    if (kind == FileKind::kMultifd) {
      inputs.channel_files.push_back(file);
      inputs.channels.push_back(std::move(source));
    } else {
      inputs.sides.push_back({file, kind, std::move(source)});
    }
    return true;
  }
  OpenedStream stream = Reported(file, Unwrap(std::move(source), options));
  if (stream.source && inputs.main) {
    std::string problem = NotAStream(stream.source->Peek(8));
    if (problem.empty()) {
      problem = StrCat("is a second main channel, beside ", inputs.file);
    }
    PrintError(StrCat(file, ": ", problem));
    return false;
  }
  inputs.file = file;
  inputs.main = std::move(stream.source);
  inputs.libvirt = stream.libvirt;
  return inputs.main != nullptr;
}

Inputs OpenAll(const Arguments& arguments) {
  Inputs inputs;
  const OpenOptions options = OpenOptionsOf(arguments);
  inputs.options = options;
  if (arguments.files.size() == 1) {
    inputs.file = arguments.files[0];
    if (!CanRead(inputs.file)) return {};
    OpenedStream opened =
        Reported(inputs.file, OpenStream(inputs.file, options));
    inputs.main = std::move(opened.source);
    inputs.libvirt = opened.libvirt;
    return inputs;
  }
  for (const std::string& file : arguments.files) {
    if (!CanRead(file) ||
        !AddInput(file, options, arguments.files.size(), inputs)) {
      return {};
    }
  }
  // Each takes a packet of 1 MiB now and then. By default glibc learns to keep
  // what is freed of such a size, once for each channel.
  constexpr size_t kManyChannels = 16;
  if (inputs.channels.size() > kManyChannels) {
    mallopt(M_MMAP_THRESHOLD, 128 << 10);
  }
  if (!inputs.main) PrintError("there is no main channel among the files");
  return inputs;
}

// Puts a main channel that cannot go back into a file that can; offsets stay.
bool Spool(Inputs& inputs) {
  const uint64_t start = inputs.main->offset();
  std::unique_ptr<ByteSource> spooled = Spooled(*inputs.main);
  if (spooled == nullptr) return false;
  if (!inputs.main->failure().empty()) {
    PrintError(StrCat(inputs.file, ": ", inputs.main->failure(),
                      "; what came before is read"));
  }
  if (spooled->size() == 0) return true;  // Nothing came.
  inputs.main = std::move(spooled);
  return inputs.main->MoveTo(start);
}

// The VFIO devices of a stream.
class DeviceNames : public StreamVisitor {
 public:
  void OnSection(const SectionView& section) override {
    if (section.vfio) names.insert(Printable(section.idstr));
  }
  std::set<std::string> names;
};

// The whole name of a device. One that ends with "vfio" is taken for whole;
// any other may be a part of exactly one. Empty, with a message, if it is not.
std::string WholeName(const Arguments& arguments, Inputs& inputs,
                      const std::string& part) {
  if (part.empty() || part.ends_with("vfio")) return part;
  if (!CanGoBack(inputs)) return "";
  const uint64_t start = inputs.main->offset();
  DeviceNames devices;
  StreamReader(*inputs.main, devices, ReaderOptionsOf(arguments, inputs))
      .Read();
  inputs.main->MoveTo(start);
  std::vector<std::string> matching;
  for (const std::string& name : devices.names) {
    if (name == part) return part;
    if (name.find(part) != std::string::npos) matching.push_back(name);
  }
  if (matching.size() == 1) return matching[0];
  std::vector<std::string> listed = matching;
  if (matching.empty())
    listed.assign(devices.names.begin(), devices.names.end());
  constexpr size_t kMost = 10;
  const bool more = listed.size() > kMost;
  if (more) listed.resize(kMost);
  const std::string list = StrCat(StrJoin(listed, ", "), more ? ", ..." : "");
  std::string problem =
      StrCat("several devices have ", part, " in their names: ", list);
  if (matching.empty()) {
    problem = StrCat("no such device: ", part, "; there is ", list);
  }
  if (devices.names.empty()) problem = "there is no VFIO device in this stream";
  PrintError(StrCat(inputs.file, ": ", problem));
  return "";
}

bool FindDevices(const Arguments& arguments, Inputs& inputs) {
  if (!arguments.device.empty()) {
    inputs.device = WholeName(arguments, inputs, arguments.device);
    if (inputs.device.empty()) return false;
  }
  for (const std::string& part : arguments.drop_devices) {
    inputs.drop_devices.push_back(WholeName(arguments, inputs, part));
    if (inputs.drop_devices.back().empty()) return false;
  }
  return true;
}

bool PrepareRecovery(const Arguments& arguments, Inputs& inputs) {
  if (IsSide(KindOf(inputs.main->Peek(kFileKindBytes)))) return true;
  if (!CanGoBack(inputs)) return false;
  inputs.recovery = std::make_unique<RecoveryPlan>(
      PlanRecovery(*inputs.main, ReaderOptionsOf(arguments)));
  return true;
}

}  // namespace

bool IsSide(FileKind kind) {
  return kind == FileKind::kReturnPath || kind == FileKind::kCpr ||
         kind == FileKind::kPreempt;
}

bool IsRegularFile(const std::string& file) {
  struct stat info;
  return file != "-" && stat(file.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

bool IsChannelFile(const std::string& file, const CompressionLimits& limits) {
  if (!IsRegularFile(file)) return false;
  auto opened = OpenFile(file);
  if (!opened.ok()) return false;
  std::unique_ptr<ByteSource> source = Decompressed(*std::move(opened), limits);
  return KindOf(source->Peek(8)) == FileKind::kMultifd;
}

std::unique_ptr<ByteSource> OpenInput(const std::string& file,
                                      const OpenOptions& options) {
  if (!CanRead(file)) return nullptr;
  return Reported(file, OpenStream(file, options)).source;
}

std::unique_ptr<ByteSource> OpenRaw(const std::string& file) {
  auto source = OpenFile(file);
  if (source.ok()) return *std::move(source);
  PrintError(StrCat(file, ": ", StdView(source.status().message())));
  return nullptr;
}

bool ReadConfigSpace(const std::string& file, std::string& config) {
  if (file.empty()) return true;
  std::unique_ptr<ByteSource> source = OpenRaw(file);
  if (!source) return false;
  config = std::string(AsText(source->Peek(kPcieConfigBytes + 1)));
  if (config.size() == kPciConfigBytes || config.size() == kPcieConfigBytes) {
    return true;
  }
  PrintError(StrCat(file, ": a PCI config space has 256 or 4096 bytes"));
  return false;
}

int ThreadsOf(const Arguments& arguments, int most) {
  if (arguments.threads != 0) return static_cast<int>(arguments.threads);
  const auto cores = static_cast<int>(std::thread::hardware_concurrency());
  return std::clamp(cores, 1, most);
}

OpenOptions OpenOptionsOf(const Arguments& arguments) {
  // Files that are read beside others have none, for the sake of memory.
  constexpr size_t kMostFilesWithThreads = 1;
  constexpr int kMostThreads = 4;
  OpenOptions options;
  options.offset = arguments.offset;
  options.access = FileAccess::kFastest;
  options.limits.window_bytes = arguments.window_bytes;
  if (arguments.files.size() <= kMostFilesWithThreads) {
    options.limits.threads = ThreadsOf(arguments, kMostThreads);
  }
  // What is written takes its time; looking at it takes next to none.
  options.ahead = !arguments.output.empty();
  options.snapshot = arguments.snapshot;
  return options;
}

ReaderOptions ReaderOptionsOf(const Arguments& arguments) {
  ReaderOptions options;
  options.dialect = arguments.dialect;
  options.page_bytes = arguments.page_bytes;
  options.switchover_ack_off = arguments.switchover_ack == "off";
  return options;
}

ReaderOptions ReaderOptionsOf(const Arguments& arguments,
                              const Inputs& inputs) {
  ReaderOptions options = ReaderOptionsOf(arguments);
  options.recovery = inputs.recovery.get();
  return options;
}

bool CanGoBack(Inputs& inputs) {
  return inputs.main->MoveTo(inputs.main->offset()) || Spool(inputs);
}

Inputs OpenInputs(const Arguments& arguments) {
  Inputs inputs = OpenAll(arguments);
  if (inputs.main && arguments.recover && !PrepareRecovery(arguments, inputs)) {
    return {};
  }
  if (inputs.main && !FindDevices(arguments, inputs)) return {};
  return inputs;
}

Error ReadMigration(
    const Arguments& arguments, Inputs& inputs, StreamSurvey& survey,
    const std::function<void(const ReassembledPiece&)>& on_piece) {
  Progress progress(*inputs.main, arguments.quiet);
  Error error = on_piece
                    ? survey.ReadAll(*inputs.main, inputs.Channels(), on_piece)
                    : survey.Read(*inputs.main);
  SayContainerDamage(inputs, error);
  return error;
}

Error ReadReport(const Arguments& arguments, Inputs& inputs,
                 ReportOptions options, report::Report& report) {
  Progress progress(*inputs.main, arguments.quiet);
  options.reader = ReaderOptionsOf(arguments, inputs);
  options.with_cpr = std::any_of(
      inputs.sides.begin(), inputs.sides.end(),
      [](const Inputs::Side& side) { return side.kind == FileKind::kCpr; });
  report.set_file(Printable(inputs.file));
  if (inputs.libvirt) ReportLibvirt(*inputs.libvirt, report);
  Error error = BuildReport(*inputs.main, inputs.Channels(), options, report);
  if (IsUnusable(error)) {
    SayContainerDamage(inputs, error);
    return error;
  }
  for (const auto& [file, damage] : ContainerDamages(inputs, error)) {
    AddFinding({Severity::kError, "file-damaged", 0, "", damage,
                file == inputs.file ? "" : file},
               report);
  }
  for (report::Finding& finding : *report.mutable_findings()) {
    if (finding.id() != "refused" || finding.offset() != error.offset) continue;
    const std::string kind = DamageAround(inputs, error.offset);
    if (!kind.empty()) finding.set_message(finding.message() + "; " + kind);
    break;
  }
  return error;
}

void SayContainerDamage(const Inputs& inputs, const Error& error) {
  for (const auto& [file, damage] : ContainerDamages(inputs, error)) {
    PrintError(StrCat(file, ": ", damage));
  }
}

std::vector<ChannelReader::Channel> Inputs::Channels() const {
  std::vector<ChannelReader::Channel> all;
  for (size_t i = 0; i < channels.size(); ++i) {
    all.push_back({channel_files[i], channels[i].get()});
  }
  return all;
}

RewriteInput Inputs::Reopenable(bool quiet) {
  RewriteInput input = {OpenedOften(file, options, 1, main, quiet)};
  OpenOptions channel_options;
  channel_options.limits = options.limits;
  for (size_t i = 0; i < channels.size(); ++i) {
    input.channels.push_back(
        {channel_files[i],
         OpenedOften(channel_files[i], channel_options, channels.size() + 1,
                     channels[i], quiet)});
  }
  return input;
}

std::unique_ptr<ByteSource> Inputs::OpenMainAgain() const {
  if (!IsRegularFile(file)) return nullptr;
  std::unique_ptr<ByteSource> again = OpenStream(file, options).source;
  return again != nullptr && again->MoveTo(again->offset()) ? std::move(again)
                                                            : nullptr;
}

ExitStatus ReportSide(const Inputs::Side& side, report::Report& report) {
  Error error;
  if (side.kind == FileKind::kCpr) {
    error = ReportCpr(side.file, *side.source, report);
  } else if (side.kind == FileKind::kPreempt) {
    error = ReportPreempt(side.file, *side.source, report);
  } else {
    error = ReportReturnPath(side.file, *side.source, report);
  }
  if (error.ok()) return kFine;
  PrintError(side.file, error);
  return IsUnusable(error) ? kUnusable : kFindings;
}

void SayGaps(const Inputs& inputs) {
  if (inputs.recovery == nullptr) return;
  for (const StreamGap& gap : inputs.recovery->gaps) {
    if (gap.to == gap.from) continue;
    PrintError(StrCat(inputs.file, ":", Hex(gap.from), ": gap of ",
                      Plural(gap.to - gap.from, "byte"), ", up to ",
                      Hex(gap.to), ": ", Printable(ToString(gap.error))));
  }
}

ExitStatus SayFileFindings(const std::string& file,
                           const report::Report& report) {
  ExitStatus status = kFine;
  for (const report::Finding& finding : report.findings()) {
    const bool of_files =
        finding.id().starts_with("multifd") || finding.id() == "file-damaged" ||
        finding.id() == "gap" ||
        (finding.id() == "truncated" && !finding.file().empty());
    if (!of_files || finding.severity() == ToString(Severity::kNote)) continue;
    PrintError(FindingLine(file, finding));
    status = kFindings;
  }
  return status;
}

}  // namespace migstream
