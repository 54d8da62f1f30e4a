// What is kept of a stream's records is their payload, wherever it stands.

#include "codec/diff/stored_bytes.h"

#include <algorithm>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "codec/wire/be_text.h"
#include "flags/tag.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

struct Record {
  uint64_t offset = 0;  // Of its header.
  std::string payload;
};

// Records in a stream, with other bytes before some of them.
struct Stream {
  std::string bytes;
  std::vector<Record> records;
  std::string payload;

  void Add(std::string payload_of_one) {
    records.push_back({bytes.size(), payload_of_one});
    bytes += BeText(static_cast<uint64_t>(Tag::kDevDataState), 8) +
             BeText(payload_of_one.size(), 8) + payload_of_one;
    payload += payload_of_one;
  }
};

Stream MakeStream(size_t count, size_t longest, unsigned seed = 1) {
  std::mt19937 random(seed);
  Stream stream;
  for (size_t i = 0; i < count; ++i) {
    if (random() % 50 == 0) stream.bytes += "another section";
    std::string payload(random() % longest, '\0');
    for (char& c : payload) c = static_cast<char>(random());
    stream.Add(std::move(payload));
  }
  return stream;
}

enum class How { kRows, kPieces, kInFile };

// Keeps the stream's records. Pieces are cut at random.
void Keep(const Stream& stream, How how, KeptBytes& kept, StoredBytes& stored) {
  if (how != How::kInFile) {
    kept.SetStream(std::make_unique<MemorySource>(AsBytes(stream.bytes)));
  }
  std::mt19937 random(7);
  for (const Record& record : stream.records) {
    const ByteSpan payload = AsBytes(record.payload);
    if (how == How::kRows) {
      const iovec row[] = {
          {const_cast<uint8_t*>(payload.data()), payload.size()}};
      ASSERT_TRUE(stored.AppendRecords(kept, {record.offset, row}).ok());
      continue;
    }
    Event event;
    event.kind = EventKind::kData;
    event.starts_record = true;
    event.offset = record.offset;
    event.record_bytes = payload.size();
    for (size_t at = 0; at < payload.size() || event.starts_record;) {
      event.payload = payload.subspan(
          at, std::min<size_t>(random() % 5000, payload.size() - at));
      ASSERT_TRUE(stored.AppendPiece(kept, event).ok());
      at += event.payload.size();
      event.starts_record = false;
      event.offset = record.offset + kRecordHeaderBytes + at;
    }
  }
}

std::string ReadAll(const KeptBytes& kept, const StoredBytes& stored) {
  std::string all(stored.size(), 'x');
  StoredCursor cursor(kept, stored);
  std::mt19937 random(3);
  for (size_t at = 0; at < all.size();) {
    const size_t here = std::min<size_t>(1 + random() % 9000, all.size() - at);
    auto* to = reinterpret_cast<uint8_t*>(all.data()) + at;
    EXPECT_TRUE(cursor.Read(std::span(to, here)).ok());
    at += here;
  }
  return all;
}

constexpr How kHows[] = {How::kRows, How::kPieces, How::kInFile};

TEST(StoredBytesTest, ReadsThePayloadAgain) {
  for (size_t longest : {3, 100, 3000, 50000}) {
    const Stream stream = MakeStream(100, longest);
    for (How how : kHows) {
      KeptBytes kept;
      StoredBytes stored;
      Keep(stream, how, kept, stored);
      EXPECT_TRUE(ReadAll(kept, stored) == stream.payload) << longest;
    }
  }
}

TEST(StoredBytesTest, ReadsAnyPartOfIt) {
  const Stream stream = MakeStream(1000, 700);
  std::mt19937 random(5);
  for (How how : kHows) {
    KeptBytes kept;
    StoredBytes stored;
    Keep(stream, how, kept, stored);
    for (int i = 0; i < 50; ++i) {
      const size_t from = random() % stream.payload.size();
      const size_t size = random() % 20000;
      EXPECT_TRUE(ReadAll(kept, stored.Part(from, size)) ==
                  stream.payload.substr(from, size));
    }
    StoredCursor cursor(kept, stored);
    cursor.Skip(100000);
    std::vector<uint8_t> there(1000);
    ASSERT_TRUE(cursor.Read(there).ok());
    EXPECT_TRUE(AsText(there) == stream.payload.substr(100000, 1000));
  }
}

TEST(StoredBytesTest, ComparesHoweverEachIsKept) {
  const Stream stream = MakeStream(800, 900);
  // Other cuts, and one byte that differs.
  Stream other;
  for (size_t at = 0; at < stream.payload.size(); at += 777) {
    other.Add(stream.payload.substr(at, 777));
  }
  Stream changed = stream;
  Record& record = changed.records[434];
  ASSERT_FALSE(record.payload.empty());
  record.payload[0] ^= 1;
  changed.bytes[record.offset + kRecordHeaderBytes] ^= 1;
  for (How how_a : kHows) {
    for (How how_b : kHows) {
      KeptBytes kept_a, kept_b, kept_other, kept_changed;
      StoredBytes a, b, of_other, of_changed;
      Keep(stream, how_a, kept_a, a);
      Keep(stream, how_b, kept_b, b);
      Keep(other, how_b, kept_other, of_other);
      Keep(changed, how_b, kept_changed, of_changed);
      bool same = false;
      ASSERT_TRUE(IsSameStored(kept_a, a, kept_b, b, same).ok());
      EXPECT_TRUE(same);
      ASSERT_TRUE(IsSameStored(kept_a, a, kept_other, of_other, same).ok());
      EXPECT_TRUE(same);
      ASSERT_TRUE(IsSameStored(kept_a, a, kept_changed, of_changed, same).ok());
      EXPECT_FALSE(same);
      ASSERT_TRUE(IsSameStored(kept_a, a, kept_a, a, same).ok());
      EXPECT_TRUE(same);
    }
  }
}

// Memory stays small where each record stands alone.
TEST(StoredBytesTest, SmallRecordsThatStandAloneGoToTheFileInTheEnd) {
  Stream stream;
  for (size_t i = 0; i < KeptBytes::kMostPieces + 1000; ++i) {
    stream.bytes += "-";
    stream.Add(BeText(i, 4));
  }
  KeptBytes kept;
  StoredBytes stored;
  Keep(stream, How::kRows, kept, stored);
  EXPECT_EQ(kept.file().size(), 1000 * 4);
  EXPECT_TRUE(ReadAll(kept, stored) == stream.payload);
}

// Each stands alone, with as many bytes before the next.
Stream StreamOfParts(const std::string& between) {
  Stream stream;
  for (size_t i = 0; i < KeptBytes::kMostPieces + 1000; ++i) {
    stream.Add(BeText(i, i % 5));
    stream.bytes += between;
  }
  return stream;
}

void KeepParts(const Stream& stream, uint8_t between, KeptBytes& kept,
               StoredBytes& stored) {
  kept.SetStream(std::make_unique<MemorySource>(AsBytes(stream.bytes)));
  std::vector<iovec> rows;
  for (const Record& record : stream.records) {
    rows.push_back(
        {const_cast<char*>(record.payload.data()), record.payload.size()});
  }
  for (size_t i = 0, step = 1; i < rows.size();
       i += step, step = step % 300 + 7) {
    step = std::min(step, rows.size() - i);
    ASSERT_TRUE(
        stored
            .AppendRecords(kept, {stream.records[i].offset,
                                  std::span(rows).subspan(i, step), between})
            .ok());
  }
}

TEST(StoredBytesTest, RecordsWithAsMuchBetweenThemStayInTheStream) {
  const std::string between = "footer, header";
  const Stream stream = StreamOfParts(between);
  const Stream elsewhere = StreamOfParts("FOOTER, HEADER");
  KeptBytes kept, kept_elsewhere, kept_alone;
  StoredBytes stored, other, alone;
  KeepParts(stream, between.size(), kept, stored);
  KeepParts(elsewhere, between.size(), kept_elsewhere, other);
  Keep(stream, How::kRows, kept_alone, alone);
  EXPECT_EQ(kept.file().size(), 0);
  EXPECT_TRUE(ReadAll(kept, stored) == stream.payload);
  std::mt19937 random(5);
  for (int i = 0; i < 50; ++i) {
    const size_t from = random() % stream.payload.size();
    const size_t size = random() % 20000;
    EXPECT_TRUE(ReadAll(kept, stored.Part(from, size)) ==
                stream.payload.substr(from, size));
  }
  // What stands between them does not count.
  bool same = false;
  ASSERT_TRUE(IsSameStored(kept, stored, kept_elsewhere, other, same).ok());
  EXPECT_TRUE(same);
  ASSERT_TRUE(IsSameStored(kept, stored, kept_alone, alone, same).ok());
  EXPECT_TRUE(same);
}

TEST(StoredBytesTest, SeveralMayBeAppendedInTurn) {
  const Stream stream = MakeStream(3000, 200);
  KeptBytes kept;
  StoredBytes stored[3];
  std::string expected[3];
  for (size_t i = 0; i < stream.records.size(); ++i) {
    const std::string& payload = stream.records[i].payload;
    ASSERT_TRUE(stored[i % 3].Append(kept, AsBytes(payload)).ok());
    expected[i % 3] += payload;
  }
  for (size_t k = 0; k < 3; ++k) {
    ASSERT_EQ(stored[k].size(), expected[k].size());
    std::vector<uint8_t> read(expected[k].size());
    ASSERT_TRUE(StoredCursor(kept, stored[k]).Read(read).ok());
    EXPECT_TRUE(AsText(read) == expected[k]) << k;
  }
}

TEST(StoredBytesTest, AStreamThatChangesMeanwhileIsAnError) {
  Stream stream = MakeStream(100, 100);
  KeptBytes kept;
  StoredBytes stored;
  Keep(stream, How::kRows, kept, stored);
  // Records of size 0 to the end.
  std::fill(stream.bytes.begin(), stream.bytes.end(), '\0');
  std::vector<uint8_t> all(stored.size());
  StoredCursor cursor(kept, stored);
  EXPECT_EQ(cursor.Read(all).code, ErrorCode::kReadFailed);
}

}  // namespace
}  // namespace migstream
