// The example of codec/state/field_paths.h.

#include "codec/state/field_paths.h"

#include <sstream>

#include "codec/io/byte_source.h"
#include "codec/qemu/stream_reader.h"
#include "codec/state/field_reader.h"
#include "gtest/gtest.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

Error Tell(const std::string& stream, std::ostream& out) {
  MemorySource source(AsBytes(stream));
  const ReaderOptions options;
  // [example]
  FieldPaths paths([&](const PathValue& value) {
    out << value.device << " " << value.path << " = " << value.text << "\n";
  });
  FieldReader fields(paths);
  StreamReader reader(source, fields, options);
  Error error = reader.Read();
  fields.Finish(error);
  // [end]
  return error;
}

TEST(FieldPathsExample, ListsTheFields) {
  std::string stream = ReadCapture(GetCapture("s111-plain"));
  std::ostringstream out;
  EXPECT_TRUE(Tell(stream, out).ok());
  EXPECT_NE(out.str().find("timer cpu_ticks_offset = "), std::string::npos);
}

TEST(FieldPathsExample, ADamagedFooterEndsItWell) {
  std::string stream = ReadCapture(GetCapture("s111-plain"));
  const std::string apic("\x04\x61pic", 5);
  size_t device = stream.find(
      "\x04"
      "apic");
  ASSERT_NE(device, std::string::npos);
  size_t footer = stream.find('\x7e', device);
  ASSERT_NE(footer, std::string::npos);
  stream[footer] = 0x55;
  std::ostringstream out;
  EXPECT_FALSE(Tell(stream, out).ok());
}

}  // namespace
}  // namespace migstream
