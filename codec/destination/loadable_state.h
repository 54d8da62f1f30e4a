// What a loader compares of a stream with its own machine, as far as a stream
// shows it: sections, RAM blocks, config spaces, and fields that must be equal.
// FORMAT.md sections 5, 7 and 11.8.
//
//   LoadableReader reader;
//   StreamSurvey survey(options, reader);
//   Error error = survey.ReadAll(source, channels, [&](const auto& piece) {
//     reader.OnConfigPiece(piece);
//   });
//   reader.Finish(error);
//   CheckLoadable(reader.state(), idle.state(), …);  // loadable_check.h
//
// A destination that has not begun to run, QEMU's -S, can save such a stream of
// itself: `migrate exec:cat>FILE`. What it has not got in there it has not got.

#ifndef MIGSTREAM_CODEC_DESTINATION_LOADABLE_STATE_H_
#define MIGSTREAM_CODEC_DESTINATION_LOADABLE_STATE_H_

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "codec/multifd/reassembler.h"
#include "codec/state/field.h"
#include "codec/state/field_reader.h"
#include "codec/wire/error.h"
#include "flags/section_type.h"

namespace migstream {

struct LoadableSection {
  std::string idstr;
  uint32_t instance_id = 0;
  // Its end has come; until then no more of the idstr is shown than of an
  // unknown name.
  bool is_known = false;
  SectionType type = SectionType::kFull;  // kStart, kFull
  uint64_t offset = 0;                    // Of the START or FULL.
  uint32_t version = 0;
  bool vfio = false;
  // The PCI configuration space; empty if it has none, or none that is known.
  std::string pci_config;
  uint64_t pci_config_offset = 0;  // In the stream; 0: it is in a channel.
  SectionType pci_config_in = SectionType::kFull;
  // Fields that a loader wants to be what its own are, or no more, in their
  // order.
  struct Equal {
    std::string name;
    uint64_t number = 0;
    uint64_t offset = 0;  // In the stream.
    bool or_less = false;
  };
  std::vector<Equal> equal;
  // Elements of a list that has as many as the machine has places for CPUs or
  // memory, which the stream does not say; 0 if there is none.
  uint64_t places = 0;
  // Lists of keys and values that are sets: registers of an Arm CPU.
  std::map<uint64_t, uint64_t> registers;

  // The idstr, and as "cpu_common#1"; both may be printed.
  std::string Shown() const;
  std::string Name() const;
};

struct LoadableState {
  std::string machine_type;
  std::vector<LoadableSection> sections;  // In the order of the stream.
  std::map<std::pair<std::string, uint32_t>, size_t> by_name;
  struct Block {
    std::string name;
    uint64_t bytes = 0;
  };
  std::vector<Block> blocks;
  uint64_t ram_offset = 0;  // Of RAM's START.

  const LoadableSection* Find(const std::string& idstr,
                              uint32_t instance_id) const;
};

// Collects it.
class LoadableReader : public FieldReader {
 public:
  // More sections than that are left out, and registers and fields of all
  // devices.
  static constexpr size_t kMaxSections = 1 << 16;
  static constexpr size_t kMaxValues = 1 << 16;

  LoadableReader() : FieldReader(fields_) {}

  const LoadableState& state() const { return state_; }
  LoadableState Take() { return std::move(state_); }

  void OnConfiguration(const ConfigurationView& configuration) override;
  void OnSection(const SectionView& section) override;
  void OnRamBlocks(std::span<const RamBlock> blocks) override;
  void OnSectionEnd(const SectionView& section, uint64_t content_bytes,
                    bool footer) override;
  void OnDeviceEvent(const SectionView& section, const Event& event) override;
  // A piece of a VFIO device's state from the multifd channels.
  void OnConfigPiece(const ReassembledPiece& piece);

 private:
  class Fields : public FieldVisitor {
   public:
    explicit Fields(LoadableReader& reader) : reader_(reader) {}
    void OnDevice(const SectionView& section, StateKind state,
                  const Field& all) override;
    void OnStruct(const Field& field) override;
    void OnValue(const Field& field, const FieldValue& value) override;

   private:
    bool Hold(const Field& field, const FieldValue& value, size_t limit);

    LoadableReader& reader_;
    std::string head_;  // Of the field that holds the config space.
    uint64_t head_offset_ = 0;
    LoadableSection* device_ = nullptr;
    uint64_t content_ = 0;        // Where the content begins in the stream.
    std::vector<uint64_t> keys_;  // Of the device, in the stream's order.
    size_t values_ = 0;           // That are kept.
  };

  LoadableSection* Section(std::string_view idstr, uint32_t instance_id);
  void TakeConfig(LoadableSection& section, const Event& event);

  LoadableState state_;
  Fields fields_{*this};
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_DESTINATION_LOADABLE_STATE_H_
