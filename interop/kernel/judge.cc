// What the library says to payloads, for an oracle (oracle_main.c) to be held
// against: a line each, "FATE WHEN ERRNO ERRORS REASONS RESULT".
//
// Standard input is records: bytes of payload, bytes of pre-copy, the device's
// PCI vendor and device id, all le32; then the payload. FATE is accepted, loss,
// refused, device, or unknown; WHEN write, stop, later, or -; ERRORS is how
// many findings are errors, and REASONS all that the kernel can refuse it for,
// "write:EFAULT,stop:EINVAL" or -.

#include <cstdio>
#include <string>
#include <string_view>

#include "codec/payload/payload_tally.h"
#include "codec/payload/payload_verdict.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

std::string_view FateName(PayloadFate fate) {
  switch (fate) {
    case PayloadFate::kAccepted:
      return "accepted";
    case PayloadFate::kAcceptedWithLoss:
      return "loss";
    case PayloadFate::kRefused:
      return "refused";
    case PayloadFate::kDeviceDecides:
      return "device";
    case PayloadFate::kNoDriver:
    case PayloadFate::kUnknown:
      break;
  }
  return "unknown";
}

std::string_view WhenName(payload::Moment moment) {
  switch (moment) {
    case payload::Moment::kWrite:
      return "write";
    case payload::Moment::kStop:
      return "stop";
    case payload::Moment::kLater:
      return "later";
    case payload::Moment::kNever:
    case payload::Moment::kDevice:
      break;
  }
  return "-";
}

void Say(ByteSpan bytes, size_t pre_copy, PciId id) {
  PayloadTally tally({.id = id});
  tally.Add(bytes.first(pre_copy), {});
  tally.BeginStopCopy();
  tally.Add(bytes.subspan(pre_copy), {});
  PayloadReport report = tally.Finish();
  PayloadVerdict verdict = Judge(report, kNewestKernel);
  size_t errors = 0;
  std::string reasons;
  for (const PayloadFinding& finding : report.findings) {
    errors += finding.severity == Severity::kError;
    std::string_view when = WhenName(finding.refusal.when);
    if (when == "-") continue;
    StrAppend(&reasons, reasons.empty() ? "" : ",", when, ":",
              finding.refusal.error);
  }
  const std::string line =
      StrCat(FateName(verdict.fate), " ", WhenName(verdict.refusal.when), " ",
             verdict.refusal.error.empty() ? "-" : verdict.refusal.error, " ",
             errors, " ", reasons.empty() ? "-" : reasons, " ", verdict.text);
  std::puts(line.c_str());
}

int Run() {
  uint8_t head[16];
  while (std::fread(head, sizeof head, 1, stdin) == 1) {
    std::string payload(LoadLe32(head), '\0');
    size_t pre_copy = LoadLe32(head + 4);
    PciId id = {static_cast<uint16_t>(LoadLe32(head + 8)),
                static_cast<uint16_t>(LoadLe32(head + 12))};
    if (std::fread(payload.data(), 1, payload.size(), stdin) !=
            payload.size() ||
        pre_copy > payload.size()) {
      return 1;
    }
    Say(AsBytes(payload), pre_copy, id);
  }
  return 0;
}

}  // namespace
}  // namespace migstream

int main() { return migstream::Run(); }
