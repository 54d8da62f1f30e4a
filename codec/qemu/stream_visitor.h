// What a StreamReader finds, in the order of the stream. FORMAT.md section 2.
//
// Everything that is called, put through a StreamWriter, gives the stream's
// bytes again. All views are good during the call only.

#ifndef MIGSTREAM_CODEC_QEMU_STREAM_VISITOR_H_
#define MIGSTREAM_CODEC_QEMU_STREAM_VISITOR_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codec/device/event.h"
#include "codec/device/subsection.h"
#include "codec/qemu/vm_description.h"
#include "codec/wire/bytes.h"
#include "codec/wire/finding.h"
#include "flags/command.h"
#include "flags/section_type.h"

namespace migstream {

// FORMAT.md section 3.
struct ConfigurationView {
  uint64_t offset = 0;
  std::string_view machine_type;
  struct Subsection {
    std::string_view name;
    uint32_t version = 0;
    ByteSpan payload;
  };
  std::vector<Subsection> subsections;
};

struct SectionView {
  SectionType type = SectionType::kFull;
  uint64_t offset = 0;  // Of the section's first byte.
  uint32_t id = 0;
  std::string_view idstr;  // Of the START, for a PART or an END.
  uint32_t instance_id = 0;
  uint32_t version_id = 0;
  bool vfio = false;
};

// FORMAT.md section 4.
struct CommandView {
  uint64_t offset = 0;
  Command command = Command::kPing;
  ByteSpan data;
};

// A block of guest memory, as the block list names it. FORMAT.md section 5.
struct RamBlock {
  std::string name;
  uint64_t used_bytes = 0;
  uint64_t page_bytes = 0;   // 0: not said.
  bool has_address = false;  // x-ignore-shared.
  uint64_t address = 0;      // Guest-physical.
  // mapped-ram: absolute offsets; both 0 for a block that is not in the file.
  uint64_t bitmap_offset = 0;
  uint64_t pages_offset = 0;
};

// A record of a RAM section.
struct RamRecordView {
  uint64_t offset = 0;
  uint64_t flags = 0;               // RamFlag
  const RamBlock* block = nullptr;  // Of a page.
  uint64_t page_offset = 0;         // In the block.
  // What follows in the stream: the page, its fill byte, or its compressed
  // bytes. A list of blocks ends with OnRamBlocks().
  uint64_t payload_bytes = 0;
  uint64_t page_bytes = 0;  // Of the target.
};

class StreamVisitor {
 public:
  virtual ~StreamVisitor() = default;

  // Whether OnContent() is of interest, and the payload of DATA records. If
  // not, such bytes may be sought over instead of read: only the first event
  // of a record is then sure to come, and its payload may be short.
  // wants_content() is asked for each section, after OnSection().
  virtual bool wants_content() const { return false; }
  virtual bool wants_payload() const { return false; }
  // Whether the fields of the description are kept, and OnDescribed() is to
  // come.
  virtual bool wants_fields() const { return false; }

  virtual void OnHeader(uint32_t /*version*/) {}
  virtual void OnConfiguration(const ConfigurationView&) {}
  virtual void OnSection(const SectionView&) {}
  // The content of a VFIO device's section.
  virtual void OnDeviceEvent(const SectionView&, const Event&) {}
  // What describes a FULL of any other device, before its content; null where
  // nothing does. Both are good as long as the reader, or as the description
  // is shared.
  virtual void OnDescribed(const SectionView&, const VmDescription*,
                           const DescribedDevice*) {}
  // The content of any other section, in pieces.
  virtual void OnContent(ByteSpan) {}
  // In a RAM section: OnContent() has given the record up to its payload, and
  // will give the payload next.
  virtual void OnRamRecord(const RamRecordView&) {}
  virtual void OnRamBlocks(std::span<const RamBlock>) {}
  // Within a list of blocks: the content goes on at `offset` with what leads up
  // to the block's bitmap and pages, and then these. FORMAT.md section 5.5.
  virtual void OnMappedRam(const RamBlock&, uint64_t /*offset*/) {}
  // The section is over, after `content_bytes`; a footer closed it.
  virtual void OnSectionEnd(const SectionView&, uint64_t /*content_bytes*/,
                            bool /*footer*/) {}
  virtual void OnCommand(const CommandView&) {}
  virtual void OnEof(uint64_t /*offset*/) {}
  virtual void OnDescription(uint64_t /*offset*/, ByteSpan /*json*/) {}
  virtual void OnFinding(const Finding&) {}
  // The input ended within something, of which these bytes are there.
  virtual void OnRest(ByteSpan) {}
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_QEMU_STREAM_VISITOR_H_
