// A step of rewriting a stream: a visitor that passes on what it is told, and
// changes some of it on the way.
//
//   StreamReader → filter → filter → … → DescribedWriter
//
// A filter that cannot do its work safely says so in error(), once; what it
// passes on after that is of no use.

#ifndef MIGSTREAM_CODEC_REWRITE_VISITOR_FILTER_H_
#define MIGSTREAM_CODEC_REWRITE_VISITOR_FILTER_H_

#include <cstdint>
#include <span>
#include <utility>

#include "codec/qemu/stream_visitor.h"
#include "codec/wire/error.h"

namespace migstream {

class VisitorFilter : public StreamVisitor {
 public:
  // `next` must outlive the filter.
  explicit VisitorFilter(StreamVisitor& next) : next_(next) {}

  bool wants_content() const override { return true; }
  bool wants_payload() const override { return true; }

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
  void OnContent(ByteSpan bytes) override { next_.OnContent(bytes); }
  void OnRamRecord(const RamRecordView& record) override {
    next_.OnRamRecord(record);
  }
  void OnRamBlocks(std::span<const RamBlock> blocks) override {
    next_.OnRamBlocks(blocks);
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
  void OnRest(ByteSpan bytes) override { next_.OnRest(bytes); }

  // Nothing more will come: what must have been there by now?
  virtual void Finish() {}

  const Error& error() const { return error_; }

 protected:
  StreamVisitor& next() { return next_; }

  // Keeps the first error.
  void Fail(Error error) {
    if (error_.ok()) error_ = std::move(error);
  }

 private:
  StreamVisitor& next_;
  Error error_;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_REWRITE_VISITOR_FILTER_H_
