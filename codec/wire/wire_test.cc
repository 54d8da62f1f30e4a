#include <span>

#include "codec/wire/cursor.h"
#include "codec/wire/error.h"
#include "codec/wire/printable.h"
#include "codec/wire/writer.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

constexpr uint8_t kBytes[] = {
    0x08,                    // u8
    0x00, 0x0b,              // be16
    0x51, 0x45, 0x56, 0x4d,  // be32
    0xff, 0xff, 0xff, 0xff,  // be64
    0xef, 0x10, 0x00, 0x04,  //
    0x03, 'r',  'a',  'm',   // str8
};

TEST(CursorTest, NumbersAreBigEndianAndOffsetsAbsolute) {
  Cursor cursor(kBytes, 0x100);
  EXPECT_EQ(cursor.U8(), 8);
  EXPECT_EQ(cursor.Be16(), 11);
  EXPECT_EQ(cursor.offset(), 0x103);
  EXPECT_EQ(cursor.Be32(), 0x5145564d);
  EXPECT_EQ(cursor.Be64(), 0xffffffffef100004);
  EXPECT_EQ(cursor.Str8(), "ram");
  EXPECT_EQ(cursor.remaining(), 0);
  EXPECT_TRUE(cursor.ok());
}

TEST(CursorTest, PastTheEndEverythingIsZeroAndStaysSo) {
  Cursor cursor(ByteSpan(kBytes).first(3));
  EXPECT_EQ(cursor.Be64(), 0);
  EXPECT_FALSE(cursor.ok());
  EXPECT_EQ(cursor.U8(), 0);
  EXPECT_EQ(cursor.Str8(), "");
  EXPECT_FALSE(cursor.ok());
}

TEST(WriterTest, WritesWhatACursorReads) {
  uint8_t buffer[sizeof kBytes];
  Writer writer(buffer);
  writer.U8(8);
  writer.Be16(11);
  writer.Be32(0x5145564d);
  writer.Be64(0xffffffffef100004);
  writer.Str8("ram");
  EXPECT_TRUE(writer.ok());
  EXPECT_TRUE(IsSame(writer.written(), kBytes));
}

TEST(WriterTest, WhatDoesNotFitIsNotWritten) {
  uint8_t buffer[4];
  Writer writer(buffer);
  writer.Be16(1);
  writer.Be32(2);
  EXPECT_FALSE(writer.ok());
  EXPECT_EQ(writer.written().size(), 2);
  writer.U8(3);
  EXPECT_EQ(writer.written().size(), 2);
}

TEST(WriterTest, AStr8HoldsAtMost255Bytes) {
  uint8_t buffer[512];
  Writer writer(buffer);
  writer.Str8(std::string(255, 'x'));
  EXPECT_TRUE(writer.ok());
  writer.Str8(std::string(256, 'x'));
  EXPECT_FALSE(writer.ok());
}

TEST(ErrorTest, ReadsOffsetThenSectionThenReason) {
  Error error = {ErrorCode::kUnknownTag, 0x2e41, "0000:00:05.0/vfio END",
                 "unknown tag 0x9"};
  EXPECT_EQ(ToString(error), "0x2e41: 0000:00:05.0/vfio END: unknown tag 0x9");
}

TEST(PrintableTest, WhatATerminalWouldObeyIsEscaped) {
  EXPECT_EQ(Printable("0000:00:05.0/vfio"), "0000:00:05.0/vfio");
  EXPECT_EQ(Printable("a\x1b[2Jb\xff"), "a\\x1b[2Jb\\xff");
  EXPECT_EQ(Printable("a\\x1b"), "a\\x5cx1b");
  EXPECT_EQ(Printable("a\\b"), "a\\b");
}

TEST(PrintableTest, OfANameThatNothingConfirmsSixteenBytesAreShown) {
  EXPECT_EQ(UnknownName("0123456789abcdef"), "0123456789abcdef");
  EXPECT_EQ(UnknownName("0123456789abcdef0"), "0123456789abcdef...");
  EXPECT_EQ(UnknownName("0000:00:1f.2/ich9_ahci"), "0000:00:1f.2/ich9_ahci");
  EXPECT_EQ(UnknownName("0000:00:1f.2/0123456789abcdef0"),
            "0000:00:1f.2/0123456789abcdef...");
  EXPECT_EQ(UnknownName("configuration/0123456789abcdef0"),
            "configuration/0123456789abcdef...");
  EXPECT_EQ(UnknownName("SECRET:SE:CR.E/T"), "SECRET:SE:CR.E/T");
  EXPECT_EQ(UnknownName("secr:et:se.c/ret01234"), "secr:et:se.c/ret...");
}

TEST(PrintableTest, ANameIsMeantAsItIsOrAsItIsShown) {
  EXPECT_TRUE(IsNamed("a\x1b", "a\x1b"));
  EXPECT_TRUE(IsNamed("a\x1b", "a\\x1b"));
  EXPECT_FALSE(IsNamed("a\x1b", "a"));
}

}  // namespace
}  // namespace migstream
