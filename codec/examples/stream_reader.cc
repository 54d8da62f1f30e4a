// The example of codec/qemu/stream_reader.h.

#include "codec/qemu/stream_reader.h"

#include <string>

#include "codec/io/byte_source.h"
#include "gtest/gtest.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

class Counter : public StreamVisitor {
 public:
  void OnSection(const SectionView&) override { ++sections; }
  int sections = 0;
};

Error Read(const std::string& stream, Counter& visitor) {
  MemorySource source(AsBytes(stream));
  // [example]
  StreamReader reader(source, visitor);
  Error error = reader.Read();  // The visitor has seen what came before it.
  // [end]
  return error;
}

TEST(StreamReaderExample, TellsWhatThereIs) {
  std::string stream = ReadCapture(GetCapture("s111-plain"));
  Counter whole;
  EXPECT_TRUE(Read(stream, whole).ok());
  Counter cut;
  EXPECT_FALSE(Read(stream.substr(0, stream.size() / 2), cut).ok());
  EXPECT_GT(cut.sections, 0);
  EXPECT_LT(cut.sections, whole.sections);
}

}  // namespace
}  // namespace migstream
