// Encoding a VFIO device's section: headers and iovec only, flattened into a
// buffer, and written to a pipe, a unix socket and a memfd.

#include <sys/uio.h>

#include <cstring>
#include <span>

#include "bench/descriptors.h"
#include "bench/measure.h"
#include "bench/section_data.h"
#include "codec/device/section_encoder.h"

namespace migstream {
namespace {

constexpr size_t kRecords = 64;

// Buffers for a section of kRecords.
struct Buffers {
  std::vector<uint8_t> headers =
      std::vector<uint8_t>(kRecords * kRecordHeaderBytes + kTagBytes);
  std::vector<iovec> pieces = std::vector<iovec>(kRecords * 2 + 1);
};

// The END section of these records; its pieces stand in `buffers`.
std::span<const iovec> Encode(const std::vector<ByteSpan>& payloads,
                              Buffers& buffers) {
  SectionEncoder encoder(SectionType::kEnd, BenchDialect(),
                         std::span(buffers.headers), std::span(buffers.pieces));
  for (ByteSpan payload : payloads) encoder.Data(payload);
  encoder.EndOfState();
  Require(encoder.done(), "a section is encoded");
  return encoder.pieces();
}

std::span<const iovec> EncodeBatch(const std::vector<iovec>& payloads,
                                   Buffers& buffers) {
  SectionEncoder encoder(SectionType::kEnd, BenchDialect(),
                         std::span(buffers.headers), std::span(buffers.pieces));
  std::span<const iovec> left = payloads;
  encoder.DataBatch(left);
  encoder.EndOfState();
  Require(encoder.done(), "a section is encoded");
  return encoder.pieces();
}

// The least that any encoder does. No bounds, no grammar.
size_t BareEncode(const std::vector<ByteSpan>& payloads, Buffers& buffers) {
  uint8_t* header = buffers.headers.data();
  iovec* piece = buffers.pieces.data();
  for (ByteSpan payload : payloads) {
    StoreBe64(header, static_cast<uint64_t>(Tag::kDevDataState));
    StoreBe64(header + kTagBytes, payload.size());
    *piece++ = {header, kRecordHeaderBytes};
    *piece++ = {const_cast<uint8_t*>(payload.data()), payload.size()};
    header += kRecordHeaderBytes;
  }
  StoreBe64(header, static_cast<uint64_t>(Tag::kEndOfState));
  *piece++ = {header, kTagBytes};
  return piece - buffers.pieces.data();
}

template <typename Codec>
void MeasureHeaders(benchmark::State& state, const SectionData& section,
                    Codec encode) {
  Buffers buffers;
  Measure(
      state, {.items = kRecords},
      [&] {
        benchmark::DoNotOptimize(encode(buffers).data());
        benchmark::ClobberMemory();
      },
      [&] {
        benchmark::DoNotOptimize(BareEncode(section.payloads(), buffers));
        benchmark::ClobberMemory();
      });
}

void BM_EncodeHeaders(benchmark::State& state) {
  SectionData section(std::vector<uint64_t>(kRecords, Scaled(state.range(0))));
  MeasureHeaders(state, section, [&](Buffers& buffers) {
    return Encode(section.payloads(), buffers);
  });
}

void BM_EncodeBatch(benchmark::State& state) {
  SectionData section(std::vector<uint64_t>(kRecords, Scaled(state.range(0))));
  std::vector<iovec> payloads;
  for (ByteSpan payload : section.payloads()) {
    payloads.push_back({const_cast<uint8_t*>(payload.data()), payload.size()});
  }
  MeasureHeaders(state, section, [&](Buffers& buffers) {
    return EncodeBatch(payloads, buffers);
  });
}

void BM_EncodeFlat(benchmark::State& state) {
  SectionData section(TouchedRecords(state.range(0)), true);
  Buffers buffers;
  Memory flat(section.bytes().size());
  flat.Touch();
  auto flatten = [&] {
    uint8_t* to = flat.data();
    for (const iovec& piece : Encode(section.payloads(), buffers)) {
      std::memcpy(to, piece.iov_base, piece.iov_len);
      to += piece.iov_len;
    }
  };
  flatten();
  Require(IsSame(flat.span(), section.bytes()),
          "flattened bytes are the section");
  Measure(
      state,
      {.items = section.payloads().size(), .bytes = section.payload_bytes()},
      flatten, [&] {
        uint8_t* to = flat.data();
        for (ByteSpan payload : section.payloads()) {
          to += kRecordHeaderBytes;
          std::memcpy(to, payload.data(), payload.size());
          to += payload.size();
        }
      });
}

// writev() of a record each, against headers that were made beforehand. The
// stream is drained between, untimed.
void BM_EncodeWritev(benchmark::State& state, StreamKind kind) {
  SectionData section(TouchedRecords(state.range(0)), true);
  const std::vector<ByteSpan>& payloads = section.payloads();
  Stream stream(kind, section.bytes().size());
  Buffers buffers;
  // As many records at a time as the stream is sure to hold.
  size_t record = kRecordHeaderBytes + payloads[0].size();
  size_t at_once = std::max<size_t>(1, kStreamBytes / 4 / record);
  auto write_all = [&](Stopwatch& watch, auto next) {
    stream.Rewind();
    for (size_t i = 0; i < payloads.size(); i += at_once) {
      size_t end = std::min(i + at_once, payloads.size());
      ssize_t written = 0;
      watch.Start();
      for (size_t j = i; j < end; ++j) {
        std::span<const iovec> pieces = next(payloads[j]);
        written +=
            writev(stream.in(), pieces.data(), static_cast<int>(pieces.size()));
      }
      watch.Stop();
      Require(written == static_cast<ssize_t>((end - i) * record),
              "writev() takes all");
      stream.Drain(written);
    }
  };
  iovec prepared[2] = {{buffers.headers.data(), kRecordHeaderBytes}, {}};
  MeasureTimed(
      state, {.items = payloads.size(), .bytes = section.payload_bytes()},
      [&](Stopwatch& watch) {
        write_all(watch, [&](ByteSpan payload) {
          SectionEncoder encoder(SectionType::kPart, BenchDialect(),
                                 std::span(buffers.headers),
                                 std::span(buffers.pieces));
          encoder.Data(payload);
          return encoder.pieces();
        });
      },
      [&](Stopwatch& watch) {
        write_all(watch, [&](ByteSpan payload) {
          prepared[1] = {const_cast<uint8_t*>(payload.data()), payload.size()};
          return std::span(prepared);
        });
      });
}

const std::vector<int64_t> kWritten = {64, 4 << 10, 64 << 10, 512 << 10};

BENCHMARK(BM_EncodeHeaders)->ArgsProduct({kRecordSizes})->UseManualTime();
BENCHMARK(BM_EncodeBatch)->ArgsProduct({kRecordSizes})->UseManualTime();
BENCHMARK(BM_EncodeFlat)->ArgsProduct({kRecordSizes})->UseManualTime();
BENCHMARK_CAPTURE(BM_EncodeWritev, pipe, StreamKind::kPipe)
    ->ArgsProduct({kWritten})
    ->UseManualTime();
BENCHMARK_CAPTURE(BM_EncodeWritev, socket, StreamKind::kSocket)
    ->ArgsProduct({kWritten})
    ->UseManualTime();
BENCHMARK_CAPTURE(BM_EncodeWritev, memfd, StreamKind::kMemfd)
    ->ArgsProduct({kWritten})
    ->UseManualTime();

}  // namespace
}  // namespace migstream
