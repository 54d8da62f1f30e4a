// The example of codec/state/state_json.h.

#include "codec/state/state_json.h"

#include "codec/io/byte_sink.h"
#include "codec/io/byte_source.h"
#include "codec/qemu/stream_reader.h"
#include "codec/state/field_reader.h"
#include "gtest/gtest.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

TEST(StateJsonExample, IsJsonOfACutStreamToo) {
  const std::string stream = ReadCapture(GetCapture("s111-plain"));
  const ReaderOptions options;
  for (size_t bytes : {stream.size(), stream.size() / 2}) {
    MemorySource source(AsBytes(stream).first(bytes));
    StringSink sink;
    // [example]
    StateJson json(sink);
    FieldReader fields(json);
    StreamReader reader(source, fields, options);
    Error error = reader.Read();
    fields.Finish(error);
    json.Finish();
    // [end]
    EXPECT_EQ(error.ok(), bytes == stream.size());
    EXPECT_EQ(sink.bytes().front(), '{');
    EXPECT_EQ(sink.bytes().substr(sink.bytes().size() - 2), "}\n");
  }
}

}  // namespace
}  // namespace migstream
