// What is extracted of a damaged stream that is read on behind its damage.

#include <algorithm>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "codec/extract/payload_extractor.h"
#include "codec/recover/plan_recovery.h"
#include "codec/wire/text.h"
#include "gtest/gtest.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

// What the payload of each of two devices is made of. No bit is the same.
constexpr char kOwn[] = {'\xa5', '\x5a'};

// Where the payload of a stream's devices is, and where their sections are.
class Payload : public StreamVisitor {
 public:
  struct Piece {
    std::string idstr;
    uint64_t offset;
    uint64_t bytes;
  };

  bool wants_payload() const override { return true; }
  void OnSection(const SectionView& section) override {
    heads.push_back(section.offset);
    sections.push_back({std::string(section.idstr), section.offset, 0});
  }
  void OnSectionEnd(const SectionView& section, uint64_t content_bytes,
                    bool footer) override {
    const bool named = section.type == SectionType::kStart ||
                       section.type == SectionType::kFull;
    sections.back().bytes = 5 + (named ? 9 + section.idstr.size() : 0) +
                            content_bytes + (footer ? 5 : 0);
  }
  void OnDeviceEvent(const SectionView& section, const Event& event) override {
    heads.push_back(event.offset);
    if (event.kind != EventKind::kData || event.payload.empty()) return;
    pieces.push_back({std::string(section.idstr),
                      event.offset + (event.starts_record ? 16 : 0),
                      event.payload.size()});
    if (std::find(names.begin(), names.end(), section.idstr) == names.end()) {
      names.emplace_back(section.idstr);
    }
  }

  std::vector<Piece> pieces;
  std::vector<Piece> sections;
  std::vector<uint64_t> heads;
  std::vector<std::string> names;
};

// Bytes that are neither device's.
std::string Junk(std::mt19937& random, size_t count) {
  std::string junk;
  while (junk.size() < count) junk += static_cast<char>(random() % 16);
  return junk;
}

// A stream in which [at, at + taken) is no longer what it was.
struct Damage {
  std::string stream;
  uint64_t at = 0;
  uint64_t taken = 0;

  // Whether it is not in any section of the device.
  bool Spares(const std::string& device, const Payload& payload) const {
    return std::none_of(payload.sections.begin(), payload.sections.end(),
                        [&](const Payload::Piece& section) {
                          return section.idstr == device &&
                                 at < section.offset + section.bytes &&
                                 section.offset <
                                     at + std::max<uint64_t>(taken, 1);
                        });
  }
};

Damage MakeDamage(const std::string& stream, const Payload& payload,
                  std::mt19937& random) {
  Damage damage = {.stream = stream};
  const uint64_t head = payload.heads[random() % payload.heads.size()];
  damage.at = std::min<uint64_t>(head + random() % 40, stream.size() - 1);
  const size_t length =
      std::min<uint64_t>(1 + random() % (random() % 2 == 0 ? 32 : 4096),
                         stream.size() - damage.at);
  switch (random() % 4) {
    case 0:
      damage.taken = 1;
      damage.stream[damage.at] =
          static_cast<char>(stream[damage.at] ^ 1 << random() % 8);
      break;
    case 1:
      damage.taken = length;
      damage.stream.replace(damage.at, length, Junk(random, length));
      break;
    case 2:
      damage.taken = length;
      damage.stream.erase(damage.at, length);
      break;
    case 3:
      damage.stream.insert(damage.at, Junk(random, length));
      break;
  }
  return damage;
}

std::string Extract(const std::string& stream, const RecoveryPlan& plan,
                    const std::string& device) {
  MemorySource source(AsBytes(stream));
  ReaderOptions options;
  options.recovery = &plan;
  StringSink sink;
  PayloadExtractor extractor(sink, device, PayloadExtractor::kPayload);
  StreamSurvey survey(options, extractor);
  (void)survey.Read(source);  // It is damaged.
  return sink.bytes();
}

class RecoveredPayloadTest : public testing::TestWithParam<const char*> {};

TEST_P(RecoveredPayloadTest, ADeviceGetsItsOwnBytesAndAllThatAreNotDamaged) {
  constexpr int kDamages = 60;
  std::string stream = ReadCapture(GetCapture(GetParam()));
  Payload payload;
  MemorySource source(AsBytes(stream));
  ASSERT_TRUE(StreamReader(source, payload).Read().ok());
  ASSERT_EQ(payload.names.size(), 2);
  std::string whole[2];
  for (const Payload::Piece& piece : payload.pieces) {
    const int device = piece.idstr == payload.names[0] ? 0 : 1;
    stream.replace(piece.offset, piece.bytes, piece.bytes, kOwn[device]);
    whole[device].append(piece.bytes, kOwn[device]);
  }
  int spared = 0;
  for (int seed = 1; seed <= kDamages; ++seed) {
    std::mt19937 random(seed);
    const Damage damage = MakeDamage(stream, payload, random);
    MemorySource damaged(AsBytes(damage.stream));
    const RecoveryPlan plan = PlanRecovery(damaged, {});
    for (int device : {0, 1}) {
      SCOPED_TRACE(StrCat("seed ", seed, ", ", payload.names[device]));
      const std::string got =
          Extract(damage.stream, plan, payload.names[device]);
      if (damage.Spares(payload.names[device], payload)) {
        ++spared;
        EXPECT_TRUE(got == whole[device])
            << got.size() << " of " << whole[device].size() << " bytes";
      }
      // An id of a section's head may be of this value.
      const std::string others(8, kOwn[1 - device]);
      EXPECT_EQ(got.find(others), got.npos);
    }
  }
  EXPECT_GT(spared, kDamages);
}

INSTANTIATE_TEST_SUITE_P(Captures, RecoveredPayloadTest,
                         testing::Values("s72-two", "s111-two"));

}  // namespace
}  // namespace migstream
