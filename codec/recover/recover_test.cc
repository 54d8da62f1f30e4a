// What is read of damaged streams, beside what they were before.

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "codec/qemu/stream_reader.h"
#include "codec/recover/plan_recovery.h"
#include "codec/wire/text.h"
#include "gtest/gtest.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

// A section as it was read: where, what, and how much.
struct ReadSection {
  uint64_t offset = 0;
  uint64_t end = 0;  // 0: it was not read to its end.
  SectionType type = SectionType::kFull;
  std::string idstr;
  uint32_t instance_id = 0;

  auto operator<=>(const ReadSection&) const = default;
};

class Sections : public StreamVisitor {
 public:
  bool wants_payload() const override { return true; }
  void OnSection(const SectionView& section) override {
    all.push_back({section.offset, 0, section.type, std::string(section.idstr),
                   section.instance_id});
  }
  void OnDeviceEvent(const SectionView& section, const Event& event) override {
    if (event.payload.empty() || event.kind != EventKind::kData) return;
    // A piece ends where the next byte is.
    pieces.push_back({std::string(section.idstr),
                      event.offset + (event.starts_record ? 16 : 0),
                      event.payload.size()});
  }
  void OnSectionEnd(const SectionView& section, uint64_t content_bytes,
                    bool footer) override {
    const bool named = section.type == SectionType::kStart ||
                       section.type == SectionType::kFull;
    all.back().end = section.offset + 5 +
                     (named ? 9 + section.idstr.size() : 0) + content_bytes +
                     (footer ? 5 : 0);
  }
  void OnGap(const StreamGap& gap) override { gaps.push_back(gap); }

  struct Piece {
    std::string idstr;
    uint64_t offset;
    uint64_t bytes;
  };
  std::vector<ReadSection> all;
  std::vector<Piece> pieces;
  std::vector<StreamGap> gaps;
};

Sections ReadWhole(const std::string& stream) {
  Sections sections;
  MemorySource source(AsBytes(stream));
  StreamReader(source, sections).Read();
  return sections;
}

Sections ReadRecovered(const std::string& stream, Error* error = nullptr) {
  MemorySource source(AsBytes(stream));
  const RecoveryPlan plan = PlanRecovery(source, {});
  EXPECT_EQ(source.offset(), 0);
  ReaderOptions options;
  options.recovery = &plan;
  Sections sections;
  Error end = StreamReader(source, sections, options).Read();
  if (error != nullptr) *error = end;
  EXPECT_EQ(end.ok(), plan.gaps.empty()) << ToString(end);
  EXPECT_EQ(sections.gaps.size(), plan.gaps.size());
  return sections;
}

// Bytes [at, at + taken) became `put` others.
struct Damage {
  std::string what;
  uint64_t at = 0;
  uint64_t taken = 0;
  uint64_t put = 0;
  std::string stream;

  bool IsBefore(uint64_t end) const { return end <= at; }
  bool IsBehind(uint64_t offset) const { return offset >= at + taken; }
  // Where a byte outside of the damage is afterwards.
  uint64_t Moved(uint64_t offset) const {
    return offset < at + taken ? offset : offset - taken + put;
  }
};

Damage MakeDamage(const std::string& stream, const Sections& truth,
                  std::mt19937& random) {
  auto below = [&](uint64_t limit) { return random() % limit; };
  Damage damage;
  // Most bytes are memory and payload: what frames them is hit more often.
  damage.at = 8 + below(stream.size() - 8);
  if (below(4) != 0) {
    const ReadSection& section = truth.all[below(truth.all.size())];
    damage.at = below(2) == 0 ? section.offset + below(40)
                              : section.end - 1 - below(20);
  }
  damage.at = std::min<uint64_t>(damage.at, stream.size() - 1);
  std::string bytes;
  const uint64_t left = stream.size() - damage.at;
  switch (below(5)) {
    case 0:
      damage.what = "a bit";
      damage.taken = 1;
      bytes = stream[damage.at] ^ (1 << below(8));
      break;
    case 1:
      damage.what = "bytes";
      damage.taken = std::min<uint64_t>(1 + below(32), left);
      for (uint64_t i = 0; i < damage.taken; ++i) bytes += random();
      break;
    case 2:
      damage.what = "a hole";
      damage.taken = std::min<uint64_t>(1 + below(4096), left);
      bytes.assign(damage.taken, '\0');
      break;
    case 3:
      damage.what = "lost";
      damage.taken = std::min<uint64_t>(1 + below(4096), left);
      break;
    case 4:
      damage.what = "put in";
      for (uint64_t i = 1 + below(64); i != 0; --i) bytes += random();
      break;
  }
  damage.put = bytes.size();
  damage.stream = stream;
  damage.stream.replace(damage.at, damage.taken, bytes);
  return damage;
}

// But for what the damage itself spells.
void ExpectNoneMadeUp(const Sections& truth, const Damage& damage,
                      const Sections& found) {
  std::set<uint64_t> real;
  for (const ReadSection& section : truth.all) {
    real.insert(damage.Moved(section.offset));
  }
  for (const ReadSection& section : found.all) {
    const bool damaged =
        section.offset >= damage.at && section.offset < damage.at + damage.put;
    EXPECT_TRUE(damaged || real.contains(section.offset))
        << "made up: " << ToString(section.type) << " of " << section.idstr
        << " at " << Hex(section.offset);
  }
}

void Compare(const Sections& truth, const Damage& damage) {
  const Sections found = ReadRecovered(damage.stream);
  std::map<uint64_t, ReadSection> by_offset;
  for (const ReadSection& section : found.all) {
    by_offset[section.offset] = section;
  }
  // A name that is damaged is another one, which no header need contradict: by
  // the device, those that damaged headers spell.
  std::set<std::string> names;
  std::map<std::string, std::set<std::string>> spelled;
  // What no header that is left names is in a gap: QEMU 5.2 writes no FULL.
  std::set<std::string> named;
  for (const ReadSection& section : truth.all) {
    names.insert(section.idstr);
    if (!damage.IsBefore(section.end) && !damage.IsBehind(section.offset)) {
      const auto head = by_offset.find(damage.Moved(section.offset));
      if (head != by_offset.end()) {
        spelled[section.idstr].insert(head->second.idstr);
      }
    } else if (section.type == SectionType::kStart ||
               section.type == SectionType::kFull) {
      named.insert(section.idstr);
    }
  }
  std::map<uint64_t, ReadSection> real;
  for (ReadSection section : truth.all) {
    const bool intact =
        damage.IsBefore(section.end) || damage.IsBehind(section.offset);
    if (!damage.IsBefore(section.end)) {
      section.offset = damage.Moved(section.offset);
      section.end = damage.Moved(section.end);
    }
    real[section.offset] = section;
    if (!intact) continue;
    auto got = by_offset.find(section.offset);
    if (got == by_offset.end() && !named.contains(section.idstr)) {
      EXPECT_TRUE(std::any_of(found.gaps.begin(), found.gaps.end(),
                              [&](const StreamGap& gap) {
                                return gap.from <= section.offset &&
                                       section.end <= gap.to;
                              }))
          << "left out: " << section.idstr << " at " << Hex(section.offset);
    } else if (got == by_offset.end()) {
      ADD_FAILURE() << "lost: " << ToString(section.type) << " of "
                    << section.idstr << " at " << Hex(section.offset);
    } else {
      EXPECT_EQ(got->second.end, section.end) << Hex(section.offset);
      EXPECT_EQ(got->second.type, section.type) << Hex(section.offset);
      EXPECT_TRUE(got->second.idstr == section.idstr ||
                  (spelled[section.idstr].contains(got->second.idstr) &&
                   !names.contains(got->second.idstr)))
          << got->second.idstr << " for " << section.idstr << " at "
          << Hex(section.offset);
    }
  }
  ExpectNoneMadeUp(truth, damage, found);
  for (const Sections::Piece& piece : found.pieces) {
    for (const auto& [offset, section] : real) {
      const bool renamed = spelled[section.idstr].contains(piece.idstr) &&
                           !names.contains(piece.idstr);
      const bool other = section.idstr != piece.idstr && !renamed &&
                         section.idstr.ends_with("/vfio");
      EXPECT_FALSE(other && offset < piece.offset + piece.bytes &&
                   piece.offset < section.end)
          << "bytes of " << section.idstr << " at " << Hex(offset)
          << " taken for " << piece.idstr;
    }
  }
}

class RecoverTest : public testing::TestWithParam<const char*> {};

TEST_P(RecoverTest, FindsEverySectionThatIsIntactAndMakesNoneUp) {
  constexpr int kDamages = 125;
  const std::string stream = ReadCapture(GetCapture(GetParam()));
  const Sections truth = ReadWhole(stream);
  ASSERT_FALSE(truth.all.empty());
  for (int seed = 1; seed <= kDamages; ++seed) {
    std::mt19937 random(seed);
    const Damage damage = MakeDamage(stream, truth, random);
    SCOPED_TRACE(StrCat("seed ", seed, ": ", damage.what, " at ",
                        Hex(damage.at), ", ", damage.taken, " for ",
                        damage.put));
    Compare(truth, damage);
    if (HasFailure()) {
      for (const StreamGap& gap : ReadRecovered(damage.stream).gaps) {
        ADD_FAILURE() << "gap " << Hex(gap.from) << " to " << Hex(gap.to)
                      << ": " << ToString(gap.error);
      }
      return;
    }
  }
}

TEST_P(RecoverTest, LeavesASoundStreamAsItIs) {
  const std::string stream = ReadCapture(GetCapture(GetParam()));
  const Sections truth = ReadWhole(stream);
  const Sections found = ReadRecovered(stream);
  EXPECT_TRUE(found.gaps.empty());
  EXPECT_EQ(found.all, truth.all);
}

// Not all are found there: see below.
TEST(RecoverWithoutFootersTest, MakesNoSectionUp) {
  constexpr int kDamages = 125;
  const std::string stream = ReadCapture(GetCapture("s72-no-footer"));
  const Sections truth = ReadWhole(stream);
  int found = 0;
  for (int seed = 1; seed <= kDamages; ++seed) {
    std::mt19937 random(seed);
    const Damage damage = MakeDamage(stream, truth, random);
    SCOPED_TRACE(
        StrCat("seed ", seed, ": ", damage.what, " at ", Hex(damage.at)));
    const Sections recovered = ReadRecovered(damage.stream);
    ExpectNoneMadeUp(truth, damage, recovered);
    for (const ReadSection& section : recovered.all) {
      found += damage.IsBehind(section.offset);
    }
  }
  EXPECT_GT(found, 1000);
}

// All have footers: without them, what follows a name that is damaged may be
// taken for that device's state, and nothing shows that it is not.
INSTANTIATE_TEST_SUITE_P(Captures, RecoverTest,
                         testing::Values("s52-two", "s72-two", "s100-mixed",
                                         "s111-two", "s111-markers",
                                         "s111-switchover-ack", "s100-multifd",
                                         "s100-rootport"));

}  // namespace
}  // namespace migstream
