// Mapped-ram files: absolute offsets, and pages that nobody reads.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "codec/io/libvirt_bytes.h"
#include "codec/io/open_stream.h"
#include "codec/qemu/stream_bytes.h"
#include "codec/qemu/stream_reader.h"
#include "codec/qemu/stream_recording.h"
#include "codec/qemu/stream_writer.h"
#include "codec/wire/text.h"
#include "flags/ram_flags.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

using testing::HasSubstr;

constexpr uint64_t kMiB = 1 << 20;

// A file that can be sought in, and remembers which of its bytes were read.
class SeenSource : public ByteSource {
 public:
  explicit SeenSource(const std::string& bytes) : bytes_(bytes) {}

  bool ReachEnd(uint64_t) override { return true; }
  std::vector<uint8_t> Tail(uint64_t count) override {
    uint64_t from = bytes_.size() - std::min(count, bytes_.size() - offset());
    reads_.emplace_back(from, bytes_.size());
    return std::vector<uint8_t>(bytes_.begin() + static_cast<ptrdiff_t>(from),
                                bytes_.end());
  }

  // How many of the bytes in [begin, end) were read, some perhaps twice.
  uint64_t BytesRead(uint64_t begin, uint64_t end) const {
    uint64_t count = 0;
    for (const auto& [from, to] : reads_) {
      uint64_t low = std::max(from, begin), high = std::min(to, end);
      if (low < high) count += high - low;
    }
    return count;
  }
  size_t reads() const { return reads_.size(); }

 protected:
  size_t Read(uint8_t* to, size_t count) override {
    size_t got = bytes_.copy(reinterpret_cast<char*>(to), count, position_);
    reads_.emplace_back(position_, position_ + got);
    position_ += got;
    return got;
  }
  uint64_t Seek(uint64_t count) override {
    count = std::min<uint64_t>(count, bytes_.size() - position_);
    position_ += count;
    return count;
  }

 private:
  const std::string& bytes_;
  uint64_t position_ = 0;
  std::vector<std::pair<uint64_t, uint64_t>> reads_;  // [from, to)
};

struct MappedFile {
  std::string bytes;
  // Where the pages of each block stand: [from, to).
  std::vector<std::pair<uint64_t, uint64_t>> pages;
};

// Blocks of so many bytes, behind `prefix`. As QEMU does, each bitmap follows
// its header, and the pages begin at the next MiB of the file.
MappedFile MakeMappedFile(const std::string& prefix,
                          const std::vector<uint64_t>& blocks) {
  MappedFile file;
  const HandlerBytes ram = {.id = 2, .idstr = "ram", .version = 4};
  uint64_t total = 0;
  for (uint64_t bytes : blocks) total += bytes;
  file.bytes =
      prefix + HeaderBytes() +
      ConfigurationBytes("pc-q35-11.1", CapabilitiesBytes({"mapped-ram"})) +
      ram.Named('\x01') + Be64Bytes(total | kRamMemSize);
  for (size_t i = 0; i < blocks.size(); ++i) {
    file.bytes += Str8Bytes(StrCat("block", i)) + Be64Bytes(blocks[i]);
    uint64_t bitmap = file.bytes.size() + 28;
    uint64_t bitmap_bytes = (blocks[i] / 4096 + 63) / 64 * 8;
    uint64_t pages = (bitmap + bitmap_bytes + kMiB - 1) / kMiB * kMiB;
    file.bytes += Be32Bytes(1) + Be64Bytes(4096) + Be64Bytes(bitmap) +
                  Be64Bytes(pages) + std::string(bitmap_bytes, '\xff');
    file.bytes.resize(pages, '\0');
    // Whoever searched here would find an end.
    while (file.bytes.size() < pages + blocks[i]) {
      file.bytes += ram.Footer() + EofBytes() + "..";
    }
    file.bytes.resize(pages + blocks[i]);
    file.pages.emplace_back(pages, pages + blocks[i]);
  }
  // What follows is larger than what is read at once.
  const HandlerBytes timer = {.id = 3, .idstr = "timer"};
  std::string state(300'000, 't');
  file.bytes += Be64Bytes(kRamEos) + ram.Footer() +
                ram.End(Be64Bytes(kRamEos)) + timer.Full(state) + EofBytes() +
                DescriptionBytes(DescriptionJson({timer.Json(300'000)}, 4096));
  return file;
}

TEST(MappedRamTest, ThePagesAreNotRead) {
  for (const std::string& prefix :
       {std::string(), std::string(kMiB - 2000, 'x')}) {
    MappedFile file =
        MakeMappedFile(prefix, {3 * kMiB, 4096, kMiB - 100 * 4096, 64 << 10});
    auto owned = std::make_unique<SeenSource>(file.bytes);
    SeenSource& source = *owned;
    OpenedStream opened = Unwrap(std::move(owned), {.offset = prefix.size()});
    ASSERT_TRUE(opened.error.ok());
    StreamVisitor visitor;
    StreamReader reader(*opened.source, visitor);
    Error error = reader.Read();
    EXPECT_TRUE(error.ok()) << ToString(error);
    EXPECT_EQ(reader.ram().blocks.size(), 4);
    for (const auto& [from, to] : file.pages) {
      EXPECT_EQ(source.BytesRead(from, to), 0) << Hex(from);
    }
    // The counting works.
    EXPECT_GE(source.BytesRead(file.pages.back().second, file.bytes.size()),
              300'000);
  }
}

TEST(MappedRamTest, WhatALoaderRefusesOfAHeaderIsFound) {
  class Findings : public StreamVisitor {
   public:
    void OnFinding(const Finding& finding) override {
      ids.push_back(finding.id);
    }
    std::vector<std::string> ids;
  };
  auto found = [](uint64_t page_bytes, uint64_t pages_offset) {
    MappedFile file = MakeMappedFile("", {kMiB});
    const uint64_t header = file.bytes.find("block0") + 6 + 8;
    file.bytes.replace(header + 4, 8, Be64Bytes(page_bytes));
    file.bytes.replace(header + 20, 8, Be64Bytes(pages_offset));
    MemorySource source(AsBytes(file.bytes));
    Findings findings;
    (void)StreamReader(source, findings).Read();
    return findings.ids;
  };
  EXPECT_THAT(found(4096, kMiB), testing::IsEmpty());
  EXPECT_THAT(found(8192, kMiB), testing::Contains("page-size"));
  EXPECT_THAT(found(4096, kMiB + 5), testing::Contains("mapped-ram-alignment"));
}

TEST(MappedRamTest, CopiedPagesAreReadInLargePieces) {
  MappedFile file = MakeMappedFile("", {3 * kMiB});
  SeenSource source(file.bytes);
  StringSink copy;
  Error error = Repack(source, copy, ReaderOptions(), nullptr);
  EXPECT_TRUE(error.ok()) << ToString(error);
  EXPECT_EQ(copy.bytes(), file.bytes);
  EXPECT_LT(source.reads(), 1000);
}

TEST(MappedRamTest, OffsetsCountFromTheFilesFirstByte) {
  std::string prefix(5000, 'x');
  MappedFile file = MakeMappedFile(prefix, {kMiB, 8192});
  MemorySource source(AsBytes(file.bytes));
  source.Skip(5000);
  Recorded seen = Record(source);
  EXPECT_TRUE(seen.error.ok()) << ToString(seen.error);

  // The same bytes without what is before them.
  std::string moved = file.bytes.substr(5000);
  MemorySource moved_source(AsBytes(moved));
  seen = Record(moved_source);
  EXPECT_EQ(seen.error.code, ErrorCode::kBadRam) << ToString(seen.error);
}

TEST(MappedRamTest, ASparseLibvirtSaveIsSuchAFile) {
  LibvirtBytes save = {.format = 6};
  std::string prefix = save.File("");
  MappedFile file = MakeMappedFile(prefix, {kMiB, 8192});
  OpenedStream opened =
      Unwrap(std::make_unique<MemorySource>(AsBytes(file.bytes)));
  ASSERT_TRUE(opened.error.ok());
  Recorded seen = Record(*opened.source);
  EXPECT_TRUE(seen.error.ok()) << ToString(seen.error);
}

// The capture as QEMU would have written it with file:NAME,offset=N.
std::string Moved(std::string bytes, const RamStats& ram, uint64_t n) {
  for (const RamBlock& block : ram.blocks) {
    std::string offsets =
        Be64Bytes(block.bitmap_offset) + Be64Bytes(block.pages_offset);
    size_t at = bytes.find(offsets);
    EXPECT_NE(at, std::string::npos) << block.name;
    bytes.replace(
        at, offsets.size(),
        Be64Bytes(block.bitmap_offset + n) + Be64Bytes(block.pages_offset + n));
  }
  return std::string(n, 'x') + bytes;
}

TEST(MappedRamTest, ARealFileAtAnOffsetSaysTheSame) {
  const testdata::Capture& capture = GetCapture("s111-file-mapped-ram");
  std::string bytes = ReadCapture(capture);
  MemorySource whole(AsBytes(bytes));
  StreamVisitor visitor;
  StreamReader reader(whole, visitor);
  ASSERT_TRUE(reader.Read().ok());
  std::string moved = Moved(bytes, reader.ram(), 0x3000);
  OpenedStream opened = Unwrap(std::make_unique<MemorySource>(AsBytes(moved)),
                               {.offset = 0x3000});
  ASSERT_TRUE(opened.error.ok());
  StreamReader moved_reader(*opened.source, visitor);
  Error error = moved_reader.Read();
  EXPECT_TRUE(error.ok()) << ToString(error);
  EXPECT_EQ(opened.source->offset(), moved.size());
}

TEST(MappedRamTest, ARealFilesPagesAreNotRead) {
  std::string bytes = ReadCapture(GetCapture("s111-file-mapped-ram"));
  SeenSource source(bytes);
  StreamVisitor visitor;
  StreamReader reader(source, visitor);
  ASSERT_TRUE(reader.Read().ok());
  ASSERT_FALSE(reader.ram().blocks.empty());
  for (const RamBlock& block : reader.ram().blocks) {
    // The description is looked for in the last 256 KiB, whatever they hold.
    uint64_t end = std::min(block.pages_offset + block.used_bytes,
                            bytes.size() - (256 << 10));
    EXPECT_EQ(source.BytesRead(block.pages_offset, end), 0) << block.name;
  }
}

TEST(MappedRamTest, WhatStoodElsewhereIsNotRepacked) {
  MappedFile file = MakeMappedFile("prefix", {8192});
  MemorySource source(AsBytes(file.bytes));
  source.Skip(6);
  StringSink sink;
  Error error = Repack(source, sink, {}, nullptr);
  EXPECT_EQ(error.code, ErrorCode::kNotWritable);
  EXPECT_THAT(error.reason, HasSubstr("count from the file's first byte"));

  file = MakeMappedFile("", {8192});
  MemorySource same(AsBytes(file.bytes));
  StringSink copy;
  error = Repack(same, copy, {}, nullptr);
  EXPECT_TRUE(error.ok()) << ToString(error);
  EXPECT_TRUE(copy.bytes() == file.bytes);
}

TEST(MappedRamTest, AStreamOfOtherKindsMayStandAnywhere) {
  std::string bytes = ReadCapture(GetCapture("s72-two"));
  std::string moved = "something else " + bytes;
  MemorySource source(AsBytes(moved));
  source.Skip(15);
  StringSink sink;
  Error error = Repack(source, sink, {}, nullptr);
  EXPECT_TRUE(error.ok()) << ToString(error);
  EXPECT_TRUE(sink.bytes() == bytes);
}

}  // namespace
}  // namespace migstream
