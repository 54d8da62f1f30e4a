// A block's memory, out of made streams and real ones.

#include "codec/extract/ram_extractor.h"

#include <zlib.h>

#include <map>
#include <span>
#include <string>
#include <vector>

#include "codec/channels/memory_channels.h"
#include "codec/qemu/stream_bytes.h"
#include "codec/qemu/stream_reader.h"
#include "codec/qemu/stream_recording.h"
#include "codec/qemu/xbzrle.h"
#include "codec/wire/be_text.h"
#include "codec/wire/text.h"
#include "flags/ram_flags.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

using testing::HasSubstr;

class StringImage : public RamImage {
 public:
  void Resize(uint64_t size) override { bytes.resize(size); }
  void Write(uint64_t offset, ByteSpan from) override {
    bytes.replace(offset, from.size(), AsText(from).data(), from.size());
  }
  void Zero(uint64_t offset, uint64_t count) override {
    bytes.replace(offset, count, count, '\0');
    ++zeros;
  }
  void Read(uint64_t offset, std::span<uint8_t> to) override {
    bytes.copy(reinterpret_cast<char*>(to.data()), to.size(), offset);
  }
  std::string bytes;
  int zeros = 0;
};

struct Extracted {
  std::string bytes;
  Error error;
  uint64_t missing = 0;
};

Extracted ExtractFrom(ByteSource& source, const std::string& block,
                      const std::vector<std::string>& channels,
                      int threads = 1) {
  const MemoryChannels sources(channels);
  StringImage image;
  RamExtractor extractor(image, block, sources.given(), {}, threads);
  Extracted extracted;
  extracted.error = StreamReader(source, extractor).Read();
  if (extracted.error.ok()) extracted.error = extractor.Finish();
  extracted.bytes = image.bytes;
  extracted.missing = extractor.missing_pages();
  return extracted;
}

Extracted Extract(const std::string& stream, const std::string& block = "a",
                  const std::vector<std::string>& channels = {}) {
  MemorySource source(AsBytes(stream));
  Extracted whole = ExtractFrom(source, block, channels);
  ShortReadSource pipe(AsBytes(stream), 1000);
  Extracted piped = ExtractFrom(pipe, block, channels);
  EXPECT_TRUE(piped.bytes == whole.bytes);
  EXPECT_EQ(ToString(piped.error), ToString(whole.error));
  for (int threads : {2, 5}) {
    MemorySource again(AsBytes(stream));
    const Extracted other = ExtractFrom(again, block, channels, threads);
    EXPECT_TRUE(other.bytes == whole.bytes) << threads;
    EXPECT_EQ(ToString(other.error), ToString(whole.error)) << threads;
  }
  return whole;
}

constexpr size_t kPage = 4096;
std::string Page(char fill) { return std::string(kPage, fill); }

// Block "a" of two pages, and "b" of one.
std::string Stream(const std::string& records) {
  const HandlerBytes ram = {.id = 2, .idstr = "ram", .version = 4};
  std::string end = BeBytes(kRamEos, 8);
  return HeaderBytes() +
         ram.Start(BeBytes(3 * kPage | kRamMemSize, 8) + Str8Bytes("a") +
                   BeBytes(2 * kPage, 8) + Str8Bytes("b") + BeBytes(kPage, 8) +
                   end) +
         ram.Part(records + end) + ram.End(end) + EofBytes();
}
std::string Record(uint64_t flags, uint64_t offset, const std::string& block,
                   const std::string& payload) {
  return BeBytes(offset | flags, 8) + Str8Bytes(block) + payload;
}
std::string XbzrleRecord(uint64_t offset, const std::string& delta) {
  return Record(
      kRamXbzrle, offset, "a",
      "\x01" + Be16Bytes(static_cast<uint16_t>(delta.size())) + delta);
}

TEST(RamExtractorTest, PagesGoWhereTheyBelong) {
  Extracted extracted =
      Extract(Stream(Record(kRamPage, kPage, "a", Page('x')) +
                     Record(kRamPage, 0, "b", Page('b')) +
                     Record(kRamZero, 0, "a", std::string(1, '\0'))));
  EXPECT_TRUE(extracted.error.ok()) << ToString(extracted.error);
  EXPECT_TRUE(extracted.bytes == Page('\0') + Page('x'));
  EXPECT_EQ(extracted.missing, 0);
}

TEST(RamExtractorTest, SeveralBlocksAreTakenInOneGo) {
  std::string stream = Stream(Record(kRamPage, kPage, "a", Page('x')) +
                              Record(kRamPage, 0, "b", Page('b')));
  MemorySource source(AsBytes(stream));
  std::map<std::string, StringImage> images;
  RamExtractor extractor(
      [&](const RamBlock& block) { return &images[block.name]; }, {});
  ASSERT_TRUE(StreamReader(source, extractor).Read().ok());
  EXPECT_TRUE(extractor.Finish().ok());
  EXPECT_TRUE(images["a"].bytes == Page('\0') + Page('x'));
  EXPECT_TRUE(images["b"].bytes == Page('b'));
  EXPECT_EQ(extractor.Find("a")->missing_pages(), 1);
  EXPECT_EQ(extractor.Find("b")->missing_pages(), 0);
  EXPECT_EQ(extractor.missing_pages(), 1);
  EXPECT_EQ(extractor.Find("c"), nullptr);
}

TEST(RamExtractorTest, BitmapsOfAllBlocksHaveOneLimit) {
  std::string stream = Stream(Record(kRamPage, kPage, "a", Page('x')) +
                              Record(kRamPage, 0, "b", Page('b')));
  std::map<std::string, StringImage> images;
  StreamLimits limits;
  for (uint64_t bytes : {2, 1}) {
    limits.bitmap_bytes = bytes;
    MemorySource source(AsBytes(stream));
    RamExtractor extractor(
        [&](const RamBlock& block) { return &images[block.name]; }, {}, limits);
    ASSERT_TRUE(StreamReader(source, extractor).Read().ok());
    EXPECT_EQ(extractor.Finish().code,
              bytes == 2 ? ErrorCode::kNone : ErrorCode::kBlockLimit);
  }
}

// Its image, and what stands behind it, are of the size that it had.
TEST(RamExtractorTest, ABlockThatIsListedAgainDoesNotGrow) {
  const HandlerBytes ram = {.id = 2, .idstr = "ram", .version = 4};
  auto start = [&](uint64_t bytes) {
    return ram.Start(BeBytes(bytes | kRamMemSize, 8) + Str8Bytes("a") +
                     BeBytes(bytes, 8) + BeBytes(kRamEos, 8));
  };
  std::string stream =
      HeaderBytes() + start(kPage) + start(2 * kPage) +
      ram.Part(Record(kRamPage, kPage, "a", Page('x')) + BeBytes(kRamEos, 8)) +
      EofBytes();
  Extracted extracted = Extract(stream);
  EXPECT_EQ(extracted.error.code, ErrorCode::kBadRam);
  EXPECT_EQ(extracted.bytes.size(), kPage);
}

TEST(RamExtractorTest, ContinueIsTheBlockBefore) {
  EXPECT_TRUE(
      Extract(Stream(Record(kRamPage, 0, "a", Page('x')) +
                     BeBytes(kPage | kRamPage | kRamContinue, 8) + Page('y')))
          .bytes == Page('x') + Page('y'));
}

TEST(RamExtractorTest, TheLastOfAPageCounts) {
  EXPECT_TRUE(Extract(Stream(Record(kRamPage, 0, "a", Page('x')) +
                             Record(kRamPage, kPage, "a", Page('y')) +
                             Record(kRamZero, 0, "a", std::string(1, '\0')) +
                             Record(kRamPage, kPage, "a", Page('z'))))
                  .bytes == Page('\0') + Page('z'));
}

TEST(RamExtractorTest, AFillByteFillsThePage) {
  EXPECT_TRUE(Extract(Stream(Record(kRamZero, 0, "a", "\xf4"))).bytes ==
              Page('\xf4') + Page('\0'));
}

TEST(RamExtractorTest, XbzrleChangesThePageBefore) {
  // 3 bytes the same, 2 changed; 200 (c8 01) the same, 1 changed.
  std::string expected = Page('x');
  expected.replace(3, 2, "AB");
  expected.replace(205, 1, "C");
  Extracted extracted = Extract(
      Stream(Record(kRamPage, 0, "a", Page('x')) + XbzrleRecord(0,
                                                                "\x03\x02"
                                                                "AB"
                                                                "\xc8\x01\x01"
                                                                "C")));
  EXPECT_TRUE(extracted.error.ok()) << ToString(extracted.error);
  EXPECT_TRUE(extracted.bytes.substr(0, kPage) == expected);
}

TEST(RamExtractorTest, XbzrleThatIsDamagedIsRefused) {
  std::string zero(1, '\0');
  for (const std::string& delta : {
           std::string("\x03"),            // No changed run.
           std::string("\x03\x05") + "A",  // Fewer bytes than it says.
           std::string("\x03") + zero,     // A changed run of none.
           StrCat(zero, "\x01", "A", zero, "\x01",
                  "B"),                         // None the same, later.
           std::string("\xff\x1f\x02") + "AB",  // One past the page.
           std::string("\xff\x3f\x01") + "A",   // Far past it.
           std::string("\x80"),                 // Half a length.
           std::string("\x80\x80\x01\x01") + "A",
       }) {
    EXPECT_EQ(Extract(Stream(XbzrleRecord(0, delta))).error.code,
              ErrorCode::kBadRam)
        << StrCat(delta.size());
  }
  std::string page(kPage, 'x');
  EXPECT_TRUE(ApplyXbzrle(
      AsBytes("\xff\x1f\x01"
              "A"),
      std::span(reinterpret_cast<uint8_t*>(page.data()), page.size())));
  EXPECT_EQ(page.back(), 'A');
}

std::string Zlib(const std::string& bytes) {
  uLongf size = compressBound(bytes.size());
  std::string out(size, '\0');
  compress(reinterpret_cast<Bytef*>(out.data()), &size,
           reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  out.resize(size);
  return out;
}
std::string Compressed(const std::string& zlib) {
  return Record(kRamCompressPage, 0, "a",
                Be32Bytes(static_cast<uint32_t>(zlib.size())) + zlib);
}

TEST(RamExtractorTest, ACompressedPageIsInflatedToAPageExactly) {
  Extracted good = Extract(Stream(Compressed(Zlib(Page('q')))));
  EXPECT_TRUE(good.error.ok()) << ToString(good.error);
  EXPECT_TRUE(good.bytes.substr(0, kPage) == Page('q'));
  for (const std::string& bad :
       {Zlib("short"), Zlib(Page('q') + "x"), std::string("no zlib"),
        Zlib(Page('q')) + "x", Zlib(Page('q')).substr(0, 9), std::string()}) {
    Error error = Extract(Stream(Compressed(bad))).error;
    EXPECT_EQ(error.code, ErrorCode::kBadRam) << bad.size();
  }
}

TEST(RamExtractorTest, AnUnknownBlockListsThoseThereAre) {
  Error error = Extract(Stream(""), "pc.ram").error;
  EXPECT_EQ(error.code, ErrorCode::kUnknownSection);
  EXPECT_THAT(error.reason, HasSubstr("there are: a, b"));
}

TEST(RamExtractorTest, PagesThatNeverCameAreCounted) {
  Extracted extracted = Extract(Stream(Record(kRamPage, 0, "a", Page('x'))));
  EXPECT_TRUE(extracted.error.ok());
  EXPECT_EQ(extracted.missing, 1);
  EXPECT_EQ(Extract(Stream("")).error.code, ErrorCode::kUnwalkable);
}

// A file of mapped-ram: block "a" of three pages, of which the first and the
// last are there.
std::string MappedRam(uint64_t bitmap_offset, uint64_t pages_offset,
                      const std::string& bitmap) {
  const HandlerBytes ram = {.id = 2, .idstr = "ram", .version = 4};
  std::string before =
      HeaderBytes() +
      ConfigurationBytes("pc", CapabilitiesBytes({"mapped-ram"})) +
      ram.Named('\x01') + BeBytes(3 * kPage | kRamMemSize, 8) + Str8Bytes("a") +
      BeBytes(3 * kPage, 8) + Be32Bytes(1) + BeBytes(kPage, 8) +
      BeBytes(bitmap_offset, 8) + BeBytes(pages_offset, 8);
  before.resize(bitmap_offset);
  before += bitmap;
  before.resize(pages_offset);
  return before + Page('x') + Page('?') + Page('z') + BeBytes(kRamEos, 8) +
         ram.Footer() + ram.End(BeBytes(kRamEos, 8)) + EofBytes();
}

TEST(RamExtractorTest, MappedRamIsReadByItsBitmap) {
  // A little-endian word of 64 bits, so that bit 0 stands in the first byte.
  Extracted extracted =
      Extract(MappedRam(200, 8192, std::string("\x05\0\0\0\0\0\0\0", 8)));
  EXPECT_TRUE(extracted.error.ok()) << ToString(extracted.error);
  // What stands in a page that the bitmap leaves out does not count.
  EXPECT_TRUE(extracted.bytes == Page('x') + Page('\0') + Page('z'));
  EXPECT_EQ(extracted.missing, 0);
}

// Pages of one kind are taken together, and each stays where it is.
TEST(RamExtractorTest, RunsOfMappedPagesEndWhereTheBitmapSays) {
  const HandlerBytes ram = {.id = 2, .idstr = "ram", .version = 4};
  for (const std::string& bitmap :
       {std::string("\xff\xff\0\0\x01\0\0\0", 8),
        std::string("\0\xff\x7f\xfe\x80\0\0\0", 8),
        std::string("\x81\0\0\xc3\xff\0\0\0", 8), std::string(8, '\0')}) {
    constexpr uint64_t kPages = 40;
    std::string bytes =
        HeaderBytes() +
        ConfigurationBytes("pc", CapabilitiesBytes({"mapped-ram"})) +
        ram.Named('\x01') + BeBytes(kPages * kPage | kRamMemSize, 8) +
        Str8Bytes("a") + BeBytes(kPages * kPage, 8) + Be32Bytes(1) +
        BeBytes(kPage, 8) + BeBytes(200, 8) + BeBytes(8192, 8);
    bytes.resize(200);
    bytes += bitmap;
    bytes.resize(8192);
    std::string wanted;
    for (uint64_t page = 0; page < kPages; ++page) {
      const std::string content = Page(static_cast<char>('A' + page));
      bytes += content;
      const bool there = (AsBytes(bitmap)[page / 8] >> page % 8 & 1) != 0;
      wanted += there ? content : Page('\0');
    }
    bytes += BeBytes(kRamEos, 8) + ram.Footer() + ram.End(BeBytes(kRamEos, 8)) +
             EofBytes();
    Extracted extracted = Extract(bytes);
    EXPECT_TRUE(extracted.error.ok()) << ToString(extracted.error);
    EXPECT_TRUE(extracted.bytes == wanted);
  }
}

TEST(RamExtractorTest, ABitmapThatReachesIntoThePagesIsRefused) {
  Error error = Extract(MappedRam(8190, 8192, std::string("\x05\0", 2))).error;
  EXPECT_EQ(error.code, ErrorCode::kBadRam);
  EXPECT_THAT(error.reason, HasSubstr("reaches into its pages"));
}

TEST(RamExtractorTest, RealFirmwareIs64KiBOfHlt) {
  const std::string hlt(64 << 10, '\xf4');
  for (const char* name :
       {"s52-plain", "s72-plain", "s72-compress", "s111-xbzrle",
        "s111-file-mapped-ram", "s72-no-footer", "s72-multifd-ram"}) {
    const testdata::Capture& capture = GetCapture(name);
    Extracted extracted =
        Extract(ReadCapture(capture), "pc.bios", ReadChannels(capture));
    EXPECT_TRUE(extracted.error.ok()) << name << ToString(extracted.error);
    EXPECT_EQ(extracted.missing, 0) << name;
    EXPECT_TRUE(extracted.bytes == hlt) << name;
  }
}

TEST(RamExtractorTest, RealMemoryOnMultifdChannelsIsWhatTheGuestHad) {
  int checked = 0;
  for (const testdata::Capture& capture : AllCaptures()) {
    for (const testdata::Memory& memory : capture.memory()) {
      std::vector<std::string> channels = ReadChannels(capture);
      std::string main = ReadCapture(capture);
      Extracted extracted = Extract(main, memory.block(), channels);
      EXPECT_TRUE(extracted.error.ok()) << ToString(extracted.error);
      EXPECT_EQ(extracted.missing, 0);
      EXPECT_EQ(Sha256(extracted.bytes.substr(memory.offset(), memory.bytes())),
                memory.sha256());
      // Without the channels those pages are missing, and known to be.
      EXPECT_GE(Extract(main, memory.block()).missing, memory.bytes() / kPage);
      ++checked;
    }
  }
  EXPECT_GE(checked, 2);
}

TEST(RamExtractorTest, ADamagedChannelIsTheError) {
  const testdata::Capture& capture = GetCapture("s72-multifd-ram");
  std::vector<std::string> channels = ReadChannels(capture);
  channels[1].resize(channels[1].size() - 1);
  Error error = Extract(ReadCapture(capture), "pc.ram", channels).error;
  EXPECT_EQ(error.code, ErrorCode::kTruncated);
  EXPECT_EQ(error.file, "channel 1");
}

// In the packet of that number that has pages. Its layout is FORMAT.md 13.3.
void PutFirstPageOutside(size_t number, std::string& channel) {
  const std::string packet = Be32Text(0x11223344) + Be32Text(1);
  constexpr size_t kNormalAt = 16;
  constexpr size_t kOffsetsAt = 320;
  size_t at = 64;  // Behind the initial packet.
  for (size_t found = 0;; at += packet.size()) {
    at = channel.find(packet, at);
    ASSERT_NE(at, channel.npos);
    if (channel.compare(at + kNormalAt, 4, Be32Text(0)) == 0) continue;
    if (found++ == number) break;
  }
  channel.replace(at + kOffsetsAt, 8, Be64Text(uint64_t{1} << 40));
}

// Extract() holds what several threads give against what one does.
TEST(RamExtractorTest, PagesThatCannotBeAreTheSameErrorForAnyNumberOfThreads) {
  const testdata::Capture& capture = GetCapture("s72-multifd-zstd");
  const std::vector<std::string> sound = ReadChannels(capture);
  ASSERT_GE(sound.size(), 2U);
  for (const std::vector<size_t>& packets :
       std::vector<std::vector<size_t>>{{1, 0}, {0, 1}, {1, 1}, {0, 0}}) {
    std::vector<std::string> channels = sound;
    PutFirstPageOutside(packets[0], channels[0]);
    PutFirstPageOutside(packets[1], channels[1]);
    const Error error = Extract(ReadCapture(capture), "pc.ram", channels).error;
    EXPECT_EQ(error.code, ErrorCode::kBadRam) << ToString(error);
    EXPECT_THAT(error.file, HasSubstr("channel "));
  }
}

}  // namespace
}  // namespace migstream
