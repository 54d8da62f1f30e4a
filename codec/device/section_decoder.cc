#include "codec/device/section_decoder.h"

#include <algorithm>
#include <span>
#include <string_view>

#include "codec/wire/cursor.h"
#include "codec/wire/guessed.h"
#include "codec/wire/text.h"
#include "flags/tag.h"
#include "flags/trigger_flags.h"

namespace migstream {
std::string_view ToString(const Event& event) {
  switch (event.kind) {
    case EventKind::kTag:
      return ToString(event.element);
    case EventKind::kData:
      return ToString(Element::kData);
    case EventKind::kConfig:
      return ToString(Element::kConfig);
    case EventKind::kSubsection:
      return "SUBSECTION";
    case EventKind::kConfigEnd:
      return ToString(Element::kEndOfState);
  }
  return "";
}

SectionDecoder::SectionDecoder(SectionType type, const Dialect& dialect,
                               const DecoderOptions& options)
    : dialect_(&dialect),
      grammar_(&dialect.Grammar(type)),
      options_(options),
      content_offset_(options.offset),
      offset_(options.offset),
      type_(type) {
  if (!grammar_->Exists()) {
    Fail(ErrorCode::kUnexpectedSection, offset_, 0);
  }
}

// The hot path of a migration, in one piece with its callers. Most records of a
// device have one size.
inline Step SectionDecoder::StartRecord(ByteSpan& input, Event& event) {
  if (input.size() < kRecordHeaderBytes) return Need(kRecordHeaderBytes);
  uint64_t bytes = Guessed(LoadBe64(input.data() + kTagBytes), record_bytes_);
  if (bytes > options_.limits.record_bytes) {
    return Fail(ErrorCode::kRecordLimit, offset_ + kTagBytes, bytes);
  }
  event.kind = EventKind::kData;
  event.offset = offset_;
  event.record_bytes = bytes;
  event.record_offset = 0;
  event.starts_record = true;
  previous_ = Element::kData;
  record_bytes_ = bytes;
  size_t here = input.size() - kRecordHeaderBytes;
  // A branch, not a minimum: where the next record stands would else depend on
  // how much input there is.
  if (bytes <= here) [[likely]] {
    event.payload = ByteSpan(input.data() + kRecordHeaderBytes, bytes);
    Consume(input, kRecordHeaderBytes + bytes);
    return Step::kEvent;
  }
  event.payload = ByteSpan(input.data() + kRecordHeaderBytes, here);
  payload_left_ = bytes - here;
  Consume(input, input.size());
  return Step::kEvent;
}

inline Step SectionDecoder::NextElement(ByteSpan& input, Event& event) {
  if (input.size() < kTagBytes) return Need(kTagBytes);
  uint64_t tag = LoadBe64(input.data());
  Element element = dialect_->Meaning(tag);
  if (!grammar_->After(previous_).Contains(element)) {
    return FailTag(tag, element);
  }
  if (element == Element::kData) return StartRecord(input, event);
  if (element == Element::kConfig) return StartConfig(input, event);
  if (IsTagAlone(element)) return TagAlone(element, input, event);
  return FailTag(tag, element);
}

Step SectionDecoder::Next(ByteSpan& input, Event& event) {
  if (payload_left_ != 0) return NextPiece(input, event);
  switch (state_) {
    case State::kElements:
      return NextElement(input, event);
    case State::kConfig:
      return NextInConfig(input, event);
    case State::kDone:
      return Step::kDone;
    case State::kError:
      break;
  }
  return Step::kError;
}

// What is the same for all records is looked at once, and the state stays in
// registers.
size_t SectionDecoder::NextBatch(ByteSpan& input, std::span<iovec> records) {
  constexpr uint64_t kTag = static_cast<uint64_t>(Tag::kDevDataState);
  if (payload_left_ != 0 || state_ != State::kElements || records.empty() ||
      dialect_->Meaning(kTag) != Element::kData ||
      !grammar_->After(previous_).Contains(Element::kData)) {
    return 0;
  }
  if (!grammar_->After(Element::kData).Contains(Element::kData)) {
    records = records.first(1);
  }
  if (input.size() < kRecordHeaderBytes) return 0;
  const uint64_t limit = options_.limits.record_bytes;
  const uint8_t* at = input.data();
  // The last byte at which a header may begin.
  const uint8_t* last_header = at + input.size() - kRecordHeaderBytes;
  uint64_t last = record_bytes_;
  iovec* record = records.data();
  const iovec* end = record + records.size();
  do {
    if (LoadBe64(at) != kTag) break;
    const uint64_t bytes = Guessed(LoadBe64(at + kTagBytes), last);
    if (bytes > limit) break;
    if (bytes > static_cast<uint64_t>(last_header - at)) break;
    last = bytes;
    *record++ = {const_cast<uint8_t*>(at + kRecordHeaderBytes), bytes};
    at += kRecordHeaderBytes + bytes;
  } while (record != end && at <= last_header);
  size_t count = record - records.data();
  if (count == 0) return 0;
  previous_ = Element::kData;
  record_bytes_ = last;
  Consume(input, at - input.data());
  return count;
}

Step SectionDecoder::TagAlone(Element element, ByteSpan& input, Event& event) {
  if (element == Element::kInitDataSent && options_.switchover_ack_off) {
    return Fail(ErrorCode::kSwitchoverAckOff, offset_, 0);
  }
  if (element == Element::kTrigger) {
    event.trigger_flags = kTriggerEnableInterrupts;
  }
  event.kind = EventKind::kTag;
  event.element = element;
  event.offset = offset_;
  event.payload = {};
  Consume(input, kTagBytes);
  previous_ = element;
  if (grammar_->After(element).empty()) state_ = State::kDone;
  return Step::kEvent;
}

Step SectionDecoder::NextPiece(ByteSpan& input, Event& event) {
  if (input.empty()) return Need(1);
  size_t here = std::min<uint64_t>(payload_left_, input.size());
  event.kind = EventKind::kData;
  event.offset = offset_;
  event.payload = input.first(here);
  event.record_bytes = record_bytes_;
  event.record_offset = record_bytes_ - payload_left_;
  event.starts_record = false;
  payload_left_ -= here;
  Consume(input, here);
  return Step::kEvent;
}

Step SectionDecoder::TakeOver(uint64_t count) {
  if (state_ == State::kError) return Step::kError;
  if (count > payload_left_) {
    payload_left_ = 0;
    return Fail(ErrorCode::kRecordOverrun, offset_, count);
  }
  payload_left_ -= count;
  offset_ += count;
  return Step::kEvent;
}

Step SectionDecoder::StartConfig(ByteSpan& input, Event& event) {
  const Subflag& subflag = dialect_->subflag;
  size_t head = kTagBytes + subflag.width;
  if (input.size() < head) return Need(head);
  event.trigger_flags = 0;
  bool config_follows = true;
  if (subflag.width != 0) {
    uint64_t value = LoadBe(input.data() + kTagBytes, subflag.width);
    const auto* end = subflag.values.begin() + subflag.value_count;
    const auto* entry =
        std::find_if(subflag.values.begin(), end,
                     [value](const auto& v) { return v.value == value; });
    if (entry == end) {
      return Fail(ErrorCode::kUnknownSubflag, offset_ + kTagBytes, value);
    }
    event.trigger_flags = entry->flags;
    event.subflag = value;
    config_follows = (entry->flags & kTriggerConfigFollows) != 0;
  }

  ConfigLayout layout;
  if (config_follows) {
    // The hint is of the whole content: in it, the payload ends with a tag.
    uint64_t config_bytes = 0;
    if (options_.config.content_bytes != 0) {
      uint64_t around = offset_ - content_offset_ + head + kTagBytes;
      if (options_.config.content_bytes < around) {
        return Fail(ErrorCode::kConfigSize, offset_,
                    options_.config.content_bytes);
      }
      config_bytes = options_.config.content_bytes - around;
    }
    ConfigHints hints = options_.config;
    hints.element_expected = !grammar_->After(Element::kConfig).empty();
    if (hints.element_expected) hints.footer_expected = false;
    ConfigDeduction result = DeduceConfigLayout(
        input.subspan(head), end_of_input_, dialect_->config_layout,
        config_bytes, hints, options_.limits);
    if (result.outcome == ConfigDeduction::kNeedInput) {
      return Need(head + result.bytes_needed);
    }
    if (result.outcome == ConfigDeduction::kError) {
      return Fail(result.code, offset_ + head + result.offset, result.found);
    }
    layout = result.layout;
  }
  event.kind = EventKind::kConfig;
  event.offset = offset_;
  event.payload = input.subspan(head, layout.fixed_bytes);
  event.layout = layout;
  config_left_ = layout.total_bytes - layout.fixed_bytes;
  state_ = State::kConfig;
  Consume(input, head + layout.fixed_bytes);
  return Step::kEvent;
}

// Subsections, then END_OF_STATE: all was seen when the payload's layout was
// deduced, but the input may be a shorter one now.
Step SectionDecoder::NextInConfig(ByteSpan& input, Event& event) {
  size_t needed = config_left_ + kTagBytes;
  if (input.size() < needed) return Need(needed);
  if (config_left_ == 0) {
    uint64_t tag = LoadBe64(input.data());
    if (dialect_->Meaning(tag) != Element::kEndOfState) {
      return Fail(ErrorCode::kConfigNotEnded, offset_, tag);
    }
    event.kind = EventKind::kConfigEnd;
    event.offset = offset_;
    event.payload = {};
    Consume(input, kTagBytes);
    previous_ = Element::kConfig;
    state_ = grammar_->After(Element::kConfig).empty() ? State::kDone
                                                       : State::kElements;
    return Step::kEvent;
  }
  ByteSpan left = input.first(config_left_);
  uint64_t size = SubsectionBytes(left, false);
  if (size == 0) size = SubsectionBytes(left, true);
  if (size == 0 || size > config_left_) {
    return Fail(ErrorCode::kUnknownSubsection, offset_, 0);
  }
  Cursor cursor(left.first(size));
  cursor.U8();
  event.kind = EventKind::kSubsection;
  event.offset = offset_;
  event.subsection.name = cursor.Str8();
  event.subsection.version = cursor.Be32();
  event.subsection.payload = cursor.Bytes(cursor.remaining());
  event.payload = event.subsection.payload;
  config_left_ -= size;
  Consume(input, size);
  return Step::kEvent;
}

Step SectionDecoder::Need(size_t bytes) {
  bytes_needed_ = bytes;
  return Step::kNeedInput;
}

[[gnu::cold]] Step SectionDecoder::Fail(ErrorCode code, uint64_t offset,
                                        uint64_t found) {
  state_ = State::kError;
  error_ = code;
  error_offset_ = offset;
  error_found_ = found;
  return Step::kError;
}

[[gnu::cold]] Step SectionDecoder::FailTag(uint64_t tag, Element element) {
  if (previous_ == Element::kSetup) {
    return Fail(ErrorCode::kSetupNotEnded, offset_, tag);
  }
  return Fail(element == Element::kNone ? ErrorCode::kUnknownTag
                                        : ErrorCode::kMisplacedTag,
              offset_, tag);
}

[[gnu::cold]] Error SectionDecoder::Truncated(std::string_view device,
                                              ByteSpan left) const {
  if (state_ == State::kError) return error(device);
  Error error;
  error.code = ErrorCode::kTruncated;
  error.offset = offset_ + left.size();
  error.section = StrCat(device, " ", ToString(type_));
  if (payload_left_ != 0) {
    error.reason =
        StrCat("input ends in a DATA record of ", record_bytes_, " bytes, ",
               payload_left_ - std::min<uint64_t>(payload_left_, left.size()),
               " of them missing");
  } else if (state_ == State::kConfig ||
             (left.size() >= kTagBytes &&
              dialect_->Meaning(LoadBe64(left.data())) == Element::kConfig)) {
    error.reason = "input ends in a config payload";
  } else if (left.size() >= kTagBytes) {
    error.reason = "input ends before the size of a DATA record";
  } else {
    error.reason = StrCat("input ends where ",
                          ToString(grammar_->After(previous_)), " is expected");
  }
  return error;
}

[[gnu::cold]] Error SectionDecoder::error(std::string_view device) const {
  Error error;
  if (error_ == ErrorCode::kNone) return error;
  error.code = error_;
  error.offset = error_offset_;
  error.section = StrCat(device, " ", ToString(type_));
  std::string expected = ToString(grammar_->After(previous_));
  switch (error_) {
    case ErrorCode::kUnknownTag:
      error.reason =
          StrCat("unknown tag ", Hex(error_found_), ", expected ", expected);
      break;
    case ErrorCode::kMisplacedTag:
      error.reason = StrCat(ToString(dialect_->Meaning(error_found_)), " (",
                            Hex(error_found_), "), expected ", expected);
      break;
    case ErrorCode::kSetupNotEnded:
      error.reason =
          StrCat("END_OF_STATE not found after SETUP, but ", Hex(error_found_));
      break;
    case ErrorCode::kUnexpectedSection:
      error.reason = StrCat("dialect ", dialect_->name, " has no ",
                            ToString(type_), " section for a device");
      break;
    case ErrorCode::kSwitchoverAckOff:
      error.reason = "INIT_DATA_SENT, but switchover-ack is not used";
      break;
    case ErrorCode::kRecordOverrun:
      error.reason = StrCat(
          "more payload moved than the record has: ", error_found_, " bytes");
      break;
    case ErrorCode::kConfigVersion:
      error.reason = StrCat("config payload of version ", error_found_,
                            ", expected at most ", kNewestConfigVersion);
      break;
    case ErrorCode::kConfigIrqState:
      error.reason = StrCat("IRQ state is ", error_found_, ", expected 0 or 1");
      break;
    case ErrorCode::kConfigNotEnded:
      error.reason = StrCat(
          "config payload not ended by END_OF_STATE, "
          "but followed by ",
          Hex(error_found_));
      break;
    case ErrorCode::kConfigSize:
      error.reason = StrCat("config payload does not fill the ", error_found_,
                            " bytes that the description gives it");
      break;
    case ErrorCode::kConfigAmbiguous:
      error.reason = "several numbers of MSI-X vectors fit; tell which";
      break;
    case ErrorCode::kUnknownSubsection:
      error.reason = "unknown subsection, and nothing tells its length";
      break;
    case ErrorCode::kUnknownSubflag:
      error.reason =
          StrCat("unknown subflag ", Hex(error_found_), " after CONFIG");
      break;
    case ErrorCode::kRecordLimit:
      error.reason =
          StrCat("DATA record claims ", error_found_, " bytes, the limit is ",
                 options_.limits.record_bytes);
      break;
    case ErrorCode::kConfigLimit:
      error.reason =
          StrCat("config payload claims ", error_found_,
                 " bytes, the limit is ", options_.limits.config_bytes);
      break;
    case ErrorCode::kSubsectionLimit:
      error.reason = StrCat("more than ", options_.limits.subsections,
                            " subsections in a config payload");
      break;
    default:
      error.reason = "damaged section";
      break;
  }
  return error;
}

}  // namespace migstream
