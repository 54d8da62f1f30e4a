#include "codec/qemu/return_path_reader.h"

namespace migstream {

Error ReadReturnPath(
    ByteSource& source,
    const std::function<void(const ReturnPathMessage&)>& on_message) {
  ReturnPathDecoder decoder(source.offset());
  ReturnPathMessage message;
  Error error;
  for (size_t needed = 1;;) {
    ByteSpan input = source.Peek(needed);
    const size_t before = input.size();
    const Step step = decoder.Next(input, message);
    if (step == Step::kEvent) on_message(message);
    source.Consume(before - input.size());
    decoder.TakeOver(source.Skip(decoder.payload_left()));
    if (step == Step::kError) return decoder.error();
    if (step == Step::kEvent) {
      needed = 1;
    } else if (before >= needed) {
      needed = decoder.bytes_needed();
    } else {
      error = decoder.AtEndOfInput(source.Peek(1));
      break;
    }
  }
  if (source.failure().empty()) return error;
  return {ErrorCode::kReadFailed, error.ok() ? source.offset() : error.offset,
          error.ok() ? "return path" : error.section, source.failure()};
}

}  // namespace migstream
