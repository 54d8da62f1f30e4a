// Writes a stream from what a StreamReader finds in one: the exact inverse.
// FORMAT.md sections 2 to 9.
//
//   StreamWriter writer(sink, dialect);
//   StreamReader reader(source, writer, options);
//   Error error = reader.Read();

#ifndef MIGSTREAM_CODEC_QEMU_STREAM_WRITER_H_
#define MIGSTREAM_CODEC_QEMU_STREAM_WRITER_H_

#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "codec/device/section_encoder.h"
#include "codec/io/byte_sink.h"
#include "codec/io/byte_source.h"
#include "codec/qemu/stream_reader.h"
#include "codec/qemu/stream_visitor.h"
#include "flags/dialect.h"

namespace migstream {

class StreamWriter : public StreamVisitor {
 public:
  // `dialect` is the reader's. Both must outlive the writer.
  StreamWriter(ByteSink& sink, const Dialect& dialect)
      : sink_(sink), dialect_(dialect) {}

  bool wants_content() const override { return true; }
  bool wants_payload() const override { return true; }

  void OnHeader(uint32_t version) override;
  void OnConfiguration(const ConfigurationView& configuration) override;
  void OnSection(const SectionView& section) override;
  void OnDeviceEvent(const SectionView& section, const Event& event) override;
  void OnContent(ByteSpan bytes) override { sink_.Write(bytes); }
  void OnSectionEnd(const SectionView& section, uint64_t content_bytes,
                    bool footer) override;
  void OnCommand(const CommandView& command) override;
  void OnEof(uint64_t offset) override;
  void OnDescription(uint64_t offset, ByteSpan json) override;
  void OnRest(ByteSpan bytes) override { sink_.Write(bytes); }

  // An event that the dialect cannot encode: a defect of this library, since
  // the reader has decoded it.
  const Error& error() const { return error_; }

 protected:
  // Of the device's section that is being written.
  uint64_t device_content_bytes() const { return encoder_->bytes(); }

 private:
  ByteSink& sink_;
  const Dialect& dialect_;
  uint8_t headers_[SectionEncoder::kMinHeaderBytes];
  iovec pieces_[SectionEncoder::kMinPieces];
  std::unique_ptr<SectionEncoder> encoder_;
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
