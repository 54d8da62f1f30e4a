#include "codec/payload/mtty.h"

namespace migstream {
namespace {

using payload::Body;
using payload::Field;
using payload::Generation;
using payload::Level;
using payload::Likeness;
using payload::Look;
using payload::Moment;
using payload::PciRow;
using payload::Reader;
using payload::Record;
using payload::Refusal;
using payload::Show;
using Id = PayloadFindingId;

constexpr uint64_t kMagic = 0x7e9d09898c3e2c4e;
constexpr uint32_t kHeaderBytes = 24, kPortBytes = 36, kFifo = 16;

constexpr Field kHeader[] = {
    {"magic", 0, 8, Show::kHex},  {"major_ver", 8, 4},
    {"minor_ver", 12, 4},         {"nr_ports", 16, 4},
    {"flags", 20, 4, Show::kHex},
};
constexpr Field kPort[] = {
    {"uart_reg", 0, 8, Show::kBytes},
    {"fifo", 8, 16, Show::kBytes},
    {"head", 24, 1},
    {"tail", 25, 1},
    {"count", 26, 1},
    {"dlab", 27, 1},
    {"overrun", 28, 1},
    {"divisor", 30, 2},
    {"fcr", 32, 1, Show::kHex},
    {"max_fifo_size", 33, 1},
    {"intr_trigger_level", 34, 1},
};
constexpr Record kRecords[] = {
    {.name = "header",
     .body = Body::kFields,
     .bare = true,
     .bytes = kHeaderBytes,
     .fields = kHeader},
    {.name = "port0",
     .body = Body::kFields,
     .bare = true,
     .bytes = kPortBytes,
     .fields = kPort},
    {.name = "port1",
     .body = Body::kFields,
     .bare = true,
     .bytes = kPortBytes,
     .fields = kPort,
     .note = "where nr_ports is 2"},
    {.name = "excess", .bare = true, .note = "no kernel writes any"},
};
constexpr Level kRoot = {.records = kRecords};

constexpr PciRow kIds[] = {{0x4348, 0x3253, "sample serial ports"}};
constexpr Generation kGenerations[] = {{"1.0", "mtty >= 6.7", "as many ports"}};
constexpr Reader kReaders[] = {{{6, 7}, 1 << 0, {}, {}}};

constexpr Refusal kRefused = {Moment::kWrite, "EFAULT", "failed validation"};

Look LookAt(ByteSpan head) {
  if (head.size() < 8) return {};
  for (bool big : {false, true}) {
    if (payload::LoadNumber(head.data(), 8, big) == kMagic) {
      return {Likeness::kSure, big};
    }
  }
  return {};
}

}  // namespace

constexpr payload::Format kMttyFormat = {
    .driver = payload::Driver::kMtty,
    .name = "mtty",
    .module = "mtty",
    .source = "samples/vfio-mdev/mtty.c",
    .root = &kRoot,
    .ids = kIds,
    .look = LookAt,
    .host_order = true,
    .pre_copy = payload::PreCopy::kPrefix,
    .prefix_bytes = kHeaderBytes,
    .length_law = "24 + 36 a port: 60 or 96",
    .generations = kGenerations,
    .readers = kReaders,
};

void MttyRules::Add(const PayloadEvent& event, RuleOutput& out) {
  if (event.kind != PayloadEventKind::kFields) return;
  event.offset == 0 ? Header(event, out) : Port(event, out);
}

void MttyRules::Header(const PayloadEvent& event, RuleOutput& out) {
  out.initial_bytes = kHeaderBytes;
  uint64_t major = event.Number(8, 4), minor = event.Number(12, 4);
  ports = event.Number(16, 4);
  if (major != 1 || minor != 0) {
    out.Error(Id::kVersion, major != 1 ? 8 : 12,
              StrCat("version ", major, ".", minor, "; every kernel up to ",
                     ToString(kNewestKernel), " wants exactly 1.0"),
              kRefused);
  }
  if (ports != 1 && ports != 2) {
    out.Error(Id::kValue, 16, StrCat("nr_ports ", ports, " is not 1 or 2"),
              kRefused);
  }
  if (uint64_t flags = event.Number(20, 4)) {
    out.Error(Id::kValue, 20, StrCat("flags ", Hex(flags), " are not 0"),
              kRefused);
  }
}

void MttyRules::Port(const PayloadEvent& event, RuleOutput& out) {
  uint64_t port = (event.offset - kHeaderBytes) / kPortBytes;
  uint64_t head = event.Number(24, 1), tail = event.Number(25, 1),
           count = event.Number(26, 1);
  if (head >= kFifo || tail >= kFifo) {
    out.Error(Id::kValue, event.offset,
              StrCat("port ", port, ": ", head >= kFifo ? "head " : "tail ",
                     head >= kFifo ? head : tail,
                     " is outside the 16-byte fifo, and is used all the same"));
    return;
  }
  bool fits =
      count == (head - tail) % kFifo || (count == kFifo && head == tail);
  if (!fits) {
    out.Warn(Id::kValue, event.offset,
             StrCat("port ", port, ": count ", count, " between tail ", tail,
                    " and head ", head));
  }
}

void MttyRules::Finish(const PayloadEnd& end, RuleOutput& out) {
  if (end.bytes < kHeaderBytes) {
    out.Error(Id::kLength, end.bytes,
              StrCat(end.bytes, " bytes, less than the header"),
              {Moment::kStop, "EINVAL", {}});
    return;
  }
  const bool known = ports == 1 || ports == 2;
  if (known) out.Fact("ports", ports);
  const uint64_t want = kHeaderBytes + kPortBytes * (known ? ports : 2);
  if (end.bytes < want && known) {
    out.Error(Id::kLength, end.bytes,
              StrCat(end.bytes, " bytes; ", ports, " ports want ", want),
              {Moment::kStop, "EINVAL", {}});
  } else if (end.bytes > want) {
    out.Error(Id::kLength, want,
              StrCat(end.bytes - want, " bytes after the ", want),
              {Moment::kWrite, "ENOMEM", {}});
  }
}

}  // namespace migstream
