// Finds where a section, or what ends the stream, begins behind damage.
// FORMAT.md section 8.
//
//   NextSection next(source, decoder, options, description, budget);
//   std::optional<uint64_t> offset = next.Find(from);
//
// Payload and guest memory can spell anything. So a place counts only if more
// than its first bytes fits: the footer of the section before it, and all of
// the section up to its own footer. It is a guess all the same.

#ifndef MIGSTREAM_CODEC_RECOVER_NEXT_SECTION_H_
#define MIGSTREAM_CODEC_RECOVER_NEXT_SECTION_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "codec/io/byte_source.h"
#include "codec/qemu/section_guess.h"
#include "codec/qemu/stream_decoder.h"
#include "codec/qemu/stream_event.h"
#include "codec/qemu/stream_reader.h"
#include "codec/qemu/vm_description.h"
#include "codec/wire/bytes.h"

namespace migstream {

// A section's first bytes, without the content.
struct SectionHead {
  SectionView section;
  size_t bytes = 0;
};

// Nothing if none can begin with these bytes. A PART or an END has the name
// that `known` gives for its id.
std::optional<SectionHead> ParseSectionHead(
    ByteSpan bytes,
    const std::function<const std::string*(uint32_t id)>& known);

class NextSection {
 public:
  // All must outlive it; the source has MoveTo(), and `description` may be
  // null. The decoder says what is known at the damage. The budget is what
  // places that prove to be wrong may yet cost, in bytes, and is spent: without
  // an end to it, input could be made that takes very long. A search goes on
  // without it, and finds only a description.
  NextSection(ByteSource& source, const StreamDecoder& decoder,
              const ReaderOptions& options, const VmDescription* description,
              uint64_t& budget)
      : source_(source),
        decoder_(decoder),
        options_(options),
        description_(description),
        budget_(budget) {}

  // From `from` on. The source stands anywhere afterwards.
  std::optional<uint64_t> Find(uint64_t from);

 private:
  bool StandsAt(uint64_t offset, ByteSpan bytes, bool behind_footer);
  bool IsWhole(const SectionHead& head, bool behind_footer);
  bool IsWholeDevice(const SectionHead& head, bool behind_footer);
  bool IsWholeRam(const SectionHead& head);
  bool IsWholeFull(const SectionHead& head, bool behind_footer);
  bool EndsHere(const SectionHead& head);
  bool Spend(uint64_t bytes);

  ByteSource& source_;
  const StreamDecoder& decoder_;
  const ReaderOptions& options_;
  const VmDescription* description_;
  uint64_t& budget_;
};

// Whether the bytes are a footer that can be one of QEMU's.
bool IsFooter(ByteSpan bytes);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_RECOVER_NEXT_SECTION_H_
