// The data path of a VMM: a device's payload into a stream as DATA records
// (Save), and out of it into a device (Load), in three ways. The ceiling makes
// the same system calls and frames nothing.
//
// One thread does it all; what fills or drains the other end is not timed. A
// memfd stands for the device.

#include <sys/uio.h>

#include <span>
#include <string>
#include <utility>

#include "bench/descriptors.h"
#include "bench/measure.h"
#include "bench/section_data.h"
#include "codec/device/section_decoder.h"
#include "codec/device/section_encoder.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

enum class Way {
  kReadWrite,  // Through one buffer, header and payload in one piece.
  kVector,     // readv() and writev(), header and payload apart.
  kSplice,     // The payload never enters the process.
};

// Frames and unframes with the codec. Each of Save and Load is one section.
class Codec {
 public:
  explicit Codec(uint8_t* headers)
      : encoder_(SectionType::kEnd, BenchDialect(),
                 std::span(headers, kRecordHeaderBytes), pieces_),
        decoder_(SectionType::kEnd, BenchDialect()) {}

  std::span<const iovec> Frame(ByteSpan payload) {
    encoder_.Clear();
    encoder_.Data(payload);
    return encoder_.pieces();
  }
  std::span<const iovec> FrameHeader(size_t payload_bytes) {
    encoder_.Clear();
    encoder_.DataHeader(payload_bytes);
    return encoder_.pieces();
  }
  void Spliced(size_t bytes) { encoder_.TakeOver(bytes); }

  ByteSpan Unframe(ByteSpan record) {
    decoder_.Next(record, event_);
    return event_.payload;
  }
  size_t UnframeHeader(ByteSpan header) {
    decoder_.Next(header, event_);
    return decoder_.payload_left();
  }
  ByteSpan UnframePayload(ByteSpan payload) {
    decoder_.Next(payload, event_);
    return event_.payload;
  }
  void SplicedOut(size_t bytes) { decoder_.TakeOver(bytes); }

 private:
  iovec pieces_[SectionEncoder::kMinPieces];
  SectionEncoder encoder_;
  SectionDecoder decoder_;
  Event event_;
};

// Knows beforehand where everything is.
class Bare {
 public:
  Bare(uint8_t* headers, size_t record_bytes)
      : pieces_{{headers, kRecordHeaderBytes}, {}},
        record_bytes_(record_bytes) {}

  std::span<const iovec> Frame(ByteSpan payload) {
    pieces_[1] = {const_cast<uint8_t*>(payload.data()), payload.size()};
    return pieces_;
  }
  std::span<const iovec> FrameHeader(size_t) { return std::span(pieces_, 1); }
  void Spliced(size_t) {}
  ByteSpan Unframe(ByteSpan record) {
    return record.subspan(kRecordHeaderBytes);
  }
  size_t UnframeHeader(ByteSpan) { return record_bytes_; }
  ByteSpan UnframePayload(ByteSpan payload) { return payload; }
  void SplicedOut(size_t) {}

 private:
  iovec pieces_[2];
  size_t record_bytes_;
};

class Path {
 public:
  Path(StreamKind kind, size_t record_bytes)
      : record_bytes_(record_bytes),
        buffer_(kRecordHeaderBytes + record_bytes),
        device_(StreamKind::kMemfd, record_bytes),
        stream_(kind, buffer_.size()),
        bridge_(StreamKind::kPipe, 0) {
    buffer_.Touch();
    StoreBe64(buffer_.data(), static_cast<uint64_t>(Tag::kDevDataState));
    StoreBe64(buffer_.data() + kTagBytes, record_bytes);
  }

  uint8_t* headers() { return buffer_.data(); }

  template <typename Framing>
  void Save(Way way, Framing& framing, Stopwatch& watch) {
    Rewind();
    watch.Start();
    if (way == Way::kSplice) {
      const iovec& header = framing.FrameHeader(record_bytes_)[0];
      Took(write(stream_.in(), header.iov_base, header.iov_len),
           kRecordHeaderBytes);
      Splice(device_.out(), stream_.in());
      framing.Spliced(record_bytes_);
    } else {
      Took(read(device_.out(), payload(), record_bytes_), record_bytes_);
      std::span<const iovec> pieces =
          framing.Frame(ByteSpan(payload(), record_bytes_));
      if (way == Way::kVector) {
        Took(writev(stream_.in(), pieces.data(),
                    static_cast<int>(pieces.size())),
             buffer_.size());
      } else {
        // The payload stands behind its header.
        Took(write(stream_.in(), pieces[0].iov_base, buffer_.size()),
             buffer_.size());
      }
    }
    watch.Stop();
    stream_.Drain(buffer_.size());
  }

  template <typename Framing>
  void Load(Way way, Framing& framing, Stopwatch& watch) {
    Rewind();
    StoreBe64(buffer_.data(), static_cast<uint64_t>(Tag::kDevDataState));
    StoreBe64(buffer_.data() + kTagBytes, record_bytes_);
    Took(write(stream_.in(), buffer_.data(), buffer_.size()), buffer_.size());
    Rewind();
    watch.Start();
    if (way == Way::kSplice) {
      Took(read(stream_.out(), headers(), kRecordHeaderBytes),
           kRecordHeaderBytes);
      size_t bytes =
          framing.UnframeHeader(ByteSpan(headers(), kRecordHeaderBytes));
      Took(static_cast<ssize_t>(bytes), record_bytes_);
      Splice(stream_.out(), device_.in());
      framing.SplicedOut(bytes);
    } else {
      ByteSpan data;
      if (way == Way::kVector) {
        iovec pieces[2] = {{headers(), kRecordHeaderBytes},
                           {payload(), record_bytes_}};
        Took(readv(stream_.out(), pieces, 2), buffer_.size());
        framing.UnframeHeader(ByteSpan(headers(), kRecordHeaderBytes));
        data = framing.UnframePayload(ByteSpan(payload(), record_bytes_));
      } else {
        Took(read(stream_.out(), buffer_.data(), buffer_.size()),
             buffer_.size());
        data = framing.Unframe(buffer_.span());
      }
      Took(write(device_.in(), data.data(), data.size()), record_bytes_);
    }
    watch.Stop();
  }

 private:
  static void Took(ssize_t got, size_t expected) {
    Require(got == static_cast<ssize_t>(expected), "a call moves all bytes");
  }

  void Rewind() {
    device_.Rewind();
    stream_.Rewind();
  }

  // One record's payload. splice() wants a pipe on one side.
  void Splice(int from, int to) {
    if (stream_.kind() == StreamKind::kPipe) return Move(from, to);
    for (size_t left = record_bytes_; left > 0;) {
      ssize_t got = splice(from, nullptr, bridge_.in(), nullptr, left, 0);
      Require(got > 0, "splice() into the bridge");
      Move(bridge_.out(), to, got);
      left -= got;
    }
  }
  void Move(int from, int to) { Move(from, to, record_bytes_); }
  static void Move(int from, int to, size_t bytes) {
    while (bytes > 0) {
      ssize_t got = splice(from, nullptr, to, nullptr, bytes, 0);
      Require(got > 0, "splice()");
      bytes -= got;
    }
  }

  uint8_t* payload() { return buffer_.data() + kRecordHeaderBytes; }

  const size_t record_bytes_;
  Memory buffer_;  // A header and its payload.
  Stream device_;
  Stream stream_;
  Stream bridge_;
};

void MeasureDataPath(benchmark::State& state, bool save, StreamKind kind,
                     Way way) {
  size_t record_bytes = Scaled(state.range(0));
  size_t records = Scaled(64 << 20) / record_bytes;
  Path path(kind, record_bytes);
  auto run = [&](auto& framing, Stopwatch& watch) {
    for (size_t i = 0; i < records; ++i) {
      if (save) {
        path.Save(way, framing, watch);
      } else {
        path.Load(way, framing, watch);
      }
    }
  };
  MeasureTimed(
      state, {.items = records, .bytes = records * record_bytes},
      [&](Stopwatch& watch) {
        Codec codec(path.headers());
        run(codec, watch);
      },
      [&](Stopwatch& watch) {
        Bare bare(path.headers(), record_bytes);
        run(bare, watch);
      });
}

const bool registered = [] {
  for (bool save : {true, false}) {
    for (auto [kind_name, kind] : {std::pair("pipe", StreamKind::kPipe),
                                   std::pair("socket", StreamKind::kSocket),
                                   std::pair("memfd", StreamKind::kMemfd)}) {
      for (auto [way_name, way] : {std::pair("read-write", Way::kReadWrite),
                                   std::pair("vector", Way::kVector),
                                   std::pair("splice", Way::kSplice)}) {
        std::string name =
            StrCat(save ? "BM_Save/" : "BM_Load/", kind_name, "/", way_name);
        // What a pipe holds bounds the record.
        benchmark::RegisterBenchmark(
            name.c_str(),
            [save, kind = kind, way = way](benchmark::State& state) {
              MeasureDataPath(state, save, kind, way);
            })
            ->Arg(64 << 10)
            ->Arg(512 << 10)
            ->UseManualTime();
      }
    }
  }
  return true;
}();

}  // namespace
}  // namespace migstream
