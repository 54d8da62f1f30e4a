// One channel's compressed stream, inflated piece by piece: what
// page_inflater.h is made of. FORMAT.md section 13.3.
//
//   auto inflater = NewZstdInflater(32 << 20);
//   size_t got = inflater->Inflate(input, to);  // From the input's front.
//   if (inflater->error() != ErrorCode::kNone) …;
//
// Memory is that of one window, allocated when the stream begins.

#ifndef MIGSTREAM_CODEC_EXTRACT_STREAM_INFLATER_H_
#define MIGSTREAM_CODEC_EXTRACT_STREAM_INFLATER_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "codec/wire/bytes.h"
#include "codec/wire/error.h"

namespace migstream {

class StreamInflater {
 public:
  virtual ~StreamInflater() = default;

  // Inflates until `to` is full, or all of the input is used and nothing is
  // left to give; how many bytes it gave. Fewer than `to` has room for means
  // the latter, or an error. However the input is cut, an error comes after the
  // same bytes; it may come with the last of them.
  size_t Inflate(ByteSpan& input, std::span<uint8_t> to);

  // What it takes so far, if that is more than a little.
  virtual uint64_t memory_bytes() const { return 0; }

  // kMultifdInflate or kMultifdWindowLimit; it is final.
  ErrorCode error() const { return error_; }
  // What the library says. Lives as long as the program.
  std::string_view reason() const { return reason_; }

 protected:
  // One call of the library: takes from the front of both. False where it
  // cannot go on for now.
  virtual bool Advance(ByteSpan& input, std::span<uint8_t>& to) = 0;
  bool Fail(ErrorCode code, const char* reason) {
    error_ = code;
    reason_ = reason != nullptr ? reason : "damaged";
    return false;
  }

 private:
  ErrorCode error_ = ErrorCode::kNone;
  std::string_view reason_;
};

// A zlib stream; its window is of 32 KiB at the most.
std::unique_ptr<StreamInflater> NewZlibInflater();

// A zstd stream, whose windows may be of `window_bytes`.
std::unique_ptr<StreamInflater> NewZstdInflater(uint64_t window_bytes);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_EXTRACT_STREAM_INFLATER_H_
