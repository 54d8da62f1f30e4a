// Which dialects a stream can be of, by what it shows. FORMAT.md section 10.
//
//   DialectDetector detector;
//   detector.Section(SectionType::kPart, offset);
//   detector.Observe(event);  …               // Every event of the section.
//   detector.NotBefore(1000, offset, "COMMAND SWITCHOVER_START");
//   detector.Candidates();                    // Rows, the oldest first.
//   detector.Evidence();                      // What excluded the others.
//
// It reads the dialect table: a row is out when its grammar has no place for
// what was seen, when its releases lie outside the bounds, or when its writers
// never do such a thing, which counts last. Only released dialects are ever
// found; a pre-release one has to be chosen.

#ifndef MIGSTREAM_CODEC_DEVICE_DIALECT_DETECTOR_H_
#define MIGSTREAM_CODEC_DEVICE_DIALECT_DETECTOR_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "codec/device/device_records.h"
#include "codec/device/event.h"
#include "flags/dialect.h"

namespace migstream {

struct DialectEvidence {
  enum Kind : uint8_t {
    kGrammar,  // What a loader takes.
    kHabit,    // What a writer does; a loader takes more.
    kRelease,  // What the enclosing stream says of the release.
  };
  Kind kind = kGrammar;
  uint64_t offset = 0;
  std::string what;  // "CONFIG in END"
  // No row is left if this counts too: the stream contradicts itself, or no
  // release wrote it. It excluded nothing.
  bool contradiction = false;
  // Loaders take it all the same: they know its tags, and ask for no order.
  bool loads = false;
};

class DialectDetector {
 public:
  DialectDetector();

  // A device's section begins.
  void Section(SectionType type, uint64_t offset);
  // An event of that section.
  void Observe(const Event& event);
  // Records of it that follow each other.
  void ObserveRecords(const DeviceRecords& records);
  // PART sections that hold one record and END_OF_STATE each. `offset` is the
  // first one's.
  void ObserveParts(uint64_t offset, const DeviceRecords& records);

  // What the enclosing stream shows: written by this release or a later one,
  // or by this one or an earlier one.
  void NotBefore(Release release, uint64_t offset, std::string_view what);
  void NotAfter(Release release, uint64_t offset, std::string_view what);

  // The rows that are left, at least one. Without any device section, only
  // those without multifd device state.
  std::vector<const Dialect*> Candidates() const;
  std::vector<DialectEvidence> Evidence() const;

  // "V60"; "V100 or V111".
  std::string Name() const;

 private:
  struct Exclusion {
    DialectEvidence evidence;
    uint32_t rows_kept;
  };
  struct Verdict {
    uint32_t candidates;
    std::vector<DialectEvidence> evidence;
  };

  template <typename Keep>
  void Exclude(DialectEvidence::Kind kind, uint64_t offset,
               std::string_view what, Keep keep, bool loads = false);
  Verdict Decide() const;
  void SawElement(Element element, uint64_t offset);
  void SawTag(Element element, uint64_t offset);
  void SawRecord(uint64_t bytes, uint64_t offset);
  void SawOddRecord(uint64_t bytes, uint64_t offset);

  uint64_t least_cap_;  // A record up to this size tells nothing.
  bool any_section_ = false;
  SectionType type_ = SectionType::kStart;
  Element previous_ = Element::kNone;
  int init_data_sent_ = 0;
  int records_ = 0;  // In this section.
  // What was seen before tells nothing new, and sections come by the thousand:
  // a bit for each element, by section type and the element before.
  std::array<std::array<uint16_t, kMaxElements>, 5> seen_ = {};
  uint64_t part_records_seen_ = 0;  // A bit for each number up to 63.
  std::vector<Exclusion> exclusions_;
};

// Bounds on the release, which hold for all devices of a stream.
class ReleaseBounds {
 public:
  // One that says no more than those before is left out.
  void Saw(const Feature& feature, uint64_t offset) {
    NotBefore(feature.first, offset, feature.name);
    NotAfter(feature.last, offset, feature.name);
  }
  void NotBefore(Release release, uint64_t offset, std::string_view what) {
    if (release <= newest_not_before_) return;
    newest_not_before_ = release;
    bounds_.push_back({true, release, offset, std::string(what)});
  }
  void NotAfter(Release release, uint64_t offset, std::string_view what) {
    if (release >= oldest_not_after_) return;
    oldest_not_after_ = release;
    bounds_.push_back({false, release, offset, std::string(what)});
  }
  void Apply(DialectDetector& detector) const;
  // The first release that it can be of; 0 if nothing tells.
  Release not_before() const { return newest_not_before_; }

 private:
  struct Bound {
    bool not_before;
    Release release;
    uint64_t offset;
    std::string what;
  };
  Release newest_not_before_ = 0;
  Release oldest_not_after_ = kNewestRelease;
  std::vector<Bound> bounds_;
};

// The rows that are possible for a stream: its devices may differ in whether
// their state goes over multifd, but one release has written them all.
// `detectors`, one a device, are given the bounds.
std::vector<const Dialect*> DetectDialects(
    const ReleaseBounds& bounds,
    const std::vector<DialectDetector*>& detectors);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_DEVICE_DIALECT_DETECTOR_H_
