#include "codec/qemu/return_path.h"

#include <algorithm>

#include "codec/wire/text.h"
#include "codec/wire/writer.h"

namespace migstream {
namespace {

constexpr char kSection[] = "return path";

std::string Name(ReturnMessage type) {
  return StrCat("return path ", ToString(type));
}

// The name that is the rest of a message's data. A length that contradicts the
// message's is an error at once: what it claims is not waited for.
std::string_view ReadBlock(RecordCursor& cursor, uint64_t data,
                           uint16_t length) {
  const uint8_t bytes = cursor.U8();
  const uint64_t end = cursor.offset() + bytes;
  if (end != data + length) {
    cursor.Fail(
        ErrorCode::kBadCommand, data - 2,
        StrCat("length ", length, ", but its data has ", end - data, " bytes"));
  }
  return AsText(cursor.Bytes(bytes));
}

// The data of a message, as far as its length counts it.
void ReadData(RecordCursor& cursor, uint16_t length,
              ReturnPathMessage& message) {
  const uint64_t data = cursor.offset();
  switch (message.type) {
    case ReturnMessage::kShut:
    case ReturnMessage::kPong:
    case ReturnMessage::kResumeAck:
      message.value = cursor.Be32();
      break;
    case ReturnMessage::kReqPages:
    case ReturnMessage::kReqPagesId:
      message.start = cursor.Be64();
      message.bytes = cursor.Be32();
      if (message.type == ReturnMessage::kReqPagesId) {
        message.block = ReadBlock(cursor, data, length);
      }
      break;
    case ReturnMessage::kRecvBitmap:
      message.block = ReadBlock(cursor, data, length);
      break;
    case ReturnMessage::kSwitchoverAck:
      break;
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

Step ReturnPathDecoder::Next(ByteSpan& input, ReturnPathMessage& message) {
  if (!walk_.error.ok()) return Step::kError;
  if (walk_.payload_left != 0) {
    const size_t here = std::min<uint64_t>(walk_.payload_left, input.size());
    TakeOver(here);
    input = input.subspan(here);
    if (walk_.payload_left != 0) return walk_.Need(1);
  }
  RecordCursor cursor(input, walk_.offset);
  if (in_bitmap_) {
    const uint64_t end = cursor.Be64();
    if (!cursor.ok()) return walk_.Stop(cursor);
    if (end != kRecvBitmapEnd) {
      return Fail(walk_.offset, Name(ReturnMessage::kRecvBitmap),
                  StrCat("bitmap ends with ", Hex(end), ", expected ",
                         Hex(kRecvBitmapEnd)));
    }
    in_bitmap_ = false;
    input = input.subspan(cursor.bytes());
    walk_.offset += cursor.bytes();
    cursor = RecordCursor(input, walk_.offset);
  }
  message = {};
  message.offset = walk_.offset;
  message.type = static_cast<ReturnMessage>(cursor.Be16());
  const uint16_t length = cursor.Be16();
  if (!cursor.ok()) return walk_.Stop(cursor);
  if (!IsReturnMessageLength(message.type, length)) {
    const std::string_view lengths = ReturnMessageLengths(message.type);
    if (lengths.empty()) {
      return Fail(message.offset, kSection,
                  StrCat("unknown message ", ToString(message.type)));
    }
    return Fail(message.offset + 2, Name(message.type),
                StrCat(length, " bytes of data, expected ", lengths));
  }
  ReadData(cursor, length, message);
  const bool bitmap = message.type == ReturnMessage::kRecvBitmap;
  if (bitmap) message.bitmap_bytes = cursor.Be64();
  if (!cursor.ok()) {
    if (cursor.error().ok()) return walk_.Stop(cursor);
    return Fail(cursor.error().offset, Name(message.type),
                cursor.error().reason);
  }
  in_bitmap_ = bitmap;
  walk_.Await(message.bitmap_bytes, "a bitmap");
  input = input.subspan(cursor.bytes());
  walk_.offset += cursor.bytes();
  return Step::kEvent;
}

Step ReturnPathDecoder::Fail(uint64_t at, std::string section,
                             std::string reason) {
  walk_.error = {ErrorCode::kBadCommand, at, std::move(section),
                 std::move(reason)};
  return Step::kError;
}

Error ReturnPathDecoder::AtEndOfInput(ByteSpan left) const {
  if (between() && left.empty()) return {};
  Error error = walk_.Truncated(left.size());
  error.section = kSection;
  if (!between()) {
    error.section = Name(ReturnMessage::kRecvBitmap);
  } else if (left.size() < 4) {
    error.reason = "input ends in a message's header";
  } else {
    error.section = Name(static_cast<ReturnMessage>(LoadBe16(left.data())));
  }
  return error;
}

Put ReturnPathEncoder::Send(const ReturnPathMessage& message, ByteSpan bitmap) {
  uint8_t bytes[kMinHeaderBytes];
  Writer data(bytes);
  switch (message.type) {
    case ReturnMessage::kShut:
    case ReturnMessage::kPong:
    case ReturnMessage::kResumeAck:
      data.Be32(message.value);
      break;
    case ReturnMessage::kReqPages:
    case ReturnMessage::kReqPagesId:
      data.Be64(message.start);
      data.Be32(message.bytes);
      if (message.type == ReturnMessage::kReqPagesId) data.Str8(message.block);
      break;
    case ReturnMessage::kRecvBitmap:
      data.Str8(message.block);
      break;
    case ReturnMessage::kSwitchoverAck:
      break;
  }
  const size_t length = data.written().size();
  if (!data.ok() ||
      !IsReturnMessageLength(message.type, static_cast<uint16_t>(length))) {
    return Put::kError;
  }
  const bool has_bitmap = message.type == ReturnMessage::kRecvBitmap;
  if (has_bitmap) data.Be64(bitmap.size());
  const ByteSpan written = data.written();
  if (!gather_.Room(4 + std::ssize(written) + 8, 4)) return Put::kFull;
  uint8_t* head = gather_.Header(4 + written.size());
  StoreBe16(head, static_cast<uint16_t>(message.type));
  StoreBe16(head + 2, static_cast<uint16_t>(length));
  std::copy(written.begin(), written.end(), head + 4);
  if (has_bitmap) {
    gather_.Piece(bitmap);
    StoreBe64(gather_.Header(8), kRecvBitmapEnd);
  }
  return Put::kDone;
}

}  // namespace migstream
