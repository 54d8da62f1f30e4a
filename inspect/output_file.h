// An output that is there as a whole or not at all: written into a file without
// a name, which gets one in the end. Where the file system has none of that
// kind it is written beside its place, and moved there.

#ifndef MIGSTREAM_INSPECT_OUTPUT_FILE_H_
#define MIGSTREAM_INSPECT_OUTPUT_FILE_H_

#include <sys/stat.h>
#include <sys/uio.h>

#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "codec/qemu/stream_writer.h"

namespace migstream {

// "-" is standard output; a pipe or a device is written to directly. What is
// not committed is gone with the object or the process, whatever ends that;
// where files have a name from the start, by whatever can be caught.
class OutputFile : public ByteSink {
 public:
  OutputFile() = default;
  ~OutputFile() override;
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  // A file that exists is replaced only by `force`, and then it keeps its mode,
  // its owner and its other names, as with cp. A new one gets `mode`, less the
  // umask: see ModeOf().
  absl::Status Open(const std::string& path, bool force, mode_t mode = 0666);

  // The file that is being written, to be read and written anywhere instead of
  // by Write(); -1 if it can only be written to from front to back.
  int image() const { return way_ == Way::kDirect ? -1 : fd_; }

  // Zeros become holes where there can be any, as in files of mapped-ram.
  // Errors are kept for Commit().
  void Write(ByteSpan bytes) override;
  // All of them, one behind the other.
  void WriteAll(std::span<iovec> pieces);

  // Whether all that was written went well so far.
  bool ok() const { return status_.ok(); }

  // Where it goes, for messages.
  const std::string& name() const { return path_; }

  // Puts the file in its place.
  absl::Status Commit();

 private:
  friend absl::Status CommitAll(std::span<OutputFile* const> files);

  // How it is written until it is in its place.
  enum class Way { kDirect, kWithoutName, kBeside };

  absl::Status OpenNew(mode_t mode);
  absl::Status KeepOwner(const struct stat& old);
  std::string NameBeside() const;
  int LinkTo(const std::string& path) const;
  void Flush();
  void PutSparsely(ByteSpan bytes);
  void Put(ByteSpan bytes);
  void LeaveHole(uint64_t bytes);
  void Finish();
  bool Place();
  bool PutInPlace();
  bool Overwrite();
  void Withdraw();
  void Discard();

  std::string path_;
  Way way_ = Way::kDirect;
  std::string beside_;  // Its name, if it has one.
  bool force_ = false;
  bool replaces_ = false;
  bool placed_ = false;
  int fd_ = -1;
  int old_fd_ = -1;  // A file that stays, and gets the new bytes.
  std::vector<uint8_t> buffer_;
  uint64_t position_ = 0;  // Of what is put next.
  bool ends_in_hole_ = false;
  absl::Status status_;
};

// What may be read by whoever may read all of `files`, and written likewise:
// guest memory stays as private as its capture is. "-" is standard input; what
// is neither a file nor a disk does not count.
mode_t ModeOf(std::span<const std::string> files);

// Whether an output of that name is written to directly: "-", a pipe, a device.
bool IsWrittenDirectly(const std::string& path);

// Puts the files of one result in their places: all of them or, if one cannot
// be, none but those that have replaced another. No signal comes in between.
absl::Status CommitAll(std::span<OutputFile* const> files);

// Whether all is well; if not, says why.
bool IsFine(const absl::Status& status);

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_OUTPUT_FILE_H_
