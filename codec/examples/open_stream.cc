// The example of codec/io/open_stream.h.

#include "codec/io/open_stream.h"

#include "gtest/gtest.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

Error Magic(const std::string& path, std::string& magic) {
  // [example]
  OpenedStream opened = OpenStream(path);
  if (!opened.error.ok()) return opened.error;
  ByteSource& source = *opened.source;  // For a StreamReader.
  // [end]
  magic = AsText(source.Peek(4).first(4));
  return {};
}

TEST(OpenStreamExample, TakesTheCompressionOff) {
  std::string magic;
  EXPECT_TRUE(Magic(CapturePath(GetCapture("s111-plain")), magic).ok());
  EXPECT_EQ(magic, "QEVM");
  EXPECT_FALSE(Magic("/nonexistent/vm.save", magic).ok());
}

}  // namespace
}  // namespace migstream
