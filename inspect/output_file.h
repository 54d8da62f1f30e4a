// An output that is there as a whole or not at all: written beside its place,
// and moved there in the end.

#ifndef MIGSTREAM_INSPECT_OUTPUT_FILE_H_
#define MIGSTREAM_INSPECT_OUTPUT_FILE_H_

#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "codec/qemu/stream_writer.h"

namespace migstream {

// "-" is standard output; a pipe or a device is written to directly. The
// unfinished file is removed when the object goes, and when the process is
// ended by SIGINT, SIGTERM, SIGHUP or SIGQUIT.
class OutputFile : public ByteSink {
 public:
  OutputFile() = default;
  ~OutputFile() override;
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  // A file that exists is replaced only by `force`.
  absl::Status Open(const std::string& path, bool force);

  // The file that is being written, to be read and written anywhere instead of
  // by Write(); -1 if it can only be written to from front to back.
  int image() const { return beside_.empty() ? -1 : fd_; }

  // Errors are kept for Commit().
  void Write(ByteSpan bytes) override;

  // Where it goes, for messages.
  const std::string& name() const { return path_; }

  // Puts the file in its place.
  absl::Status Commit();

 private:
  friend absl::Status CommitAll(std::span<OutputFile* const> files);

  void Flush();
  void Finish();
  bool Place();
  void Withdraw();
  void Discard();

  std::string path_;
  std::string beside_;  // Where it is written; empty if directly.
  bool force_ = false;
  bool replaces_ = false;
  bool placed_ = false;
  int fd_ = -1;
  std::vector<uint8_t> buffer_;
  absl::Status status_;
};

// Removes what no OutputFile has put in its place yet. For a signal handler
// that ends the process: no file can be created or placed any more.
void RemoveUnfinishedFiles();

// Puts the files of one result in their places: all of them or, if one cannot
// be, none but those that have replaced another. No signal comes in between.
absl::Status CommitAll(std::span<OutputFile* const> files);

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_OUTPUT_FILE_H_
