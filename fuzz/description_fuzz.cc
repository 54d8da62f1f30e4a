// The description's JSON, and the walk that it drives: nothing that it claims
// leads the reader out of the stream, and a pipe gives the same as memory.

#include "codec/qemu/parse_description.h"
#include "codec/qemu/stream_recording.h"
#include "codec/qemu/vm_description.h"
#include "fuzz/fuzzing.h"

using namespace migstream;  // NOLINT: this file is a program.

namespace {

// Two sections that only the description can end, and one device.
std::string StreamWith(ByteSpan json) {
  std::string length(4, '\0');
  StoreBe32(reinterpret_cast<uint8_t*>(length.data()),
            static_cast<uint32_t>(json.size()));
  std::string stream("QEVM\0\0\0\3", 8);
  for (char id : {'\1', '\2'}) {
    stream += std::string("\4\0\0\0", 4) + id + "\5timer" +
              std::string("\0\0\0\0\0\0\0\2", 8) + std::string(24, id) +
              std::string("\x7e\0\0\0", 4) + id;
  }
  stream += std::string("\0\6", 2) + length;
  stream += std::string(AsText(json));
  return stream;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ByteSpan json(data, size);
  auto parsed =
      ParseDescription(std::string(AsText(json)), {.max_objects = 1000});
  if (parsed.ok()) {
    for (const DescribedDevice& device : parsed->devices) {
      const DescribedDevice* found =
          parsed->Find(device.name, device.instance_id);
      REQUIRE(found != nullptr && found->name == device.name);
    }
  }
  std::string stream = StreamWith(json);
  FoundDescription found = FindDescription(AsBytes(stream));
  REQUIRE(!found.found || found.json_at <= stream.size());
  MemorySource memory(AsBytes(stream));
  Recorded whole = Record(memory);
  REQUIRE(IsOfClass(whole.error, 1 << 1 | 1 << 4 | 1 << 5));
  REQUIRE(memory.offset() <= stream.size());
  ShortReadSource pipe(AsBytes(stream), 7);
  Recorded piped = Record(pipe);
  REQUIRE(ToString(piped.error) == ToString(whole.error));
  REQUIRE(piped.recording.Text() == whole.recording.Text());
  return 0;
}
