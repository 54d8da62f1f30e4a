// Filters that leave out, or exchange, what one device has in a stream.

#ifndef MIGSTREAM_CODEC_REWRITE_DEVICE_FILTERS_H_
#define MIGSTREAM_CODEC_REWRITE_DEVICE_FILTERS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "codec/io/byte_source.h"
#include "codec/rewrite/device_choice.h"
#include "codec/rewrite/visitor_filter.h"

namespace migstream {

// Leaves out all sections of a device.
class DeviceDropper : public VisitorFilter {
 public:
  DeviceDropper(std::string idstr, StreamVisitor& next)
      : VisitorFilter(next), choice_(std::move(idstr)) {}

  void OnSection(const SectionView& section) override;
  void OnDeviceEvent(const SectionView& section, const Event& event) override;
  void OnSectionEnd(const SectionView& section, uint64_t content_bytes,
                    bool footer) override;
  void Finish() override { Fail(choice_.Finish()); }

 private:
  DeviceChoice choice_;
  bool dropping_ = false;
};

// Leaves out PARTs that give a device nothing: END_OF_STATE alone, or after a
// DATA of size 0, which loaders pass over.
class EmptyPartStripper : public VisitorFilter {
 public:
  using VisitorFilter::VisitorFilter;

  void OnSection(const SectionView& section) override;
  void OnDeviceEvent(const SectionView& section, const Event& event) override;
  void OnSectionEnd(const SectionView& section, uint64_t content_bytes,
                    bool footer) override;

 private:
  void Release(const SectionView& section);

  bool held_ = false;          // The section was not passed on yet,
  uint32_t held_records_ = 0;  // nor were these of size 0.
};

// Puts another PCI configuration space into a device's CONFIG. IRQ states and
// the MSI-X table stay; so the new one must have as many vectors.
class ConfigReplacer : public VisitorFilter {
 public:
  // `config` has 256 or 4096 bytes.
  ConfigReplacer(std::string idstr, std::string config, StreamVisitor& next)
      : VisitorFilter(next),
        choice_(std::move(idstr)),
        config_(std::move(config)) {}

  void OnDeviceEvent(const SectionView& section, const Event& event) override;
  void OnSection(const SectionView& section) override;
  void Finish() override;

 private:
  DeviceChoice choice_;
  const std::string config_;
  bool chosen_ = false;
  bool replaced_ = false;
};

// Gives a device another payload. It fills the records that are there, in turn.
// Where records are transactions of the device (v1) it must fit exactly; else
// what is left goes into further records of END, and records for which nothing
// is left are left out. With a split, its first bytes fill PARTs, if need be
// further ones before the first END of all or the switchover command, and the
// others END.
class PayloadReplacer : public VisitorFilter {
 public:
  // `payload` must know its size, which is at least `split`, and outlive the
  // filter.
  PayloadReplacer(std::string idstr, ByteSource& payload,
                  std::optional<uint64_t> split, bool record_boundaries_matter,
                  StreamVisitor& next);

  void OnSection(const SectionView& section) override;
  void OnDeviceEvent(const SectionView& section, const Event& event) override;
  void OnSectionEnd(const SectionView& section, uint64_t content_bytes,
                    bool footer) override;
  void OnCommand(const CommandView& command) override;
  void Finish() override;

 private:
  void Record(const SectionView& section, uint64_t bytes);
  void EndPreCopy();
  // What is left for a section of this type.
  uint64_t& LeftFor(const SectionView& section) {
    return section.type == SectionType::kPart && split_ ? left_in_parts_
                                                        : left_;
  }

  DeviceChoice choice_;
  ByteSource& payload_;
  const bool split_;
  uint64_t left_in_parts_;  // With a split only.
  uint64_t left_;
  const bool keep_records_;
  bool chosen_ = false;
  bool footers_ = true;  // As the stream has shown.
  // The device, from its START on, for PARTs of its own.
  std::string idstr_;
  SectionView device_;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_REWRITE_DEVICE_FILTERS_H_
