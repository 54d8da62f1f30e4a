// The example of codec/wire/writer.h.

#include "codec/wire/writer.h"

#include "gtest/gtest.h"

namespace migstream {
namespace {

TEST(WriterExample, TakesWhatFits) {
  uint64_t tag = 0xffffffffef100004;
  uint64_t size = 3;
  auto write = [&] {
    // [example]
    uint8_t buffer[16];
    Writer writer(buffer);
    writer.Be64(tag);
    writer.Be64(size);
    if (!writer.ok()) return false;  // It did not all fit.
    // [end]
    EXPECT_EQ(writer.written().size(), 16);
    writer.U8(0);
    EXPECT_FALSE(writer.ok());
    return true;
  };
  EXPECT_TRUE(write());
}

}  // namespace
}  // namespace migstream
