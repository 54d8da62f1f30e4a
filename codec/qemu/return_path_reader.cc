#include "codec/qemu/return_path_reader.h"

#include "codec/qemu/puller.h"

namespace migstream {

Error ReadReturnPath(
    ByteSource& source,
    const std::function<void(const ReturnPathMessage&)>& on_message) {
  ReturnPathDecoder decoder(source.offset());
  ReturnPathMessage message;
  Puller puller(source);
  Pulled pulled;
  while ((pulled = puller.Next(decoder, message)) == Pulled::kEvent) {
    on_message(message);
    puller.Consume();
    decoder.TakeOver(source.Skip(decoder.payload_left()));
  }
  if (pulled == Pulled::kError) return decoder.error();
  Error error = decoder.AtEndOfInput(source.Peek(1));
  if (source.failure().empty()) return error;
  return {ErrorCode::kReadFailed, error.ok() ? source.offset() : error.offset,
          error.ok() ? "return path" : error.section, source.failure()};
}

}  // namespace migstream
