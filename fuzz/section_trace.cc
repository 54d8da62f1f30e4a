#include "fuzz/section_trace.h"

#include <sys/uio.h>

#include <algorithm>
#include <span>

#include "codec/device/section_encoder.h"
#include "codec/generate/random.h"
#include "fuzz/fuzzing.h"

namespace migstream {
namespace {

// A tag, or a record's header. What waits for more is a config payload, which
// each time is tried anew, in E5-v7 in 256 ways.
constexpr size_t kShortGap = 8;
constexpr uint64_t kConfigPiece = 1024;

void TakePieces(SectionEncoder& encoder, SectionTrace& trace) {
  for (const iovec& piece : encoder.pieces()) {
    trace.encoded.append(static_cast<const char*>(piece.iov_base),
                         piece.iov_len);
  }
  encoder.Clear();
}

void Encode(SectionEncoder& encoder, const Event& event, SectionTrace& trace) {
  if (!trace.encodable) return;
  trace.encodable = encoder.Append(event) == Put::kDone;
  TakePieces(encoder, trace);
}

void Note(const Event& event, SectionTrace& trace) {
  std::string payload(AsText(event.payload));
  if (event.kind == EventKind::kData && !event.starts_record) {
    REQUIRE(!trace.events.empty());
    REQUIRE(trace.events.back().payload.size() == event.record_offset);
    trace.events.back().payload += payload;
    return;
  }
  // What an event of another kind left there is not looked at.
  const bool data = event.kind == EventKind::kData;
  const ConfigLayout layout = data ? ConfigLayout() : event.layout;
  trace.events.push_back(
      {event.kind,
       event.kind == EventKind::kTag ? event.element : Element::kNone,
       event.offset, std::move(payload), data ? event.record_bytes : 0,
       layout.pci_config_bytes, layout.msix_vectors});
}

// Whole records, by the calls for many of them.
void TakeBatches(SectionDecoder& decoder, ByteSpan& input,
                 SectionEncoder& encoder, SectionTrace& trace) {
  iovec records[3];
  uint64_t offset = decoder.offset();
  while (const size_t count = decoder.NextBatch(input, records)) {
    for (const iovec& record : std::span(records, count)) {
      TracedEvent& event = trace.events.emplace_back();
      event.kind = EventKind::kData;
      event.offset = offset;
      event.payload.assign(static_cast<const char*>(record.iov_base),
                           record.iov_len);
      event.record_bytes = record.iov_len;
      offset += kRecordHeaderBytes + record.iov_len;
    }
    std::span<const iovec> left(records, count);
    for (Put put = Put::kFull; put == Put::kFull && trace.encodable;) {
      put = encoder.DataBatch(left);
      TakePieces(encoder, trace);
      trace.encodable = put != Put::kError;
    }
    REQUIRE(decoder.offset() == offset);
  }
}

}  // namespace

SectionTrace TraceSection(ByteSpan bytes, SectionType type,
                          const Dialect& dialect, const DecoderOptions& options,
                          size_t longest, uint64_t seed) {
  SectionTrace trace;
  SectionDecoder decoder(type, dialect, options);
  uint8_t headers[SectionEncoder::kMinHeaderBytes];
  iovec pieces[SectionEncoder::kMinPieces];
  SectionEncoder encoder(type, dialect, headers, pieces);
  Random random(seed);
  size_t shown = longest == 0 ? bytes.size() : 0;
  ByteSpan input = bytes.first(shown);
  bool all_shown = false;
  const bool batches = seed % 2 != 0;
  Event event;
  while (true) {
    ++trace.steps;
    const uint8_t* before = input.data();
    if (batches) TakeBatches(decoder, input, encoder, trace);
    trace.bytes += input.data() - before;
    before = input.data();
    switch (decoder.Next(input, event)) {
      case Step::kEvent:
        trace.bytes += input.data() - before;
        Note(event, trace);
        Encode(encoder, event, trace);
        break;
      case Step::kNeedInput: {
        if (all_shown) {
          trace.error = decoder.Truncated("device", input);
          return trace;
        }
        // More of it, behind what is left.
        REQUIRE(decoder.bytes_needed() > input.size());
        const uint8_t* left = input.data();
        size_t held = input.size();
        if (shown == bytes.size()) {
          all_shown = true;
          decoder.SetEndOfInput();
        } else {
          size_t gap = decoder.bytes_needed() - input.size();
          size_t more =
              1 + random.Below(gap > kShortGap
                                   ? std::max<uint64_t>(gap, kConfigPiece)
                                   : longest);
          more = std::min(more, bytes.size() - shown);
          shown += more;
          held += more;
        }
        input = ByteSpan(left, held);
        if (held == 0) input = bytes.subspan(shown, 0);
        break;
      }
      case Step::kDone:
        trace.done = true;
        return trace;
      case Step::kError:
        trace.error = decoder.error("device");
        REQUIRE(!trace.error.ok());
        // It is final.
        REQUIRE(decoder.Next(input, event) == Step::kError);
        return trace;
    }
  }
}

char SlowKind(EventKind kind, Element element) {
  switch (kind) {
    case EventKind::kData:
      return 'D';
    case EventKind::kConfig:
      return 'C';
    case EventKind::kSubsection:
      return 's';
    case EventKind::kConfigEnd:
      return 'e';
    case EventKind::kTag:
      break;
  }
  switch (element) {
    case Element::kSetup:
      return 'S';
    case Element::kEndOfState:
      return 'E';
    case Element::kInitDataSent:
      return 'I';
    case Element::kConfigLoadReady:
      return 'R';
    case Element::kTrigger:
      return 'T';
    case Element::kDataStateComplete:
      return 'M';
    case Element::kNone:
    case Element::kConfig:
    case Element::kData:
      break;
  }
  return '?';
}

SectionType SectionTypeOf(unsigned number) {
  constexpr SectionType kTypes[] = {SectionType::kStart, SectionType::kPart,
                                    SectionType::kEnd, SectionType::kFull};
  return kTypes[number % 4];
}

}  // namespace migstream
