#include "codec/channels/channel_source.h"

#include <algorithm>

namespace migstream {
namespace {

constexpr size_t kPieceBytes = 32 << 10;

}  // namespace

Step ChannelSource::Next(MultifdEvent& event) {
  if (!error_.ok()) return Step::kError;
  source_.Consume(used_);
  used_ = 0;
  // Where nothing is read ahead, a payload still comes in pieces of some size.
  size_t needed = std::clamp<size_t>(decoder_.payload_left(), 1, kPieceBytes);
  while (true) {
    ByteSpan input = source_.Peek(needed);
    size_t before = input.size();
    switch (decoder_.Next(input, event)) {
      case Step::kEvent:
        used_ = before - input.size();
        return Step::kEvent;
      case Step::kNeedInput:
        if (before >= needed) {
          needed = decoder_.bytes_needed();
          continue;
        }
        error_ = decoder_.AtEndOfInput(kMultifdSection, input);
        rest_ = input;
        if (!source_.failure().empty()) {
          error_ = {ErrorCode::kReadFailed, decoder_.offset(), kMultifdSection,
                    source_.failure()};
        }
        error_ = OfChannel(name_, std::move(error_));
        return error_.ok() ? Step::kDone : Step::kError;
      default:
        error_ = OfChannel(name_, decoder_.error(kMultifdSection));
        return Step::kError;
    }
  }
}

ByteSpan ChannelSource::PeekPayload(size_t count) {
  source_.Consume(used_);
  used_ = 0;
  const ByteSpan bytes = source_.Peek(count);
  return bytes.first(std::min(count, bytes.size()));
}

}  // namespace migstream
