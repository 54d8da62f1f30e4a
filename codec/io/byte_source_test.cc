#include "codec/io/byte_source.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <thread>

#include "codec/io/compress_bytes.h"
#include "codec/io/decompressing_source.h"
#include "codec/io/lent_bytes.h"
#include "codec/io/zero_bytes.h"
#include "codec/qemu/stream_recording.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

std::string NoiseBytes(size_t size) {
  std::mt19937 random(1);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

std::string TempFile(const std::string& name, const std::string& bytes) {
  std::string path = testing::TempDir() + "/" + name;
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

std::string ReadAll(ByteSource& source) {
  std::string bytes;
  for (ByteSpan here = source.Peek(1); !here.empty(); here = source.Peek(1)) {
    bytes.append(AsText(here).data(), here.size());
    source.Consume(here.size());
  }
  return bytes;
}

// A source of some bytes, and what it needs while it lives.
class Input {
 public:
  virtual ~Input() = default;
  virtual ByteSource& source() = 0;
};

template <typename Source>
class SimpleInput : public Input {
 public:
  template <typename... Args>
  explicit SimpleInput(const std::string& bytes, Args... args)
      : bytes_(bytes), source_(AsBytes(bytes_), args...) {}
  ByteSource& source() override { return source_; }

 private:
  const std::string bytes_;
  Source source_;
};

class FileInput : public Input {
 public:
  explicit FileInput(const std::string& bytes,
                     FileAccess access = FileAccess::kRead)
      : source_(open(TempFile("input", bytes).c_str(), O_RDONLY), access) {}
  ByteSource& source() override { return source_; }

 private:
  FileSource source_;
};

// Cannot seek; a thread writes to its other end.
class SocketInput : public Input {
 public:
  explicit SocketInput(const std::string& bytes) {
    int fds[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    source_ = std::make_unique<FileSource>(fds[0]);
    writer_ = std::thread([bytes, fd = fds[1]] {
      for (size_t done = 0; done < bytes.size();) {
        ssize_t sent =
            send(fd, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
        if (sent <= 0) break;
        done += sent;
      }
      close(fd);
    });
  }
  ~SocketInput() override {
    source_ = nullptr;
    writer_.join();
  }
  ByteSource& source() override { return *source_; }

 private:
  std::unique_ptr<ByteSource> source_;
  std::thread writer_;
};

class ZstdInput : public Input {
 public:
  explicit ZstdInput(const std::string& bytes)
      : compressed_(CompressBytes(Compression::kZstd, bytes)),
        source_(std::make_unique<ShortReadSource>(AsBytes(compressed_), 999),
                Compression::kZstd) {}
  ByteSource& source() override { return source_; }

 private:
  const std::string compressed_;
  DecompressingSource source_;
};

template <typename Input>
class LentInput : public Input {
 public:
  template <typename... Args>
  explicit LentInput(const std::string& bytes, Args... args)
      : Input(bytes, args...), lent_(Input::source()) {}
  ByteSource& source() override { return lent_; }

 private:
  LentSource lent_;
};

enum class Kind {
  kMemory,
  kShortReads,
  kFile,
  kMapped,
  kSocket,
  kZstd,
  kLentMapped,
  kLentSocket
};

std::unique_ptr<Input> Open(Kind kind, const std::string& bytes) {
  switch (kind) {
    case Kind::kMemory:
      return std::make_unique<SimpleInput<MemorySource>>(bytes);
    case Kind::kShortReads:
      return std::make_unique<SimpleInput<ShortReadSource>>(bytes, 4000);
    case Kind::kFile:
      return std::make_unique<FileInput>(bytes);
    case Kind::kMapped:
      return std::make_unique<FileInput>(bytes, FileAccess::kMap);
    case Kind::kSocket:
      return std::make_unique<SocketInput>(bytes);
    case Kind::kZstd:
      return std::make_unique<ZstdInput>(bytes);
    case Kind::kLentMapped:
      return std::make_unique<LentInput<FileInput>>(bytes, FileAccess::kMap);
    case Kind::kLentSocket:
      return std::make_unique<LentInput<SocketInput>>(bytes);
  }
  return nullptr;
}

class EverySourceTest : public testing::TestWithParam<Kind> {};

TEST_P(EverySourceTest, GivesItsBytesInOrder) {
  for (size_t size : {0, 1, 1000, 262144, 262145, 1 << 20}) {
    std::string bytes = NoiseBytes(size);
    auto input = Open(GetParam(), bytes);
    EXPECT_TRUE(ReadAll(input->source()) == bytes) << size;
    EXPECT_EQ(input->source().offset(), size);
    EXPECT_EQ(input->source().failure(), "");
    EXPECT_TRUE(input->source().Peek(1).empty()) << "stays at the end";
  }
}

TEST_P(EverySourceTest, PeekShowsAtLeastWhatIsAskedForAndConsumesNothing) {
  std::string bytes = NoiseBytes(1 << 20);
  auto input = Open(GetParam(), bytes);
  ByteSource& source = input->source();
  for (size_t count : {1, 8, 300000, 700000}) {
    ByteSpan seen = source.Peek(count);
    ASSERT_GE(seen.size(), count);
    EXPECT_TRUE(AsText(seen.first(count)) == bytes.substr(0, count));
    EXPECT_EQ(source.offset(), 0);
  }
  source.Consume(600001);
  EXPECT_EQ(source.offset(), 600001);
  EXPECT_TRUE(AsText(source.Peek(100).first(100)) == bytes.substr(600001, 100));
}

TEST_P(EverySourceTest, PeekShowsFewerAtTheEnd) {
  auto input = Open(GetParam(), "abcdef");
  ByteSource& source = input->source();
  EXPECT_EQ(AsText(source.Peek(7)), "abcdef");
  EXPECT_EQ(AsText(source.Peek(size_t{1} << 40)), "abcdef");
  source.Consume(4);
  EXPECT_EQ(AsText(source.Peek(3)), "ef");
  source.Consume(2);
  EXPECT_TRUE(source.Peek(1).empty());
  EXPECT_EQ(source.offset(), 6);
}

TEST_P(EverySourceTest, SkipSaysHowMuchWasThere) {
  std::string bytes = NoiseBytes(1 << 20);
  auto input = Open(GetParam(), bytes);
  ByteSource& source = input->source();
  EXPECT_EQ(source.Skip(0), 0);
  EXPECT_EQ(source.Skip(3), 3);
  EXPECT_EQ(AsText(source.Peek(5).first(5)), bytes.substr(3, 5));
  EXPECT_EQ(source.Skip(700000), 700000);
  EXPECT_EQ(source.offset(), 700003);
  EXPECT_EQ(AsText(source.Peek(5).first(5)), bytes.substr(700003, 5));
  EXPECT_EQ(source.Skip(~uint64_t{0}), bytes.size() - 700003);
  EXPECT_EQ(source.offset(), bytes.size());
  EXPECT_TRUE(source.Peek(1).empty());
  EXPECT_EQ(source.Skip(1), 0);
  EXPECT_EQ(source.offset(), bytes.size());
}

TEST_P(EverySourceTest, TailIsTheInputsLastBytes) {
  std::string bytes = NoiseBytes(1 << 20);
  auto input = Open(GetParam(), bytes);
  ByteSource& source = input->source();
  source.Skip(1000);
  ASSERT_TRUE(source.ReachEnd(bytes.size()));
  std::vector<uint8_t> tail = source.Tail(5);
  EXPECT_EQ(AsText(tail), bytes.substr(bytes.size() - 5));
  // Nothing that was consumed comes again.
  tail = source.Tail(~uint64_t{0});
  EXPECT_TRUE(AsText(tail) == bytes.substr(1000));
  EXPECT_TRUE(source.Tail(0).empty());
  // And the reading goes on where it was.
  EXPECT_EQ(source.offset(), 1000);
  EXPECT_TRUE(ReadAll(source) == bytes.substr(1000));
  EXPECT_TRUE(source.Tail(5).empty());
}

TEST_P(EverySourceTest, AnEmptyInputHasAnEmptyTail) {
  auto input = Open(GetParam(), "");
  EXPECT_TRUE(input->source().ReachEnd(0));
  EXPECT_TRUE(input->source().Tail(10).empty());
  EXPECT_EQ(input->source().Skip(10), 0);
}

INSTANTIATE_TEST_SUITE_P(All, EverySourceTest,
                         testing::Values(Kind::kMemory, Kind::kShortReads,
                                         Kind::kFile, Kind::kMapped,
                                         Kind::kSocket, Kind::kZstd,
                                         Kind::kLentMapped, Kind::kLentSocket));

class SequentialSourceTest : public testing::TestWithParam<Kind> {};

TEST_P(SequentialSourceTest, TheEndIsReachedByHoldingNoMoreThanTheLimit) {
  constexpr size_t kSize = 600'000;
  std::string bytes = NoiseBytes(kSize);
  auto input = Open(GetParam(), bytes);
  ByteSource& source = input->source();
  EXPECT_FALSE(source.ReachEnd(0));
  EXPECT_FALSE(source.ReachEnd(1000));
  EXPECT_FALSE(source.ReachEnd(kSize - 1));
  // A failure loses nothing, and less is left later.
  source.Skip(1);
  EXPECT_TRUE(source.ReachEnd(kSize - 1));
  EXPECT_TRUE(ReadAll(source) == bytes.substr(1));
}

TEST_P(SequentialSourceTest, ALimitOfExactlyWhatIsLeftIsEnough) {
  auto input = Open(GetParam(), NoiseBytes(600'000));
  EXPECT_TRUE(input->source().ReachEnd(600'000));
}

TEST_P(SequentialSourceTest, ItsSizeIsNotKnown) {
  auto input = Open(GetParam(), "abc");
  EXPECT_EQ(input->source().size(), std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(All, SequentialSourceTest,
                         testing::Values(Kind::kShortReads, Kind::kSocket,
                                         Kind::kZstd));

TEST(ByteSourceTest, ReachEndTakesAnyLimit) {
  // In a process of its own, for it may never come back.
  EXPECT_EXIT(
      {
        alarm(10);
        std::string bytes = NoiseBytes(600'000);
        ShortReadSource source(AsBytes(bytes), 100'000);
        std::_Exit(source.ReachEnd(~uint64_t{0}) ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

// Counts what it is asked for, and never ends.
class EndlessSource : public ByteSource {
 public:
  uint64_t given = 0;

 protected:
  size_t Read(uint8_t* to, size_t count) override {
    std::memset(to, 'x', count);
    given += count;
    return count;
  }
};

TEST(ByteSourceTest, NoMoreIsReadThanALimitAllows) {
  EndlessSource source;
  EXPECT_FALSE(source.ReachEnd(1 << 20));
  EXPECT_LE(source.given, 3 << 20);
  uint64_t before = source.given;
  EXPECT_FALSE(source.ReachEnd(1 << 20));
  EXPECT_EQ(source.given, before) << "it is known by now";
}

TEST(ByteSourceTest, AfterAFailureTheInputSeemsToEnd) {
  FailingSource source("abc");
  EXPECT_EQ(ReadAll(source), "abc");
  EXPECT_EQ(source.failure(), "out of luck");
}

TEST(MemorySourceTest, ShowsAllItHasWithoutACopy) {
  std::string bytes = NoiseBytes(1 << 20);
  MemorySource source(AsBytes(bytes));
  ByteSpan seen = source.Peek(1);
  EXPECT_EQ(seen.size(), bytes.size());
  EXPECT_EQ(seen.data(), AsBytes(bytes).data());
  EXPECT_EQ(source.size(), bytes.size());
}

TEST(FileSourceTest, SeeksInsteadOfReading) {
  FileInput input(NoiseBytes(1 << 20));
  ByteSource& source = input.source();
  EXPECT_EQ(source.size(), 1 << 20);
  EXPECT_TRUE(source.ReachEnd(0)) << "whatever the limit";
  EXPECT_EQ(source.Tail(3).size(), 3);
  EXPECT_EQ(source.raw_offset(), 0);
  EXPECT_EQ(source.Skip(1 << 19), 1 << 19);
  EXPECT_EQ(source.raw_offset(), 1 << 19);
}

TEST(FileSourceTest, BeginsWhereTheDescriptorStands) {
  int fd = open(TempFile("offset", "0123456789").c_str(), O_RDONLY);
  ASSERT_EQ(lseek(fd, 4, SEEK_SET), 4);
  FileSource source(fd);
  EXPECT_EQ(source.size(), 6);
  EXPECT_EQ(source.offset(), 0);
  ASSERT_TRUE(source.ReachEnd(0));
  std::vector<uint8_t> tail = source.Tail(100);
  EXPECT_EQ(AsText(tail), "456789");
  EXPECT_EQ(ReadAll(source), "456789");
}

TEST(FileSourceTest, AnyPlaceCanBeReadWithoutGoingThere) {
  int fd = open(TempFile("offset", "0123456789").c_str(), O_RDONLY);
  ASSERT_EQ(lseek(fd, 4, SEEK_SET), 4);
  const FileSource source(fd);
  std::vector<uint8_t> bytes(4);
  EXPECT_EQ(source.ReadAt(1, bytes), 4);
  EXPECT_EQ(AsText(bytes), "5678");
  EXPECT_EQ(source.ReadAt(5, bytes), 1);
  EXPECT_EQ(bytes[0], '9');
  EXPECT_EQ(source.ReadAt(6, bytes), 0);
  EXPECT_EQ(source.ReadAt(~uint64_t{0}, bytes), 0);
  EXPECT_EQ(source.offset(), 0);
}

TEST(FileSourceTest, OfAPipeNoPlaceCanBeRead) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ASSERT_EQ(write(ends[1], "abc", 3), 3);
  close(ends[1]);
  FileSource source(ends[0]);
  std::vector<uint8_t> bytes(2);
  EXPECT_EQ(source.ReadAt(0, bytes), 0);
  EXPECT_EQ(ReadAll(source), "abc");
}

TEST(MemorySourceTest, AnyPlaceCanBeReadWithoutGoingThere) {
  const MemorySource source(AsBytes("0123456789"));
  std::vector<uint8_t> bytes(4);
  EXPECT_EQ(source.ReadAt(8, bytes), 2);
  EXPECT_EQ(AsText(bytes), std::string("89\0\0", 4));
  EXPECT_EQ(source.ReadAt(10, bytes), 0);
  EXPECT_EQ(source.ReadAt(~uint64_t{0}, bytes), 0);
}

TEST(FileSourceTest, AMappedFileBeginsWhereTheDescriptorStands) {
  std::string bytes = NoiseBytes(10 << 20);  // Several windows.
  int fd = open(TempFile("offset", bytes).c_str(), O_RDONLY);
  ASSERT_EQ(lseek(fd, 5000, SEEK_SET), 5000);
  FileSource source(fd, FileAccess::kMap);
  EXPECT_EQ(source.Skip(4095), 4095);
  EXPECT_TRUE(ReadAll(source) == bytes.substr(9095));
}

TEST(FileSourceTest, AMappedFileThatBecomesShorterEndsThere) {
  std::string path = TempFile("shrinks", NoiseBytes(10 << 20));
  FileSource source(open(path.c_str(), O_RDONLY), FileAccess::kMap);
  EXPECT_EQ(source.Skip(5 << 20), 5 << 20);
  ASSERT_EQ(truncate(path.c_str(), (5 << 20) + 3), 0);
  EXPECT_EQ(source.Peek(8).size(), 3);
  EXPECT_EQ(source.Skip(8), 3);
  EXPECT_EQ(source.failure(), "");
}

class LargeFileTest : public testing::TestWithParam<FileAccess> {};

INSTANTIATE_TEST_SUITE_P(AllAccesses, LargeFileTest,
                         testing::Values(FileAccess::kRead, FileAccess::kMap,
                                         FileAccess::kFastest));

TEST_P(LargeFileTest, IsThereAgainForAnotherThread) {
  const std::string bytes = NoiseBytes(1 << 20);
  const int fd = open(TempFile("again", bytes).c_str(), O_RDONLY);
  ASSERT_EQ(lseek(fd, 5, SEEK_SET), 5);
  FileSource source(fd, GetParam());
  EXPECT_EQ(source.Skip(100), 100);
  const std::unique_ptr<ByteSource> again = source.Again();
  ASSERT_NE(again, nullptr);
  EXPECT_TRUE(ReadAll(*again) == bytes.substr(5));
  EXPECT_TRUE(ReadAll(source) == bytes.substr(105));
}

// So large that it is measured which way is faster, which may change within it.
TEST_P(LargeFileTest, GivesEachByteOnce) {
  const std::string bytes = NoiseBytes(24 << 20);
  const int fd = open(TempFile("large", bytes).c_str(), O_RDONLY);
  FileSource source(fd, GetParam());
  std::mt19937 random(1);
  std::string read;
  for (ByteSpan here; !(here = source.Peek(1 + random() % 5000)).empty();) {
    const size_t taken = 1 + random() % std::min<size_t>(here.size(), 100000);
    read += AsText(here.first(taken));
    source.Consume(taken);
    const size_t skipped = random() % 100000;
    read += bytes.substr(read.size(), source.Skip(skipped));
    EXPECT_EQ(source.offset(), read.size());
  }
  EXPECT_TRUE(read == bytes);
  ASSERT_TRUE(source.MoveTo(12345678));
  EXPECT_TRUE(ReadAll(source) == bytes.substr(12345678));
}

// A sparse file that claims a TiB costs what it holds.
void ExpectHolesNotRead(ByteSource& source, uint64_t size) {
  std::string data;
  uint64_t bytes = 0;
  for (ByteSpan here; !(here = source.Peek(1)).empty();) {
    if (!AreZeroBytes(here)) data += AsText(here);
    bytes += here.size();
    source.Consume(here.size());
  }
  EXPECT_EQ(bytes, size);
  EXPECT_LT(data.size(), 100U << 20);
  EXPECT_EQ(data.substr(0, 6), std::string("begin\0", 6));
  EXPECT_NE(data.find("middle"), std::string::npos);
}

TEST(FileSourceTest, AHoleIsNotRead) {
  const std::string path = TempFile("sparse", "begin");
  constexpr uint64_t kTebibyte = uint64_t{1} << 40;
  constexpr uint64_t kMiddle = kTebibyte / 2 + 12345;
  const int fd = open(path.c_str(), O_RDWR);
  ASSERT_EQ(pwrite(fd, "middle", 6, kMiddle), 6);
  ASSERT_EQ(ftruncate(fd, kTebibyte), 0);
  if (lseek(fd, 1 << 20, SEEK_DATA) < off_t{1} << 30) {
    close(fd);
    GTEST_SKIP() << "no holes here";
  }
  ASSERT_EQ(lseek(fd, 0, SEEK_SET), 0);
  FileSource mapped(fd, FileAccess::kMap);
  FileSource fastest(dup(fd), FileAccess::kFastest);
  const std::unique_ptr<ByteSource> read = mapped.Again();
  ExpectHolesNotRead(mapped, kTebibyte);
  ExpectHolesNotRead(fastest, kTebibyte);
  ExpectHolesNotRead(*read, kTebibyte);
}

TEST(FileSourceTest, ReadingLeavesTheDescriptorsPosition) {
  const std::string path = TempFile("position", NoiseBytes(1 << 20));
  const int fd = open(path.c_str(), O_RDONLY);
  FileSource source(fd, FileAccess::kRead);
  EXPECT_EQ(source.Skip(500000), 500000);
  EXPECT_FALSE(source.Peek(1).empty());
  EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 0);
}

TEST(FileSourceTest, AHoleThatIsCutOffIsNoHole) {
  const std::string path = TempFile("cut hole", "begin");
  const int fd = open(path.c_str(), O_RDWR);
  ASSERT_EQ(ftruncate(fd, 100 << 20), 0);
  FileSource source(fd, FileAccess::kMap);
  EXPECT_EQ(source.Skip(50 << 20), 50 << 20);
  ASSERT_EQ(ftruncate(fd, 60 << 20), 0);
  EXPECT_LE(ReadAll(source).size(), 10U << 20);
}

TEST(FileSourceTest, AMappedFileThatGrowsIsReadToItsEnd) {
  std::string path = TempFile("grows", "abc");
  FileSource source(open(path.c_str(), O_RDONLY), FileAccess::kMap);
  EXPECT_EQ(AsText(source.Peek(3)), "abc");
  std::ofstream(path, std::ios::app) << "def";
  EXPECT_EQ(AsText(source.Peek(6)), "abcdef");
}

TEST(FileSourceTest, NothingOfAMappedFileThatGrowsComesTwice) {
  std::string path = TempFile("grows", "abc");
  FileSource source(open(path.c_str(), O_RDONLY), FileAccess::kMap);
  std::string all = NoiseBytes(1 << 20);
  std::ofstream(path, std::ios::binary) << all;
  std::string read;
  while (!source.Peek(5).empty()) {
    ByteSpan bytes = source.Peek(5);
    bytes = bytes.first(std::min<size_t>(bytes.size(), 3));
    read += std::string(AsText(bytes));
    source.Consume(bytes.size());
  }
  EXPECT_TRUE(read == all);
}

TEST(FileSourceTest, WithoutReadAheadNothingIsReadThatIsSkipped) {
  FileInput input(NoiseBytes(1 << 20));
  ByteSource& source = input.source();
  source.SetReadAhead(false);
  EXPECT_EQ(source.Peek(10).size(), 10);
  EXPECT_EQ(source.raw_offset(), 10);
  EXPECT_EQ(source.Skip(1000), 1000);
  EXPECT_EQ(source.Peek(2).size(), 2);
  EXPECT_EQ(source.raw_offset(), 1002);
  source.SetReadAhead(true);
  EXPECT_GT(source.Peek(3).size(), 3);
}

TEST(FileSourceTest, AReadThatFailsIsAFailure) {
  // Reading a directory gives EISDIR.
  FileSource source(open(testing::TempDir().c_str(), O_RDONLY));
  EXPECT_TRUE(source.Peek(1).empty());
  EXPECT_NE(source.failure(), "");
}

}  // namespace
}  // namespace migstream
