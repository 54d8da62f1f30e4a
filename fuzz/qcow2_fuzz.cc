// A qcow2 image of any bytes: its snapshots' states end, memory is bounded by
// two clusters however large the image says that it is, and an error is one
// that is declared.

#include <algorithm>
#include <memory>

#include "codec/io/qcow2_image.h"
#include "fuzz/counting_allocator.h"
#include "fuzz/fuzzing.h"

using namespace migstream;  // NOLINT: this file is a program.

namespace {

constexpr uint64_t kMaxRead = 1 << 20;
// A table, a cluster, and one compressed at twice its size, of 2 MiB.
constexpr size_t kMaxMemory = 16 << 20;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteSpan bytes(data, size);
  const size_t before = HeapBytes();
  auto image = std::make_shared<Qcow2Image>(
      [bytes](uint64_t offset, std::span<uint8_t> to) {
        REQUIRE(offset <= bytes.size() && to.size() <= bytes.size() - offset);
        std::copy_n(bytes.begin() + static_cast<ptrdiff_t>(offset), to.size(),
                    to.begin());
        return true;
      },
      size);
  const Error error = image->Open();
  REQUIRE(IsOfClass(error, 1 << 5));
  if (!error.ok()) return 0;
  size_t states = 0;
  for (const Qcow2Snapshot& snapshot : image->snapshots()) {
    if (snapshot.state_bytes == 0 || ++states > 8) continue;
    auto source = OpenQcow2State(image, snapshot);
    uint64_t read = 0;
    while (read < kMaxRead) {
      const ByteSpan piece = source->Peek(1);
      if (piece.empty()) break;
      read += piece.size();
      source->Consume(piece.size());
      REQUIRE(HeapBytes() < before + size * 8 + kMaxMemory);
    }
    REQUIRE(read >= std::min(kMaxRead, snapshot.state_bytes) ||
            !source->failure().empty());
  }
  return 0;
}
