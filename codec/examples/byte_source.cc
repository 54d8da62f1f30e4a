// The example of codec/io/byte_source.h.

#include "codec/io/byte_source.h"

#include "gtest/gtest.h"

namespace migstream {
namespace {

bool ReadNumber(ByteSource& source, uint64_t& number) {
  // [example]
  ByteSpan bytes = source.Peek(8);  // 8 or more; fewer at the end.
  if (bytes.size() < 8) return false;
  number = LoadBe64(bytes.data());
  source.Consume(8);
  // [end]
  return true;
}

TEST(ByteSourceExample, LooksBeforeItConsumes) {
  MemorySource source(AsBytes(std::string_view("\0\0\0\0\0\0\0\7end", 11)));
  uint64_t number = 0;
  EXPECT_TRUE(ReadNumber(source, number));
  EXPECT_EQ(number, 7);
  EXPECT_FALSE(ReadNumber(source, number));
  EXPECT_EQ(source.offset(), 8);
}

}  // namespace
}  // namespace migstream
