// For tests: a main channel through a StreamDecoder, in pieces.

#ifndef MIGSTREAM_CODEC_QEMU_DECODE_STREAM_H_
#define MIGSTREAM_CODEC_QEMU_DECODE_STREAM_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "codec/qemu/stream_decoder.h"
#include "codec/qemu/stream_encoder.h"
#include "codec/qemu/stream_reader.h"

namespace migstream {

// How long the FULLs of a stream are, by the offsets of their sections: what a
// VMM knows of its own devices.
class KnownLengths : public StreamVisitor {
 public:
  // Reads a stream that is there as a whole.
  static KnownLengths Of(const std::string& stream);

  ContentLength operator()(const SectionView& section, ByteSpan) const {
    auto found = bytes_.find(section.offset);
    if (found == bytes_.end()) return {};
    return {.kind = ContentLength::kBytes, .bytes = found->second};
  }
  // Behind the last END of a VFIO device and its footer; 0 without any.
  uint64_t last_vfio_end() const { return last_vfio_end_; }

  void OnSectionEnd(const SectionView& section, uint64_t content_bytes,
                    bool footer) override;

 private:
  std::map<uint64_t, uint64_t> bytes_;
  uint64_t last_vfio_end_ = 0;
};

// Takes bytes as they come, and keeps the events as text; payload that came in
// pieces is one line.
class FedDecoder {
 public:
  explicit FedDecoder(StreamDecoderOptions options)
      : decoder_(options), encoder_(*options.dialect, headers_, pieces_) {}

  // All that can be decoded of what has come so far, and `bytes`.
  Step Feed(ByteSpan bytes);
  // Nothing more will come.
  Error End();

  const StreamDecoder& decoder() const { return decoder_; }
  const std::vector<std::string>& lines() const { return lines_; }
  // What the events are, encoded again.
  const std::string& encoded() const { return encoded_; }

 private:
  void Keep(const StreamEvent& event);

  StreamDecoder decoder_;
  uint8_t headers_[StreamEncoder::kMinHeaderBytes];
  iovec pieces_[StreamEncoder::kMinPieces];
  StreamEncoder encoder_;
  std::string held_;  // Not decoded yet.
  std::string encoded_;
  std::vector<std::string> lines_;
  bool in_payload_ = false;
  uint64_t payload_bytes_ = 0;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_QEMU_DECODE_STREAM_H_
