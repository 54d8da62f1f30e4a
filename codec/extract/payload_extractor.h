// Takes one VFIO device's payload, or its PCI configuration space, out of a
// stream: the bytes that the destination's device would get.
//
//   PayloadExtractor extractor(sink, idstr, PayloadExtractor::kPayload);
//   Error error = StreamReader(source, extractor, options).Read();
//   if (error.ok()) error = extractor.Finish();
//
// What was written is the device's only if both are without error.

#ifndef MIGSTREAM_CODEC_EXTRACT_PAYLOAD_EXTRACTOR_H_
#define MIGSTREAM_CODEC_EXTRACT_PAYLOAD_EXTRACTOR_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "codec/multifd/reassembler.h"
#include "codec/qemu/stream_visitor.h"
#include "codec/qemu/stream_writer.h"
#include "codec/wire/error.h"
#include "flags/dialect.h"

namespace migstream {

class PayloadExtractor : public StreamVisitor {
 public:
  enum What { kPayload, kConfig };

  // An empty `idstr` takes the only device that there is; any other is as it
  // stands in the stream, or as Printable() shows it. `dialect` is the
  // reader's.
  PayloadExtractor(ByteSink& sink, std::string idstr, What what,
                   const Dialect& dialect = GetDialect(DialectId::kAuto))
      : sink_(sink), idstr_(std::move(idstr)), what_(what), dialect_(dialect) {}

  bool wants_payload() const override { return true; }
  void OnSection(const SectionView& section) override;
  void OnDeviceEvent(const SectionView& section, const Event& event) override;

  // A piece of any device from the multifd channels, after the main channel.
  void OnPiece(const ReassembledPiece& piece);
  // They have all come. `missing_channels` is what shows that there are more:
  // the reason of ChannelReader::FindMissing().
  void OnChannelsRead(std::string missing_channels) {
    channels_read_ = true;
    missing_channels_ = std::move(missing_channels);
  }
  void OnFinding(const Finding& finding) override {
    ambiguous_ |= finding.severity == Severity::kError;
  }

  // kUnknownSection: no such device, or none was named and there are several.
  // kUnwalkable: it is not all in this channel, or not certain.
  Error Finish();

  // Whether the device needs the multifd channels.
  bool needs_channels() const { return multifd_; }

  // The idstrs of all devices met.
  const std::vector<std::string>& devices() const { return devices_; }

 private:
  bool Named(std::string_view idstr) const;
  void OnConfig(const Event& event);
  bool Wanted(const SectionView& section) const;
  std::string DeviceNames() const;

  ByteSink& sink_;
  const std::string idstr_;
  const What what_;
  const Dialect& dialect_;
  absl::flat_hash_set<std::string> known_;
  std::string config_;
  std::vector<std::string> devices_;
  bool found_ = false;
  bool ended_ = false;
  bool ambiguous_ = false;
  bool data_in_end_ = false;
  bool multifd_ = false;
  bool multifd_complete_ = false;
  bool channels_read_ = false;
  std::string missing_channels_;
  int configs_ = 0;
  uint32_t instance_id_ = 0;
  uint64_t offset_ = 0;
  uint64_t events_in_section_ = 0;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_EXTRACT_PAYLOAD_EXTRACTOR_H_
