// Takes the events of one channel's decoder and gives the pages of guest memory
// in them, inflated. FORMAT.md section 13.3.
//
//   PageInflater inflater({.page_bytes = 4096});   // One for each channel.
//   while (channel.Next(event) == Step::kEvent) {  // From its first event on.
//     inflater.Add(event);
//     for (ChannelPage page; inflater.Next(page) == Step::kEvent;) {
//       if (page.kind == ChannelPageKind::kPage) {
//         Put(page.block, page.offset, page.bytes);
//       } …
//     }
//     if (!inflater.ok()) return inflater.error(name);
//   }
//
// A zlib or zstd stream is as long as its channel: no packet can be inflated
// without all before it, and an inflater that was given none of the first may
// not begin with the second. What inflates to anything but its pages, exactly,
// is an error; pages that stood before the damage have been given by then. qpl,
// uadk and qatzip are taken apart, and given as they are.
//
// Whether a block of that name exists, and the page is in it, is for the
// caller to check: a packet does not say how large a block is. Offsets are
// multiples of the page size.
//
// It does no I/O. Memory is one packet's offsets, one page, and what inflating
// takes: limits.window_bytes. Errors are sticky.

#ifndef MIGSTREAM_CODEC_EXTRACT_PAGE_INFLATER_H_
#define MIGSTREAM_CODEC_EXTRACT_PAGE_INFLATER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "codec/extract/stream_inflater.h"
#include "codec/multifd/channel_decoder.h"
#include "codec/multifd/limits.h"
#include "codec/wire/bytes.h"
#include "codec/wire/error.h"
#include "codec/wire/step.h"

namespace migstream {

enum class ChannelPageKind : uint8_t {
  kPage,  // `bytes` are the page.
  kZero,  // All zero; no bytes.
  // qpl, uadk: one page, compressed on its own; fewer bytes than a page.
  kCompressed,
  // qatzip: a piece of what all normal pages of the packet were compressed to,
  // together; `offset` is that of the first.
  kCompressedTogether,
};

struct ChannelPage {
  ChannelPageKind kind = ChannelPageKind::kPage;
  uint32_t method = 0;     // A MultifdFlag, or 0: how it was compressed.
  std::string_view block;  // These views are good until the next call.
  uint64_t offset = 0;     // In the block.
  ByteSpan bytes;
};

struct PageInflaterOptions {
  uint32_t page_bytes = 4096;  // Of the target, as the decoder's.
  MultifdLimits limits = {};
};

class PageInflater {
 public:
  explicit PageInflater(const PageInflaterOptions& options = {});

  // Any event. Next() must have given all of the one before.
  void Add(const MultifdEvent& event);

  // kEvent: a page. kNeedInput: the packet's payload goes on. kDone: all of the
  // packet's pages have been given, or the event has none. kError.
  Step Next(ChannelPage& page);

  // What inflating takes so far.
  uint64_t memory_bytes() const { return zstd_ ? zstd_->memory_bytes() : 0; }

  bool ok() const { return error_ == ErrorCode::kNone; }
  // The offset is that of the packet in the channel.
  Error error(std::string_view channel) const;

 private:
  Step NextNormal(ChannelPage& page);
  Step NextInflated(StreamInflater& stream, ChannelPage& page);
  Step NextFramed(ChannelPage& page);
  Step NextTogether(ChannelPage& page);
  Step AfterNormal();
  Step NeedPayload();
  bool Gather(size_t bytes);
  StreamInflater* stream();
  void Start(const MultifdEvent& event);
  Step Fail(ErrorCode code, std::string reason);

  const PageInflaterOptions options_;
  std::unique_ptr<StreamInflater> zlib_;
  std::unique_ptr<StreamInflater> zstd_;

  // The packet.
  bool in_ram_ = false;
  uint64_t packet_offset_ = 0;
  uint32_t method_ = 0;
  uint32_t normal_pages_ = 0;
  uint32_t pages_ = 0;  // With the zero pages.
  std::string block_;
  std::vector<uint8_t> offsets_;
  uint32_t payload_bytes_ = 0;
  uint32_t payload_left_ = 0;  // Not added yet.
  ByteSpan input_;             // Added, not used yet.
  uint32_t given_ = 0;         // Pages.
  bool normal_done_ = false;   // And found to be all of the payload.

  std::vector<uint8_t> held_;      // Of one page, or of the lengths.
  ByteSpan gathered_;              // What Gather() has put together.
  std::vector<uint32_t> lengths_;  // qpl, uadk.

  ErrorCode error_ = ErrorCode::kNone;
  std::string reason_;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_EXTRACT_PAGE_INFLATER_H_
