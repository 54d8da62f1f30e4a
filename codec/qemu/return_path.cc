#include "codec/qemu/return_path.h"

#include <string_view>

#include "codec/qemu/content_reader.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

std::string Name(ReturnMessage type) {
  return StrCat("return path ", ToString(type));
}

// The data of a message, and what follows it outside of its length.
void ReadData(ContentReader& content, uint16_t length,
              ReturnPathMessage& message) {
  uint64_t data = content.offset();
  switch (message.type) {
    case ReturnMessage::kShut:
    case ReturnMessage::kPong:
    case ReturnMessage::kResumeAck:
      message.value = content.Be32();
      break;
    case ReturnMessage::kReqPages:
    case ReturnMessage::kReqPagesId:
      message.start = content.Be64();
      message.bytes = content.Be32();
      if (message.type == ReturnMessage::kReqPagesId) {
        message.block = content.Str8();
      }
      break;
    case ReturnMessage::kRecvBitmap:
      message.block = content.Str8();
      break;
    case ReturnMessage::kSwitchoverAck:
      break;
  }
  if (content.ok() && content.offset() != data + length) {
    content.Fail(ErrorCode::kBadCommand, message.offset + 2,
                 StrCat("length ", length, ", but its data has ",
                        content.offset() - data, " bytes"));
  }
  if (message.type != ReturnMessage::kRecvBitmap) return;
  message.bitmap_bytes = content.Be64();
  content.Pass(message.bitmap_bytes, "a bitmap");
  uint64_t at = content.offset();
  uint64_t end = content.Be64();
  if (content.ok() && end != kRecvBitmapEnd) {
    content.Fail(ErrorCode::kBadCommand, at,
                 StrCat("bitmap ends with ", Hex(end), ", expected ",
                        Hex(kRecvBitmapEnd)));
  }
}

}  // namespace

std::string ToString(const ReturnPathMessage& message) {
  std::string text = ToString(message.type);
  switch (message.type) {
    case ReturnMessage::kShut:
    case ReturnMessage::kPong:
    case ReturnMessage::kResumeAck:
      StrAppend(&text, " ", message.value);
      break;
    case ReturnMessage::kReqPagesId:
    case ReturnMessage::kReqPages:
      StrAppend(&text, message.block.empty() ? "" : " ", message.block, " ",
                Hex(message.start), ", ", message.bytes, " bytes");
      break;
    case ReturnMessage::kRecvBitmap:
      StrAppend(&text, " ", message.block, ", ", message.bitmap_bytes,
                " bytes");
      break;
    case ReturnMessage::kSwitchoverAck:
      break;
  }
  return text;
}

Error ReadReturnPath(
    ByteSource& source,
    const std::function<void(const ReturnPathMessage&)>& on_message) {
  StreamVisitor none;
  while (!source.Peek(1).empty()) {
    ReturnPathMessage message;
    message.offset = source.offset();
    ByteSpan head = source.Peek(4);
    if (head.size() < 4) {
      return {ErrorCode::kTruncated, message.offset + head.size(),
              "return path", "input ends in a message's header"};
    }
    message.type = static_cast<ReturnMessage>(LoadBe16(head.data()));
    uint16_t length = LoadBe16(&head[2]);
    if (!IsReturnMessageLength(message.type, length)) {
      std::string_view lengths = ReturnMessageLengths(message.type);
      if (lengths.empty()) {
        return {ErrorCode::kBadCommand, message.offset, "return path",
                StrCat("unknown message ", ToString(message.type))};
      }
      return {ErrorCode::kBadCommand, message.offset + 2, Name(message.type),
              StrCat(length, " bytes of data, expected ", lengths)};
    }
    source.Consume(4);
    ContentReader content(source, none, Name(message.type));
    ReadData(content, length, message);
    if (!content.ok()) {
      Error error = content.error();
      if (error.code == ErrorCode::kTruncated && !source.failure().empty()) {
        error.code = ErrorCode::kReadFailed;
        error.reason = source.failure();
      }
      return error;
    }
    on_message(message);
  }
  if (source.failure().empty()) return {};
  return {ErrorCode::kReadFailed, source.offset(), "return path",
          source.failure()};
}

}  // namespace migstream
