// Where a stream's bytes come from: a file (open_file.h), a pipe, memory, or
// any of them through a decompressor (decompressing_source.h). Bytes are pulled
// and looked at before they are consumed:
//
//   ByteSpan bytes = source.Peek(8);  // 8 or more; fewer at the end.
//   if (bytes.size() < 8) return false;
//   number = LoadBe64(bytes.data());
//   source.Consume(8);
//
// A view is good until the next call. Memory is bounded by what is peeked at,
// never by what the bytes say. Not thread-safe.

#ifndef MIGSTREAM_CODEC_IO_BYTE_SOURCE_H_
#define MIGSTREAM_CODEC_IO_BYTE_SOURCE_H_

#include <sys/types.h>

#include <cassert>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codec/wire/bytes.h"

namespace migstream {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  // All bytes at hand, at least `count` of them unless the input ends before.
  ByteSpan Peek(size_t count) {
    if (end_ - begin_ < count) Fill(count);
    return ByteSpan(data_ + begin_, end_ - begin_);
  }

  // `count` bytes that Peek() has shown.
  void Consume(size_t count) {
    assert(count <= end_ - begin_);
    begin_ += count;
    offset_ += count;
  }

  // Consumes bytes unseen; how many, which is fewer at the end of the input.
  uint64_t Skip(uint64_t count);

  // The offset of the next byte, from the first one.
  uint64_t offset() const { return offset_; }

  // Goes to any offset, back as well: only memory and regular files can.
  virtual bool MoveTo(uint64_t) { return false; }

  // Bytes from any offset, by any thread, wherever the source stands: how many
  // of them. 0 as well where reading fails, and where bytes are only to be had
  // in their order, as by default.
  virtual size_t ReadAt(uint64_t, std::span<uint8_t>) const { return 0; }

  // Another source of the same bytes, at the first of them, for another thread.
  // It maps nothing, as the windows of several would add up. Null where the
  // bytes are to be had only once, as by default.
  virtual std::unique_ptr<ByteSource> Again() const { return nullptr; }

  // Makes sure that the input's last bytes can be read now: by seeking, or by
  // holding all that is left, if that is no more than `limit` bytes.
  virtual bool ReachEnd(uint64_t limit);

  // The last `count` bytes of the input, or all from offset() on if those are
  // fewer. Only after ReachEnd() has given true.
  virtual std::vector<uint8_t> Tail(uint64_t count);

  // The whole input's length, where it is known beforehand.
  virtual std::optional<uint64_t> size() const { return std::nullopt; }

  // Whether more may be read than Peek() asks for, so that reading costs
  // little; it may at first. Without, bytes that are skipped are never read
  // from a source that can seek.
  void SetReadAhead(bool on) { read_ahead_ = on; }

  // Bytes read from the outermost file; for progress.
  virtual uint64_t raw_offset() const { return offset_; }
  virtual std::optional<uint64_t> raw_size() const { return size(); }

  // How many bytes a compressed file has behind its last frame. Known once all
  // is read.
  virtual uint64_t padding_bytes() const { return 0; }

  // Whether threads of its own make its bytes before they are asked for.
  virtual bool works_ahead() const { return false; }

  // Called whenever more of the input has been read or sought over.
  void SetWatcher(std::function<void()> watcher) {
    watcher_ = std::move(watcher);
  }

  // Whether the last Peek() or Skip() gave less than it was asked for because
  // nothing more has come yet: a descriptor that does not block. Ask again.
  bool nothing_yet() const { return nothing_yet_; }

  // Not empty if reading failed; the input then seems to end there.
  const std::string& failure() const { return failure_; }

 protected:
  ByteSource() = default;

  // What Read() gives where nothing has come yet.
  static constexpr size_t kNothingYet = ~size_t{0};
  // Up to `count` bytes to `to`; 0 at the end. May call Fail().
  virtual size_t Read(uint8_t* to, size_t count) = 0;
  // Leaves out bytes not read yet: how many of `count`. None by default.
  virtual uint64_t Seek(uint64_t count);
  // In the place of Read(): a view of the bytes from offset() on, at least
  // `count` of them, that is good until the next call. If there is none, as by
  // default, those bytes are what Read() gives next.
  virtual std::optional<ByteSpan> View(size_t count);
  bool reads_ahead() const { return read_ahead_; }

  void Fail(std::string_view what) {
    if (failure_.empty()) failure_ = std::string(what);
  }
  // For a source that has all its bytes from the start.
  void SetAll(ByteSpan bytes);
  // For one that goes on at `offset` with nothing at hand.
  void Restart(uint64_t offset);

 private:
  // Bytes that grow in place: what is not written to takes no memory, and a
  // large piece is not held twice while it grows.
  class Buffer {
   public:
    Buffer() = default;
    ~Buffer();
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;

    void Grow(size_t size);
    uint8_t* data() { return data_; }
    size_t size() const { return size_; }

   private:
    uint8_t* data_ = nullptr;
    size_t size_ = 0;
  };

  void Fill(size_t count);
  void Reserve(size_t size);

  Buffer buffer_;
  const uint8_t* data_ = nullptr;
  size_t begin_ = 0;
  size_t end_ = 0;
  bool ended_ = false;
  bool read_ahead_ = true;
  bool nothing_yet_ = false;
  uint64_t offset_ = 0;
  std::string failure_;
  std::function<void()> watcher_;
};

// Views `bytes`, which must outlive the source.
class MemorySource : public ByteSource {
 public:
  explicit MemorySource(ByteSpan bytes) : bytes_(bytes) { SetAll(bytes); }
  bool MoveTo(uint64_t offset) override;
  size_t ReadAt(uint64_t offset, std::span<uint8_t> to) const override;
  std::unique_ptr<ByteSource> Again() const override {
    return std::make_unique<MemorySource>(bytes_);
  }
  std::optional<uint64_t> size() const override { return bytes_.size(); }

 protected:
  size_t Read(uint8_t*, size_t) override { return 0; }

 private:
  ByteSpan bytes_;
};

// How a regular file is read. Mapped it is not copied, which on many machines
// is several times faster where most bytes are only stepped over, as guest
// memory is; on others, as in some virtual machines, the first touch of a
// mapped page takes longer than copying it. But the process gets SIGBUS if the
// file is made shorter, or its disk fails, while it is read: only for a program
// that handles that. Holes are not read either, but with kRead; asking for them
// moves the position that a descriptor has in common with its copies.
enum class FileAccess {
  kRead,
  kMap,
  // Mapped, unless a large file's first pages show that reading is faster here.
  kFastest,
};

// Reads a file descriptor, and closes it in the end. A regular file is sought
// in; anything else is read from front to back.
class FileSource : public ByteSource {
 public:
  explicit FileSource(int fd, FileAccess access = FileAccess::kRead);
  ~FileSource() override;

  bool MoveTo(uint64_t offset) override;
  size_t ReadAt(uint64_t offset, std::span<uint8_t> to) const override;
  std::unique_ptr<ByteSource> Again() const override;
  bool ReachEnd(uint64_t limit) override;
  std::vector<uint8_t> Tail(uint64_t count) override;
  std::optional<uint64_t> size() const override { return size_; }
  uint64_t raw_offset() const override { return position_; }

 protected:
  size_t Read(uint8_t* to, size_t count) override;
  uint64_t Seek(uint64_t count) override;
  std::optional<ByteSpan> View(size_t count) override;

 private:
  // pread(2), called again where a signal came: -1 and errno, or how many.
  ssize_t ReadFrom(uint64_t position, std::span<uint8_t> to) const;

  // A part of the file, from a page's start on.
  class Window {
   public:
    Window() = default;
    ~Window() { Unmap(); }
    Window(const Window&) = delete;
    Window& operator=(const Window&) = delete;

    // Whether all its bytes are there.
    bool Map(int fd, uint64_t offset, size_t size);
    void Unmap();
    const uint8_t* data() const { return static_cast<uint8_t*>(data_); }

   private:
    void* data_ = nullptr;
    size_t size_ = 0;
  };

  std::optional<ByteSpan> ViewFrom(uint64_t position, size_t count);
  std::optional<ByteSpan> HoleFrom(uint64_t position, size_t count);
  std::optional<ByteSpan> MapFrom(uint64_t position, size_t count);

  int fd_;
  FileAccess access_;
  std::optional<uint64_t> size_;  // Of a regular file.
  uint64_t start_ = 0;            // Its position when it was handed over.
  uint64_t position_ = 0;         // From there.
  bool viewed_ = false;           // What is at hand is a view.
  bool finds_holes_ = false;
  Window window_;
  size_t window_bytes_ = 0;  // The last one's.
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_IO_BYTE_SOURCE_H_
