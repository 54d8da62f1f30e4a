// Takes one VFIO device's payload, or its PCI configuration space, out of a
// stream: the bytes that the destination's device would get.
//
//   PayloadExtractor extractor(sink, idstr, PayloadExtractor::kPayload);
//   StreamSurvey survey(options, extractor);
//   Error error = survey.Read(source);
//   // If extractor.NeedsChannels(survey.facts()): survey.ReadChannels(…) with
//   // extractor.OnPiece(piece).
//   if (error.ok()) error = extractor.Finish(survey.facts());
//
// What was written is the device's only if Finish() is without error, and
// Read() too or IsCertain().

#ifndef MIGSTREAM_CODEC_EXTRACT_PAYLOAD_EXTRACTOR_H_
#define MIGSTREAM_CODEC_EXTRACT_PAYLOAD_EXTRACTOR_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "codec/multifd/reassembler.h"
#include "codec/qemu/stream_visitor.h"
#include "codec/qemu/stream_writer.h"
#include "codec/survey/stream_survey.h"
#include "codec/wire/error.h"

namespace migstream {

class PayloadExtractor : public StreamVisitor {
 public:
  enum What { kPayload, kConfig };

  // An empty `idstr` takes the only device that there is; any other is as it
  // stands in the stream, or as Printable() shows it.
  PayloadExtractor(ByteSink& sink, std::string idstr, What what)
      : sink_(sink), idstr_(std::move(idstr)), what_(what) {}

  bool wants_payload() const override { return true; }
  void OnSection(const SectionView& section) override;
  void OnDeviceEvent(const SectionView& section, const Event& event) override;
  void OnFinding(const Finding& finding) override {
    doubtful_ |= finding.severity == Severity::kError;
  }
  // A piece of any device from the multifd channels, after the main channel.
  void OnPiece(const ReassembledPiece& piece);

  // The device's name as it came; empty before.
  std::string_view idstr() const {
    return device_ ? std::string_view(device_->first) : std::string_view();
  }

  // Whether the device's state is on channels that were not read.
  bool NeedsChannels(const StreamFacts& facts) const;

  // Whether it is all in a main channel that could not be read to its end.
  bool IsCertain(const StreamFacts& facts) const;

  // kUnknownSection: no such device, or none was named and there are several.
  // kUnwalkable: it is not all in what was read, or not certain.
  Error Finish(const StreamFacts& facts);

  // The same, but what came is enough, if anything did: then `lacking` says
  // what is missing of it; empty if nothing is.
  Error FinishPart(const StreamFacts& facts, std::string& lacking);

 private:
  bool IsTheDevice(std::string_view idstr, uint32_t instance_id) const {
    return device_ && device_->first == idstr && device_->second == instance_id;
  }
  const DeviceFacts* Find(const StreamFacts& facts) const;
  // Why no device is meant; no error if one is.
  Error NoDevice(const StreamFacts& facts) const;
  // What is missing of it; empty if nothing is.
  std::string Lacking(const DeviceFacts& device,
                      const StreamFacts& facts) const;
  void OnConfig(const Event& event);

  ByteSink& sink_;
  const std::string idstr_;
  const What what_;
  // The one that is meant, as it came.
  std::optional<std::pair<std::string, uint32_t>> device_;
  bool doubtful_ = false;
  bool config_doubtful_ = false;
  std::optional<std::string> config_;  // The last one counts.
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_EXTRACT_PAYLOAD_EXTRACTOR_H_
