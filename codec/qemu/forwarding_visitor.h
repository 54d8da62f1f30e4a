// A visitor that passes everything on, for those that look at some of it, or
// change some, on the way.
//
//   StreamReader → ForwardingVisitor → StreamVisitor
//
// Rows come event by event, unless it takes and passes them on itself.

#ifndef MIGSTREAM_CODEC_QEMU_FORWARDING_VISITOR_H_
#define MIGSTREAM_CODEC_QEMU_FORWARDING_VISITOR_H_

#include <algorithm>
#include <cstdint>
#include <span>

#include "codec/qemu/stream_visitor.h"

namespace migstream {

class ForwardingVisitor : public StreamVisitor {
 public:
  // `next` must outlive it.
  explicit ForwardingVisitor(StreamVisitor& next) : next_(next) {}

  Flow TakeFlow() override {
    return std::max(StreamVisitor::TakeFlow(), next_.TakeFlow());
  }

  bool wants_content() const override { return next_.wants_content(); }
  bool wants_payload() const override { return next_.wants_payload(); }
  uint64_t unwanted_payload() const override {
    return wants_payload() ? next_.unwanted_payload() : UINT64_MAX;
  }
  bool wants_fields() const override { return next_.wants_fields(); }

  void OnHeader(uint32_t version) override { next_.OnHeader(version); }
  void OnConfiguration(const ConfigurationView& configuration) override {
    next_.OnConfiguration(configuration);
  }
  void OnSection(const SectionView& section) override {
    next_.OnSection(section);
  }
  void OnDeviceEvent(const SectionView& section, const Event& event) override {
    next_.OnDeviceEvent(section, event);
  }
  void OnPayloadSkipped(uint64_t count) override {
    next_.OnPayloadSkipped(count);
  }
  void OnDescribed(const SectionView& section, const VmDescription* description,
                   const DescribedDevice* device) override {
    next_.OnDescribed(section, description, device);
  }
  void OnContent(ByteSpan bytes) override { next_.OnContent(bytes); }
  void OnRamRecord(const RamRecordView& record) override {
    next_.OnRamRecord(record);
  }
  bool wants_page_payloads() const override {
    return next_.wants_page_payloads();
  }
  void OnPagePayload(const RamRecordView& record, ByteSpan payload) override {
    next_.OnPagePayload(record, payload);
  }
  void OnRamBlocks(std::span<const RamBlock> blocks) override {
    next_.OnRamBlocks(blocks);
  }
  void OnMappedRam(const RamBlock& block, uint64_t offset) override {
    next_.OnMappedRam(block, offset);
  }
  void OnSectionEnd(const SectionView& section, uint64_t content_bytes,
                    bool footer) override {
    next_.OnSectionEnd(section, content_bytes, footer);
  }
  void OnCommand(const CommandView& command) override {
    next_.OnCommand(command);
  }
  void OnEof(uint64_t offset) override { next_.OnEof(offset); }
  void OnDescription(uint64_t offset, ByteSpan json) override {
    next_.OnDescription(offset, json);
  }
  void OnFinding(const Finding& finding) override { next_.OnFinding(finding); }
  void OnGap(const StreamGap& gap) override { next_.OnGap(gap); }
  void OnRest(ByteSpan bytes) override { next_.OnRest(bytes); }

 protected:
  StreamVisitor& next() const { return next_; }

 private:
  StreamVisitor& next_;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_QEMU_FORWARDING_VISITOR_H_
