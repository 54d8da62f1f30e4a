// The files that a verb is given.

#ifndef MIGSTREAM_INSPECT_INPUTS_H_
#define MIGSTREAM_INSPECT_INPUTS_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codec/channels/channel_reader.h"
#include "codec/io/byte_source.h"
#include "codec/io/file_kind.h"
#include "codec/io/libvirt_save.h"
#include "codec/io/open_stream.h"
#include "codec/qemu/recovery_plan.h"
#include "codec/wire/error.h"
#include "inspect/verb.h"

namespace migstream {

namespace report {
class Report;
}  // namespace report
struct ReaderOptions;
struct ReportOptions;
struct RewriteInput;
class StreamSurvey;

// A file that is not a channel of a migration, opened; null, with a message, if
// that cannot be.
std::unique_ptr<ByteSource> OpenInput(const std::string& file,
                                      const OpenOptions& options = {});

// Whether it is a file that can be read more than once.
bool IsRegularFile(const std::string& file);

// Whether it is one that holds a multifd channel, perhaps compressed.
bool IsChannelFile(const std::string& file,
                   const CompressionLimits& limits = {});

// A file as it is, whatever its bytes begin with; null, with a message, if that
// cannot be.
std::unique_ptr<ByteSource> OpenRaw(const std::string& file);

// Reads a config space as `extract --what=config` writes it, if a file is
// named; false, with a message, if that is not one.
bool ReadConfigSpace(const std::string& file, std::string& config);

// How many threads --threads asks for: if it was not said as many as there are
// cores, but no more than `most`.
int ThreadsOf(const Arguments& arguments, int most);

// What the options say of how files are opened.
OpenOptions OpenOptionsOf(const Arguments& arguments);

// The files of one migration, told apart by their first bytes.
struct Inputs {
  std::string file;                  // The main channel's name.
  std::unique_ptr<ByteSource> main;  // Null, with a message, if one cannot be.
  std::optional<LibvirtSave> libvirt;
  std::vector<std::string> channel_files;
  std::vector<std::unique_ptr<ByteSource>> channels;
  // A return path, a CPR state channel or a postcopy-preempt channel, which say
  // nothing of the devices. A single file of that kind is `main`, and no
  // stream.
  struct Side {
    std::string file;
    FileKind kind;
    std::unique_ptr<ByteSource> source;
  };
  std::vector<Side> sides;
  OpenOptions options;  // The main channel's.
  // The device that --device means, and those of --drop-device: whole names,
  // where a part of one was given.
  std::string device;
  std::vector<std::string> drop_devices;
  // With --recover: where the main channel is damaged.
  std::unique_ptr<RecoveryPlan> recovery;

  std::vector<ChannelReader::Channel> Channels() const;
  // The same files, to be opened as often as needed; only those that are
  // regular files can be opened again.
  RewriteInput Reopenable(bool quiet);
  // The main channel once more, at its first byte, without a message; null if
  // that cannot be, or if it could not go back in it.
  std::unique_ptr<ByteSource> OpenMainAgain() const;
};
Inputs OpenInputs(const Arguments& arguments);

// What the options say of how a stream is read.
ReaderOptions ReaderOptionsOf(const Arguments& arguments);
// The inputs must outlive the reading.
ReaderOptions ReaderOptionsOf(const Arguments& arguments, const Inputs& inputs);

// Makes the main channel one that can go back (MoveTo): what cannot is put into
// a file without a name. False, with a message, if that cannot be.
bool CanGoBack(Inputs& inputs);

// Reads a migration, and shows how far that is: the main channel for the
// survey's visitor, and then the others for `on_piece`, unless that is null or
// the main one is not whole.
Error ReadMigration(
    const Arguments& arguments, Inputs& inputs, StreamSurvey& survey,
    const std::function<void(const ReassembledPiece&)>& on_piece = nullptr);

// The same into a report, libvirt's header too. The options' reader is that of
// the arguments.
Error ReadReport(const Arguments& arguments, Inputs& inputs,
                 ReportOptions options, report::Report& report);

// Whether a file of that kind stands beside a stream, as in Inputs::sides.
bool IsSide(FileKind kind);

// Adds it to a report, the main channel's being in it already: that says how
// large pages are. kFine; or why not was said.
ExitStatus ReportSide(const Inputs::Side& side, report::Report& report);

// After an error: whether a compressed file is damaged itself, which may be
// why, is found by reading it to its end, and said on standard error before the
// error is. A report has it as a finding.
void SayContainerDamage(const Inputs& inputs, const Error& error);

// What was passed over with --recover, a line a gap, on standard error.
void SayGaps(const Inputs& inputs);

// Says on standard error what is wrong with the files of a stream that is shown
// all the same, and which gaps it has: kFindings, or kFine if nothing is.
ExitStatus SayFileFindings(const std::string& file,
                           const report::Report& report);

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_INPUTS_H_
