#include <span>
#include <string>
#include <vector>

#include "codec/io/file_kind.h"
#include "codec/io/open_stream.h"
#include "codec/qemu/return_path_reader.h"
#include "codec/qemu/stream_bytes.h"
#include "codec/qemu/stream_recording.h"
#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string MessageBytes(uint16_t type, const std::string& data) {
  return Be16Bytes(type) + Be16Bytes(static_cast<uint16_t>(data.size())) + data;
}

struct Seen {
  Error error;
  std::vector<std::string> messages;  // "0x0 PONG 1"
};

Seen ReadFrom(ByteSource& source) {
  Seen seen;
  seen.error = ReadReturnPath(source, [&](const ReturnPathMessage& message) {
    seen.messages.push_back(
        StrCat(Hex(message.offset), " ", ToString(message)));
  });
  return seen;
}

Seen Read(const std::string& bytes) {
  MemorySource source(AsBytes(bytes));
  Seen seen = ReadFrom(source);
  for (size_t longest : {1, 3}) {
    ShortReadSource pipe(AsBytes(bytes), longest);
    Seen piped = ReadFrom(pipe);
    EXPECT_EQ(piped.messages, seen.messages);
    EXPECT_EQ(ToString(piped.error), ToString(seen.error));
  }
  return seen;
}

std::string BitmapBytes(const std::string& bitmap, uint64_t end) {
  return MessageBytes(5, Str8Bytes("pc.ram")) + Be64Bytes(bitmap.size()) +
         bitmap + Be64Bytes(end);
}

TEST(ReturnPathTest, EveryMessageIsNamedWithItsValue) {
  Seen seen = Read(MessageBytes(2, Be32Bytes(1)) +  //
                   MessageBytes(7, "") +            //
                   MessageBytes(3, Be64Bytes(0x1000) + Be32Bytes(4096) +
                                       Str8Bytes("pc.ram")) +
                   MessageBytes(4, Be64Bytes(0x5000) + Be32Bytes(8192)) +
                   MessageBytes(6, Be32Bytes(1)) +  //
                   MessageBytes(1, Be32Bytes(0)));
  EXPECT_TRUE(seen.error.ok()) << ToString(seen.error);
  EXPECT_THAT(seen.messages,
              ElementsAre("0x0 PONG 1", "0x8 SWITCHOVER_ACK",
                          "0xc REQ_PAGES_ID pc.ram 0x1000, 4096 bytes",
                          "0x23 REQ_PAGES 0x5000, 8192 bytes",
                          "0x33 RESUME_ACK 1", "0x3b SHUT 0"));
}

TEST(ReturnPathTest, ABitmapFollowsItsMessageOutsideOfTheLength) {
  // What looks like a message in it is not one.
  Seen seen =
      Read(BitmapBytes(MessageBytes(1, Be32Bytes(0)), 0x0123456789abcdef) +
           MessageBytes(6, Be32Bytes(1)));
  EXPECT_TRUE(seen.error.ok()) << ToString(seen.error);
  EXPECT_THAT(seen.messages, ElementsAre("0x0 RECV_BITMAP pc.ram, 8 bytes",
                                         "0x23 RESUME_ACK 1"));
}

TEST(ReturnPathTest, ABitmapEndsWithItsMark) {
  Seen seen = Read(BitmapBytes("12345678", 1));
  EXPECT_EQ(ToString(seen.error),
            "0x1b: return path RECV_BITMAP: bitmap ends with 0x1, expected "
            "0x123456789abcdef");
}

TEST(ReturnPathTest, ABitmapOf2To63BytesIsNotBackedByItsInput) {
  Seen seen = Read(MessageBytes(5, Str8Bytes("pc.ram")) +
                   Be64Bytes(uint64_t{1} << 63) + "12345678");
  EXPECT_EQ(seen.error.code, ErrorCode::kTruncated);
  EXPECT_EQ(seen.error.offset, 0x1b);
}

TEST(ReturnPathTest, AnUnknownMessageIsRefused) {
  EXPECT_EQ(ToString(Read(MessageBytes(8, "")).error),
            "0x0: return path: unknown message 0x8");
  EXPECT_EQ(ToString(Read(MessageBytes(0, "")).error),
            "0x0: return path: unknown message 0");
}

TEST(ReturnPathTest, LengthsAreThoseOfTheData) {
  EXPECT_EQ(ToString(Read(MessageBytes(2, "12345")).error),
            "0x2: return path PONG: 5 bytes of data, expected 4");
  EXPECT_EQ(ToString(Read(MessageBytes(5, "\1ab")).error),
            "0x2: return path RECV_BITMAP: length 3, but its data has 2 bytes");
}

TEST(ReturnPathTest, ANameThatContradictsTheLengthIsAnErrorAndNotAWait) {
  // It claims 255 bytes where the length leaves 6, and none has come.
  for (const std::string& bytes :
       {Be16Bytes(5) + Be16Bytes(7) + "\xff",
        Be16Bytes(3) + Be16Bytes(19) + Be64Bytes(0) + Be32Bytes(1) + "\xff"}) {
    ReturnPathDecoder decoder;
    ByteSpan input = AsBytes(bytes);
    ReturnPathMessage message;
    EXPECT_EQ(decoder.Next(input, message), Step::kError);
    EXPECT_EQ(decoder.error().code, ErrorCode::kBadCommand);
    EXPECT_EQ(decoder.error().offset, 2);
  }
}

TEST(ReturnPathTest, AnyMessageMayBeTheLastButNotAPartOfOne) {
  std::string bytes = MessageBytes(2, Be32Bytes(1)) +
                      BitmapBytes("12345678", 0x0123456789abcdef);
  for (size_t length = 0; length < bytes.size(); ++length) {
    Seen seen = Read(bytes.substr(0, length));
    if (length == 0 || length == 8) {
      EXPECT_TRUE(seen.error.ok());
    } else {
      EXPECT_EQ(seen.error.code, ErrorCode::kTruncated) << length;
      EXPECT_LE(seen.error.offset, length);
    }
  }
}

// Encoding

struct Encoded {
  ReturnPathMessage message;
  std::string bytes;
  std::string bitmap = "";
};

const Encoded kEncoded[] = {
    {{.type = ReturnMessage::kShut, .value = 1},
     Be16Bytes(1) +      // SHUT
         Be16Bytes(4) +  // Length.
         Be32Bytes(1)},  // Status.
    {{.type = ReturnMessage::kPong, .value = 0x42},
     Be16Bytes(2) +         // PONG
         Be16Bytes(4) +     // Length.
         Be32Bytes(0x42)},  // Of the PING.
    {{.type = ReturnMessage::kReqPagesId,
      .start = 0x1000,
      .bytes = 4096,
      .block = "pc.ram"},
     Be16Bytes(3) +             // REQ_PAGES_ID
         Be16Bytes(19) +        // Length.
         Be64Bytes(0x1000) +    // Start.
         Be32Bytes(4096) +      // Bytes.
         Str8Bytes("pc.ram")},  // Block.
    {{.type = ReturnMessage::kReqPages, .start = 0x5000, .bytes = 8192},
     Be16Bytes(4) +           // REQ_PAGES
         Be16Bytes(12) +      // Length.
         Be64Bytes(0x5000) +  // Start.
         Be32Bytes(8192)},    // Bytes.
    {{.type = ReturnMessage::kRecvBitmap, .block = "pc.ram", .bitmap_bytes = 8},
     Be16Bytes(5) +                      // RECV_BITMAP
         Be16Bytes(7) +                  // Length.
         Str8Bytes("pc.ram") +           // Block.
         Be64Bytes(8) +                  // Bytes of the bitmap,
         "12345678" +                    // which is outside of the length.
         Be64Bytes(0x0123456789abcdef),  // End mark.
     "12345678"},
    {{.type = ReturnMessage::kResumeAck, .value = 1},
     Be16Bytes(6) +      // RESUME_ACK
         Be16Bytes(4) +  // Length.
         Be32Bytes(1)},  // Value.
    {{.type = ReturnMessage::kSwitchoverAck},
     Be16Bytes(7) +      // SWITCHOVER_ACK
         Be16Bytes(0)},  // Length.
};

std::string Joined(std::span<const iovec> pieces) {
  std::string bytes;
  for (const iovec& piece : pieces) {
    bytes.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
  }
  return bytes;
}

TEST(ReturnPathEncoderTest, EachMessageIsItsBytes) {
  uint8_t headers[ReturnPathEncoder::kMinHeaderBytes];
  iovec pieces[ReturnPathEncoder::kMinPieces];
  ReturnPathEncoder encoder(headers, pieces);
  for (const Encoded& c : kEncoded) {
    EXPECT_EQ(encoder.Send(c.message, AsBytes(c.bitmap)), Put::kDone);
    EXPECT_EQ(Joined(encoder.pieces()), c.bytes) << ToString(c.message);
    encoder.Clear();
  }
}

TEST(ReturnPathEncoderTest, WhatIsDecodedAtAnyCutIsWhatWasEncoded) {
  for (const Encoded& c : kEncoded) {
    // Another message shows where the first has ended.
    const std::string bytes = c.bytes + kEncoded[0].bytes;
    for (size_t cut = 0; cut <= bytes.size(); ++cut) {
      ReturnPathDecoder decoder;
      std::vector<std::string> seen;
      ReturnPathMessage message;
      ByteSpan input;
      for (size_t end : {cut, bytes.size()}) {
        input =
            AsBytes(bytes).subspan(decoder.offset(), end - decoder.offset());
        Step step;
        while ((step = decoder.Next(input, message)) == Step::kEvent) {
          EXPECT_EQ(message.bitmap_bytes, seen.empty() ? c.bitmap.size() : 0);
          seen.push_back(ToString(message));
        }
        ASSERT_EQ(step, Step::kNeedInput);
        EXPECT_GT(decoder.bytes_needed(), input.size());
      }
      EXPECT_THAT(seen, ElementsAre(ToString(c.message),
                                    ToString(kEncoded[0].message)));
      EXPECT_TRUE(decoder.AtEndOfInput(input).ok());
    }
  }
}

TEST(ReturnPathEncoderTest, ABitmapIsSentByReference) {
  uint8_t headers[ReturnPathEncoder::kMinHeaderBytes];
  iovec pieces[ReturnPathEncoder::kMinPieces];
  ReturnPathEncoder encoder(headers, pieces);
  const std::string bitmap(1 << 20, 'b');
  const ReturnPathMessage message = {.type = ReturnMessage::kRecvBitmap,
                                     .block = "pc.ram"};
  EXPECT_EQ(encoder.Send(message, AsBytes(bitmap)), Put::kDone);
  ASSERT_EQ(encoder.pieces().size(), 3);
  EXPECT_EQ(encoder.pieces()[1].iov_base, bitmap.data());
}

TEST(ReturnPathEncoderTest, ABlockHasANameOfAtMost255Bytes) {
  uint8_t headers[ReturnPathEncoder::kMinHeaderBytes];
  iovec pieces[ReturnPathEncoder::kMinPieces];
  ReturnPathEncoder encoder(headers, pieces);
  for (ReturnMessage type :
       {ReturnMessage::kReqPagesId, ReturnMessage::kRecvBitmap}) {
    for (size_t bytes : {0, 1, 255, 256}) {
      const std::string name(bytes, 'n');
      EXPECT_EQ(encoder.Send({.type = type, .block = name}),
                bytes == 0 || bytes == 256 ? Put::kError : Put::kDone);
      encoder.Clear();
    }
  }
}

TEST(ReturnPathEncoderTest, WhatDoesNotFitChangesNothing) {
  uint8_t headers[ReturnPathEncoder::kMinHeaderBytes];
  iovec few[1];
  ReturnPathEncoder encoder(headers, few);
  EXPECT_EQ(encoder.Send({.type = ReturnMessage::kRecvBitmap, .block = "b"}),
            Put::kFull);
  EXPECT_TRUE(encoder.pieces().empty());
}

// Reading

TEST(ReturnPathTest, AFailureIsTheError) {
  FailingSource source(MessageBytes(2, Be32Bytes(1)));
  Seen seen = ReadFrom(source);
  EXPECT_EQ(seen.error.code, ErrorCode::kReadFailed);
  EXPECT_EQ(seen.error.reason, "out of luck");
  EXPECT_THAT(seen.messages, ElementsAre("0x0 PONG 1"));
}

TEST(ReturnPathTest, RealOnesArePongsAnAckAndShut) {
  int seen_files = 0;
  for (const testdata::Capture& capture : AllCaptures()) {
    for (const testdata::File& file : capture.files()) {
      if (file.file().find(".return") == std::string::npos) continue;
      OpenedStream opened =
          OpenStream(StrCat("testdata/captures/", file.file(), ".zst"));
      ASSERT_TRUE(opened.error.ok());
      EXPECT_EQ(KindOf(opened.source->Peek(8)), FileKind::kReturnPath);
      Seen seen = ReadFrom(*opened.source);
      EXPECT_TRUE(seen.error.ok());
      ASSERT_GE(seen.messages.size(), 2);
      EXPECT_EQ(seen.messages.front(), "0x0 PONG 1");
      EXPECT_THAT(seen.messages.back(), testing::EndsWith(" SHUT 0"));
      ++seen_files;
    }
  }
  EXPECT_GE(seen_files, 6);
}

}  // namespace
}  // namespace migstream
