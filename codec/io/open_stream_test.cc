#include "codec/io/open_stream.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "codec/io/compress_bytes.h"
#include "codec/io/libvirt_bytes.h"
#include "codec/qemu/stream_bytes.h"
#include "codec/qemu/stream_recording.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

using testing::HasSubstr;

// A stream, from here on: what it is does not matter.
const std::string kStream = HeaderBytes() + EofBytes();

OpenedStream OpenBytes(const std::string& bytes,
                       const OpenOptions& options = {}) {
  return Unwrap(std::make_unique<MemorySource>(AsBytes(bytes)), options);
}

std::string ReadAll(ByteSource& source) {
  std::string bytes;
  for (ByteSpan here = source.Peek(1); !here.empty(); here = source.Peek(1)) {
    bytes.append(AsText(here).data(), here.size());
    source.Consume(here.size());
  }
  return bytes;
}

std::string TempFile(const std::string& name, const std::string& bytes) {
  std::string path = std::string(std::getenv("TEST_TMPDIR")) + "/" + name;
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

TEST(LibvirtSaveTest, TheHeaderTellsAllThatStandsBeforeTheStream) {
  LibvirtBytes save = {.xml = "<domain>x</domain>", .cookie = "<cookie/>"};
  std::string file = save.File(kStream);
  OpenedStream opened = OpenBytes(file);
  ASSERT_TRUE(opened.error.ok()) << ToString(opened.error);
  ASSERT_TRUE(opened.libvirt);
  EXPECT_TRUE(opened.libvirt->complete);
  EXPECT_EQ(opened.libvirt->version, 2);
  EXPECT_TRUE(opened.libvirt->was_running);
  EXPECT_EQ(opened.libvirt->format, LibvirtFormat::kRaw);
  EXPECT_EQ(opened.libvirt->xml_bytes, 18);
  EXPECT_EQ(opened.libvirt->cookie_offset, 19);
  EXPECT_EQ(opened.libvirt->data_bytes, 19 + 10);
  EXPECT_EQ(opened.libvirt->stream_offset, 92 + 19 + 10);
  EXPECT_EQ(ReadAll(*opened.source), kStream);
}

TEST(LibvirtSaveTest, ItsNumbersHaveTheWritersByteOrder) {
  LibvirtBytes save = {.was_running = 0, .format = 6, .big_endian = true};
  std::string file = save.File(kStream);
  OpenedStream opened = OpenBytes(file);
  ASSERT_TRUE(opened.error.ok()) << ToString(opened.error);
  EXPECT_TRUE(opened.libvirt->big_endian);
  EXPECT_FALSE(opened.libvirt->was_running);
  EXPECT_EQ(opened.libvirt->format, LibvirtFormat::kSparse);
  EXPECT_EQ(ReadAll(*opened.source), kStream);
}

TEST(LibvirtSaveTest, AnUncompressedStreamsOffsetsAreThoseOfTheFile) {
  LibvirtBytes save = {.padding = 4000};
  std::string file = save.File(kStream);
  OpenedStream opened = OpenBytes(file);
  ASSERT_TRUE(opened.error.ok());
  EXPECT_EQ(opened.source->offset(), file.size() - kStream.size());
  EXPECT_EQ(opened.libvirt->xml_bytes, 9) << "padding is no XML";
}

TEST(LibvirtSaveTest, ACompressedStreamsOffsetsBeginAtZero) {
  for (auto [format, compression] :
       {std::pair(1, Compression::kGzip), std::pair(2, Compression::kBzip2),
        std::pair(3, Compression::kXz), std::pair(5, Compression::kZstd)}) {
    LibvirtBytes save = {.format = static_cast<uint32_t>(format)};
    std::string file = save.File(CompressBytes(compression, kStream));
    OpenedStream opened = OpenBytes(file);
    ASSERT_TRUE(opened.error.ok()) << format << ToString(opened.error);
    EXPECT_EQ(opened.source->offset(), 0);
    EXPECT_EQ(ReadAll(*opened.source), kStream);
    EXPECT_EQ(opened.source->failure(), "");
  }
}

TEST(LibvirtSaveTest, LzopIsRefusedInWords) {
  LibvirtBytes save = {.format = 4};
  std::string file = save.File("\x89LZO");
  OpenedStream opened = OpenBytes(file);
  EXPECT_THAT(ToString(opened.error),
              HasSubstr(StrCat("lzop: is not supported; decompress it "
                               "beforehand: tail -c +",
                               file.size() - 3, " FILE | lzop -dc")));
  EXPECT_EQ(opened.source, nullptr);
  EXPECT_TRUE(opened.libvirt) << "its header is good";
}

TEST(LibvirtSaveTest, TheFormatCountsAndNotWhatTheBytesLookLike) {
  LibvirtBytes save = {.format = 1};
  std::string file = save.File(XzBytes(kStream));
  EXPECT_THAT(ToString(OpenBytes(file).error), HasSubstr("gzip: "));
}

TEST(LibvirtSaveTest, AnIncompleteFileIsReadAndSaysSo) {
  LibvirtBytes save = {.magic = "LibvirtQemudPart"};
  std::string file = save.File(kStream);
  OpenedStream opened = OpenBytes(file);
  ASSERT_TRUE(opened.error.ok());
  EXPECT_FALSE(opened.libvirt->complete);
  EXPECT_EQ(ReadAll(*opened.source), kStream);
}

TEST(LibvirtSaveTest, TheXmlIsGivenOnDemand) {
  LibvirtBytes save = {
      .xml = std::string(100'000, 'x'), .cookie = "c", .padding = 7};
  std::string file = save.File(kStream);
  for (size_t longest : {size_t{1}, size_t{4000}, file.size()}) {
    std::string xml;
    OpenedStream opened = Unwrap(
        std::make_unique<ShortReadSource>(AsBytes(file), longest),
        {.on_xml = [&](ByteSpan bytes) { xml += std::string(AsText(bytes)); }});
    ASSERT_TRUE(opened.error.ok());
    EXPECT_TRUE(xml == save.xml) << longest;
    EXPECT_EQ(ReadAll(*opened.source), kStream);
  }
}

TEST(LibvirtSaveTest, EveryCutSaysWhere) {
  std::string file = LibvirtBytes{.cookie = "c"}.File("");
  for (size_t length = 16; length < file.size(); ++length) {
    Error error = OpenBytes(file.substr(0, length)).error;
    EXPECT_EQ(error.code, ErrorCode::kTruncated) << length;
    EXPECT_EQ(error.offset, length);
    EXPECT_EQ(error.section, "libvirt header");
  }
}

TEST(LibvirtSaveTest, NumbersThatCannotBeAreRefusedAtTheirOffset) {
  struct Case {
    uint64_t offset;
    std::string value;
    std::string said;
  };
  for (const Case& c : {Case{16, "\3", "0x10: libvirt header: version 0x3"},
                        Case{28, "\7", "0x1c: libvirt header: format 7"},
                        Case{32, "\x7f", "0x20: libvirt header: cookie at 127"},
                        Case{23, "\x7f", "input ends in the domain's XML"}}) {
    std::string file = LibvirtBytes{}.File(kStream);
    file.replace(c.offset, 1, c.value);
    EXPECT_THAT(ToString(OpenBytes(file).error), HasSubstr(c.said));
  }
}

TEST(LibvirtSaveTest, XmlOf4GiBIsNotBackedByItsInput) {
  std::string file = LibvirtBytes{}.File(kStream);
  file.replace(20, 4, std::string(4, '\xff'));
  Error error = OpenBytes(file).error;
  EXPECT_EQ(error.code, ErrorCode::kTruncated);
  EXPECT_EQ(error.offset, file.size());
}

TEST(OpenStreamTest, CompressionIsSeenByItsMagic) {
  for (Compression compression : {Compression::kGzip, Compression::kBzip2,
                                  Compression::kXz, Compression::kZstd}) {
    std::string packed = CompressBytes(compression, kStream);
    OpenedStream opened = OpenBytes(packed);
    ASSERT_TRUE(opened.error.ok());
    EXPECT_EQ(ReadAll(*opened.source), kStream);
    EXPECT_FALSE(opened.libvirt);
  }
}

TEST(OpenStreamTest, AnOffsetLeavesOutWhatStandsBefore) {
  std::string file = "something else " + kStream;
  OpenedStream opened = OpenBytes(file, {.offset = 15});
  ASSERT_TRUE(opened.error.ok());
  EXPECT_EQ(opened.source->offset(), 15) << "offsets are those of the file";
  EXPECT_EQ(ReadAll(*opened.source), kStream);
}

TEST(OpenStreamTest, AnOffsetCountsInWhatTheFileHolds) {
  std::string file = ZstdBytes("something else " + kStream);
  OpenedStream opened = OpenBytes(file, {.offset = 15});
  ASSERT_TRUE(opened.error.ok());
  EXPECT_EQ(opened.source->offset(), 15);
  EXPECT_EQ(ReadAll(*opened.source), kStream);
}

TEST(OpenStreamTest, WrappersMayStandBehindAnOffset) {
  LibvirtBytes save = {.format = 3};
  std::string file = "something else " + save.File(XzBytes(kStream));
  OpenedStream opened = OpenBytes(file, {.offset = 15});
  ASSERT_TRUE(opened.error.ok());
  EXPECT_EQ(ReadAll(*opened.source), kStream);
  EXPECT_TRUE(opened.libvirt);

  file = "something else " + GzipBytes(kStream);
  opened = OpenBytes(file, {.offset = 15});
  ASSERT_TRUE(opened.error.ok());
  EXPECT_EQ(ReadAll(*opened.source), kStream);
}

TEST(OpenStreamTest, AnOffsetBeyondTheEndIsRefused) {
  EXPECT_EQ(ToString(OpenBytes(kStream, {.offset = 10}).error),
            "0x9: header: input ends before the offset 0xa");
  EXPECT_EQ(OpenBytes(kStream, {.offset = 9}).source->Peek(1).size(), 0);
}

TEST(OpenStreamTest, WhatTheSystemSaysHasNoSection) {
  Error error = OpenStream("/nonexistent/file").error;
  EXPECT_EQ(error.section, "");
  EXPECT_EQ(error.reason, "No such file or directory");
}

TEST(OpenStreamTest, ReadsAFile) {
  std::string path = std::string(std::getenv("TEST_TMPDIR")) + "/save";
  std::ofstream(path, std::ios::binary) << LibvirtBytes{}.File(kStream);
  OpenedStream opened = OpenStream(path);
  ASSERT_TRUE(opened.error.ok());
  EXPECT_EQ(ReadAll(*opened.source), kStream);
}

TEST(OpenStreamTest, AFileIsReadAsItIs) {
  OpenedStream opened = OpenStream(TempFile("plain", "QEVM"));
  ASSERT_TRUE(opened.error.ok()) << opened.error.reason;
  EXPECT_EQ(ReadAll(*opened.source), "QEVM");
  EXPECT_EQ(opened.source->raw_size(), 4);
}

TEST(OpenStreamTest, AZstdFileIsDecompressed) {
  std::string compressed = CompressBytes(Compression::kZstd, "QEVM");
  OpenedStream opened = OpenStream(TempFile("packed", compressed));
  ASSERT_TRUE(opened.error.ok()) << opened.error.reason;
  EXPECT_EQ(ReadAll(*opened.source), "QEVM");
  EXPECT_EQ(opened.source->raw_size(), compressed.size());
}

TEST(OpenStreamTest, FramesAreDecompressedSideBySideAndOneAloneAhead) {
  const std::string frame = ZstdBytes(kStream);
  const std::string more(300'000, 'x');
  const std::string frames = frame + ZstdBytes(more) + ZstdBytes(more);
  OpenOptions options = {.limits = {.threads = 2}};
  OpenedStream several = OpenBytes(frames, options);
  EXPECT_TRUE(several.source->works_ahead());
  EXPECT_EQ(ReadAll(*several.source), kStream + more + more);
  EXPECT_FALSE(OpenBytes(frame, options).source->works_ahead());
  options.ahead = true;
  OpenedStream alone = OpenBytes(frame, options);
  EXPECT_TRUE(alone.source->works_ahead());
  EXPECT_EQ(ReadAll(*alone.source), kStream);
  options.limits.threads = 1;
  EXPECT_FALSE(OpenBytes(frames, options).source->works_ahead());
}

TEST(OpenStreamTest, AnEmptyFileIsAnEmptySource) {
  OpenedStream opened = OpenStream(TempFile("empty", ""));
  ASSERT_TRUE(opened.error.ok()) << opened.error.reason;
  EXPECT_TRUE(opened.source->Peek(1).empty());
  EXPECT_EQ(opened.source->failure(), "");
}

TEST(OpenStreamTest, WhatCannotBeReadIsSaidInWords) {
  EXPECT_EQ(OpenStream("/nonexistent/file").error.reason,
            "No such file or directory");
  EXPECT_EQ(OpenStream(std::getenv("TEST_TMPDIR")).error.reason,
            "is a directory");
}

TEST(OpenStreamTest, AZstdFileWithoutAFrameIsRefused) {
  OpenedStream opened = OpenStream(TempFile("magic", "\x28\xb5\x2f\xfd"));
  ASSERT_FALSE(opened.error.ok());
  EXPECT_EQ(opened.error.reason, "zstd: the compressed file is cut short");
}

TEST(OpenStreamTest, AMinusIsStandardInput) {
  int fd =
      open(TempFile("stdin", CompressBytes(Compression::kZstd, "from stdin"))
               .c_str(),
           O_RDONLY);
  ASSERT_EQ(dup2(fd, STDIN_FILENO), STDIN_FILENO);
  close(fd);
  {
    OpenedStream opened = OpenStream("-");
    ASSERT_TRUE(opened.error.ok()) << opened.error.reason;
    EXPECT_EQ(ReadAll(*opened.source), "from stdin");
  }
  EXPECT_NE(fcntl(STDIN_FILENO, F_GETFD), -1) << "it stays open";
}

}  // namespace
}  // namespace migstream
