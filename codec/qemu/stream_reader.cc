#include "codec/qemu/stream_reader.h"

#include <sys/uio.h>

#include <algorithm>
#include <span>
#include <utility>

#include "codec/io/file_kind.h"
#include "codec/qemu/page_size_guess.h"
#include "codec/qemu/section_guess.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "flags/machine_type.h"
#include "flags/ram_flags.h"

namespace migstream {
namespace {

constexpr size_t kDescriptionHeadBytes = 5;  // Type, length.

// Records or pages; what is said of them stays in the cache.
constexpr size_t kMostOfARun = 256;

// A stream without a description that is whole ends with a footer and EOF.
bool EndsWithEof(ByteSpan bytes) {
  return bytes.size() > kFooterBytes && bytes.back() == 0 &&
         bytes[bytes.size() - 1 - kFooterBytes] ==
             static_cast<uint8_t>(SectionType::kSectionFooter);
}

// "1 byte follows", "7 bytes follow"
std::string Follow(uint64_t bytes) {
  return StrCat(bytes, bytes == 1 ? " byte follows" : " bytes follow");
}

std::string NameOf(const SectionView& section) {
  return StrCat(section.idstr, " ", ToString(section.type));
}

}  // namespace

StreamReader::StreamReader(ByteSource& source, StreamVisitor& visitor,
                           const ReaderOptions& options)
    : source_(source),
      visitor_(visitor),
      options_(options),
      decoder_([&] {
        StreamDecoderOptions decoder;
        decoder.dialect = options.dialect;
        decoder.limits = options.limits;
        decoder.switchover_ack_off = options.switchover_ack_off;
        decoder.offset = source.offset();
        decoder.page_bytes = options.page_bytes;
        if (options.recovery != nullptr) {
          decoder.footers = options.recovery->footers;
        }
        // Both are settled before the decoder asks: the source must not be
        // read while the decoder looks at its bytes.
        decoder.content_length = options.content_length;
        if (decoder.content_length == nullptr) {
          decoder.content_length = [this](const SectionView&, ByteSpan) {
            return length_;
          };
        }
        decoder.config_hints = [this](const SectionView&) { return hints_; };
        return decoder;
      }()),
      description_(visitor, options_.limits),
      puller_(source) {
  if (options_.recovery == nullptr) return;
  for (const RecoveryPlan::Name& name : options_.recovery->names) {
    decoder_.Learn(name.id, name.idstr, name.instance_id, name.version_id);
  }
  const auto& gaps = options_.recovery->gaps;
  if (!gaps.empty()) next_gap_ = gaps[0].from;
}

Error StreamReader::Read() {
  ReadOn();
  return error_;
}

StreamReader::Status StreamReader::ReadOn() {
  if (!begun_ && !Begin()) return Status::kNothingYet;
  StreamEvent event;
  while (!ended_) {
    if (description_due_) {
      TakeDescription();
      if (description_due_) return Status::kNothingYet;
      continue;
    }
    if (takes_runs_ && TakeRun()) {
      if (std::optional<Status> status = TakeFlow()) return *status;
      continue;
    }
    const bool before_gap = next_gap_ != UINT64_MAX;
    switch (before_gap ? Pull(event) : puller_.Next(decoder_, event)) {
      case Pulled::kEvent:
        break;
      case Pulled::kNothingYet:
        if (before_gap) {
          PassGap();
          continue;
        }
        return Status::kNothingYet;
      case Pulled::kEnded:
        AtEnd(source_.Peek(1));
        continue;
      case Pulled::kDone:
        AtStreamEnd();
        continue;
      case Pulled::kError:
        Fail(decoder_.error());
        continue;
    }
    if (event.kind == StreamEvent::kDescription) {
      description_due_ = event.description_bytes;
      description_offset_ = event.offset;
      continue;
    }
    Tell(event);
    puller_.Consume();
    if (event.kind == StreamEvent::kSection) {
      Prepare(*event.section);
      wants_content_ = visitor_.wants_content();
      wants_page_payloads_ =
          event.section->idstr == "ram" && visitor_.wants_page_payloads();
    }
    if (decoder_.payload_left() != 0) SkipUnwanted(event);
    if (std::optional<Status> status = TakeFlow()) return *status;
  }
  return Status::kDone;
}

// What the visitor asks for: kStopped, or nothing.
std::optional<StreamReader::Status> StreamReader::TakeFlow() {
  switch (visitor_.TakeFlow()) {
    case StreamVisitor::Flow::kGoOn:
      break;
    case StreamVisitor::Flow::kSkipSection:
      skip_ = true;
      break;
    case StreamVisitor::Flow::kStop:
      return Status::kStopped;
  }
  return std::nullopt;
}

// Takes what the input at hand begins with, if it is a row; false if it is
// none.
bool StreamReader::TakeRun() {
  const StreamDecoder::Run run = decoder_.next_run();
  if (run == StreamDecoder::Run::kNone || skip_ ||
      decoder_.payload_left() != 0) {
    return false;
  }
  const ByteSpan before = source_.Peek(0);
  const uint64_t offset = decoder_.offset();
  ByteSpan input = before;
  switch (run) {
    case StreamDecoder::Run::kNone:
      break;
    case StreamDecoder::Run::kParts: {
      const size_t rows = decoder_.NextEmptyParts(input, empty_parts_);
      for (size_t i = 0; i < rows; ++i) visitor_.OnEmptyParts(empty_parts_[i]);
      if (rows != 0) break;
      iovec payloads[kMostOfARun];
      DataParts parts;
      if (decoder_.NextDataParts(input, payloads, parts) != 0) {
        visitor_.OnDataParts(parts);
      }
      break;
    }
    case StreamDecoder::Run::kRecords: {
      iovec payloads[kMostOfARun];
      const size_t count = decoder_.NextRecords(input, payloads);
      if (count == 0) break;
      visitor_.OnDeviceRecords(
          decoder_.section(),
          {.offset = offset, .payloads = std::span(payloads, count)});
      break;
    }
    case StreamDecoder::Run::kPages: {
      RamPage pages[kMostOfARun];
      const size_t count = decoder_.NextPages(input, pages);
      if (count == 0) break;
      visitor_.OnRamPages({.block = &decoder_.ram_decoder().last_block(),
                           .page_bytes = decoder_.page_bytes(),
                           .offset = offset,
                           .bytes = before.first(before.size() - input.size()),
                           .pages = std::span(pages, count)});
      break;
    }
  }
  source_.Consume(before.size() - input.size());
  return input.size() != before.size();
}

// No further than to the next gap, where it is kNothingYet.
Pulled StreamReader::Pull(StreamEvent& event) {
  struct {
    Step Next(ByteSpan& input, StreamEvent& event) {
      const uint64_t left = gap - decoder.offset();
      at_gap = left == 0;
      if (at_gap) return Step::kDone;
      if (input.size() < left) return decoder.Next(input, event);
      ByteSpan inside = input.first(left);
      const Step step = decoder.Next(inside, event);
      input = input.subspan(left - inside.size());
      at_gap = step == Step::kNeedInput;
      return at_gap ? Step::kDone : step;
    }
    size_t bytes_needed() const { return decoder.bytes_needed(); }

    StreamDecoder& decoder;
    const uint64_t gap;
    bool at_gap = false;
  } limited{decoder_, next_gap_};
  const Pulled pulled = puller_.Next(limited, event);
  return limited.at_gap ? Pulled::kNothingYet : pulled;
}

void StreamReader::PassGap() {
  const std::vector<StreamGap>& gaps = options_.recovery->gaps;
  const StreamGap& gap = gaps[gaps_passed_++];
  next_gap_ = gaps_passed_ < gaps.size() ? gaps[gaps_passed_].from : UINT64_MAX;
  if (gap_error_.ok()) gap_error_ = gap.error;
  const uint64_t bytes = gap.to - gap.from;
  if (bytes != 0) {
    Note(Severity::kError, "gap", gap.from, gap.error.section,
         StrCat(
             gap.error.offset == gap.from
                 ? gap.error.reason
                 : StrCat("at ", Hex(gap.error.offset), " ", gap.error.reason),
             "; ", bytes, bytes == 1 ? " byte" : " bytes",
             gap.last ? " are left" : StrCat(" up to ", Hex(gap.to)),
             gap.last ? "" : " are passed over"));
  }
  visitor_.OnGap(gap);
  if (gap.last) return End(gap_error_);
  GoOn(gap.to);
}

void StreamReader::GoOn(uint64_t offset) {
  source_.MoveTo(offset);
  puller_.Restart();
  decoder_.Resume(offset);
  skip_ = described_ = false;
  description_due_.reset();
}

void StreamReader::Fail(Error error) {
  if (options_.resume != nullptr) {
    if (std::optional<uint64_t> offset = options_.resume(error)) {
      return GoOn(*offset);
    }
  } else if (next_gap_ != UINT64_MAX) {
    // The gap is what it means.
    return PassGap();
  }
  End(std::move(error));
}

// Behind EOF no description follows. If one stands further on, the EOF is
// damage.
void StreamReader::AtStreamEnd() {
  if (options_.resume != nullptr && !has_description_ &&
      description_.Load(source_) == DescriptionLoader::Outcome::kThere) {
    return Fail({ErrorCode::kOutOfStep, decoder_.offset() - 1, "stream",
                 "EOF, and the stream's description stands further on"});
  }
  End(gap_error_);
}

// What of the payload that is due nobody wants is sought over.
void StreamReader::SkipUnwanted(const StreamEvent& event) {
  if (wants_page_payloads_ && event.kind == StreamEvent::kRamRecord &&
      (event.ram.flags & kRamPage) == 0) {
    ShowPagePayload(event.ram);
  }
  const bool of_device = event.kind == StreamEvent::kDevice && !skip_;
  uint64_t unwanted = skip_ || !wants_content_ ? UINT64_MAX : 0;
  if (of_device) unwanted = visitor_.unwanted_payload();
  if (unwanted == 0) return;
  const uint64_t skipped = source_.Skip(std::min(
      {unwanted, decoder_.payload_left(),
       next_gap_ == UINT64_MAX ? UINT64_MAX : next_gap_ - decoder_.offset()}));
  decoder_.TakeOver(skipped);
  if (of_device) visitor_.OnPayloadSkipped(skipped);
}

void StreamReader::ShowPagePayload(const RamRecordView& record) {
  ByteSpan payload = source_.Peek(record.payload_bytes);
  payload = payload.first(std::min(payload.size(), record.payload_bytes));
  const bool zeros =
      (record.flags & kRamZero) != 0 && (payload.empty() || payload[0] == 0);
  if (!zeros) visitor_.OnPagePayload(record, payload);
}

// Looks at the first bytes; false if they are not there yet.
bool StreamReader::Begin() {
  // Where pages may follow that need not be read, nothing is read ahead.
  source_.SetReadAhead(false);
  ByteSpan head = source_.Peek(8);
  if (head.size() < 8 && source_.nothing_yet()) return false;
  begun_ = true;
  // A gap may begin anywhere.
  takes_runs_ = options_.recovery == nullptr && options_.resume == nullptr &&
                visitor_.takes_runs();
  const bool cut =
      head.size() < 8 &&
      (!source_.failure().empty() ||
       (head.size() >= 4 && LoadBe32(head.data()) == kStreamMagic));
  if (next_gap_ == source_.offset()) return true;
  if (cut) {
    AtEnd(head);
  } else if (std::string problem = NotAStream(head); !problem.empty()) {
    // More is looked at only where it is no stream.
    if (head.size() == 8 || !source_.nothing_yet()) {
      head = source_.Peek(options_.content_length ? 8 : kFileHintBytes);
      problem = NotAStream(head.first(std::min(head.size(), kFileHintBytes)),
                           source_.offset());
    }
    Fail({ErrorCode::kNotAStream, source_.offset(), "header", problem});
  }
  return true;
}

void StreamReader::Tell(const StreamEvent& event) {
  if (event.kind > StreamEvent::kConfigurationSubsection && !sections_begun_) {
    TellConfiguration();
  }
  if (skip_ && event.kind != StreamEvent::kSectionEnd) return;
  if (wants_content_ && !event.content.empty() &&
      event.kind >= StreamEvent::kContent &&
      event.kind <= StreamEvent::kRamBlock) {
    visitor_.OnContent(event.content);
  }
  switch (event.kind) {
    case StreamEvent::kHeader:
      return visitor_.OnHeader(event.version);
    case StreamEvent::kConfiguration:
      configuration_.offset = event.offset;
      configuration_.machine_type =
          configuration_bytes_.emplace_back(event.machine_type);
      return;
    case StreamEvent::kConfigurationSubsection: {
      ConfigurationView::Subsection& kept =
          configuration_.subsections.emplace_back(event.subsection);
      kept.name = configuration_bytes_.emplace_back(kept.name);
      kept.payload =
          AsBytes(configuration_bytes_.emplace_back(AsText(kept.payload)));
      return;
    }
    case StreamEvent::kSection:
      any_section_ = true;
      return visitor_.OnSection(*event.section);
    case StreamEvent::kDevice:
      return visitor_.OnDeviceEvent(*event.section, event.device);
    case StreamEvent::kContent:
    case StreamEvent::kTakenOver:
    case StreamEvent::kDescription:
      return;
    case StreamEvent::kRamRecord:
      return visitor_.OnRamRecord(event.ram);
    case StreamEvent::kRamBlock:
      if (event.block->bitmap_offset != 0 || event.block->pages_offset != 0) {
        visitor_.OnMappedRam(*event.block, decoder_.offset());
      }
      return;
    case StreamEvent::kRamBlocks:
      return visitor_.OnRamBlocks(ram().blocks);
    case StreamEvent::kSectionEnd:
      // With mapped-ram all pages are in the START: from there on, reading
      // ahead reads nothing that is not needed.
      if (event.section->idstr == "ram") source_.SetReadAhead(true);
      skip_ = described_ = false;
      return visitor_.OnSectionEnd(*event.section, event.content_bytes,
                                   event.footer);
    case StreamEvent::kCommand:
      return visitor_.OnCommand(event.command);
    case StreamEvent::kEof:
      return visitor_.OnEof(event.offset);
    case StreamEvent::kFinding:
      return visitor_.OnFinding(*event.finding);
  }
}

void StreamReader::TellConfiguration() {
  sections_begun_ = true;
  source_.SetReadAhead(!decoder_.mapped_ram() || visitor_.wants_content());
  if (!decoder_.has_configuration()) return;
  visitor_.OnConfiguration(configuration_);
}

void StreamReader::Prepare(const SectionView& section) {
  content_start_ = source_.offset();
  described_ = false;
  hints_ = {};
  if (options_.content_length != nullptr) return;
  if (section.idstr == "ram" && !decoder_.page_bytes_known()) {
    PreparePages(section);
  }
  if (section.type != SectionType::kFull) return;
  if (section.vfio) return PrepareDevice(section);
  if (FindHandlerParser(section.idstr, section.type) == nullptr) {
    length_ = LengthOf(section);
  } else if (visitor_.wants_fields()) {
    LoadDescription(section);
    described_ = true;
  }
  if (visitor_.wants_fields()) {
    visitor_.OnDescribed(section, description().get(),
                         described_ ? Describe(section) : nullptr);
  }
}

// How large the target's pages are, before the first of them comes. What the
// description says is believed as long as the records do not prove it wrong.
void StreamReader::PreparePages(const SectionView& section) {
  if (IsX86(configuration_.machine_type)) {
    return decoder_.SetPageBytes(page_bytes());
  }
  if (section.type == SectionType::kStart) {
    LoadDescription(section);
    if (description() != nullptr && IsPageSize(description()->page_bytes)) {
      decoder_.AssumePageBytes(description()->page_bytes);
    }
    return;
  }
  // Many sections hold nothing.
  const ByteSpan head = source_.Peek(8);
  if (head.size() < 8 || LoadBe64(head.data()) == kRamEos) return;
  // A socket may have no more for now than this.
  const bool live = options_.content_length != nullptr;
  const PageSizeGuess guess = GuessPageSize(
      live ? head : source_.Peek(kPageSizeGuessBytes), page_bytes(),
      [this](std::string_view name) { return decoder_.RamBlockBytes(name); });
  if (guess.page_bytes == 0) return;
  decoder_.AssumePageBytes(guess.page_bytes);
  if (guess.proved) decoder_.SetPageBytes(guess.page_bytes);
}

// How long its config payload is.
void StreamReader::PrepareDevice(const SectionView& section) {
  const DescribedLength length =
      description_.LengthOf(section, footers(), ContextOf(section), source_);
  if (length.kind == DescribedLength::kNone && description_.is_out_of_reach()) {
    NoteHoldLimit(section);
  }
  if (length.kind == DescribedLength::kFits) {
    hints_.content_bytes = length.bytes;
  } else if (length.kind == DescribedLength::kContradicts) {
    Note(Severity::kNote, "description-wrong", source_.offset(),
         NameOf(section),
         StrCat("the description gives it ", length.bytes,
                " bytes, behind which there is no footer"));
  }
}

ContentLength StreamReader::LengthOf(const SectionView& section) {
  const DescribedLength length =
      description_.LengthOf(section, footers(), ContextOf(section), source_);
  if (length.kind == DescribedLength::kNone && description_.is_out_of_reach()) {
    NoteHoldLimit(section);
  }
  switch (length.kind) {
    case DescribedLength::kNone:
      return Guess(section, "no description");
    case DescribedLength::kNotNamed:
      return Guess(section, "the description does not name it");
    case DescribedLength::kContradicts: {
      ContentLength guess =
          Guess(section, StrCat("the description gives it ", length.bytes,
                                " bytes, behind which there is no footer"));
      if (guess.kind == ContentLength::kBytes) return guess;
      // Then it is the footer that is damaged, or missing.
      break;
    }
    case DescribedLength::kFits:
      break;
  }
  described_ = true;
  return {.kind = ContentLength::kBytes, .bytes = length.bytes};
}

GuessContext StreamReader::ContextOf(const SectionView& section) const {
  GuessContext context;
  context.section_id = section.id;
  context.footers = footers().value_or(true);
  context.known_section = [&](uint32_t id) { return decoder_.FindSection(id); };
  if (decoder_.package_end() != 0) {
    context.package_left = decoder_.package_end() - source_.offset();
  }
  return context;
}

ContentLength StreamReader::Guess(const SectionView& section,
                                  std::string_view why) {
  GuessContext context = ContextOf(section);
  const uint64_t limit = options_.limits.guessed_bytes;
  std::optional<SectionGuess> guess = GuessSectionEnd(source_, limit, context);
  // Machine types that write a configuration write footers as well.
  if (!guess && !footers() && !decoder_.has_configuration()) {
    context.footers = false;
    guess = GuessSectionEnd(source_, limit, context);
  }
  // The last section, in a stream with something else behind it.
  if (!guess && context.footers) {
    context.any_end = true;
    guess = GuessSectionEnd(source_, limit, context);
  }
  const bool recovers =
      options_.recovery != nullptr || options_.resume != nullptr;
  if (!guess && context.footers && recovers) {
    context.any_next = true;
    guess = GuessSectionEnd(source_, limit, context);
  }
  auto fail = [&](ErrorCode code, uint64_t at, std::string_view reason) {
    return ContentLength{
        .error = {
            code, at,
            StrCat(UnknownName(section.idstr), " ", ToString(section.type)),
            StrCat("cannot walk past ", UnknownName(section.idstr), " at ",
                   Hex(section.offset), ": ", reason)}};
  };
  if (!guess && source_.Peek(limit).size() < limit &&
      !EndsWithEof(source_.Peek(1))) {
    return fail(ErrorCode::kTruncated,
                source_.offset() + source_.Peek(1).size(),
                "the input ends, and nothing describes its state");
  }
  if (!guess) {
    return fail(ErrorCode::kUnwalkable, section.offset,
                description_.is_too_long()
                    ? StrCat("the description has more than ",
                             options_.limits.description_bytes, " bytes")
                    : "nothing describes its state, and no footer ends it");
  }
  if (description() == nullptr) {
    if (guessed_.size() < options_.limits.guesses) {
      guessed_.push_back({std::string(section.idstr), section.instance_id,
                          section.offset, *guess});
    } else if (!description_.is_absent()) {
      return {.error = {ErrorCode::kHoldLimit, section.offset, NameOf(section),
                        StrCat("more than ", options_.limits.guesses,
                               " sections whose description is out of reach")}};
    }
  }
  Note(Severity::kNote,
       description() == nullptr ? "guessed-end" : "description-wrong",
       source_.offset(), NameOf(section),
       StrCat(why, "; its end at ",
              Hex(source_.offset() + guess->content_bytes), " is a guess by ",
              guess->by_footer ? "its footer" : "what seems to follow"));
  return {.kind = ContentLength::kBytes, .bytes = guess->content_bytes};
}

void StreamReader::LoadDescription(const SectionView& section) {
  if (description_.Load(source_) == DescriptionLoader::Outcome::kOutOfReach) {
    NoteHoldLimit(section);
  }
}

void StreamReader::NoteHoldLimit(const SectionView& section) {
  if (std::exchange(hold_noted_, true)) return;
  Note(Severity::kNote, "hold-limit", source_.offset(), NameOf(section),
       StrCat("the description is more than ", options_.limits.held_bytes,
              " bytes ahead in an input that cannot seek"));
}

const DescribedDevice* StreamReader::Describe(
    const SectionView& section) const {
  return description() == nullptr
             ? nullptr
             : description()->Find(section.idstr, section.instance_id);
}

// The description has to be seen as a whole.
void StreamReader::TakeDescription() {
  const size_t bytes = kDescriptionHeadBytes + size_t{*description_due_};
  ByteSpan all = source_.Peek(bytes);
  if (all.size() < bytes) {
    if (source_.nothing_yet()) return;
    AtEnd(all.subspan(kDescriptionHeadBytes));
    description_due_.reset();
    return;
  }
  description_due_.reset();
  const uint64_t offset = description_offset_;
  const ByteSpan json =
      all.subspan(kDescriptionHeadBytes, bytes - kDescriptionHeadBytes);
  if (Error error = description_.Take(offset, json, all.size() == bytes);
      !error.ok()) {
    return Fail(std::move(error));
  }
  TakePageBytes(offset);
  for (const Guessed& guessed : guessed_) {
    const DescribedDevice* device =
        description()->Find(guessed.idstr, guessed.instance_id);
    const uint64_t guess = guessed.guess.content_bytes;
    if (device != nullptr && device->bytes == guess) continue;
    const std::string section = StrCat(guessed.idstr, " FULL");
    const std::string_view what = " bytes, and the description says otherwise";
    if (!guessed.guess.by_footer) {
      return End({ErrorCode::kOutOfStep, guessed.offset, section,
                  StrCat("was guessed to have ", guess, what)});
    }
    Note(Severity::kNote, "description-wrong", guessed.offset, section,
         StrCat("has, by its footer, ", guess, what));
  }
  has_description_ = true;
  visitor_.OnDescription(offset, json);
  source_.Consume(bytes);
  decoder_.TakeOver(decoder_.payload_left());
  End(gap_error_);
}

// The input has ended with these bytes, which were not enough, unless the
// decoder goes on all the same.
void StreamReader::AtEnd(ByteSpan left) {
  std::optional<Error> error = decoder_.AtEndOfInput(left);
  if (!error) return;
  if (!error->ok() && described_ && !decoder_.in_footer()) {
    error = {ErrorCode::kOutOfStep, content_start_, error->section,
             StrCat("the description gives it ", length_.bytes,
                    " bytes, and the input has fewer")};
  }
  if (!error->ok()) return Fail(*std::move(error));
  End(gap_error_);
}

// A size that was never put to use need not be the right one.
void StreamReader::TakePageBytes(uint64_t offset) {
  const uint64_t described = description()->page_bytes;
  if (described == 0 || described == page_bytes()) return;
  if (!decoder_.page_bytes_known() && ram().pages == 0 &&
      IsPageSize(described)) {
    return decoder_.AssumePageBytes(described);
  }
  Note(Severity::kWarning, "page-size", offset, "VMDESCRIPTION",
       StrCat("page size ", described, ", but ", page_bytes(), " was used"));
}

// Whatever follows a stream is no part of it: it may have been written over a
// longer one, or onto a volume.
void StreamReader::PassTrailingBytes() {
  // A socket may go on with anything, or with nothing for ever.
  const bool live = options_.content_length != nullptr;
  const ByteSpan next = source_.Peek(live ? 0 : kMaxSectionHeaderBytes);
  GuessContext context;
  context.section_id = ~uint32_t{0};  // Of none.
  context.footers = footers().value_or(true);
  context.known_section = [this](uint32_t id) {
    return decoder_.FindSection(id);
  };
  if (!next.empty() && !has_description_ &&
      (!any_section_ || LooksLikeItem(next, context))) {
    Note(Severity::kWarning, "early-eof", source_.offset() - 1, "stream",
         any_section_ ? "EOF, behind which the stream seems to go on"
                      : "EOF before any section, and more behind it");
  }
  const bool stream = next.size() >= 4 && LoadBe32(next.data()) == kStreamMagic;
  const uint64_t offset = source_.offset();
  trailing_bytes_ = live ? next.size() : source_.Skip(~uint64_t{0});
  if (trailing_bytes_ != 0) {
    Note(Severity::kNote, "trailing-bytes", offset, "stream",
         StrCat(live ? "bytes follow" : Follow(trailing_bytes_), " the stream",
                stream ? StrCat(": another stream, which --offset=",
                                Hex(offset), " reads")
                       : ""));
  }
  if (const uint64_t padding = source_.padding_bytes(); padding != 0) {
    Note(Severity::kNote, "trailing-bytes", source_.offset(), "stream",
         StrCat(Follow(padding), " the compressed data"));
  }
}

void StreamReader::End(Error error) {
  ended_ = true;
  if (begun_ && !sections_begun_) TellConfiguration();
  if (error.ok()) PassTrailingBytes();
  const std::string& failure = source_.failure();
  if (!failure.empty() && error.ok()) {
    error = {ErrorCode::kReadFailed, source_.offset(), "stream", failure};
  } else if (!failure.empty() && error.code == ErrorCode::kTruncated) {
    error.code = ErrorCode::kReadFailed;
    error.reason = failure;
  }
  error_ = std::move(error);
  if (error_.code != ErrorCode::kTruncated) return;
  // Nothing is lost of what is there.
  for (ByteSpan rest = source_.Peek(1); !rest.empty(); rest = source_.Peek(1)) {
    visitor_.OnRest(rest);
    source_.Consume(rest.size());
  }
}

void StreamReader::Note(Severity severity, const char* id, uint64_t offset,
                        std::string section, std::string message) {
  visitor_.OnFinding(
      {severity, id, offset, std::move(section), std::move(message)});
}

}  // namespace migstream
