#include "codec/qemu/decode_stream.h"

#include "codec/wire/text.h"
#include "flags/section_type.h"
#include "gtest/gtest.h"

namespace migstream {

KnownLengths KnownLengths::Of(const std::string& stream) {
  KnownLengths lengths;
  MemorySource source(AsBytes(stream));
  StreamReader(source, lengths).Read();
  return lengths;
}

void KnownLengths::OnSectionEnd(const SectionView& section,
                                uint64_t content_bytes, bool footer) {
  bytes_[section.offset] = content_bytes;
  if (!section.vfio || section.type != SectionType::kEnd) return;
  constexpr uint64_t kHeaderBytes = 5;
  last_vfio_end_ = section.offset + kHeaderBytes + content_bytes +
                   (footer ? kFooterBytes : 0);
}

Step FedDecoder::Feed(ByteSpan bytes) {
  held_.append(AsText(bytes));
  ByteSpan input = AsBytes(held_);
  StreamEvent event;
  Step step;
  while ((step = decoder_.Next(input, event)) == Step::kEvent) Keep(event);
  if (step == Step::kNeedInput) {
    EXPECT_GT(decoder_.bytes_needed(), input.size()) << "more than there is";
  }
  held_.erase(0, held_.size() - input.size());
  return step;
}

Error FedDecoder::End() {
  decoder_.SetEndOfInput();
  while (true) {
    if (Step step = Feed({}); step == Step::kError)
      return decoder_.error();
    else if (step == Step::kDone)
      return {};
    std::optional<Error> error = decoder_.AtEndOfInput(AsBytes(held_));
    if (error) return *error;
  }
}

void FedDecoder::Keep(const StreamEvent& event) {
  EXPECT_EQ(encoder_.Append(event), Put::kDone) << encoder_.error().reason;
  for (const iovec& piece : encoder_.pieces()) {
    encoded_.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
  }
  encoder_.Clear();

  const bool record = event.kind == StreamEvent::kDevice &&
                      event.device.kind == EventKind::kData;
  const bool piece = record && !event.device.starts_record;
  if (event.kind == StreamEvent::kContent || piece) {
    if (!in_payload_) {
      payload_bytes_ = 0;
      lines_.emplace_back();
      in_payload_ = true;
    }
    payload_bytes_ +=
        piece ? event.device.payload.size() : event.content.size();
    lines_.back() = StrCat("payload, ", payload_bytes_, " bytes");
    return;
  }
  // A DATA record's first piece is as long as the input happens to be.
  in_payload_ = record && event.device.record_bytes != 0;
  lines_.push_back(StrCat(
      Hex(event.offset), " kind ", static_cast<int>(event.kind), " section ",
      event.section->id, " type ", ToString(event.section->type)));
  switch (event.kind) {
    case StreamEvent::kDevice:
      StrAppend(&lines_.back(), " device ", static_cast<int>(event.device.kind),
                " record ", record ? event.device.record_bytes : 0);
      if (in_payload_) {
        payload_bytes_ = event.device.payload.size();
        lines_.push_back(StrCat("payload, ", payload_bytes_, " bytes"));
      }
      break;
    case StreamEvent::kRamRecord:
      StrAppend(&lines_.back(), " flags ", Hex(event.ram.flags), " at ",
                Hex(event.ram.page_offset));
      break;
    case StreamEvent::kSectionEnd:
      StrAppend(&lines_.back(), " ", event.content_bytes, " bytes");
      break;
    case StreamEvent::kFinding:
      StrAppend(&lines_.back(), " ", event.finding->id);
      break;
    default:
      break;
  }
}

}  // namespace migstream
