// Where another device's FULL section may end, in a stream without a
// description. FORMAT.md section 8.
//
// This is the one place where bytes are searched for what they look like. A
// device's state can contain anything, so the answer is a guess, and whoever
// uses it says so.

#ifndef MIGSTREAM_CODEC_QEMU_SECTION_GUESS_H_
#define MIGSTREAM_CODEC_QEMU_SECTION_GUESS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "codec/io/byte_source.h"
#include "codec/wire/bytes.h"

namespace migstream {

// No device of a released QEMU goes beyond.
inline constexpr uint32_t kMaxInstances = 0xffff;

struct GuessContext {
  uint32_t section_id = 0;
  bool footers = false;       // The section's own footer must come first.
  bool end_of_input = false;  // The input ends with these bytes.
  bool no_more = false;       // It may go on, but no more will be looked at.
  bool any_end = false;       // Anything may follow a footer and EOF.
  bool any_next = false;      // Anything may follow a footer: it is damaged.
  // Bytes from here to the end of the PACKAGED that this is in; 0: in none.
  uint64_t package_left = 0;
  // The idstr of the section with this id, if one was seen, as this one was;
  // else null.
  std::function<const std::string*(uint32_t id)> known_section;
};

struct SectionGuess {
  uint64_t content_bytes = 0;
  bool by_footer = false;
};

// Whether it may stand behind a section where there are no footers: another
// section's type, a COMMAND, EOF.
bool FollowsSection(uint8_t type);

// Whether the section's content can well be `at` bytes long, as a description
// says: its footer follows, perhaps with a wrong byte in the id; or, without
// footers, a section's type or a command's. If `footers` is unset, either.
bool MayEndAt(ByteSpan content, uint64_t at, std::optional<bool> footers,
              const GuessContext& context);

// Whether a section or a COMMAND seems to begin here.
bool LooksLikeItem(ByteSpan bytes, const GuessContext& context);

// `content` begins with the section's content. No guess: look at more of it.
std::optional<SectionGuess> GuessSectionEnd(ByteSpan content, size_t from,
                                            const GuessContext& context);
// The same of a source that stands there, through `limit` bytes at the most.
std::optional<SectionGuess> GuessSectionEnd(ByteSource& source, uint64_t limit,
                                            GuessContext context);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_QEMU_SECTION_GUESS_H_
