#include "codec/io/kept_bytes.h"

#include <algorithm>
#include <utility>

namespace migstream {
namespace {

// A place in the stream has this bit.
constexpr uint64_t kStreamBit = uint64_t{1} << 63;

// What is no further ahead is stepped over, rather than sought.
constexpr uint64_t kNearBytes = 128 << 10;

}  // namespace

void KeptBytes::SetStream(std::unique_ptr<ByteSource> stream) {
  stream_ = stream != nullptr && stream->MoveTo(stream->offset())
                ? std::move(stream)
                : nullptr;
}

std::optional<uint64_t> KeptBytes::InStream(uint64_t offset) const {
  if (stream_ == nullptr || offset >= kStreamBit) return std::nullopt;
  return offset | kStreamBit;
}

Error KeptBytes::Append(ByteSpan bytes, uint64_t& place) {
  place = Reserve(bytes.size());
  return Write(place, bytes);
}

uint64_t KeptBytes::Reserve(uint64_t bytes) {
  const uint64_t at = std::max(reserved_to_, file_.size());
  reserved_to_ = at + bytes;
  return InFile(at);
}

Error KeptBytes::Write(uint64_t place, ByteSpan bytes) {
  return file_.WriteAt(place, bytes);
}

Error KeptBytes::Get(uint64_t place, std::span<uint8_t> buffer,
                     ByteSpan& bytes) const {
  return GetFrom(file_, stream_.get(), place, buffer, bytes);
}

std::optional<KeptBytes::Reader> KeptBytes::NewReader() const {
  // What is still to be written would be by whoever reads first.
  if (!file_.Flush().ok()) return std::nullopt;
  if (stream_ == nullptr) return Reader(file_, nullptr);
  std::unique_ptr<ByteSource> stream = stream_->Again();
  if (stream == nullptr) return std::nullopt;
  return Reader(file_, std::move(stream));
}

Error KeptBytes::GetFrom(const TempFile& file, ByteSource* from, uint64_t place,
                         std::span<uint8_t> buffer, ByteSpan& bytes) {
  if ((place & kStreamBit) == 0) {
    bytes = buffer;
    return file.ReadAt(place, buffer);
  }
  ByteSource& stream = *from;
  const uint64_t offset = place & ~kStreamBit;
  const uint64_t at = stream.offset();
  // What stands alone is not worth reading more around it.
  const bool near = offset >= at && offset - at <= kNearBytes;
  stream.SetReadAhead(near);
  if (near) {
    stream.Skip(offset - at);
  } else {
    stream.MoveTo(offset);
  }
  bytes = stream.Peek(buffer.size());
  if (bytes.size() < buffer.size()) {
    return {ErrorCode::kReadFailed, offset, "",
            "the stream has become shorter while it was read"};
  }
  bytes = bytes.first(buffer.size());
  return {};
}

Error KeptBytes::Read(uint64_t place, std::span<uint8_t> buffer) const {
  ByteSpan bytes;
  Error error = Get(place, buffer, bytes);
  if (error.ok() && bytes.data() != buffer.data()) {
    std::copy(bytes.begin(), bytes.end(), buffer.begin());
  }
  return error;
}

}  // namespace migstream
