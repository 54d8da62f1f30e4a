// The same in C++20, with the headers and the archive that are installed.

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "codec/qemu/stream_decoder.h"

using namespace migstream;

// For a test: up to the first footer with the section's id.
static ContentLength LengthOf(const SectionView& section, ByteSpan input) {
  std::string footer = "\x7e";
  for (int shift = 24; shift >= 0; shift -= 8) {
    footer += static_cast<char>(section.id >> shift);
  }
  size_t at = AsText(input).find(footer);
  if (at == std::string::npos) return {};
  return {.kind = ContentLength::kBytes, .bytes = at};
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  std::ifstream file(argv[1], std::ios::binary);
  std::string stream{std::istreambuf_iterator<char>(file), {}};
  StreamDecoder decoder({.content_length = LengthOf});
  ByteSpan input = AsBytes(stream);
  StreamEvent event;
  uint64_t payload = 0;
  Step step;
  while ((step = decoder.Next(input, event)) == Step::kEvent) {
    if (event.kind == StreamEvent::kDevice &&
        event.device.kind == EventKind::kData) {
      payload += event.device.payload.size();
    }
  }
  if (step == Step::kError) {
    std::fprintf(stderr, "%s\n", ToString(decoder.error()).c_str());
  }
  std::printf("%llu\n", static_cast<unsigned long long>(payload));
  return step == Step::kDone ? 0 : 1;
}
