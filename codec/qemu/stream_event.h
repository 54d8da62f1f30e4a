// What a StreamDecoder finds in a migration's main channel, in the order of the
// stream. FORMAT.md sections 2 to 9.
//
// The events, put through a StreamEncoder, give the stream's bytes again. All
// views are into the input of Next(), and good as long as that.

#ifndef MIGSTREAM_CODEC_QEMU_STREAM_EVENT_H_
#define MIGSTREAM_CODEC_QEMU_STREAM_EVENT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "codec/device/event.h"
#include "codec/device/subsection.h"
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
  uint64_t page_bytes = 0;   // 0: unknown.
  bool has_address = false;  // x-ignore-shared.
  uint64_t address = 0;      // Guest-physical.
  // mapped-ram: absolute offsets; both 0 for a block that is not in the file.
  uint64_t bitmap_offset = 0;
  uint64_t pages_offset = 0;

  // mapped-ram: a bit for each page, in words of 64.
  uint64_t bitmap_bytes() const {
    const uint64_t pages =
        used_bytes / page_bytes + (used_bytes % page_bytes != 0);
    return (pages / 64 + (pages % 64 != 0)) * 8;
  }
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

struct StreamEvent {
  enum Kind : uint8_t {
    kHeader,         // version
    kConfiguration,  // machine_type; its subsections follow one by one.
    kConfigurationSubsection,  // subsection
    kSection,                  // section; its content follows.
    kDevice,                   // device: in a VFIO device's section.
    // In any other section `content` has the bytes that the event takes:
    kContent,      // nothing more is known of them.
    kTakenOver,    // Takes no bytes: see ContentLength::kTakenOver.
    kRamRecord,    // ram; its payload follows as kContent.
    kRamBlock,     // block: an entry of the block list. With mapped-ram its
                   // bitmap and pages follow as kContent.
    kRamBlocks,    // The block list is whole; takes no bytes.
    kSectionEnd,   // content_bytes, footer
    kCommand,      // command
    kEof,          // The stream may end here.
    kDescription,  // description_bytes of JSON follow as kContent.
    kFinding,      // finding; takes no bytes.
  };

  Kind kind = kHeader;
  uint64_t offset = 0;  // Of its first byte, from the stream's start.
  // kSection to kSectionEnd: the section. Good until the next kSection.
  const SectionView* section = nullptr;
  ByteSpan content;
  uint32_t version = 0;
  std::string_view machine_type;
  ConfigurationView::Subsection subsection;
  Event device;
  RamRecordView ram;
  const RamBlock* block = nullptr;  // Good until the next event.
  uint64_t content_bytes = 0;
  bool footer = false;
  CommandView command;
  uint32_t description_bytes = 0;
  const Finding* finding = nullptr;  // Good until the next event.
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_QEMU_STREAM_EVENT_H_
