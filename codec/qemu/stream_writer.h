// Writes a stream from what a StreamReader finds in one, the exact inverse: a
// StreamEncoder whose pieces go to a sink.
// FORMAT.md sections 2 to 9.
//
//   StreamWriter writer(sink, dialect);
//   StreamReader reader(source, writer, options);
//   Error error = reader.Read();

#ifndef MIGSTREAM_CODEC_QEMU_STREAM_WRITER_H_
#define MIGSTREAM_CODEC_QEMU_STREAM_WRITER_H_

#include <sys/uio.h>

#include <cstdint>
#include <vector>

#include "codec/io/byte_sink.h"
#include "codec/io/byte_source.h"
#include "codec/qemu/stream_encoder.h"
#include "codec/qemu/stream_reader.h"
#include "codec/qemu/stream_visitor.h"
#include "flags/dialect.h"

namespace migstream {

class StreamWriter : public StreamVisitor {
 public:
  // `dialect` is the reader's. Both must outlive the writer.
  StreamWriter(ByteSink& sink, const Dialect& dialect)
      : sink_(sink), encoder_(dialect, headers_, pieces_) {}

  bool wants_content() const override { return true; }
  bool wants_payload() const override { return true; }

  void OnHeader(uint32_t version) override { Write(encoder_.Header(version)); }
  void OnConfiguration(const ConfigurationView& configuration) override;
  void OnSection(const SectionView& section) override {
    Write(encoder_.Section(section));
  }
  void OnDeviceEvent(const SectionView&, const Event& event) override {
    Write(encoder_.Device(event), event.offset);
  }
  // Already as it is on the wire.
  void OnContent(ByteSpan bytes) override { sink_.Write(bytes); }
  void OnSectionEnd(const SectionView&, uint64_t, bool footer) override {
    Write(encoder_.EndSection(footer));
  }
  void OnCommand(const CommandView& command) override {
    Write(encoder_.Command(command.command, command.data));
  }
  void OnEof(uint64_t) override { Write(encoder_.Eof()); }
  void OnDescription(uint64_t, ByteSpan json) override {
    Write(encoder_.Description(json));
  }
  void OnRest(ByteSpan bytes) override { sink_.Write(bytes); }

  // What the encoder refuses: an event that the dialect does not have, or that
  // may not stand here.
  const Error& error() const { return error_; }

 protected:
  // The content of the device's section that is being written, so far.
  uint64_t device_content_bytes() const { return encoder_.device_bytes(); }

 private:
  // Writes what was put; whether it could be.
  void Write(Put put, uint64_t offset = 0);

  ByteSink& sink_;
  uint8_t headers_[StreamEncoder::kMinHeaderBytes];
  iovec pieces_[StreamEncoder::kMinPieces];
  StreamEncoder encoder_;
  Error error_;
};

// kNotWritable if a stream that began at `start` of its file has mapped-ram,
// and so cannot begin another.
Error CheckMayMove(uint64_t start, const RamStats& ram);

// Decodes a stream and encodes it again: what comes out is what went in, or
// the error says why not. A stream that is cut short is copied up to the cut,
// and the error is kTruncated. See CheckMayMove(). Findings go to `findings`,
// if it is not null.
Error Repack(ByteSource& source, ByteSink& sink, const ReaderOptions& options,
             std::vector<Finding>* findings);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_QEMU_STREAM_WRITER_H_
