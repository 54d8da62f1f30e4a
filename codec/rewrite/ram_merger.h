// Puts guest memory from multifd channels into the main channel's RAM sections,
// where a stream of one channel has it: at each sync point. FORMAT.md sections
// 5 and 13.7.

#ifndef MIGSTREAM_CODEC_REWRITE_RAM_MERGER_H_
#define MIGSTREAM_CODEC_REWRITE_RAM_MERGER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>

#include "codec/extract/channel_pages.h"
#include "codec/rewrite/visitor_filter.h"

namespace migstream {

class RamMerger : public VisitorFilter {
 public:
  // `pages` must outlive the filter.
  RamMerger(ChannelPages& pages, uint64_t page_bytes, StreamVisitor& next)
      : VisitorFilter(next), pages_(pages), page_bytes_(page_bytes) {}

  void OnSection(const SectionView& section) override;
  void OnContent(ByteSpan bytes) override;
  void OnRamRecord(const RamRecordView& record) override;
  void OnRamBlocks(std::span<const RamBlock> blocks) override;
  void OnSectionEnd(const SectionView& section, uint64_t content_bytes,
                    bool footer) override;
  void Finish() override { Fail(pages_.Finish()); }

 private:
  // What OnContent() is given.
  enum class Content {
    kOther,    // No RAM.
    kHead,     // A record, up to its payload.
    kPayload,  // payload_left_ bytes, then a head.
    kList,     // Of blocks, up to OnRamBlocks().
  };

  void PutPages(uint64_t offset);
  void PutPage(const ChannelPage& page, const PacketPlace& place);
  void PutHead(const RamRecordView& record);

  ChannelPages& pages_;
  const uint64_t page_bytes_;
  Content content_ = Content::kOther;
  std::string head_;
  uint64_t payload_left_ = 0;
  std::map<std::string, uint64_t, std::less<>> block_bytes_;
  std::string named_;  // The block that CONTINUE means in what is written.
  // Sync points are MULTIFD_FLUSH records, as a START with one shows; else the
  // end of each section.
  bool in_start_ = false;
  bool flushes_ = false;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_REWRITE_RAM_MERGER_H_
