// Where bytes go: a file, a channel, memory.

#ifndef MIGSTREAM_CODEC_IO_BYTE_SINK_H_
#define MIGSTREAM_CODEC_IO_BYTE_SINK_H_

#include <string>

#include "codec/wire/bytes.h"

namespace migstream {

// Where bytes go. A failure stays, and is told by the sink's owner.
class ByteSink {
 public:
  virtual ~ByteSink() = default;
  virtual void Write(ByteSpan bytes) = 0;
};

class StringSink : public ByteSink {
 public:
  void Write(ByteSpan bytes) override {
    bytes_.append(AsText(bytes).data(), bytes.size());
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_IO_BYTE_SINK_H_
