#include "codec/payload/payload_verdict.h"

#include <algorithm>

#include "codec/wire/text.h"

namespace migstream {

using payload::Format;
using payload::Moment;
using payload::Reader;
using payload::Refusal;

namespace {

// The destination has the driver of its device, whatever the bytes are.
const Format& DestinationsFormat(const PayloadReport& report) {
  const Format* of_id = report.id ? FormatFor(*report.id) : nullptr;
  return of_id ? *of_id : *report.format;
}

std::string_view When(Moment moment) {
  switch (moment) {
    case Moment::kNever:
      return "accepts it";
    case Moment::kWrite:
      return "refuses it at the write";
    case Moment::kStop:
      return "refuses it leaving RESUMING";
    case Moment::kLater:
      return "refuses it later, from a worker";
    case Moment::kDevice:
      return "leaves it to the device";
  }
  return {};
}

std::string Text(const Refusal& refusal) {
  std::string text(When(refusal.when));
  if (!refusal.error.empty()) StrAppend(&text, ": ", refusal.error);
  if (!refusal.log.empty()) StrAppend(&text, ", \"", refusal.log, "\"");
  return text;
}

// Which of two refusals comes first in time.
int Order(Moment moment) {
  switch (moment) {
    case Moment::kWrite:
      return 0;
    case Moment::kLater:
      return 1;
    case Moment::kStop:
      return 2;
    case Moment::kDevice:
      return 3;
    case Moment::kNever:
      break;
  }
  return 4;
}

PayloadVerdict Refuse(const Format& format, std::string_view where,
                      Refusal refusal, uint64_t offset, KernelRelease release,
                      std::string_view why) {
  if (release < refusal.changed && !refusal.error_before.empty()) {
    refusal.error = refusal.error_before;
  }
  bool device = refusal.when == Moment::kDevice;
  std::string text = StrCat(where, format.module, " ", Text(refusal));
  if (!why.empty()) StrAppend(&text, "; ", why);
  return {device ? PayloadFate::kDeviceDecides : PayloadFate::kRefused, refusal,
          offset, std::move(text)};
}

}  // namespace

std::string KernelText(const PayloadReport& report,
                       const PayloadFinding& finding) {
  if (DestinationsFormat(report).readers.empty()) return {};
  if (finding.refusal.when == Moment::kNever &&
      finding.severity == Severity::kNote) {
    return {};
  }
  return Text(finding.refusal);
}

PayloadVerdict Judge(const PayloadReport& report, KernelRelease release) {
  const Format& format = DestinationsFormat(report);
  std::string where = StrCat("linux-", ToString(release), ": ");
  if (format.readers.empty()) {
    bool opaque = format.driver == payload::Driver::kOpaque;
    return {opaque ? PayloadFate::kUnknown : PayloadFate::kNoDriver,
            {},
            0,
            StrCat(where, opaque ? "its driver is not known"
                                 : "no released kernel reads it")};
  }
  KernelRelease first = format.readers[0].from;
  if (report.pci) first = std::max(first, report.pci->since);
  if (release < first) {
    return {PayloadFate::kNoDriver,
            {},
            0,
            StrCat(where, "no ", format.module, " for it before ",
                   ToString(first))};
  }
  const Reader* reader = &format.readers[0];
  for (const Reader& row : format.readers) {
    if (row.from <= release) reader = &row;
  }
  bool reads =
      &format != report.format || (reader->reads >> report.generation & 1) != 0;
  if (!reads) {
    return Refuse(format, where, reader->otherwise, 0, release, reader->note);
  }
  const PayloadFinding* worst = nullptr;
  const PayloadFinding* lost = nullptr;
  for (const PayloadFinding& finding : report.findings) {
    if (finding.refusal.when != Moment::kNever &&
        (!worst || Order(finding.refusal.when) < Order(worst->refusal.when))) {
      worst = &finding;
    }
    if (finding.severity == Severity::kError && !lost) lost = &finding;
  }
  if (worst) {
    return Refuse(format, where, worst->refusal, worst->offset, release,
                  worst->text);
  }
  if (lost) {
    return {PayloadFate::kAcceptedWithLoss,
            {},
            lost->offset,
            StrCat(where, format.module,
                   " takes it, and does not notice: ", lost->text)};
  }
  const std::string also = PayloadAlso(report);
  return {
      PayloadFate::kAccepted,
      {},
      0,
      StrCat(where, format.module, " takes it", also.empty() ? "" : ", given ",
             also, format.not_in_stream.empty() ? "" : "; not in the stream: ",
             format.not_in_stream)};
}

}  // namespace migstream
