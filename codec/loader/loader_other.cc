#include "codec/loader/loader_other.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "codec/qemu/section_guess.h"
#include "codec/wire/bytes.h"
#include "codec/wire/text.h"
#include "flags/section_type.h"

namespace migstream {
namespace {

constexpr size_t kLengthBytes = 4;

// A description that is damaged, or cut short, is no follower that a guess
// takes; the loader does not look at it.
std::optional<SectionGuess> GuessLast(uint32_t section_id, bool footer,
                                      ByteSpan bytes) {
  std::vector<uint8_t> end;
  if (footer) {
    end.resize(kFooterBytes);
    end[0] = static_cast<uint8_t>(SectionType::kSectionFooter);
    StoreBe32(&end[1], section_id);
  }
  end.push_back(static_cast<uint8_t>(SectionType::kEof));
  end.push_back(static_cast<uint8_t>(SectionType::kVmDescription));
  auto found = bytes.begin();
  while (true) {
    found = std::search(found, bytes.end(), end.begin(), end.end());
    if (found == bytes.end()) return std::nullopt;
    size_t json = found - bytes.begin() + end.size() + kLengthBytes;
    if (json >= bytes.size() || bytes[json] == '{') break;
    ++found;
  }
  return SectionGuess{static_cast<uint64_t>(found - bytes.begin()), true};
}

}  // namespace

bool LoadOther(LoaderInput& input, const LoaderHandler& handler,
               const LoaderHandlers& handlers, std::optional<bool> footers,
               bool has_configuration, const StreamLimits& limits,
               bool& guessed) {
  if (handler.described_bytes != 0 || handlers.has_description()) {
    input.Skip(handler.described_bytes);
    return input.CheckEnd();
  }
  GuessContext context;
  context.section_id = handler.section_id;
  context.footers = footers.value_or(has_configuration);
  context.known_section = [&](uint32_t id) -> const std::string* {
    const LoaderHandler* known = handlers.Find(id);
    return known == nullptr ? nullptr : &known->idstr;
  };
  ByteSpan bytes = input.Peek(limits.guessed_bytes);
  context.end_of_input = bytes.size() < limits.guessed_bytes;
  context.package_left = input.bounded_bytes();
  std::optional<SectionGuess> guess = GuessSectionEnd(bytes, 0, context);
  if (!guess) {
    guess = GuessLast(handler.section_id, footers.value_or(true), bytes);
  }
  if (!guess) {
    return input.Refuse(
        input.offset(),
        context.end_of_input
            ? "Input/output error"
            : StrCat("Missing section footer for ", handler.idstr));
  }
  guessed = true;
  input.Skip(guess->content_bytes);
  return true;
}

}  // namespace migstream
