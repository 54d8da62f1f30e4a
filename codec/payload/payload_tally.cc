#include "codec/payload/payload_tally.h"

#include <algorithm>
#include <cstring>

#include "codec/payload/others.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"

namespace migstream {

using payload::Driver;
using payload::Field;
using payload::Format;
using payload::Moment;
using payload::Refusal;
using payload::Show;

namespace {

constexpr uint64_t kWatchedForZero = 65536;

// Nothing if there is not so much left.
bool TakeOf(size_t& budget, size_t count) {
  if (budget < count) return false;
  budget -= count;
  return true;
}

// A format that is one bare record: which one it is can be said at the end.
bool IsOneRecord(const payload::Level& root) {
  return root.key.bytes == 0 && root.records.size() == 1;
}

// What the driver of the id does with bytes that are not its own. Less than it
// looks at it finds missing at the end.
Refusal RefusalOf(const Format& format, uint64_t bytes) {
  constexpr uint64_t kQatPreamble = 16;
  uint64_t looked_at = format.driver == Driver::kQat ? kQatPreamble
                       : format.host_order           ? format.prefix_bytes
                                                     : 0;
  if (bytes < looked_at) return {Moment::kStop, "EINVAL", {}};
  switch (format.driver) {
    case Driver::kHisiAcc:
      return {Moment::kWrite, "EFAULT", "failed to match ACC_DEV_MAGIC"};
    case Driver::kMtty:
      return {Moment::kWrite, "EFAULT", "failed validation"};
    case Driver::kQat:
      return {Moment::kWrite, "EINVAL", "Invalid setup"};
    case Driver::kMlx5:
    case Driver::kPds:
    case Driver::kVirtio:
    case Driver::kXe:
      return {Moment::kDevice, {}, {}};
    case Driver::kOpaque:
    case Driver::kIceRfc:
    case Driver::kGvtG:
    case Driver::kSpdkNvme:
      break;
  }
  return {};
}

// What is only wrong if nothing follows.
void DropOfTheEnd(ErrorCode fault, std::vector<PayloadFinding>& findings) {
  std::erase_if(findings, [fault](const PayloadFinding& finding) {
    switch (finding.id) {
      case PayloadFindingId::kCut:
      case PayloadFindingId::kNoFinal:
      case PayloadFindingId::kLength:
      case PayloadFindingId::kMissing:
      case PayloadFindingId::kNotReady:
        return true;
      case PayloadFindingId::kNesting:
        return fault == ErrorCode::kPayloadCount;
      case PayloadFindingId::kDriver:
      case PayloadFindingId::kPhase:
      case PayloadFindingId::kInitEarly:
      case PayloadFindingId::kDevice:
      case PayloadFindingId::kVersion:
      case PayloadFindingId::kUnknownTag:
      case PayloadFindingId::kSectionSize:
      case PayloadFindingId::kValue:
      case PayloadFindingId::kDmaNull:
      case PayloadFindingId::kGap:
      case PayloadFindingId::kTwoSessions:
      case PayloadFindingId::kReserved:
      case PayloadFindingId::kGrew:
      case PayloadFindingId::kGeneration:
      case PayloadFindingId::kOpaque:
        break;
    }
    return false;
  });
}

std::string RecordName(const PayloadEvent& event) {
  if (event.record) return std::string(event.record->name);
  const payload::Level& level = *event.level;
  // A key of eight bytes is a name.
  if (level.key.bytes == 8) {
    std::string_view name = AsText(event.view.first(8));
    return StrCat(level.unknown, Printable(name.substr(0, name.find('\0'))));
  }
  return StrCat(level.unknown, event.key);
}

}  // namespace

void PayloadTally::Start() {
  ByteSpan head = held_;
  std::copy(head.begin(), head.end(), head_.begin());
  found_ = options_.format ? RecognizeAs(*options_.format, head)
                           : Recognize(head, id_);
  id_at_start_ = id_;
  decoder_ =
      std::make_unique<PayloadDecoder>(*found_->root, found_->big_endian);
  stop_copy_at_ ? decoder_->BeginStopCopy(*stop_copy_at_)
                : decoder_->BeginPreCopy();
  rules_ = std::make_unique<PayloadRules>(*found_);
  open_.fill(-1);
  if (found_->by_bytes || id_ || options_.format) StopKeeping();
}

bool PayloadTally::MayKeep(size_t kept, size_t limit) {
  if (kept >= limit) return false;
  return options_.budget == nullptr || TakeOf(options_.budget->kept, 1);
}

void PayloadTally::AddRun(const PayloadPlace& place) {
  std::vector<PayloadRun>& runs = report_.runs;
  // The phases have runs of their own.
  if (!runs.empty() && stop_copy_at_ != bytes_) {
    const PayloadRun& last = runs.back();
    if (place.channel == last.place.channel &&
        place.stream_offset == last.place.stream_offset + (bytes_ - last.at)) {
      return;
    }
  }
  if (!runs.empty() && runs.back().at == bytes_) {
    runs.back().place = place;
  } else if (!runs_full_ && MayAddRun()) {
    runs.push_back({bytes_, place});
  } else if (!runs_full_) {
    runs_full_ = true;
    report_.runs_end = bytes_;
  }
}

bool PayloadTally::MayAddRun() {
  const size_t runs = report_.runs.size();
  if (runs == 0 || options_.budget == nullptr) return runs < options_.runs;
  return runs < options_.runs && TakeOf(options_.budget->runs, 1);
}

void PayloadTally::Keep(ByteSpan piece) {
  if (!keep_) return;
  keep_ = piece.size() <= kKeptBytes - kept_.size() &&
          (options_.budget == nullptr ||
           TakeOf(options_.budget->bytes, piece.size()));
  if (keep_) {
    kept_.append(AsText(piece));
  } else {
    StopKeeping();
  }
}

void PayloadTally::StopKeeping() {
  keep_ = false;
  if (options_.budget != nullptr) options_.budget->bytes += kept_.size();
  kept_ = std::string();  // = {} would keep its memory.
}

void PayloadTally::WatchZero(ByteSpan piece) {
  if (!all_zero_ || bytes_ >= kWatchedForZero) return;
  piece =
      piece.first(std::min<uint64_t>(piece.size(), kWatchedForZero - bytes_));
  all_zero_ = std::all_of(piece.begin(), piece.end(),
                          [](uint8_t byte) { return byte == 0; });
}

void PayloadTally::Add(ByteSpan piece, const PayloadPlace& place) {
  AddRun(place);
  WatchZero(piece);
  Keep(piece);
  if (skippable() >= piece.size()) return Skip(piece.size());
  bytes_ += piece.size();
  while (!piece.empty() && !failed_) {
    size_t needed = decoder_ ? decoder_->bytes_needed() : kRecognizedBytes;
    if (decoder_ && held_.empty()) {
      Walk(piece);
      needed = decoder_->bytes_needed();
      if (failed_ || piece.empty()) return;
    }
    // Less than the next step needs: it is held until there is more.
    size_t more = std::min(piece.size(), needed - held_.size());
    ByteSpan next = piece.first(more);
    held_.insert(held_.end(), next.begin(), next.end());
    piece = piece.subspan(more);
    if (held_.size() < needed) return;
    if (!decoder_) Start();
    WalkHeld();
  }
}

void PayloadTally::WalkHeld() {
  ByteSpan left = held_;
  Walk(left);
  // Which stands at its end.
  std::copy(left.begin(), left.end(), held_.begin());
  held_.resize(left.size());
}

void PayloadTally::Walk(ByteSpan& input) {
  PayloadEvent event;
  while (true) {
    switch (decoder_->Next(input, event)) {
      case Step::kEvent:
        rules_->Add(event);
        Take(event);
        break;
      case Step::kNeedInput:
        return;
      case Step::kDone:
      case Step::kError:
        failed_ = true;
        return;
    }
  }
}

void PayloadTally::Take(const PayloadEvent& event) {
  int64_t& open = open_[event.depth];
  switch (event.kind) {
    case PayloadEventKind::kRecord: {
      last_depth_ = event.depth;
      if (!MayKeep(report_.records.size(), options_.records)) {
        ++report_.records_unkept;
        open = -1;
        return;
      }
      PayloadRecord record;
      record.name = RecordName(event);
      record.row = event.record;
      record.key = event.key;
      record.depth = event.depth;
      record.stop_copy = event.stop_copy;
      record.offset = event.offset;
      record.header_bytes = static_cast<uint32_t>(event.view.size());
      record.bytes = event.bytes;
      record.there = event.bytes;
      record.first_value = report_.values.size();
      AddValues(event, true, record);
      open =
          event.bytes == 0 ? -1 : static_cast<int64_t>(report_.records.size());
      report_.records.push_back(std::move(record));
      return;
    }
    case PayloadEventKind::kFields:
      if (open >= 0) AddValues(event, false, report_.records[open]);
      open = -1;
      return;
    case PayloadEventKind::kOpaque:
      if (event.left == 0) open = -1;
      return;
    case PayloadEventKind::kRecordEnd:
      open = -1;
      return;
    case PayloadEventKind::kOverrun:
      return;
  }
}

void PayloadTally::AddValues(const PayloadEvent& event, bool in_header,
                             PayloadRecord& to) {
  std::span<const Field> fields;
  if (in_header && !event.view.empty()) fields = event.level->header;
  if (!in_header && event.record) fields = event.record->fields;
  for (const Field& field : fields) {
    // A field without a size of its own is all of its record.
    size_t width = field.bytes != 0 ? field.bytes : event.view.size();
    for (uint16_t i = 0; i < field.count; ++i) {
      size_t at = field.offset + i * width;
      if (at + width > event.view.size()) return;
      if (!MayKeep(report_.values.size(), options_.values)) {
        ++report_.values_unkept;
        continue;
      }
      bool number = field.show != Show::kBytes && width >= 1 && width <= 8;
      report_.values.push_back(
          {.field = &field,
           .index = i,
           .in_header = in_header,
           .bytes = static_cast<uint8_t>(number ? width : 0),
           .offset = event.offset + at,
           .value = number ? event.Number(at, static_cast<int>(width)) : 0});
      ++to.value_count;
    }
  }
}

uint64_t PayloadTally::skippable() const {
  bool watched = all_zero_ && bytes_ < kWatchedForZero;
  if (!decoder_ || keep_ || watched) return 0;
  if (failed_) return kAllThereIs;
  const bool read = !held_.empty() || rules_->looks_at_opaque();
  return read ? 0 : decoder_->opaque_left();
}

void PayloadTally::Skip(uint64_t count) {
  if (count == 0) return;
  bytes_ += count;
  if (failed_) return;
  decoder_->TakeOver(count);
  if (decoder_->opaque_left() != 0) return;
  open_[last_depth_] = -1;
  // Records that end where the skipped bytes do.
  ByteSpan none;
  Walk(none);
}

void PayloadTally::BeginStopCopy() {
  if (stop_copy_at_) return;
  stop_copy_at_ = bytes_;
  if (decoder_) decoder_->BeginStopCopy(bytes_);
}

std::optional<PayloadReport> PayloadTally::Again(bool whole) {
  bool told_more = id_ && !id_at_start_ && !options_.format &&
                   !found_->by_bytes && FormatFor(*id_) != found_->format;
  if (!told_more) return std::nullopt;
  PayloadOptions options = options_;
  options.id = id_;
  const std::vector<PayloadRun>& runs = report_.runs;
  if (keep_) {
    PayloadTally again(options);
    uint64_t stop_copy_at = stop_copy_at_.value_or(UINT64_MAX);
    for (size_t i = 0; i < runs.size(); ++i) {
      uint64_t end = i + 1 < runs.size() ? runs[i + 1].at : kept_.size();
      if (runs[i].at >= stop_copy_at) again.BeginStopCopy();
      again.Add(AsBytes(kept_).subspan(runs[i].at, end - runs[i].at),
                runs[i].place);
    }
    if (stop_copy_at_) again.BeginStopCopy();
    again.init_data_sent_ = init_data_sent_;
    return again.Finish(whole);
  }
  // Too long to be kept. Where the format is one record all the same, it is
  // only called by another name.
  Recognition now = Recognize(
      ByteSpan(head_.data(), std::min<uint64_t>(bytes_, head_.size())), id_);
  renamed_ = true;
  unread_ = !IsOneRecord(*now.root);
  if (unread_) now.root = kOpaqueFormat.root;
  found_ = now;
  decoder_ = std::make_unique<PayloadDecoder>(*now.root);
  rules_ = std::make_unique<PayloadRules>(now);
  failed_ = false;
  held_.clear();
  PayloadReport renamed;
  renamed.runs = std::move(report_.runs);
  renamed.runs_end = report_.runs_end;
  report_ = std::move(renamed);
  report_.records.push_back({.name = std::string(now.root->records[0].name),
                             .row = &now.root->records[0],
                             .stop_copy = stop_copy_at_ == uint64_t{0},
                             .bytes = kAllThereIs});
  open_.fill(-1);
  open_[0] = 0;
  return std::nullopt;
}

void PayloadTally::CloseRecords(bool truncated) {
  for (int64_t open : open_) {
    if (open < 0) continue;
    PayloadRecord& record = report_.records[open];
    uint64_t there = bytes_ - record.offset - record.header_bytes;
    if (record.bytes == kAllThereIs) record.bytes = record.there = there;
    if (there >= record.bytes) continue;
    record.there = there;
    record.cut = truncated;
  }
  for (PayloadRecord& record : report_.records) {
    record.straddles = record.offset < report_.pre_copy_bytes &&
                       record.offset + record.header_bytes + record.there >
                           report_.pre_copy_bytes;
  }
}

PayloadReport PayloadTally::Finish(bool whole) {
  if (!decoder_) {
    Start();
    WalkHeld();
  }
  if (std::optional<PayloadReport> again = Again(whole)) {
    return *std::move(again);
  }

  ByteSpan head(head_.data(), std::min<uint64_t>(bytes_, head_.size()));
  PayloadEnd end = {.bytes = bytes_,
                    .pre_copy_bytes = stop_copy_at_.value_or(bytes_),
                    .id = id_,
                    .all_zero = all_zero_,
                    .init_data_sent = init_data_sent_};
  if (!renamed_ && decoder_->Finish(held_) != Step::kDone) {
    end.fault = decoder_->fault();
  }
  report_.pre_copy_bytes = end.pre_copy_bytes;
  report_.bytes = bytes_;
  CloseRecords(end.fault.code == ErrorCode::kTruncated);

  std::string against = Disagreement(*found_, id_, head);
  const Format* of_id = id_ ? FormatFor(*id_) : nullptr;
  if (!against.empty()) {
    rules_->output().Error(PayloadFindingId::kDriver, 0, against,
                           RefusalOf(of_id ? *of_id : *found_->format, bytes_));
  }
  // Nothing else can be said of a format whose records could not be read.
  if (!unread_) rules_->Finish(end);
  if (!runs_full_) report_.runs_end = bytes_;

  report_.format = found_->format;
  report_.id = id_;
  report_.pci = id_ ? PciRowFor(*id_) : nullptr;
  report_.by_bytes = found_->by_bytes;
  report_.id_agrees = against.empty();
  report_.big_endian = found_->big_endian;
  report_.init_data_sent = init_data_sent_;
  report_.whole = whole;
  report_.complete = end.sound() && !unread_ && whole;
  if (failed_) report_.unread_from = decoder_->offset();
  if (unread_) report_.unread_from = 0;
  RuleOutput& output = rules_->output();
  report_.generation = output.generation;
  report_.initial_bytes = output.initial_bytes;
  report_.facts = std::move(output.facts);
  report_.findings_unkept = output.findings.unkept();
  report_.findings = output.findings.Take();
  if (!whole) DropOfTheEnd(end.fault.code, report_.findings);
  return std::move(report_);
}

}  // namespace migstream
