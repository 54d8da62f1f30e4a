#include "codec/io/kept_bytes.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codec/io/temp_file.h"
#include "codec/io/write_behind.h"
#include "codec/wire/bytes.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

std::string Read(const TempFile& file, uint64_t offset, size_t bytes) {
  std::vector<uint8_t> read(bytes);
  Error error = file.ReadAt(offset, read);
  EXPECT_TRUE(error.ok()) << ToString(error);
  return std::string(AsText(read));
}

TEST(TempFileTest, WritesThatArePutTogetherReadLikeOneBuffer) {
  TempFile file;
  std::string truth;
  uint32_t random = 1;
  for (int i = 0; i < 4000; ++i) {
    random = random * 1103515245 + 12345;
    const uint32_t number = random >> 8;
    const bool large = number % 100 == 0;
    const std::string bytes(1 + number % (large ? 600000 : 900),
                            static_cast<char>('a' + number % 26));
    size_t offset =
        number % 3 == 0 ? number % (truth.size() + 5000) : truth.size();
    Error error = number % 3 == 1 ? file.Append(AsBytes(bytes))
                                  : file.WriteAt(offset, AsBytes(bytes));
    ASSERT_TRUE(error.ok()) << ToString(error);
    if (truth.size() < offset + bytes.size()) {
      truth.resize(offset + bytes.size());
    }
    truth.replace(offset, bytes.size(), bytes);
    ASSERT_EQ(file.size(), truth.size());
    if (number % 500 == 0) {
      ASSERT_TRUE(Read(file, 0, truth.size()) == truth) << i;
    }
  }
  EXPECT_TRUE(Read(file, 0, truth.size()) == truth);
}

// A write may be kept, and fail only later.
TEST(WriteBehindTest, WhatCannotBeWrittenIsSaidByFlush) {
  WriteBehind behind;
  constexpr int kNoFile = -1;
  EXPECT_EQ(behind.Write(kNoFile, 0, AsBytes("bytes")), 0);
  EXPECT_EQ(behind.Write(kNoFile, 5, AsBytes("more")), 0);
  EXPECT_EQ(behind.Flush(), EBADF);
  EXPECT_EQ(behind.Flush(), 0);  // It was said.
  EXPECT_EQ(behind.Write(kNoFile, 0, AsBytes("bytes")), 0);
  EXPECT_EQ(behind.Write(kNoFile, 100, AsBytes("far off")), EBADF);
  const std::string large(WriteBehind::kHeldBytes + 1, 'x');
  EXPECT_EQ(behind.Write(kNoFile, 0, AsBytes(large)), EBADF);
}

TEST(WriteBehindTest, FilesThatShareItGetTheirOwnBytes) {
  FILE* files[] = {std::tmpfile(), std::tmpfile()};
  WriteBehind behind;
  // Each goes on where the other one ends.
  for (uint64_t i = 0; i < 10; ++i) {
    const std::string bytes(100, static_cast<char>('a' + i));
    EXPECT_EQ(behind.Write(fileno(files[i % 2]), 100 * i, AsBytes(bytes)), 0);
  }
  EXPECT_EQ(behind.Flush(), 0);
  for (off_t i = 0; i < 10; ++i) {
    std::string read(100, '\0');
    EXPECT_EQ(pread(fileno(files[i % 2]), read.data(), 100, 100 * i), 100);
    EXPECT_EQ(read, std::string(100, static_cast<char>('a' + i)));
  }
  for (FILE* file : files) std::fclose(file);
}

TEST(KeptBytesTest, PlacesInAStreamAndInTheFileAreReadInAnyOrder) {
  std::string stream;
  for (int i = 0; i < 100000; ++i) stream += std::to_string(i);
  KeptBytes kept;
  EXPECT_FALSE(kept.InStream(0));
  kept.SetStream(std::make_unique<MemorySource>(AsBytes(stream)));
  uint64_t in_file = 0;
  ASSERT_TRUE(kept.Append(AsBytes("first"), in_file).ok());
  ASSERT_TRUE(kept.Append(AsBytes("second"), in_file).ok());
  std::vector<uint8_t> buffer(6);
  ByteSpan bytes;
  for (uint64_t offset : {7, 300000, 300010, 5, 480000, 0}) {
    Error error = kept.Get(*kept.InStream(offset), buffer, bytes);
    ASSERT_TRUE(error.ok()) << ToString(error);
    EXPECT_EQ(AsText(bytes), stream.substr(offset, 6));
    EXPECT_EQ(bytes.data(), AsBytes(stream).data() + offset);
    error = kept.Read(*kept.InStream(offset), buffer);
    EXPECT_EQ(AsText(buffer), stream.substr(offset, 6));
    ASSERT_TRUE(kept.Get(in_file, buffer, bytes).ok());
    EXPECT_EQ(AsText(bytes), "second");
  }
  EXPECT_EQ(kept.Get(*kept.InStream(stream.size() - 5), buffer, bytes).code,
            ErrorCode::kReadFailed);
}

// As what is compressed, or comes through a pipe.
class ForwardSource : public ByteSource {
 protected:
  size_t Read(uint8_t*, size_t) override { return 0; }
};

TEST(KeptBytesTest, AStreamThatCannotGoBackHasNoPlaces) {
  KeptBytes kept;
  kept.SetStream(std::make_unique<ForwardSource>());
  EXPECT_FALSE(kept.InStream(0));
  kept.SetStream(nullptr);
  EXPECT_FALSE(kept.InStream(0));
}

// As on a disk that is full: what is held to be written later cannot be then.
TEST(KeptBytesTest, WhatCouldNotBeWrittenIsNeverReadAsZeros) {
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small = {.rlim_cur = 1000, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  KeptBytes kept;
  uint64_t place = 0;
  const std::vector<uint8_t> bytes(2000, 0xaa);
  EXPECT_TRUE(kept.Append(bytes, place).ok());
  EXPECT_FALSE(kept.NewReader());
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);  // There is room again.
  for (int i = 0; i < 2; ++i) {
    std::vector<uint8_t> buffer(100);
    ByteSpan read;
    EXPECT_EQ(kept.Get(place + 1900, buffer, read).code,
              ErrorCode::kWriteFailed);
  }
  EXPECT_EQ(kept.Append(bytes, place).code, ErrorCode::kWriteFailed);
}

TEST(KeptBytesTest, AReaderForAnotherThreadReadsTheSame) {
  const std::string stream = "0123456789";
  KeptBytes kept;
  kept.SetStream(std::make_unique<MemorySource>(AsBytes(stream)));
  uint64_t place = 0;
  ASSERT_TRUE(kept.Append(AsBytes("abcdef"), place).ok());
  std::optional<KeptBytes::Reader> reader = kept.NewReader();
  ASSERT_TRUE(reader);
  std::vector<uint8_t> buffer(3);
  ByteSpan bytes;
  ASSERT_TRUE(reader->Get(place + 2, buffer, bytes).ok());
  EXPECT_EQ(AsText(bytes), "cde");
  ASSERT_TRUE(reader->Get(*kept.InStream(4), buffer, bytes).ok());
  EXPECT_EQ(AsText(bytes), "456");
  ASSERT_TRUE(reader->Get(*kept.InStream(1), buffer, bytes).ok());
  EXPECT_EQ(AsText(bytes), "123");
  EXPECT_EQ(reader->Get(*kept.InStream(9), buffer, bytes).code,
            ErrorCode::kReadFailed);
}

}  // namespace
}  // namespace migstream
