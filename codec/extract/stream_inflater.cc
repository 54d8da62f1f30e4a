#include "codec/extract/stream_inflater.h"

#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <limits>
#include <span>

namespace migstream {
namespace {

class ZlibInflater : public StreamInflater {
 public:
  ~ZlibInflater() override {
    if (begun_) inflateEnd(&stream_);
  }

 protected:
  bool Advance(ByteSpan& input, std::span<uint8_t>& to) override {
    if (!begun_) {
      if (inflateInit(&stream_) != Z_OK) return Fail();
      begun_ = true;
    }
    stream_.next_in = const_cast<uint8_t*>(input.data());
    stream_.avail_in = Size(input.size());
    stream_.next_out = to.data();
    stream_.avail_out = Size(to.size());
    uInt in_before = stream_.avail_in;
    uInt out_before = stream_.avail_out;
    int result = inflate(&stream_, Z_SYNC_FLUSH);
    input = input.subspan(in_before - stream_.avail_in);
    to = to.subspan(out_before - stream_.avail_out);
    if (result == Z_BUF_ERROR) return false;  // No input, or no room.
    // The stream is as long as the channel: it may not end.
    if (result == Z_STREAM_END) {
      return StreamInflater::Fail(ErrorCode::kMultifdInflate,
                                  "the deflate stream ends");
    }
    return result == Z_OK || Fail();
  }

 private:
  static uInt Size(size_t size) {
    return static_cast<uInt>(
        std::min<size_t>(size, std::numeric_limits<uInt>::max()));
  }
  bool Fail() {
    return StreamInflater::Fail(ErrorCode::kMultifdInflate, stream_.msg);
  }

  z_stream stream_ = {};
  bool begun_ = false;
};

class ZstdInflater : public StreamInflater {
 public:
  explicit ZstdInflater(uint64_t window_bytes) : stream_(ZSTD_createDCtx()) {
    int log = 0;
    while (log < 63 && window_bytes >> (log + 1) != 0) ++log;
    ZSTD_bounds bounds = ZSTD_dParam_getBounds(ZSTD_d_windowLogMax);
    ZSTD_DCtx_setParameter(
        stream_, ZSTD_d_windowLogMax,
        std::clamp(log, bounds.lowerBound, bounds.upperBound));
  }
  ~ZstdInflater() override { ZSTD_freeDCtx(stream_); }

  uint64_t memory_bytes() const override { return ZSTD_sizeof_DCtx(stream_); }

 protected:
  bool Advance(ByteSpan& input, std::span<uint8_t>& to) override {
    ByteSpan here = input.first(std::min(input.size(), NextBytes()));
    if (here.empty() && !flushing_) return false;
    if (magic_seen_ < kMagicBytes) {
      // The library reads older formats as well, whose windows the limit does
      // not bind. No channel holds one.
      if (!std::equal(here.begin(), here.end(), kMagic + magic_seen_)) {
        return Fail(ErrorCode::kMultifdInflate, "not a zstd frame");
      }
      magic_seen_ += here.size();
    }
    ZSTD_inBuffer in = {here.data(), here.size(), 0};
    ZSTD_outBuffer out = {to.data(), to.size(), 0};
    size_t result = ZSTD_decompressStream(stream_, &out, &in);
    input = input.subspan(in.pos);
    to = to.subspan(out.pos);
    if (ZSTD_isError(result)) {
      return Fail(
          ZSTD_getErrorCode(result) == ZSTD_error_frameParameter_windowTooLarge
              ? ErrorCode::kMultifdWindowLimit
              : ErrorCode::kMultifdInflate,
          ZSTD_getErrorName(result));
    }
    if (result == 0) magic_seen_ = 0;  // Another frame may follow.
    wanted_ = result;
    flushing_ = out.pos == out.size;
    return true;
  }

 private:
  static constexpr uint8_t kMagic[] = {0x28, 0xb5, 0x2f, 0xfd};
  static constexpr size_t kMagicBytes = sizeof kMagic;

  static constexpr size_t kBlockHeaderBytes = 3;

  // A call that fails does not tell what it gave before. So that damage is
  // found after the same bytes however the input is cut, no call goes beyond
  // the end of a block, and what is left of one is taken before the next.
  size_t NextBytes() const {
    if (flushing_) return 0;
    if (magic_seen_ < kMagicBytes) return kMagicBytes - magic_seen_;
    return wanted_ > kBlockHeaderBytes ? wanted_ - kBlockHeaderBytes
                                       : std::max<size_t>(wanted_, 1);
  }

  ZSTD_DCtx* stream_;
  size_t magic_seen_ = 0;  // Bytes of it, of the current frame.
  size_t wanted_ = 0;      // Up to the end of the next block's header.
  bool flushing_ = false;  // There may be more output without input.
};

}  // namespace

size_t StreamInflater::Inflate(ByteSpan& input, std::span<uint8_t> to) {
  size_t room = to.size();
  // Bytes that were inflated before may still be waiting for room: it has to
  // be tried without input, too.
  while (error_ == ErrorCode::kNone && !to.empty() && Advance(input, to)) {
  }
  return room - to.size();
}

std::unique_ptr<StreamInflater> NewZlibInflater() {
  return std::make_unique<ZlibInflater>();
}

std::unique_ptr<StreamInflater> NewZstdInflater(uint64_t window_bytes) {
  return std::make_unique<ZstdInflater>(window_bytes);
}

}  // namespace migstream
