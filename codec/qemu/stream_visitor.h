// What a StreamReader finds, in the order of the stream. FORMAT.md section 2.
//
// Everything that is called, put through a StreamWriter, gives the stream's
// bytes again. All views are good during the call only. A visitor that has seen
// enough calls SkipSection() or Stop().

#ifndef MIGSTREAM_CODEC_QEMU_STREAM_VISITOR_H_
#define MIGSTREAM_CODEC_QEMU_STREAM_VISITOR_H_

#include <sys/uio.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>

#include "codec/device/event.h"
#include "codec/qemu/recovery_plan.h"
#include "codec/qemu/stream_event.h"
#include "codec/qemu/stream_runs.h"
#include "codec/qemu/vm_description.h"
#include "codec/wire/bytes.h"
#include "codec/wire/finding.h"
#include "flags/command.h"
#include "flags/section_type.h"
#include "flags/tag.h"

namespace migstream {

class StreamVisitor {
 public:
  virtual ~StreamVisitor() = default;

  // Whether OnContent() is of interest, and the payload of DATA records. If
  // not, such bytes may be sought over instead of read: only the first event
  // of a record is then sure to come, and its payload may be short.
  // wants_content() is asked for each section, after OnSection().
  virtual bool wants_content() const { return false; }
  virtual bool wants_payload() const { return false; }
  // How many of the next bytes of a record need not come, after one of its
  // events; OnPayloadSkipped() tells how many did not.
  virtual uint64_t unwanted_payload() const {
    return wants_payload() ? 0 : UINT64_MAX;
  }
  // Whether the fields of the description are kept, and OnDescribed() is to
  // come.
  virtual bool wants_fields() const { return false; }

  virtual void OnHeader(uint32_t /*version*/) {}
  virtual void OnConfiguration(const ConfigurationView&) {}
  virtual void OnSection(const SectionView&) {}
  // The content of a VFIO device's section.
  virtual void OnDeviceEvent(const SectionView&, const Event&) {}
  virtual void OnPayloadSkipped(uint64_t /*count*/) {}
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
  // After it, if wants_page_payloads(), which is asked for each section: the
  // payload of an XBZRLE or compressed page, or of a zero page whose byte is
  // not 0. It may be short where the input ends.
  virtual bool wants_page_payloads() const { return false; }
  virtual void OnPagePayload(const RamRecordView&, ByteSpan /*payload*/) {}
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
  // Bytes that are damaged were passed over, in a reading by a RecoveryPlan; a
  // section that was under way is left, without its OnSectionEnd().
  virtual void OnGap(const StreamGap&) {}
  // The input ended within something, of which these bytes are there.
  virtual void OnRest(ByteSpan) {}

  // Whether what comes in rows may come as one, in the place of all calls above
  // for what is in it; asked once. One that says so stops at no record of a
  // row. See stream_runs.h.
  virtual bool takes_runs() const { return false; }
  virtual void OnEmptyParts(const EmptyParts&) {}
  // These two as events, if they are left as they are.
  virtual void OnDeviceRecords(const SectionView& section,
                               const DeviceRecords& records);
  virtual void OnDataParts(const DataParts& parts);
  // In a RAM section. The payload is there whether or not content is wanted.
  virtual void OnRamPages(const RamPages&) {}

  enum class Flow : uint8_t { kGoOn, kSkipSection, kStop };
  // What the reader is asked for since it last took it.
  virtual Flow TakeFlow() { return std::exchange(flow_, Flow::kGoOn); }

 protected:
  // Nothing more of this section but its OnSectionEnd(); what can be sought
  // over is not read.
  void SkipSection() { flow_ = std::max(flow_, Flow::kSkipSection); }
  // Nothing more at all: the reader stops behind what it gave last.
  void Stop() { flow_ = Flow::kStop; }

 private:
  Flow flow_ = Flow::kGoOn;
};

inline void StreamVisitor::OnDeviceRecords(const SectionView& section,
                                           const DeviceRecords& records) {
  Event event;
  event.kind = EventKind::kData;
  event.starts_record = true;
  records.ForEach([&](uint64_t offset, ByteSpan payload) {
    event.offset = offset;
    event.payload = payload;
    event.record_bytes = payload.size();
    OnDeviceEvent(section, event);
  });
}

inline void StreamVisitor::OnDataParts(const DataParts& parts) {
  SectionView section = parts.section;
  size_t i = 0;
  parts.records.ForEach([&](uint64_t offset, ByteSpan payload) {
    section.offset = offset - kNumberedBytes;
    OnSection(section);
    OnDeviceRecords(
        section,
        {.offset = offset, .payloads = parts.records.payloads.subspan(i++, 1)});
    Event end;
    end.kind = EventKind::kTag;
    end.element = Element::kEndOfState;
    end.offset = offset + kRecordHeaderBytes + payload.size();
    OnDeviceEvent(section, end);
    OnSectionEnd(section, kRecordHeaderBytes + payload.size() + kTagBytes,
                 parts.footer);
  });
}

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_QEMU_STREAM_VISITOR_H_
