#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "codec/io/open_qcow2.h"
#include "codec/io/qcow2_bytes.h"
#include "codec/io/qcow2_image.h"
#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ReadAt ReadAtOf(const std::string& image) {
  return [&image](uint64_t offset, std::span<uint8_t> to) {
    if (offset + to.size() > image.size()) return false;
    std::copy_n(image.begin() + static_cast<ptrdiff_t>(offset), to.size(),
                to.begin());
    return true;
  };
}

// Zeros among it, and what does not compress.
std::string State(size_t bytes = 100000) {
  std::string state;
  uint32_t random = 1;
  while (state.size() < bytes) {
    random = random * 1664525 + 1013904223;
    state.append(1 + (random >> 28), static_cast<char>(random >> 20));
  }
  state.resize(bytes);
  const auto at = [&state](size_t place) {
    return state.begin() +
           static_cast<ptrdiff_t>(std::min(place, state.size()));
  };
  std::fill(at(2000), at(8000), '\0');
  return state;
}

struct Opened {
  Error error;
  std::string state;
  std::string failure;
};

Opened Open(const std::string& bytes) {
  Opened opened;
  auto image = std::make_shared<Qcow2Image>(ReadAtOf(bytes), bytes.size());
  opened.error = image->Open();
  if (!opened.error.ok() || image->snapshots().empty()) return opened;
  auto source = OpenQcow2State(image, image->snapshots()[0]);
  while (opened.state.size() < (1 << 20)) {
    const ByteSpan piece = source->Peek(1);
    if (piece.empty()) break;
    opened.state += AsText(piece);
    source->Consume(piece.size());
  }
  opened.failure = source->failure();
  return opened;
}

struct Kind {
  const char* name;
  Qcow2Bytes bytes;
};

class Qcow2Test : public testing::TestWithParam<Kind> {
 protected:
  static std::string Make(const std::string& state) {
    Qcow2Bytes bytes = GetParam().bytes;
    return bytes.Make(state);
  }
};

TEST_P(Qcow2Test, GivesTheStateThatIsInIt) {
  const std::string state = State();
  const Opened opened = Open(Make(state));
  EXPECT_TRUE(opened.error.ok()) << opened.error.reason;
  EXPECT_EQ(opened.failure, "");
  EXPECT_TRUE(opened.state == state);
}

TEST_P(Qcow2Test, IsSoughtInAndKnowsItsEnd) {
  const std::string state = State();
  const std::string bytes = Make(state);
  auto image = std::make_shared<Qcow2Image>(ReadAtOf(bytes), bytes.size());
  ASSERT_TRUE(image->Open().ok());
  auto source = OpenQcow2State(image, image->snapshots()[0]);
  EXPECT_EQ(source->size(), state.size());
  ASSERT_TRUE(source->ReachEnd(0));
  const std::vector<uint8_t> tail = source->Tail(3000);
  EXPECT_EQ(AsText(tail), std::string_view(state).substr(state.size() - 3000));
  EXPECT_EQ(source->Skip(70001), 70001U);
  EXPECT_EQ(AsText(source->Peek(5)).substr(0, 5), state.substr(70001, 5));
}

TEST_P(Qcow2Test, ACutImageEndsInAnError) {
  const std::string state = State(20000);
  const std::string bytes = Make(state);
  for (size_t cut = 0; cut + 8 <= bytes.size(); cut += 97) {
    const Opened opened = Open(bytes.substr(0, cut));
    EXPECT_TRUE(!opened.error.ok() || !opened.failure.empty()) << cut;
  }
}

TEST_P(Qcow2Test, ADamagedImageEnds) {
  const std::string state = State(20000);
  const std::string bytes = Make(state);
  uint32_t random = 7;
  for (int i = 0; i < 500; ++i) {
    std::string damaged = bytes;
    random = random * 1664525 + 1013904223;
    damaged[(random >> 8) % damaged.size()] ^= static_cast<char>(1 << i % 8);
    EXPECT_LE(Open(damaged).state.size(), size_t{1} << 21);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, Qcow2Test,
    testing::Values(Kind{"v2", {.version = 2}},
                    Kind{"v2Small", {.version = 2, .large_size = false}},
                    Kind{"v3", {}}, Kind{"BigClusters", {.cluster_bits = 16}},
                    Kind{"Deflate", {.compressed = true}},
                    Kind{"DeflateBig",
                         {.cluster_bits = 16, .compressed = true}},
                    Kind{"Zstd", {.compression = 1, .compressed = true}},
                    Kind{"Extended", {.cluster_bits = 14, .extended = true}}),
    [](const auto& info) { return std::string(info.param.name); });

std::string Refusal(Qcow2Bytes bytes) {
  return Open(bytes.Make(State(3000))).error.reason;
}

TEST(Qcow2Test, ABackingFileIsRefusedWithTheWayOut) {
  EXPECT_THAT(Refusal({.backing = "base.qcow2"}),
              HasSubstr("has a backing file"));
}

TEST(Qcow2Test, WhatCannotBeReadIsRefused) {
  EXPECT_THAT(Refusal({.features = kQcow2DataFile}),
              HasSubstr("external data file"));
  EXPECT_THAT(Refusal({.features = 1 << 9}), HasSubstr("features 0x200"));
  EXPECT_THAT(Refusal({.version = 4}), HasSubstr("version 4"));
  EXPECT_THAT(Refusal({.compression = 2}), HasSubstr("compression 2"));
}

TEST(Qcow2Test, AClusterMayNotAskForMoreMemoryThanTheLargest) {
  const std::string state = State(3000);
  Qcow2Bytes bytes = {.compression = 1, .compressed = true, .window_log = 21};
  EXPECT_TRUE(Open(bytes.Make(state)).state == state);
  bytes.window_log = 22;
  EXPECT_THAT(Open(bytes.Make(state)).failure, HasSubstr("does not inflate"));
}

// As many as there may be, with names as long as they may be: 8 GiB, of which a
// sparse file has next to nothing.
TEST(Qcow2Test, AListOfSnapshotsTakesNoMoreMemoryThanQemuGrants) {
  std::string header = Qcow2Bytes().Make("state");
  StoreBe32(reinterpret_cast<uint8_t*>(&header[kQcow2SnapshotsOffset]),
            kQcow2MaxSnapshots);
  Qcow2Image image(
      [&header](uint64_t offset, std::span<uint8_t> to) {
        std::fill(to.begin(), to.end(), 0);
        if (offset < kQcow2HeaderBytes3) {
          std::copy_n(header.begin() + static_cast<ptrdiff_t>(offset),
                      to.size(), to.begin());
        } else if (to.size() == kQcow2SnapshotBytes) {
          StoreBe16(&to[kQcow2SnapshotIdBytes], 0xffff);
          StoreBe16(&to[kQcow2SnapshotNameBytes], 0xffff);
        }
        return true;
      },
      uint64_t{1} << 40);
  EXPECT_THAT(image.Open().reason, HasSubstr("table of snapshots beyond"));
}

std::string OpeningOf(const std::string& path) {
  Error error;
  EXPECT_EQ(OpenQcow2(path, "", error), nullptr);
  return error.reason;
}

TEST(OpenQcow2Test, SnapshotsAreListedShortly) {
  const std::string path = StrCat(testing::TempDir(), "/qcow2", getpid());
  std::ofstream(path, std::ios::binary)
      << Qcow2Bytes().Make("state", {std::string(60000, 'A'), "b"});
  const std::string reason = OpeningOf(path);
  unlink(path.c_str());
  EXPECT_THAT(reason, HasSubstr("--snapshot=NAME chooses: 'AAAA"));
  EXPECT_THAT(reason, HasSubstr("...' (id 1, 5 bytes,"));
  EXPECT_LT(reason.size(), 300U);
}

// Whose other end is closed, and which nobody would open again.
TEST(OpenQcow2Test, APipeIsNotWaitedFor) {
  const std::string path = StrCat(testing::TempDir(), "/qcow2", getpid());
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_THAT(OpeningOf(path), HasSubstr("from a file or a disk alone"));
  unlink(path.c_str());
}

TEST(Qcow2Test, EachSnapshotHasItsName) {
  const std::string bytes = Qcow2Bytes().Make("state", {"a", "second", ""});
  Qcow2Image image(ReadAtOf(bytes), bytes.size());
  ASSERT_TRUE(image.Open().ok());
  std::vector<std::string> names;
  for (const Qcow2Snapshot& one : image.snapshots()) {
    names.push_back(StrCat(one.id, " ", one.name, " ", one.state_bytes));
  }
  EXPECT_THAT(names, ElementsAre("1 a 5", "2 second 5", "3  5"));
}

}  // namespace
}  // namespace migstream
