#include "codec/extract/page_inflater.h"

#include <algorithm>
#include <span>
#include <string_view>

#include "codec/wire/text.h"
#include "flags/multifd_flags.h"

namespace migstream {

PageInflater::PageInflater(const PageInflaterOptions& options)
    : options_(options) {}

void PageInflater::Add(const MultifdEvent& event) {
  if (!ok()) return;
  bool taken =
      payload_left_ == 0 && input_.empty() && given_ == pages_ && normal_done_;
  switch (event.kind) {
    case MultifdEventKind::kInit:
      return;
    case MultifdEventKind::kDeviceState:
    case MultifdEventKind::kRamPacket:
      if (in_ram_ && !taken) {
        Fail(ErrorCode::kMultifdNotTaken,
             "a packet while pages of the one before have not been taken");
        return;
      }
      in_ram_ = event.kind == MultifdEventKind::kRamPacket;
      if (in_ram_) Start(event);
      return;
    case MultifdEventKind::kPayload:
      if (!in_ram_) return;
      if (!input_.empty() || event.bytes.size() > payload_left_) {
        Fail(ErrorCode::kMultifdNotTaken,
             "payload while that before it has not been taken");
        return;
      }
      input_ = event.bytes;
      payload_left_ -= static_cast<uint32_t>(input_.size());
      return;
  }
}

void PageInflater::Start(const MultifdEvent& event) {
  const RamPacket& ram = event.ram;
  packet_offset_ = event.offset;
  ErrorCode wrong = CheckRamPacket(event.flags, ram, options_.page_bytes);
  size_t offset_bytes = 8 * (size_t{ram.normal_pages} + ram.zero_pages);
  if (wrong != ErrorCode::kNone || offset_bytes > ram.offsets.size()) {
    Fail(wrong != ErrorCode::kNone ? wrong : ErrorCode::kMultifdPages,
         "no packet of a decoder for pages of this size");
    return;
  }
  method_ = event.flags & kMultifdCompressionMask;
  normal_pages_ = ram.normal_pages;
  pages_ = ram.normal_pages + ram.zero_pages;
  block_.assign(ram.block.data(), ram.block.size());
  offsets_.assign(ram.offsets.begin(), ram.offsets.begin() + offset_bytes);
  payload_bytes_ = payload_left_ = event.payload_bytes;
  given_ = 0;
  normal_done_ = normal_pages_ == 0;
  held_.clear();
  gathered_ = {};
  lengths_.clear();
}

Step PageInflater::Next(ChannelPage& page) {
  if (!ok()) return Step::kError;
  if (!in_ram_) return Step::kDone;
  page.block = block_;
  page.method = method_;
  if (given_ < pages_) {
    page.offset = LoadBe64(&offsets_[8 * size_t{given_}]);
    if (page.offset % std::max<uint32_t>(options_.page_bytes, 1) != 0) {
      return Fail(ErrorCode::kMultifdPageOffset,
                  StrCat("page offset ", Hex(page.offset),
                         " is no multiple of ", options_.page_bytes));
    }
  }
  if (given_ < normal_pages_) return NextNormal(page);
  if (!normal_done_) {
    if (Step step = AfterNormal(); step != Step::kDone) return step;
    normal_done_ = true;
  }
  if (given_ == pages_) return Step::kDone;
  page.kind = ChannelPageKind::kZero;
  page.bytes = {};
  ++given_;
  return Step::kEvent;
}

Step PageInflater::NextNormal(ChannelPage& page) {
  page.kind = ChannelPageKind::kPage;
  if (StreamInflater* inflater = stream()) return NextInflated(*inflater, page);
  switch (method_) {
    case kMultifdQpl:
    case kMultifdUadk:
      return NextFramed(page);
    case kMultifdQatzip:
      return NextTogether(page);
    default:
      if (!Gather(options_.page_bytes)) return NeedPayload();
      page.bytes = gathered_;
      ++given_;
      return Step::kEvent;
  }
}

// The channel's stream, if it has one by this packet's method.
StreamInflater* PageInflater::stream() {
  switch (method_) {
    case kMultifdZlib:
      if (zlib_ == nullptr) zlib_ = NewZlibInflater();
      return zlib_.get();
    case kMultifdZstd:
      if (zstd_ == nullptr) {
        zstd_ = NewZstdInflater(options_.limits.window_bytes);
      }
      return zstd_.get();
    default:
      return nullptr;
  }
}

Step PageInflater::NextInflated(StreamInflater& stream, ChannelPage& page) {
  size_t have = held_.size();
  // One that was given is whole.
  if (have == options_.page_bytes) have = 0;
  held_.resize(options_.page_bytes);
  have += stream.Inflate(input_, std::span(held_).subspan(have));
  if (have == options_.page_bytes) {
    page.bytes = held_;
    ++given_;
    return Step::kEvent;
  }
  if (stream.error() != ErrorCode::kNone) {
    return Fail(stream.error(),
                StrCat(MultifdFlagsToString(method_), ": ", stream.reason(),
                       ", in page ", given_, " of ", normal_pages_));
  }
  held_.resize(have);
  if (payload_left_ != 0) return Step::kNeedInput;
  return Fail(
      ErrorCode::kMultifdInflate,
      StrCat("a payload of ", payload_bytes_, " bytes inflates to ",
             uint64_t{given_} * options_.page_bytes + have, ", expected ",
             normal_pages_, " pages of ", options_.page_bytes));
}

Step PageInflater::NextFramed(ChannelPage& page) {
  if (lengths_.empty()) {
    uint64_t array_bytes = 4 * uint64_t{normal_pages_};
    uint64_t left =
        payload_bytes_ - std::min<uint64_t>(array_bytes, payload_bytes_);
    if (!Gather(array_bytes)) return NeedPayload();
    for (uint32_t i = 0; i < normal_pages_; ++i) {
      uint32_t length = LoadBe32(&gathered_[4 * size_t{i}]);
      if (length == 0 || length > options_.page_bytes || length > left) {
        return Fail(ErrorCode::kMultifdPageLengths,
                    StrCat("page ", i, " is of ", length,
                           " bytes, expected 1 to ", options_.page_bytes,
                           " with ", left, " left of the payload"));
      }
      left -= length;
      lengths_.push_back(length);
    }
    if (left != 0) {
      return Fail(ErrorCode::kMultifdPageLengths,
                  StrCat("the pages leave ", left, " of ", payload_bytes_,
                         " bytes of payload"));
    }
  }
  uint32_t length = lengths_[given_];
  if (!Gather(length)) return NeedPayload();
  // What does not become smaller is sent as it is.
  if (length != options_.page_bytes) page.kind = ChannelPageKind::kCompressed;
  page.bytes = gathered_;
  ++given_;
  return Step::kEvent;
}

Step PageInflater::NextTogether(ChannelPage& page) {
  if (input_.empty()) {
    if (payload_left_ != 0) return Step::kNeedInput;
    if (payload_bytes_ == 0) return NeedPayload();
  }
  page.kind = ChannelPageKind::kCompressedTogether;
  page.bytes = input_;
  page.offset = LoadBe64(offsets_.data());
  input_ = {};
  if (payload_left_ == 0) given_ = normal_pages_;
  return Step::kEvent;
}

// Whether the payload ends where the last normal page does.
Step PageInflater::AfterNormal() {
  if (StreamInflater* inflater = stream()) {
    uint8_t more;
    if (inflater->Inflate(input_, std::span(&more, 1)) != 0) {
      return Fail(ErrorCode::kMultifdInflate,
                  StrCat("a payload of ", payload_bytes_,
                         " bytes inflates to more than ", normal_pages_,
                         " pages of ", options_.page_bytes));
    }
    if (inflater->error() != ErrorCode::kNone) {
      return Fail(inflater->error(),
                  StrCat(MultifdFlagsToString(method_), ": ",
                         inflater->reason(), ", after the last page"));
    }
  }
  return payload_left_ != 0 ? Step::kNeedInput : Step::kDone;
}

// The payload's next `bytes`: a view of the input where they are in one piece.
bool PageInflater::Gather(size_t bytes) {
  // What was held and given is done with.
  if (gathered_.data() == held_.data()) held_.clear();
  gathered_ = {};
  if (held_.empty() && input_.size() >= bytes) {
    gathered_ = input_.first(bytes);
    input_ = input_.subspan(bytes);
    return true;
  }
  size_t here = std::min(bytes - held_.size(), input_.size());
  held_.insert(held_.end(), input_.begin(), input_.begin() + here);
  input_ = input_.subspan(here);
  if (held_.size() != bytes) return false;
  gathered_ = held_;
  return true;
}

Step PageInflater::NeedPayload() {
  if (payload_left_ != 0) return Step::kNeedInput;
  return Fail(ErrorCode::kMultifdPageLengths,
              StrCat("a payload of ", payload_bytes_,
                     " bytes is too short for ", normal_pages_, " pages"));
}

Step PageInflater::Fail(ErrorCode code, std::string reason) {
  error_ = code;
  reason_ = std::move(reason);
  return Step::kError;
}

Error PageInflater::error(std::string_view channel) const {
  if (ok()) return {};
  return {error_, packet_offset_, std::string(channel), reason_};
}

}  // namespace migstream
