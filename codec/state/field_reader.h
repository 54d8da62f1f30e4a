// The state of all that is in a stream, as named values: out of
// a StreamReader and into a FieldVisitor. FORMAT.md section 7.
//
//   FieldReader fields(visitor);
//   StreamReader reader(source, fields, options);
//   Error error = reader.Read();
//   // The multifd channels, if there are any: fields.OnPiece(piece).
//   fields.Finish(error);
//
// FULL sections by the description, or as bytes where there is none; RAM by its
// block list; VFIO devices by what their records add up to, and their config
// payload. Payload of VFIO devices and guest memory are not given: see
// payload_extractor.h and ram_extractor.h.

#ifndef MIGSTREAM_CODEC_STATE_FIELD_READER_H_
#define MIGSTREAM_CODEC_STATE_FIELD_READER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/device/data_tally.h"
#include "codec/multifd/reassembler.h"
#include "codec/qemu/stream_visitor.h"
#include "codec/state/field.h"
#include "codec/state/field_walker.h"
#include "codec/wire/finding.h"

namespace migstream {

class FieldReader : public StreamVisitor {
 public:
  // `visitor` must outlive the reader.
  explicit FieldReader(FieldVisitor& visitor) : visitor_(visitor) {}

  bool wants_content() const override { return walker_ || undescribed_; }
  bool wants_fields() const override { return true; }

  void OnConfiguration(const ConfigurationView& configuration) override;
  void OnSection(const SectionView& section) override;
  void OnDescribed(const SectionView& section, const VmDescription* description,
                   const DescribedDevice* device) override;
  void OnContent(ByteSpan bytes) override;
  void OnDeviceEvent(const SectionView& section, const Event& event) override;
  void OnDeviceRecords(const SectionView& section,
                       const DeviceRecords& records) override;
  void OnRamBlocks(std::span<const RamBlock> blocks) override {
    ram_blocks_.assign(blocks.begin(), blocks.end());
  }
  void OnSectionEnd(const SectionView& section, uint64_t content_bytes,
                    bool footer) override;
  void OnGap(const StreamGap& gap) override;

  // A piece of a VFIO device's state from the multifd channels, after the main
  // channel.
  void OnPiece(const ReassembledPiece& piece);

  // The stream has ended, or an error has ended it: gives what is left.
  // `error` is the StreamReader's, which need not be there any more: where the
  // input ends within a record, that holds what came of it.
  void Finish(const Error& error);

  // FULL sections that are not as described.
  const std::vector<Finding>& findings() const { return findings_; }
  // Sections whose fields nothing describes.
  uint64_t undescribed() const { return undescribed_sections_; }

 private:
  // A device's section, whose names outlive the call.
  struct OwnedSection {
    explicit OwnedSection(const SectionView& section)
        : idstr(section.idstr), view(section) {
      view.idstr = idstr;
    }
    OwnedSection(const OwnedSection&) = delete;
    std::string idstr;
    SectionView view;
  };
  struct Vfio {
    explicit Vfio(const SectionView& section) : section(section) {}
    OwnedSection section;
    DataTally data;
    std::string config;  // What is before the subsections.
    ConfigLayout layout;
    std::vector<std::pair<std::string, std::string>> subsections;
    bool has_config = false;
    bool given = false;
  };

  void GiveUndescribed(ByteSpan bytes, bool last);
  void GiveRam(const SectionView& section);
  void GiveVfio(Vfio& vfio);
  void GiveConfig(const Vfio& vfio);
  void EndDevice(const SectionView& section);
  void OnConfigEvent(Vfio& vfio, const Event& event);
  void Struct(std::string_view name, FieldKind kind, uint64_t bytes);
  void StructEnd(std::string_view name, FieldKind kind);
  void Number(std::string_view name, std::string_view type, size_t bytes,
              uint64_t number, uint64_t index = 0, uint64_t elements = 1);
  void Bytes(std::string_view name, std::string_view type, ByteSpan bytes,
             uint64_t index = 0, uint64_t elements = 1);

  FieldVisitor& visitor_;
  std::vector<RamBlock> ram_blocks_;
  std::unique_ptr<OwnedSection> open_;  // The FULL that is being read.
  std::shared_ptr<const VmDescription> description_;  // The walker's.
  std::unique_ptr<FieldWalker> walker_;
  bool undescribed_ = false;  // It comes as bytes.
  uint64_t content_bytes_ = 0;
  std::vector<std::unique_ptr<Vfio>> vfio_;
  // By idstr and instance id, as packets name a device.
  std::map<std::pair<std::string, uint32_t>, Vfio*> vfio_by_name_;
  Vfio* open_vfio_ = nullptr;  // Of the section that is read.
  RecordCounter records_;      // On the main channel.
  std::vector<Finding> findings_;
  uint64_t undescribed_sections_ = 0;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_STATE_FIELD_READER_H_
