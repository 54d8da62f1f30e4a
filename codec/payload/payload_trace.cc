#include "codec/payload/payload_trace.h"

#include <algorithm>
#include <random>

#include "codec/payload/payload_decoder.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

void Say(const PayloadEvent& event, bool phases, PayloadTrace& trace) {
  trace.rebuilt.append(AsText(event.view));
  std::string line;
  switch (event.kind) {
    case PayloadEventKind::kRecord:
      line =
          StrCat("record ", event.offset, " ", int{event.depth}, " ", event.key,
                 " ", event.bytes, phases && event.stop_copy ? " stop" : "");
      break;
    case PayloadEventKind::kFields:
      line = StrCat("fields ", event.offset, " ", event.view.size());
      break;
    case PayloadEventKind::kOpaque:
      return;
    case PayloadEventKind::kRecordEnd:
      line = StrCat("end ", event.offset);
      break;
    case PayloadEventKind::kOverrun:
      line =
          StrCat("overrun ", event.offset, " ", event.bytes, " ", event.left);
      break;
  }
  trace.lines.push_back(std::move(line));
}

}  // namespace

PayloadTrace TracePayload(const payload::Level& root, ByteSpan bytes,
                          size_t longest, uint32_t seed, uint64_t split,
                          bool phases) {
  PayloadTrace trace;
  std::mt19937 random(seed);
  PayloadDecoder decoder(root);
  decoder.BeginPreCopy();
  size_t end = 0;
  bool stop_copy = false;
  ByteSpan input = bytes.first(0);
  Step step = Step::kNeedInput;
  while (true) {
    PayloadEvent event;
    step = decoder.Next(input, event);
    ++trace.steps;
    if (step == Step::kEvent) {
      Say(event, phases, trace);
      continue;
    }
    if (step == Step::kError) break;
    trace.kept_back = std::max<uint64_t>(trace.kept_back, input.size());
    if (end == bytes.size()) break;
    size_t piece = seed == 0 ? longest : 1 + random() % longest;
    size_t most = stop_copy || split < end ? bytes.size() : split;
    if (!stop_copy && end >= split) {
      decoder.BeginStopCopy(split);
      stop_copy = true;
      most = bytes.size();
    }
    end = std::min({end + piece, bytes.size(), std::max(most, end)});
    input = ByteSpan(input.data(), bytes.data() + end - input.data());
  }
  trace.offset = decoder.offset();
  if (step == Step::kError || decoder.Finish(input) == Step::kError) {
    const PayloadFault& fault = decoder.fault();
    trace.error = fault.code;
    trace.error_text = ToString(decoder.error("device"));
    trace.lines.push_back(
        fault.code == ErrorCode::kTruncated
            ? StrCat("cut ", fault.offset, " ", fault.wanted, " ", fault.found)
        : fault.code == ErrorCode::kPayloadNesting
            ? StrCat("nesting ", fault.offset, " ", fault.wanted, " ",
                     fault.found)
            : StrCat("count ", fault.offset, " ", fault.wanted));
  } else {
    trace.lines.push_back("done");
  }
  return trace;
}

}  // namespace migstream
