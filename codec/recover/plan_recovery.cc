#include "codec/recover/plan_recovery.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "codec/qemu/description_loader.h"
#include "codec/qemu/stream_visitor.h"
#include "codec/recover/next_section.h"
#include "codec/recover/section_names.h"
#include "flags/section_type.h"

namespace migstream {
namespace {

constexpr size_t kMostGaps = 10000;
// What may be spent on places that prove to be wrong: so much and, so that the
// time is linear in the input's length, so much a byte of it.
constexpr uint64_t kLeastBudget = uint64_t{256} << 20;
constexpr uint64_t kBudgetPerByte = 8;
constexpr uint64_t kGuessCost = 8;
// A damaged header leaves a name behind that is not the section's; then all is
// read anew without it.
constexpr int kMostRestarts = 32;

class Planner : public StreamVisitor {
 public:
  Planner(ByteSource& source, const ReaderOptions& options)
      : source_(source),
        options_(options),
        start_(source.offset()),
        end_(source.size().value_or(source.offset())),
        budget_(kLeastBudget + kBudgetPerByte * (end_ - start_)),
        description_(*this, options_.limits) {}

  RecoveryPlan Plan() {
    Read(/*recover=*/false);
    if (error_.ok()) {
      source_.MoveTo(start_);
      return {};
    }
    source_.MoveTo(start_);
    description_.Load(source_);
    FindSectionNames(source_, description_.description().get(), plan_);
    for (int restarts = 0; restarts <= kMostRestarts; ++restarts) {
      may_restart_ = restarts < kMostRestarts;
      restart_ = false;
      Read(/*recover=*/true);
      if (!restart_) break;
    }
    source_.MoveTo(start_);
    return std::move(plan_);
  }

  void OnSection(const SectionView& section) override {
    in_section_ = true;
    section_ = {section.type, section.offset, section.id};
    record_.reset();
  }
  void OnDeviceEvent(const SectionView&, const Event& event) override {
    if (event.kind != EventKind::kData || event.starts_record) {
      record_ = event.offset;
    }
  }
  void OnRamRecord(const RamRecordView& record) override {
    record_ = record.offset;
  }
  void OnSectionEnd(const SectionView&, uint64_t, bool) override {
    in_section_ = false;
  }
  void OnGap(const StreamGap&) override { in_section_ = false; }

 private:
  void Read(bool recover) {
    source_.MoveTo(start_);
    in_section_ = false;
    error_ = {};
    ReaderOptions options = options_;
    if (recover) options.recovery = &plan_;
    options.resume = [&](const Error& error) -> std::optional<uint64_t> {
      error_ = error;
      return recover ? Resume(error) : std::nullopt;
    };
    StreamReader reader(source_, *this, options);
    decoder_ = &reader.decoder();
    reader.Read();
  }

  std::optional<uint64_t> Resume(const Error& error) {
    const uint64_t at = std::min(decoder_->offset(), end_);
    const uint64_t item = in_section_ ? section_.offset : at;
    const uint64_t from = in_section_ ? record_.value_or(item) : at;
    std::optional<uint64_t> next;
    if (error.code == ErrorCode::kUnwalkable) {
      // Its end was searched for in vain, several times.
      budget_ -= std::min(
          budget_,
          kGuessCost * std::min(options_.limits.guessed_bytes, end_ - at));
    }
    if (plan_.gaps.size() < kMostGaps && budget_ != 0) {
      NextSection finder(source_, *decoder_, options_,
                         description_.description().get(), budget_);
      next = finder.Find(std::max(from, item) + 1);
    }
    StreamGap gap = {at, next.value_or(end_), !next, error};
    if (error.code == ErrorCode::kNotAStream ||
        error.code == ErrorCode::kUnknownVersion) {
      if (!next) return std::nullopt;
      // There is one behind the header.
      gap.error.code = ErrorCode::kOutOfStep;
    }
    if (error.code == ErrorCode::kOutOfStep && !in_section_) gap.from = item;
    bool whole = in_section_ && error.code == ErrorCode::kMismatchedFooter;
    if (in_section_ && next) {
      whole |= ClosesAnother(*next);
      if (*next < at) gap.from = record_.value_or(item);
    }
    if (whole) gap.from = item;
    in_section_ = false;
    if (!plan_.gaps.empty() && plan_.gaps.back().to >= gap.from) {
      StreamGap& before = plan_.gaps.back();
      before.to = gap.to;
      before.last = gap.last;
    } else {
      plan_.gaps.push_back(gap);
    }
    const bool named = section_.type == SectionType::kStart ||
                       section_.type == SectionType::kFull;
    if (whole && named && may_restart_) {
      restart_ = true;
      return std::nullopt;
    }
    return next;
  }

  // Whether the footer before `next` is not this section's: then its header is
  // not to be believed.
  bool ClosesAnother(uint64_t next) {
    if (next < start_ + kFooterBytes) return false;
    source_.MoveTo(next - kFooterBytes);
    const ByteSpan bytes = source_.Peek(kFooterBytes);
    return IsFooter(bytes) && LoadBe32(&bytes[1]) != section_.id;
  }

  struct Section {
    SectionType type = SectionType::kFull;
    uint64_t offset = 0;
    uint32_t id = 0;
  };

  ByteSource& source_;
  const ReaderOptions options_;
  const uint64_t start_;
  const uint64_t end_;
  uint64_t budget_;  // See NextSection.
  DescriptionLoader description_;
  RecoveryPlan plan_;
  const StreamDecoder* decoder_ = nullptr;
  Error error_;  // Of the last reading.
  bool in_section_ = false;
  Section section_;
  std::optional<uint64_t> record_;  // Where the last one begins.
  bool may_restart_ = false;
  bool restart_ = false;
};

}  // namespace

RecoveryPlan PlanRecovery(ByteSource& source, const ReaderOptions& options) {
  return Planner(source, options).Plan();
}

}  // namespace migstream
