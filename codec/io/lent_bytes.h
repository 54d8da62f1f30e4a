// Bytes that go from a source to a sink as they are, in pieces as large as they
// were read: no copy is made of them in between, and a page or a record is no
// call of its own.
//
//   LentSource lent(source);
//   RunSink run(lent, sink);
//   lent.SetReturner([&run] { run.Flush(); });
//   StreamWriter writer(run, dialect);
//   StreamReader(lent, writer, options).Read();
//   run.Flush();
//
// What is written to a RunSink may be a view into what the source has at hand,
// or anything else; the order stays. Views that follow each other in memory are
// put together, and written before the source gives up that memory.

#ifndef MIGSTREAM_CODEC_IO_LENT_BYTES_H_
#define MIGSTREAM_CODEC_IO_LENT_BYTES_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "codec/io/byte_sink.h"
#include "codec/io/byte_source.h"
#include "codec/wire/bytes.h"

namespace migstream {

// Another source, with word of when its bytes are about to go.
class LentSource : public ByteSource {
 public:
  // `source` must outlive this, and is not to be used meanwhile.
  explicit LentSource(ByteSource& source);

  // Called before what was seen may be overwritten.
  void SetReturner(std::function<void()> returner) {
    returner_ = std::move(returner);
  }
  // Whether these bytes stay until then.
  bool Lends(ByteSpan bytes) const {
    const auto first = reinterpret_cast<uintptr_t>(view_.data());
    const auto at = reinterpret_cast<uintptr_t>(bytes.data());
    return at >= first && at - first <= view_.size() &&
           bytes.size() <= view_.size() - (at - first);
  }

  bool MoveTo(uint64_t offset) override;
  bool ReachEnd(uint64_t limit) override;
  std::vector<uint8_t> Tail(uint64_t count) override;
  std::optional<uint64_t> size() const override { return source_.size(); }
  uint64_t raw_offset() const override { return source_.raw_offset(); }
  std::optional<uint64_t> raw_size() const override {
    return source_.raw_size();
  }
  uint64_t padding_bytes() const override { return source_.padding_bytes(); }

 protected:
  size_t Read(uint8_t* to, size_t count) override;
  uint64_t Seek(uint64_t count) override;
  std::optional<ByteSpan> View(size_t count) override;

 private:
  void Return();
  bool IsAhead() const;
  void Align();

  ByteSource& source_;
  ByteSpan view_;
  std::function<void()> returner_;
};

class RunSink : public ByteSink {
 public:
  // Both must outlive this.
  RunSink(const LentSource& source, ByteSink& sink)
      : source_(source), sink_(sink) {}

  void Write(ByteSpan bytes) override {
    const bool lent = source_.Lends(bytes);
    if (lent && bytes.data() == run_.data() + run_.size()) {
      run_ = ByteSpan(run_.data(), run_.size() + bytes.size());
      return;
    }
    Flush();
    if (lent) {
      run_ = bytes;
    } else {
      sink_.Write(bytes);
    }
  }
  void Flush() {
    if (!run_.empty()) sink_.Write(std::exchange(run_, {}));
  }

 private:
  const LentSource& source_;
  ByteSink& sink_;
  ByteSpan run_;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_IO_LENT_BYTES_H_
