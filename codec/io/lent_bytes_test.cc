#include "codec/io/lent_bytes.h"

#include <algorithm>
#include <string>
#include <vector>

#include "codec/qemu/stream_recording.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

std::string Letters(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>('a' + i % 26);
  return bytes;
}

class Pieces : public ByteSink {
 public:
  void Write(ByteSpan bytes) override {
    pieces.emplace_back(AsText(bytes));
    where.push_back(bytes.data());
  }

  std::string All() const {
    std::string all;
    for (const std::string& piece : pieces) all += piece;
    return all;
  }

  std::vector<std::string> pieces;
  std::vector<const uint8_t*> where;
};

// A source that is lent to a sink.
class LentBytesTest : public testing::Test {
 protected:
  explicit LentBytesTest(const std::string& bytes = Letters(5000))
      : bytes_(bytes) {
    lent_.SetReturner([this] { run_.Flush(); });
  }

  // Passes on the next `count` bytes as views of `piece` bytes.
  void Pass(size_t count, size_t piece) {
    while (count > 0) {
      const ByteSpan bytes = lent_.Peek(1);
      const size_t here = std::min({count, piece, bytes.size()});
      run_.Write(bytes.first(here));
      lent_.Consume(here);
      count -= here;
    }
  }

  const std::string bytes_;
  // As a pipe: what is read next overwrites what was read before.
  ShortReadSource source_{AsBytes(bytes_), 1000};
  LentSource lent_{source_};
  Pieces sink_;
  RunSink run_{lent_, sink_};
};

TEST_F(LentBytesTest, ViewsThatFollowEachOtherAreWrittenAsOne) {
  const size_t at_hand = lent_.Peek(600).size();
  Pass(at_hand, 7);
  EXPECT_TRUE(sink_.pieces.empty()) << "written while the source holds them";
  run_.Flush();
  ASSERT_EQ(sink_.pieces.size(), 1);
  EXPECT_TRUE(sink_.pieces[0] == bytes_.substr(0, at_hand));
}

TEST_F(LentBytesTest, TheyAreNotCopied) {
  const ByteSpan at_hand = lent_.Peek(600);
  const uint8_t* first = at_hand.data();
  Pass(at_hand.size(), 7);
  run_.Flush();
  EXPECT_EQ(sink_.where, std::vector<const uint8_t*>({first}));
}

TEST_F(LentBytesTest, TheyAreWrittenBeforeTheSourceReadsOn) {
  const size_t at_hand = lent_.Peek(1).size();
  ASSERT_LT(at_hand, bytes_.size());
  Pass(at_hand, 7);
  EXPECT_TRUE(sink_.pieces.empty());
  lent_.Peek(1);
  EXPECT_TRUE(sink_.All() == bytes_.substr(0, at_hand));
  Pass(bytes_.size() - at_hand, 7);
  run_.Flush();
  EXPECT_TRUE(sink_.All() == bytes_);
}

TEST_F(LentBytesTest, BytesFromElsewhereKeepTheirPlace) {
  const std::string other = "OTHER";
  Pass(10, 3);
  run_.Write(AsBytes(other));
  Pass(10, 3);
  run_.Flush();
  EXPECT_EQ(sink_.pieces, std::vector<std::string>({bytes_.substr(0, 10), other,
                                                    bytes_.substr(10, 10)}));
}

TEST_F(LentBytesTest, ViewsWithAGapBetweenAreTwo) {
  Pass(10, 10);
  lent_.Consume(1);
  Pass(10, 10);
  run_.Flush();
  EXPECT_EQ(sink_.pieces, std::vector<std::string>(
                              {bytes_.substr(0, 10), bytes_.substr(11, 10)}));
}

TEST_F(LentBytesTest, WhatIsSkippedIsNotWritten) {
  Pass(10, 10);
  lent_.Skip(3000);
  Pass(5000 - 3010, 100);
  run_.Flush();
  EXPECT_EQ(sink_.All(), bytes_.substr(0, 10) + bytes_.substr(3010));
}

TEST_F(LentBytesTest, WhatTheEndCutsShortIsWrittenToo) {
  Pass(4990, 10);
  EXPECT_EQ(lent_.Peek(100).size(), 10);
  Pass(10, 10);
  run_.Flush();
  EXPECT_EQ(sink_.All(), bytes_);
}

}  // namespace
}  // namespace migstream
