// Takes the memory of RAM blocks out of a stream: what the destination would
// have in them. FORMAT.md sections 5 and 13.
//
//   RamExtractor extractor(image, "pc.ram", channels);
//   Error error = StreamReader(source, extractor, options).Read();
//   if (error.ok()) error = extractor.Finish();
//
// Or of several, each into an image that a function chooses.
//
// Whole, zero, XBZRLE and zlib pages, mapped-ram, the pages on multifd
// channels, and those on a postcopy-preempt channel. The stream is read from
// front to back. Guest memory is secret: it goes to the image, and nowhere
// else.

#ifndef MIGSTREAM_CODEC_EXTRACT_RAM_EXTRACTOR_H_
#define MIGSTREAM_CODEC_EXTRACT_RAM_EXTRACTOR_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codec/channels/channel_reader.h"
#include "codec/extract/channel_pages.h"
#include "codec/io/byte_source.h"
#include "codec/qemu/configuration.h"
#include "codec/qemu/limits.h"
#include "codec/qemu/stream_runs.h"
#include "codec/qemu/stream_visitor.h"
#include "codec/wire/error.h"

namespace migstream {

// The memory of a block. It is all zero before anything is written. A failure
// stays, and is told by the image's owner.
class RamImage {
 public:
  virtual ~RamImage() = default;
  virtual void Resize(uint64_t bytes) = 0;
  virtual void Write(uint64_t offset, ByteSpan bytes) = 0;
  // The same, of bytes that stand in the main channel, from `at` on.
  virtual void WriteFromStream(uint64_t offset, ByteSpan bytes,
                               uint64_t /*at*/) {
    Write(offset, bytes);
  }
  // Likewise, of `pages` of a row, which follow each other in the block. None
  // has bytes that are all zero: zero pages are null.
  virtual void WritePages(const RamPages& row, std::span<const RamPage> pages) {
    for (const RamPage& page : pages) {
      if (page.bytes == nullptr) {
        Zero(page.page_offset, row.page_bytes);
      } else {
        WriteFromStream(page.page_offset, row.BytesOf(page),
                        row.OffsetOf(page));
      }
    }
  }
  virtual void Zero(uint64_t offset, uint64_t bytes) = 0;
  virtual void Read(uint64_t offset, std::span<uint8_t> bytes) = 0;
};

class RamExtractor : public StreamVisitor {
 public:
  // Where a block's memory goes; null if it is not wanted.
  using ImageOf = std::function<RamImage*(const RamBlock&)>;

  // What came of a block.
  struct Memory {
    RamImage* image = nullptr;
    uint64_t used_bytes = 0;
    uint64_t page_bytes = 4096;
    uint64_t pages = 0;  // Some came more than once.
    uint64_t seen_pages = 0;
    std::vector<uint8_t> seen;  // A bit each.

    // Pages that never came, and are zero in the image. A source may leave out
    // what its guest does not use; or they are on channels that were not given.
    uint64_t missing_pages() const;
  };

  // All must outlive the extractor. `block` is as it stands in the stream, or
  // as Printable() shows it; there must be one of that name. `threads` read the
  // channels side by side, if they are files.
  RamExtractor(RamImage& image, std::string block,
               std::vector<ChannelReader::Channel> channels = {},
               const StreamLimits& limits = {}, int threads = 1);
  RamExtractor(ImageOf image_of, std::vector<ChannelReader::Channel> channels,
               const StreamLimits& limits = {}, int threads = 1)
      : image_of_(std::move(image_of)),
        given_channels_(std::move(channels)),
        limits_(limits),
        channels_(threads) {}

  bool wants_content() const override { return in_ram_ && error_.ok(); }
  void OnConfiguration(const ConfigurationView& configuration) override {
    uuid_ = FindUuid(configuration);
  }
  void OnSection(const SectionView& section) override;
  void OnContent(ByteSpan bytes) override;
  void OnRamRecord(const RamRecordView& record) override;
  void OnRamBlocks(std::span<const RamBlock> blocks) override;
  // Rounds of pages on channels end with sections.
  bool takes_runs() const override { return given_channels_.empty(); }
  void OnDataParts(const DataParts&) override {}
  void OnRamPages(const RamPages& row) override;
  void OnMappedRam(const RamBlock& block, uint64_t offset) override;
  void OnSectionEnd(const SectionView& section, uint64_t content_bytes,
                    bool footer) override;

  // kBadRam: a page cannot be. If one block was named, kUnknownSection: there
  // is no such block, and the reason names those that there are; kUnwalkable:
  // no page of it is here.
  Error Finish();

  // The pages of a postcopy-preempt channel, which overtook those of the main
  // channel: when that was read, and before Finish(), which says what is wrong
  // with them. An error is one of reading the channel: what came before is
  // used.
  Error TakePreempt(const std::string& file, ByteSource& source);

  // Whether the END of RAM was read: no page follows it.
  bool reached_end() const { return reached_end_; }

  // After Finish() of a whole stream: kMultifdGap if a channel was not given,
  // or not all of it.
  Error FindMissingChannel() const { return channels_.FindMissing(); }

  // In all blocks that are wanted.
  uint64_t missing_pages() const;
  // By the name that stands in the stream; null if it is not wanted.
  const Memory* Find(std::string_view block) const;

 private:
  Memory* Found(const RamBlock& block);
  Memory* FindWanted(std::string_view block);
  bool IsWithin(const Memory& memory, const RamBlock& block,
                uint64_t page_offset, uint64_t offset);
  void Apply();
  void Put(Memory& memory, uint64_t offset, ByteSpan bytes,
           std::optional<uint64_t> at = {});
  void MarkSeen(Memory& memory, uint64_t offset);
  bool TakeBitmap(uint64_t bytes, uint64_t offset, std::string_view what);
  void TakeMapped(ByteSpan bytes);
  uint64_t TakeMappedPages(uint64_t at, ByteSpan bytes);
  uint64_t MappedRun(uint64_t at, uint64_t most) const;
  bool InBitmap(uint64_t page) const;
  void OpenChannels();
  void Sync();
  void TakeChannelPage(const ChannelPage& page, const PacketPlace& place);
  void TakePage(Memory& memory, const ChannelPage& page);
  void Fail(ErrorCode code, uint64_t offset, std::string reason);

  const ImageOf image_of_;
  const std::optional<std::string> only_;  // The one block.
  const std::vector<ChannelReader::Channel> given_channels_;
  const StreamLimits limits_;
  ChannelPages channels_;
  std::optional<VmUuid> uuid_;  // Of the VM, if the main channel says it.
  bool channels_open_ = false;
  Error error_;

  bool in_ram_ = false;
  bool reached_end_ = false;
  std::vector<std::string> names_;
  std::map<std::string, std::unique_ptr<Memory>, std::less<>> blocks_;
  uint64_t page_bytes_ = 4096;
  uint64_t all_bitmap_bytes_ = 0;

  // A page's record, whose payload is coming.
  Memory* page_of_ = nullptr;
  uint64_t flags_ = 0;
  uint64_t record_offset_ = 0;
  uint64_t page_offset_ = 0;
  uint64_t payload_at_ = 0;  // Offset of that of kRamPage.
  uint64_t payload_bytes_ = 0;
  std::vector<uint8_t> payload_;
  std::vector<RamPage> pages_;  // Its memory, for OnRamPages().

  // A mapped-ram block, from its header to the end of its pages.
  Memory* mapped_memory_ = nullptr;
  RamBlock mapped_;
  uint64_t mapped_at_ = 0;  // Offset in the file.
  uint64_t bitmap_bytes_ = 0;
  std::vector<uint8_t> bitmap_;

  bool flush_seen_ = false;
  bool by_flush_ = false;  // Rounds end with MULTIFD_FLUSH, not each section.
  bool started_ = false;   // The START is over.
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_EXTRACT_RAM_EXTRACTOR_H_
