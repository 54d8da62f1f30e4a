#include "codec/payload/payload_decoder.h"

#include <algorithm>

#include "codec/wire/text.h"

namespace migstream {

using payload::Body;
using payload::Level;
using payload::Record;

PayloadDecoder::PayloadDecoder(const Level& root, bool big_endian)
    : big_endian_(big_endian) {
  frames_[0] = {&root,       nullptr,  0, 0,   kAllThereIs,
                kAllThereIs, kNoCount, 0, true};
}

Step PayloadDecoder::Next(ByteSpan& input, PayloadEvent& event) {
  switch (state_) {
    case State::kRecord:
      return NextRecord(input, event);
    case State::kFields:
      return NextFields(input, event);
    case State::kOpaque:
      return NextPiece(input, event);
    case State::kError:
      return Step::kError;
  }
  return Step::kError;
}

Step PayloadDecoder::NextRecord(ByteSpan& input, PayloadEvent& event) {
  Frame& top = frames_[depth_];
  if (depth_ > 0 && top.count == 0 && offset_ < top.end) {
    // The list's records are all there, and it has more bytes.
    record_ = nullptr;
    record_offset_ = offset_;
    body_end_ = top.end;
    body_bytes_ = top.end - offset_;
    state_ = State::kOpaque;
    return NextPiece(input, event);
  }
  if (offset_ == top.end) {
    // Nobody has so many bytes of the outermost.
    if (depth_ == 0) return Fail(ErrorCode::kRecordOverrun, offset_, 1, 0);
    return EndList(event);
  }

  const Level& level = *top.level;
  const Record* record = nullptr;
  if (level.key.bytes == 0) {
    record =
        &level.records[std::min<size_t>(top.row, level.records.size() - 1)];
  }
  size_t header = record && record->bare ? 0 : level.header_bytes;
  // A bare record begins where it has a byte.
  if (input.size() < std::max<size_t>(header, 1)) {
    if (header > top.end - offset_) return Overrun(event, header, false);
    return Need(std::max<size_t>(header, 1));
  }
  if (header > top.end - offset_) return Overrun(event, header, false);

  const uint8_t* at = input.data();
  auto number = [&](payload::Slot slot) {
    return slot.bytes == 0
               ? 0
               : payload::LoadNumber(at + slot.offset, slot.bytes, big_endian_);
  };
  uint64_t count = 0;
  if (header == 0) {
    body_bytes_ = record->bytes == 0 ? kAllThereIs : record->bytes;
    key_ = record->key;
  } else {
    body_bytes_ = number(level.size);
    if (level.unit > 1) body_bytes_ *= level.unit;
    key_ = record ? record->key : number(level.key);
    if (!record) record = payload::FindRecord(level, key_);
    count = number(level.count);
  }
  uint64_t room = top.end - offset_ - header;
  if (body_bytes_ > room) {
    if (depth_ > 0) {
      record_ = record;
      return Overrun(event, body_bytes_, true);
    }
    // Only at the root, whose end is not known: nobody has so many bytes.
    body_end_ = kAllThereIs;
  } else {
    body_end_ = offset_ + header + body_bytes_;
  }
  if (top.count != kNoCount) --top.count;
  ++top.row;

  record_ = record;
  record_offset_ = offset_;
  stop_copy_ = offset_ >= stop_copy_at_;
  Give(event, PayloadEventKind::kRecord, input, header);
  Enter(top, count);
  return Step::kEvent;
}

// What the body of the record is that has just begun. Decided once, at its
// header: what is left of it later says nothing.
void PayloadDecoder::Enter(const Frame& top, uint64_t count) {
  const Level& level = *top.level;
  const Level* list =
      record_ && record_->body == Body::kList ? record_->list : nullptr;
  if (level.count.bytes != 0) {
    if (count == 0) list = nullptr;
    if (count > 0 && !list) list = level.unknown_list;
  }
  if (list && depth_ + 1 < kMaxDepth) {
    frames_[++depth_] = {list,
                         record_,
                         record_offset_,
                         key_,
                         body_bytes_,
                         body_end_,
                         level.count.bytes != 0 ? count : kNoCount,
                         0,
                         stop_copy_};
    return;
  }
  if (body_bytes_ == 0) return;
  state_ = record_ && record_->body == Body::kFields && body_bytes_ <= kMaxWhole
               ? State::kFields
               : State::kOpaque;
}

Step PayloadDecoder::EndList(PayloadEvent& event) {
  Frame& top = frames_[depth_];
  if (top.count != kNoCount && top.count > 0) {
    return Fail(ErrorCode::kPayloadCount, top.start, top.count, 0);
  }
  --depth_;
  record_ = top.record;
  record_offset_ = top.start;
  key_ = top.key;
  stop_copy_ = top.stop_copy;
  body_bytes_ = 0;
  ByteSpan nothing;
  Give(event, PayloadEventKind::kRecordEnd, nothing, 0);
  event.level = frames_[depth_].level;
  return Step::kEvent;
}

Step PayloadDecoder::Overrun(PayloadEvent& event, uint64_t wanted,
                             bool has_header) {
  Frame& top = frames_[depth_];
  uint64_t header = has_header ? top.level->header_bytes : 0;
  uint64_t found = top.end - offset_ - header;
  if (!has_header) record_ = nullptr;
  if (!top.level->recovers) {
    return Fail(ErrorCode::kPayloadNesting, offset_, wanted, found);
  }
  record_offset_ = offset_;
  stop_copy_ = offset_ >= stop_copy_at_;
  body_bytes_ = wanted;
  ByteSpan nothing;
  Give(event, PayloadEventKind::kOverrun, nothing, 0);
  event.left = found;
  record_ = nullptr;
  body_bytes_ = top.end - offset_;
  body_end_ = top.end;
  state_ = State::kOpaque;
  return Step::kEvent;
}

Step PayloadDecoder::NextFields(ByteSpan& input, PayloadEvent& event) {
  if (input.size() < body_bytes_) return Need(body_bytes_);
  Give(event, PayloadEventKind::kFields, input, body_bytes_);
  state_ = State::kRecord;
  return Step::kEvent;
}

Step PayloadDecoder::NextPiece(ByteSpan& input, PayloadEvent& event) {
  if (input.empty()) return Need(1);
  size_t bytes = std::min<uint64_t>(input.size(), body_end_ - offset_);
  Give(event, PayloadEventKind::kOpaque, input, bytes);
  event.left = body_end_ == kAllThereIs ? kAllThereIs : body_end_ - offset_;
  if (offset_ == body_end_) state_ = State::kRecord;
  return Step::kEvent;
}

void PayloadDecoder::Give(PayloadEvent& event, PayloadEventKind kind,
                          ByteSpan& input, size_t bytes) {
  event.kind = kind;
  event.depth = static_cast<uint8_t>(depth_);
  event.stop_copy = stop_copy_;
  event.big_endian = big_endian_;
  event.offset = offset_;
  event.record_offset = record_offset_;
  event.key = key_;
  event.bytes = body_bytes_;
  event.left = 0;
  event.level = frames_[depth_].level;
  event.record = record_;
  event.view = input.first(bytes);
  input = input.subspan(bytes);
  offset_ += bytes;
}

Step PayloadDecoder::Need(size_t bytes) {
  bytes_needed_ = bytes;
  return Step::kNeedInput;
}

Step PayloadDecoder::TakeOver(uint64_t count) {
  if (state_ == State::kError) return Step::kError;
  if (count > opaque_left()) {
    return Fail(ErrorCode::kRecordOverrun, record_offset_, count,
                opaque_left());
  }
  offset_ += count;
  if (offset_ == body_end_ && count > 0) state_ = State::kRecord;
  return Step::kEvent;
}

[[gnu::cold]] Step PayloadDecoder::Finish(ByteSpan left) {
  if (state_ == State::kError) return Step::kError;
  bool open = state_ != State::kRecord;
  if (depth_ == 0) {
    bool rest = open && record_ && record_->bare && record_->bytes == 0;
    if (rest || (!open && left.empty())) return Step::kDone;
  }
  uint64_t end = offset_ + left.size();
  if (depth_ > 0) {
    // The outermost record that is not all there.
    const Frame& list = frames_[1];
    uint64_t header = frames_[0].level->header_bytes;
    record_ = list.record;
    return Fail(ErrorCode::kTruncated, list.start, list.bytes,
                end - list.start - header);
  }
  if (open) {
    uint64_t found = end - (body_end_ - body_bytes_);
    if (body_end_ == kAllThereIs) {
      found = end - record_offset_ - frames_[0].level->header_bytes;
    }
    return Fail(ErrorCode::kTruncated, record_offset_, body_bytes_, found);
  }
  record_ = nullptr;
  return Fail(ErrorCode::kTruncated, offset_, bytes_needed_, left.size());
}

[[gnu::cold]] Step PayloadDecoder::Fail(ErrorCode code, uint64_t offset,
                                        uint64_t wanted, uint64_t found) {
  state_ = State::kError;
  fault_ = {code, offset, record_, wanted, found};
  return Step::kError;
}

[[gnu::cold]] Error PayloadDecoder::error(std::string_view device) const {
  std::string_view name = fault_.record ? fault_.record->name : "a record";
  std::string reason;
  if (fault_.code == ErrorCode::kPayloadCount) {
    reason =
        StrCat(name, " has ", fault_.wanted, " records fewer than it says");
  } else if (fault_.code == ErrorCode::kPayloadNesting) {
    reason = StrCat(name, " of ", fault_.wanted, " bytes runs over its list, ",
                    fault_.found, " are left");
  } else {
    reason = StrCat(name, " wants ", fault_.wanted, " bytes, ", fault_.found,
                    " are there");
  }
  return {fault_.code, fault_.offset, std::string(device), std::move(reason)};
}

}  // namespace migstream
