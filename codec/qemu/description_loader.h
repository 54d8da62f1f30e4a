// Gets at a stream's description (vm_description.h) before the reading comes to
// it: the other devices' sections, which come first, are walked by it.
// FORMAT.md section 7.
//
//   DescribedLength length = loader.LengthOf(section, footers, source);
//
// It is looked for at the input's end. Where none is, or where that one does
// not fit the section at hand, what follows the section is searched for one
// that does: a stream may be followed by bytes that are not its own. A
// description can be wrong as well; then the section's end tells.

#ifndef MIGSTREAM_CODEC_QEMU_DESCRIPTION_LOADER_H_
#define MIGSTREAM_CODEC_QEMU_DESCRIPTION_LOADER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "codec/io/byte_source.h"
#include "codec/qemu/limits.h"
#include "codec/qemu/section_guess.h"
#include "codec/qemu/stream_event.h"
#include "codec/qemu/stream_visitor.h"
#include "codec/qemu/vm_description.h"
#include "codec/wire/error.h"

namespace migstream {

// What the description says of a FULL section.
struct DescribedLength {
  enum Kind : uint8_t {
    kNone,         // There is no description, or none that can be had yet.
    kNotNamed,     // It does not name the section.
    kContradicts,  // The section cannot end after `bytes`.
    kFits,         // It can; or something was put in front of the content, and
                   // a loader finds no footer behind `bytes`.
  };
  Kind kind = kNone;
  uint64_t bytes = 0;  // Of the section's content.
};

class DescriptionLoader {
 public:
  // The visitor says whether fields are kept. Both must outlive the loader.
  DescriptionLoader(const StreamVisitor& visitor, const StreamLimits& limits)
      : visitor_(visitor), limits_(limits) {}

  enum class Outcome {
    kThere,
    kAbsent,      // The input ends with no description that can be read.
    kOutOfReach,  // Too far ahead in a source that cannot seek; may be asked
                  // for again.
  };
  // Looks at the input's end. What is known by then is not looked for again.
  Outcome Load(ByteSource& source);

  // The length of the FULL whose content begins the source. `footers` is unset
  // as long as it is not known whether there are some; the context need only
  // say where the section is.
  DescribedLength LengthOf(const SectionView& section,
                           std::optional<bool> footers,
                           const GuessContext& context, ByteSource& source);

  // The one that the reading has come to, at `offset`; `last`: the input ends
  // with it. It must say the same of the sections as the one that was used.
  Error Take(uint64_t offset, ByteSpan json, bool last);

  // Null before it is there.
  const std::shared_ptr<const VmDescription>& description() const {
    return description_;
  }
  // It was looked for, and is not at the input's end.
  bool is_absent() const { return absent_; }
  // It may be further ahead in a source that cannot seek than may be held.
  bool is_out_of_reach() const { return out_of_reach_; }
  // The input's end may be one that is longer than the limit.
  bool is_too_long() const { return too_long_; }

 private:
  // A section, as a description may describe it.
  struct Place;
  // A description behind the stream's sections: its type's offset, and how long
  // it is.
  struct Candidate {
    uint64_t offset;
    uint64_t json_bytes;
  };

  DescribedLength Ask(const VmDescription& description,
                      const Place& place) const;
  static bool HasVersionTwice(const Place& place, ByteSpan content,
                              uint64_t described);
  bool LoadAhead(const Place& place);
  // Those that LoadAhead() passed.
  bool LoadPassed(const Place& place);
  // `json_at`: in what the place's source has next.
  bool TakeAhead(const Place& place, ByteSpan json, size_t json_at);
  // Puts another in the place of the one at hand, if it says the same of the
  // sections that were walked by that one.
  bool Replace(VmDescription description);

  const StreamVisitor& visitor_;
  const StreamLimits& limits_;
  std::shared_ptr<const VmDescription> description_;
  bool absent_ = false;
  bool out_of_reach_ = false;  // So far.
  bool too_long_ = false;
  size_t used_json_bytes_ = 0;  // Of the one that was found before it came.
  // Where that stands, if not at the input's end; its type's offset.
  std::optional<uint64_t> used_offset_;
  uint64_t searched_to_ = 0;   // No other stands before this offset.
  bool searched_all_ = false;  // Nor behind it.
  int tries_left_ = 16;        // That may yet be found.
  std::vector<Candidate> passed_;
  // So many bytes of passed ones may yet be parsed again.
  uint64_t retry_bytes_left_ = 64 << 20;
  // Which of its devices' sections were walked by it.
  std::vector<bool> used_;
  // The one before, for whoever still looks at it.
  std::shared_ptr<const VmDescription> former_;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_QEMU_DESCRIPTION_LOADER_H_
