// The enclosing stream: from memory, which can be sought in, and from a pipe
// that returns short reads, a reader tells the same; what is read without an
// error is written again as it was.

#include "codec/qemu/stream_recording.h"
#include "codec/qemu/stream_writer.h"
#include "fuzz/fuzzing.h"

using namespace migstream;  // NOLINT: this file is a program.

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzInput input(data, size);
  ReaderOptions options;
  uint8_t dialect = input.Choice();
  if (dialect < AllDialects().size()) options.dialect = &AllDialects()[dialect];
  uint8_t longest = input.Choice();

  ByteSpan bytes = input.Rest();
  MemorySource memory(bytes);
  Recorded whole = Record(memory, options);
  REQUIRE(IsOfClass(whole.error, 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5));
  REQUIRE(memory.offset() <= bytes.size());
  ShortReadSource pipe(bytes, 1 + longest * 16);
  Recorded piped = Record(pipe, options);
  REQUIRE(ToString(piped.error) == ToString(whole.error));
  REQUIRE(piped.recording.Text() == whole.recording.Text());
  REQUIRE(piped.trailing_bytes == whole.trailing_bytes);

  if (!whole.error.ok() && whole.error.code != ErrorCode::kTruncated) return 0;
  MemorySource again(bytes);
  StringSink sink;
  REQUIRE(Repack(again, sink, options, nullptr).code == whole.error.code);
  REQUIRE(AsText(bytes).starts_with(sink.bytes()));
  if (whole.error.ok()) {
    REQUIRE(sink.bytes().size() + whole.trailing_bytes == bytes.size());
  }
  return 0;
}
