#include "codec/loader/loader_other.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include "codec/device/config_compare.h"
#include "codec/device/pci_config.h"
#include "codec/qemu/loader_words.h"
#include "codec/qemu/section_guess.h"
#include "codec/wire/bytes.h"
#include "codec/wire/text.h"
#include "flags/section_type.h"

namespace migstream {
namespace {

constexpr size_t kLengthBytes = 4;
constexpr size_t kWord = 4;

bool IsOf(const DescribedDevice& device, const LoaderHandler& handler) {
  return device.name == handler.idstr &&
         device.instance_id == handler.instance_id;
}

// Without footers, a description that is damaged or cut short is no follower
// that a guess takes; the loader does not look at it.
std::optional<SectionGuess> GuessLast(ByteSpan bytes) {
  constexpr uint8_t kEnd[] = {
      static_cast<uint8_t>(SectionType::kEof),
      static_cast<uint8_t>(SectionType::kVmDescription)};
  auto found = bytes.begin();
  while (true) {
    found = std::search(found, bytes.end(), std::begin(kEnd), std::end(kEnd));
    if (found == bytes.end()) return std::nullopt;
    size_t json = found - bytes.begin() + std::size(kEnd) + kLengthBytes;
    if (json >= bytes.size() || bytes[json] == '{') break;
    ++found;
  }
  return SectionGuess{static_cast<uint64_t>(found - bytes.begin()), false};
}

// The section's own footer, whatever follows it; or, at the input's end, as
// much of it as is there.
std::optional<SectionGuess> GuessDamaged(ByteSpan bytes, uint32_t section_id,
                                         bool end_of_input) {
  uint8_t footer[kFooterBytes] = {
      static_cast<uint8_t>(SectionType::kSectionFooter)};
  StoreBe32(&footer[1], section_id);
  auto found = std::search(bytes.begin(), bytes.end(), std::begin(footer),
                           std::end(footer));
  size_t there = kFooterBytes - 1;
  if (found == bytes.end() && end_of_input) {
    for (; there > 0 && found == bytes.end(); --there) {
      if (bytes.size() >= there &&
          std::equal(footer, footer + there, bytes.last(there).begin())) {
        found = bytes.last(there).begin();
      }
    }
  }
  if (found == bytes.end()) return std::nullopt;
  return SectionGuess{static_cast<uint64_t>(found - bytes.begin()), true};
}

// What is said where a number of a PCI device's section head came twice: all
// behind it stands four bytes later than the loader reads it, the config space
// too. Empty if it did not.
std::string ShiftedConfig(LoaderInput& input, const LoaderHandler& handler,
                          std::optional<bool> footers,
                          const GuessContext& context) {
  constexpr uint32_t kPciVersion = 2;
  const uint64_t end = handler.described_bytes + kWord;
  ByteSpan content = input.Peek(2 * kWord);
  if (end <= 2 * kWord || content.size() < 2 * kWord ||
      LoadBe32(content.data()) > kPciVersion ||
      LoadBe32(&content[kWord]) != kPciVersion) {
    return "";
  }
  content = input.Peek(end + kFooterBytes);
  if (content.size() <= 2 * kWord ||
      !MayEndAt(content, end, footers, context)) {
    return "";
  }
  return BadConfigData(
      {.saved = content[kWord], .destination = content[2 * kWord]},
      HeaderMasks(kPciConfigBytes));
}

}  // namespace

bool LoadOther(LoaderInput& input, const LoaderHandler& handler,
               const LoaderHandlers& handlers, DescriptionLoader& description,
               std::optional<bool> footers, bool has_configuration,
               const StreamLimits& limits, LoaderGuesses& guesses) {
  GuessContext context;
  context.section_id = handler.section_id;
  context.footers = footers.value_or(true);
  context.known_section = [&](uint32_t id) -> const std::string* {
    const LoaderHandler* known = handlers.Find(id);
    return known == nullptr ? nullptr : &known->idstr;
  };
  context.package_left = input.bounded_bytes();
  SectionView section;
  section.id = handler.section_id;
  section.idstr = handler.idstr;
  section.instance_id = handler.instance_id;
  section.version_id = handler.version_id;
  if (handler.described_bytes <= limits.guessed_bytes) {
    std::string shifted = ShiftedConfig(input, handler, footers, context);
    if (!shifted.empty()) {
      return input.Refuse(input.offset(), std::move(shifted));
    }
  }
  const DescribedLength described =
      description.LengthOf(section, footers, context, input.source());
  if (described.kind == DescribedLength::kFits) {
    input.Skip(described.bytes);
    return input.CheckEnd();
  }
  // The name is another's, whose fields the loader reads.
  const DescribedDevice* expected = handlers.expected();
  if (described.kind == DescribedLength::kContradicts && expected != nullptr &&
      !IsOf(*expected, handler) &&
      MayEndAt(input.Peek(std::min(expected->bytes, limits.guessed_bytes) +
                          kFooterBytes),
               expected->bytes, footers, context)) {
    input.Skip(described.bytes);
    return input.CheckEnd();
  }
  std::optional<SectionGuess> guess;
  auto look = [&] {
    if (guess || guesses.bytes_left == 0) return;
    const uint64_t limit = std::min(limits.guessed_bytes, guesses.bytes_left);
    guess = GuessSectionEnd(input.source(), limit, context);
    if (!guess) guesses.bytes_left -= std::min(input.Peek(limit).size(), limit);
  };
  look();
  // Machine types that write a configuration write footers as well.
  if (!footers && !has_configuration) {
    context.footers = false;
    look();
    context.footers = true;
  }
  if (footers.value_or(true)) {
    context.footers = context.any_end = true;
    look();
  }
  ByteSpan bytes;
  if (!guess) bytes = input.Peek(limits.guessed_bytes);
  context.end_of_input = bytes.size() < limits.guessed_bytes;
  if (!guess && !footers.value_or(true)) guess = GuessLast(bytes);
  // Then it is the footer that is damaged.
  if (!guess && described.kind == DescribedLength::kContradicts) {
    input.Skip(described.bytes);
    return input.CheckEnd();
  }
  if (!guess && footers.value_or(true)) {
    guess = GuessDamaged(bytes, handler.section_id, context.end_of_input);
  }
  if (!guess) {
    return input.Refuse(
        input.offset(),
        context.end_of_input
            ? "Input/output error"
            : StrCat("Missing section footer for ", handler.idstr));
  }
  guesses.any = true;
  input.Skip(guess->content_bytes);
  return true;
}

}  // namespace migstream
