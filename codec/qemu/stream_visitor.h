// What a StreamReader finds, in the order of the stream. FORMAT.md section 2.
//
// Everything that is called, put through a StreamWriter, gives the stream's
// bytes again. All views are good during the call only.

#ifndef MIGSTREAM_CODEC_QEMU_STREAM_VISITOR_H_
#define MIGSTREAM_CODEC_QEMU_STREAM_VISITOR_H_

#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "codec/device/event.h"
#include "codec/device/subsection.h"
#include "codec/qemu/finding.h"
#include "codec/wire/bytes.h"
#include "flags/command.h"
#include "flags/section_type.h"

namespace migstream {

// FORMAT.md section 3.
struct ConfigurationView {
  uint64_t offset = 0;
  absl::string_view machine_type;
  struct Subsection {
    absl::string_view name;
    uint32_t version = 0;
    ByteSpan payload;
  };
  std::vector<Subsection> subsections;
};

struct SectionView {
  SectionType type = SectionType::kFull;
  uint64_t offset = 0;  // Of the section's first byte.
  uint32_t id = 0;
  absl::string_view idstr;  // Of the START, for a PART or an END.
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

class StreamVisitor {
 public:
  virtual ~StreamVisitor() = default;

  // Whether OnContent() is of interest, and the payload of DATA records. If
  // not, such bytes may be sought over instead of read: only the first event
  // of a record is then sure to come, and its payload may be short.
  virtual bool wants_content() const { return false; }
  virtual bool wants_payload() const { return false; }

  virtual void OnHeader(uint32_t /*version*/) {}
  virtual void OnConfiguration(const ConfigurationView&) {}
  virtual void OnSection(const SectionView&) {}
  // The content of a VFIO device's section.
  virtual void OnDeviceEvent(const SectionView&, const Event&) {}
  // The content of any other section, in pieces.
  virtual void OnContent(ByteSpan) {}
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
