// What may stand around a stream, compression and libvirt's header: a pipe
// gives the same as memory, what comes out is bounded by what is asked for, and
// an error is one that is declared.

#include <algorithm>
#include <memory>

#include "codec/io/open_stream.h"
#include "codec/qemu/stream_recording.h"
#include "fuzz/counting_allocator.h"
#include "fuzz/fuzzing.h"

using namespace migstream;  // NOLINT: this file is a program.

namespace {

constexpr uint64_t kMaxRead = 1 << 20;
constexpr uint64_t kWindow = 1 << 17;
// A decompressor's tables and buffers, beside its window: bzip2's is 4 MiB,
// whatever the window.
constexpr size_t kMaxMemory = 16 << 20;

struct Seen {
  std::string bytes;
  std::string xml;
  Error error;
  std::string failure;
  uint64_t offset = 0;

  // The source could not be read on: what it is compressed with is damaged.
  bool broken() const {
    return !failure.empty() || error.code == ErrorCode::kReadFailed;
  }
};

// A decompressor that is shown more at once may see that its input is damaged
// before it has given all that is good, or after it has given more. What that
// seems to be is then no matter, but that it is damaged is.
bool Alike(const Seen& one, const Seen& other) {
  if (one.broken() || other.broken()) {
    // Unless one has read as much as it may, before the other's damage.
    auto fine = [](const Seen& seen) {
      return !seen.broken() && seen.error.ok() && seen.bytes.size() < kMaxRead;
    };
    return !fine(one) && !fine(other);
  }
  return ToString(one.error) == ToString(other.error) &&
         one.bytes == other.bytes && one.xml == other.xml &&
         one.offset == other.offset;
}

Seen ReadAll(std::unique_ptr<ByteSource> source, uint64_t offset) {
  Seen seen;
  OpenOptions options;
  options.offset = offset;
  options.limits.window_bytes = kWindow;
  options.on_xml = [&seen](ByteSpan xml) {
    seen.xml += std::string(AsText(xml));
  };
  const size_t before = HeapBytes();
  OpenedStream opened = Unwrap(std::move(source), options);
  seen.error = opened.error;
  REQUIRE(IsOfClass(opened.error, 1 << 1 | 1 << 4 | 1 << 5));
  REQUIRE(opened.error.ok() == (opened.source != nullptr));
  REQUIRE(HeapBytes() - before < kMaxMemory || HeapBytes() < before);
  if (opened.source == nullptr) return seen;
  seen.offset = opened.source->offset();
  while (seen.bytes.size() < kMaxRead) {
    ByteSpan piece = opened.source->Peek(1);
    if (piece.empty()) break;
    piece = piece.first(
        std::min<size_t>(piece.size(), kMaxRead - seen.bytes.size()));
    seen.bytes += std::string(AsText(piece));
    opened.source->Consume(piece.size());
    REQUIRE(HeapBytes() - before < kMaxMemory || HeapBytes() < before);
  }
  seen.failure = opened.source->failure();
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzInput input(data, size);
  uint8_t choice = input.Choice();
  uint64_t offset = (choice & 1) != 0 ? input.Choice() : 0;
  ByteSpan bytes = input.Rest();
  Seen memory = ReadAll(std::make_unique<MemorySource>(bytes), offset);
  Seen pipe =
      ReadAll(std::make_unique<ShortReadSource>(bytes, 1 + choice), offset);
  if (!Alike(memory, pipe)) {
    for (const Seen* seen : {&memory, &pipe}) {
      std::fprintf(stderr, "%zu bytes from %#zx; error '%s', failure '%s'\n",
                   seen->bytes.size(), static_cast<size_t>(seen->offset),
                   ToString(seen->error).c_str(), seen->failure.c_str());
    }
  }
  REQUIRE(Alike(memory, pipe));
  return 0;
}
