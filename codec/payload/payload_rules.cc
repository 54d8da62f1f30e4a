#include "codec/payload/payload_rules.h"

#include "codec/wire/text.h"

namespace migstream {

using payload::Driver;
using payload::Moment;
using payload::PreCopy;
using Id = PayloadFindingId;

PayloadRules::PayloadRules(const Recognition& found)
    : format_(found.format), driver_(OtherRules(found.format->driver)) {
  switch (found.format->driver) {
    case Driver::kMlx5:
      driver_ = Mlx5Rules(found.root == found.format->legacy_root);
      break;
    case Driver::kHisiAcc:
      driver_ = HisiAccRules();
      break;
    case Driver::kPds:
      driver_ = PdsRules();
      break;
    case Driver::kVirtio:
      driver_ = VirtioRules();
      break;
    case Driver::kQat:
      driver_ = QatRules();
      break;
    case Driver::kXe:
      driver_ = XeRules();
      break;
    case Driver::kMtty:
      driver_ = MttyRules();
      break;
    case Driver::kOpaque:
    case Driver::kIceRfc:
    case Driver::kGvtG:
    case Driver::kSpdkNvme:
      break;
  }
}

void PayloadRules::Finish(const PayloadEnd& end) {
  Phase(end);
  if (end.bytes == 0) {
    output_.Error(Id::kNoFinal, 0, "no byte of payload", Nothing());
    return;
  }
  Cut(end);
  std::visit([&](auto& rules) { rules.Finish(end, output_); }, driver_);
}

// What the driver says where nothing came.
payload::Refusal PayloadRules::Nothing() const {
  switch (format_->driver) {
    case Driver::kHisiAcc:
    case Driver::kQat:
    case Driver::kMtty:
      return {Moment::kStop, "EINVAL", {}};
    case Driver::kXe:
      return {Moment::kStop, {}, "RESTORE didn't finish"};
    case Driver::kMlx5:
    case Driver::kPds:
    case Driver::kVirtio:
    case Driver::kOpaque:
    case Driver::kIceRfc:
    case Driver::kGvtG:
    case Driver::kSpdkNvme:
      break;
  }
  return {};
}

void PayloadRules::Phase(const PayloadEnd& end) {
  uint64_t initial = output_.initial_bytes;
  if (format_->pre_copy == PreCopy::kNone && end.pre_copy_bytes > 0) {
    output_.Error(Id::kPhase, 0,
                  StrCat(end.pre_copy_bytes, " bytes in pre-copy; ",
                         format_->name, " has no PRE_COPY"));
  }
  uint64_t prefix = initial > 0 ? initial : format_->prefix_bytes;
  if (format_->pre_copy == PreCopy::kPrefix && end.pre_copy_bytes > prefix) {
    output_.Error(Id::kPhase, prefix,
                  StrCat(end.pre_copy_bytes, " bytes in pre-copy, ", prefix,
                         " at the most"));
  }
  if (end.init_data_sent && *end.init_data_sent < initial) {
    output_.Warn(Id::kInitEarly, *end.init_data_sent,
                 StrCat("INIT_DATA_SENT after ", *end.init_data_sent, " of ",
                        initial, " initial bytes"));
  }
}

// Where all bodies stand bare, their driver's law of lengths says it better.
void PayloadRules::Cut(const PayloadEnd& end) {
  const PayloadFault& fault = end.fault;
  if (fault.code != ErrorCode::kTruncated || output_.findings.Has(Id::kCut)) {
    return;
  }
  payload::Refusal refusal;
  switch (format_->driver) {
    case Driver::kHisiAcc:
    case Driver::kPds:
    case Driver::kMtty:
    case Driver::kOpaque:
    case Driver::kSpdkNvme:
      return;
    case Driver::kXe:
      // What comes after the TRAILER is not waited for.
      if (std::get<XeRules>(driver_).trailer) break;
      refusal = {Moment::kStop, {}, "RESTORE didn't finish"};
      break;
    case Driver::kMlx5:
    case Driver::kVirtio:
    case Driver::kQat:
    case Driver::kIceRfc:
    case Driver::kGvtG:
      break;
  }
  output_.Error(
      Id::kCut, fault.offset,
      StrCat(fault.record ? fault.record->name : "a record", " wants ",
             fault.wanted, " bytes, ", fault.found, " are there"),
      refusal);
}

}  // namespace migstream
