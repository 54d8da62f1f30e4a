// The example of codec/wire/cursor.h.

#include "codec/wire/cursor.h"

#include "gtest/gtest.h"

namespace migstream {
namespace {

bool ReadCommand(ByteSpan bytes, ByteSpan& result) {
  // [example]
  Cursor cursor(bytes, 0x100);
  uint16_t command = cursor.Be16();
  ByteSpan data = cursor.Bytes(cursor.Be16());
  if (!cursor.ok()) return false;  // The bytes ended before.
  // [end]
  result = data;
  return command == 5;
}

TEST(CursorExample, ReadsWhatIsThere) {
  ByteSpan data;
  EXPECT_TRUE(ReadCommand(AsBytes(std::string_view("\0\5\0\2ab", 6)), data));
  EXPECT_EQ(AsText(data), "ab");
  EXPECT_FALSE(ReadCommand(AsBytes(std::string_view("\0\5\0\2a", 5)), data));
}

}  // namespace
}  // namespace migstream
