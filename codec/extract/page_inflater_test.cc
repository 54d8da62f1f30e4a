#include "codec/extract/page_inflater.h"

#include <zlib.h>
#include <zstd.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "codec/extract/channel_pages.h"
#include "codec/io/byte_source.h"
#include "codec/multifd/packet_bytes.h"
#include "codec/wire/text.h"
#include "flags/multifd_flags.h"
#include "gtest/gtest.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

constexpr size_t kPage = 4096;

// Text that is different in each page, and bytes that do not compress.
std::string PageOf(uint32_t seed) {
  std::string page;
  while (page.size() < kPage / 2) {
    StrAppend(&page, "page ", seed, " of the guest. ");
  }
  std::mt19937 random(seed);
  while (page.size() < kPage) page += static_cast<char>(random());
  page.resize(kPage);
  return page;
}

std::string Pages(uint32_t from, uint32_t count) {
  std::string pages;
  for (uint32_t i = 0; i < count; ++i) pages += PageOf(from + i);
  return pages;
}

// A writer's stream: one for the whole channel, flushed after each packet.
class Deflater {
 public:
  virtual ~Deflater() = default;
  virtual std::string Packet(const std::string& pages) = 0;
};

class ZlibDeflater : public Deflater {
 public:
  ZlibDeflater() { deflateInit(&stream_, 1); }
  ~ZlibDeflater() override { deflateEnd(&stream_); }
  std::string Packet(const std::string& pages) override {
    return Flushed(pages, Z_SYNC_FLUSH);
  }
  std::string Flushed(const std::string& pages, int flush) {
    std::string out(2 * pages.size() + 100, '\0');
    stream_.next_in =
        reinterpret_cast<uint8_t*>(const_cast<char*>(pages.data()));
    stream_.avail_in = static_cast<uInt>(pages.size());
    stream_.next_out = reinterpret_cast<uint8_t*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    deflate(&stream_, flush);
    EXPECT_EQ(stream_.avail_in, 0);
    out.resize(out.size() - stream_.avail_out);
    return out;
  }

 private:
  z_stream stream_ = {};
};

class ZstdDeflater : public Deflater {
 public:
  explicit ZstdDeflater(int window_log = 0) {
    ZSTD_CCtx_setParameter(stream_, ZSTD_c_windowLog, window_log);
  }
  ~ZstdDeflater() override { ZSTD_freeCCtx(stream_); }
  std::string Packet(const std::string& pages) override {
    return Flushed(pages, ZSTD_e_flush);
  }
  std::string Flushed(const std::string& pages, ZSTD_EndDirective flush) {
    std::string out(2 * pages.size() + 100, '\0');
    ZSTD_inBuffer input = {pages.data(), pages.size(), 0};
    ZSTD_outBuffer output = {out.data(), out.size(), 0};
    EXPECT_EQ(ZSTD_compressStream2(stream_, &output, &input, flush), 0);
    out.resize(output.pos);
    return out;
  }

 private:
  ZSTD_CCtx* stream_ = ZSTD_createCCtx();
};

std::vector<uint64_t> Offsets(uint64_t from, uint32_t count) {
  std::vector<uint64_t> offsets;
  for (uint32_t i = 0; i < count; ++i) offsets.push_back(from + i * kPage);
  return offsets;
}

// A packet of `pages` normal pages at `offset`, then `zero` zero pages.
std::string Packet(uint32_t flags, uint64_t offset, uint32_t pages,
                   const std::string& payload, uint32_t zero = 0) {
  return RamPacketBytes({.flags = flags,
                         .normal = pages,
                         .zero = zero,
                         .payload_bytes = static_cast<uint32_t>(payload.size()),
                         .offsets = Offsets(offset, pages + zero)},
                        payload);
}

struct Inflated {
  std::map<std::pair<std::string, uint64_t>, std::string> pages;
  std::vector<uint64_t> zeros;
  std::vector<std::string> compressed;  // "0x1000 QPL abc", joined if together.
  Error error;
};

// The channel, cut into pieces of random sizes up to `longest`.
Inflated Inflate(const std::string& bytes, size_t longest,
                 const MultifdLimits& limits = {}) {
  Inflated found;
  ChannelDecoder decoder({.limits = limits});
  PageInflater inflater({.limits = limits});
  std::mt19937 random(1);
  std::string held;
  bool ram = false;  // The packet's kind.
  bool together = false;
  for (size_t given = 0; given < bytes.size() || !held.empty();) {
    std::string buffer = held;
    ByteSpan input = AsBytes(buffer);
    MultifdEvent event;
    Step step = decoder.Next(input, event);
    held = std::string(AsText(input));
    if (step == Step::kNeedInput) {
      if (given == bytes.size()) break;
      size_t size = std::min(1 + random() % longest, bytes.size() - given);
      held += bytes.substr(given, size);
      given += size;
      continue;
    }
    EXPECT_EQ(step, Step::kEvent) << ToString(decoder.error("channel"));
    if (step != Step::kEvent) break;
    // The inflater keeps nothing of an event but its payload, and that only
    // until all pages are taken.
    std::string payload(AsText(event.bytes));
    if (event.kind == MultifdEventKind::kPayload) {
      event.bytes = AsBytes(payload);
    }
    inflater.Add(event);
    if (event.kind == MultifdEventKind::kRamPacket) {
      std::fill(buffer.begin(), buffer.end(), '?');
      together = false;
    }
    ChannelPage page;
    while ((step = inflater.Next(page)) == Step::kEvent) {
      switch (page.kind) {
        case ChannelPageKind::kPage:
          found.pages[{std::string(page.block), page.offset}] =
              std::string(AsText(page.bytes));
          break;
        case ChannelPageKind::kZero:
          found.zeros.push_back(page.offset);
          break;
        case ChannelPageKind::kCompressed:
        case ChannelPageKind::kCompressedTogether:
          if (!together) {
            found.compressed.push_back(StrCat(
                Hex(page.offset), " ", MultifdFlagsToString(page.method), " "));
          }
          StrAppend(&found.compressed.back(), AsText(page.bytes));
          together = page.kind == ChannelPageKind::kCompressedTogether;
          break;
      }
    }
    if (step == Step::kError) {
      found.error = inflater.error("channel");
      EXPECT_EQ(inflater.Next(page), Step::kError) << "sticky";
      return found;
    }
    ram = event.kind == MultifdEventKind::kRamPacket ||
          (event.kind == MultifdEventKind::kPayload && ram);
    EXPECT_EQ(step, ram && decoder.payload_left() != 0 ? Step::kNeedInput
                                                       : Step::kDone);
  }
  return found;
}

Inflated InflateAllWays(const std::string& bytes,
                        const MultifdLimits& limits = {}) {
  Inflated whole = Inflate(bytes, bytes.size() + 1, limits);
  for (size_t longest : {1, 13, 3000, 6000}) {
    Inflated cut = Inflate(bytes, longest, limits);
    EXPECT_EQ(ToString(cut.error), ToString(whole.error)) << longest;
    EXPECT_TRUE(cut.pages == whole.pages) << longest;
    EXPECT_EQ(cut.zeros, whole.zeros);
    EXPECT_EQ(cut.compressed, whole.compressed);
  }
  return whole;
}

std::string Joined(const Inflated& inflated) {
  std::string pages;
  for (const auto& [where, page] : inflated.pages) pages += page;
  return pages;
}

TEST(PageInflaterTest, UncompressedPagesStandOneAfterTheOtherThenTheZeroPages) {
  std::string pages = Pages(0, 3);
  Inflated found = InflateAllWays(Init(0) + Packet(0, 0x10000, 3, pages, 2) +
                                  Packet(kMultifdSync, 0, 0, ""));
  EXPECT_TRUE(found.error.ok()) << ToString(found.error);
  EXPECT_TRUE(Joined(found) == pages);
  EXPECT_EQ(found.pages.begin()->first,
            (std::pair<std::string, uint64_t>("pc.ram", 0x10000)));
  EXPECT_EQ(found.zeros, (std::vector<uint64_t>{0x13000, 0x14000}));
}

TEST(PageInflaterTest, AWholePageInOnePieceIsAViewOfIt) {
  std::string pages = Pages(0, 1);
  std::string bytes = Init(0) + Packet(0, 0, 1, pages);
  ByteSpan input = AsBytes(bytes);
  ChannelDecoder decoder;
  PageInflater inflater;
  MultifdEvent event;
  ChannelPage page;
  while (decoder.Next(input, event) == Step::kEvent) inflater.Add(event);
  ASSERT_EQ(inflater.Next(page), Step::kEvent);
  EXPECT_EQ(AsText(page.bytes).data(), bytes.data() + bytes.size() - kPage);
}

class StreamTest : public testing::TestWithParam<uint32_t> {
 protected:
  std::unique_ptr<Deflater> NewDeflater() const {
    if (GetParam() == kMultifdZlib) return std::make_unique<ZlibDeflater>();
    return std::make_unique<ZstdDeflater>();
  }
};

TEST_P(StreamTest, OneStreamRunsThroughAllPacketsOfTheChannel) {
  auto deflater = NewDeflater();
  std::string pages = Pages(0, 300);
  std::string bytes = Init(0);
  uint32_t done = 0;
  for (uint32_t count : {1, 128, 3, 128, 40}) {
    bytes += Packet(GetParam(), done * kPage, count,
                    deflater->Packet(pages.substr(done * kPage, count * kPage)),
                    count == 3 ? 2 : 0);
    bytes += Packet(kMultifdSync, 0, 0, "");
    bytes += Device("its payload is not of the stream");
    done += count;
  }
  Inflated found = InflateAllWays(bytes);
  EXPECT_TRUE(found.error.ok()) << ToString(found.error);
  EXPECT_TRUE(Joined(found) == pages);
  EXPECT_EQ(found.zeros, (std::vector<uint64_t>{132 * kPage, 133 * kPage}));
}

TEST_P(StreamTest, APacketWithoutPagesHasNoPartInTheStream) {
  auto deflater = NewDeflater();
  std::string bytes = Init(0) + Packet(GetParam(), 0, 0, "", 1) +
                      RamPacketBytes({.flags = GetParam() | kMultifdSync,
                                      .payload_bytes = 77}) +  // stale
                      Packet(GetParam(), 0, 1, deflater->Packet(Pages(0, 1)));
  Inflated found = InflateAllWays(bytes);
  EXPECT_TRUE(found.error.ok()) << ToString(found.error);
  EXPECT_EQ(found.pages.size(), 1);
  EXPECT_EQ(found.zeros.size(), 1);
}

void ExpectInflateError(const std::string& bytes, const std::string& reason,
                        size_t pages) {
  Inflated found = InflateAllWays(bytes);
  EXPECT_EQ(found.error.code, ErrorCode::kMultifdInflate)
      << ToString(found.error);
  EXPECT_TRUE((found.error.reason.find(reason) != std::string_view::npos))
      << ToString(found.error);
  EXPECT_EQ(found.pages.size(), pages);
}

TEST_P(StreamTest, APayloadThatInflatesToTooLittleIsAnError) {
  auto deflater = NewDeflater();
  std::string good = Packet(GetParam(), 0, 1, deflater->Packet(Pages(0, 1)));
  std::string bytes =
      Init(0) + good +
      Packet(GetParam(), 0x10000, 3,
             deflater->Packet(Pages(1, 3).substr(0, 3 * kPage - 1)));
  ExpectInflateError(bytes, "inflates to 12287, expected 3 pages of 4096", 3);
  EXPECT_EQ(Inflate(bytes, bytes.size()).error.offset,
            kMultifdInitBytes + good.size());
}

TEST_P(StreamTest, APayloadThatInflatesToTooMuchIsAnError) {
  for (const std::string& more : {std::string("x"), Pages(3, 1)}) {
    auto deflater = NewDeflater();
    ExpectInflateError(Init(0) + Packet(GetParam(), 0, 2,
                                        deflater->Packet(Pages(0, 2) + more)),
                       "inflates to more than 2 pages of 4096", 2);
  }
}

TEST_P(StreamTest, ABombGivesNoMoreThanItsPages) {
  auto deflater = NewDeflater();
  ExpectInflateError(
      Init(0) + Packet(GetParam(), 0, 1,
                       deflater->Packet(std::string(8 << 20, '\0'))),
      "inflates to more than 1 pages", 1);
}

TEST_P(StreamTest, AnEmptyPayloadIsAnError) {
  auto deflater = NewDeflater();
  ExpectInflateError(Init(0) + Packet(GetParam(), 0, 1, ""),
                     "a payload of 0 bytes inflates to 0", 0);
}

TEST_P(StreamTest, BytesThatAreNoStreamAreAnError) {
  ExpectInflateError(
      Init(0) + Packet(GetParam(), 0, 1, "This is not compressed."), "", 0);
}

TEST_P(StreamTest, APacketThatIsMissingIsAnErrorOfTheNextOne) {
  auto deflater = NewDeflater();
  deflater->Packet(Pages(0, 1));
  ExpectInflateError(
      Init(0) + Packet(GetParam(), 0, 1, deflater->Packet(Pages(1, 1))), "", 0);
}

TEST_P(StreamTest, DamageAnywhereIsAnErrorOrGivesWholePages) {
  auto deflater = NewDeflater();
  std::string bytes =
      Init(0) + Packet(GetParam(), 0, 2, deflater->Packet(Pages(0, 2)));
  size_t payload = kMultifdInitBytes + kRamPacketFixedBytes + size_t{8} * 128;
  for (size_t at = payload; at < bytes.size(); at += 37) {
    std::string damaged = bytes;
    damaged[at] ^= 0x10;
    Inflated found = Inflate(damaged, bytes.size());
    Inflated cut = Inflate(damaged, 100);
    EXPECT_EQ(ToString(cut.error), ToString(found.error));
    EXPECT_TRUE(cut.pages == found.pages);
    if (found.error.ok()) {
      EXPECT_EQ(found.pages.size(), 2);
    } else {
      EXPECT_EQ(found.error.offset, kMultifdInitBytes);
    }
    for (const auto& [where, page] : found.pages) {
      EXPECT_EQ(page.size(), kPage);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Methods, StreamTest,
                         testing::Values(kMultifdZlib, kMultifdZstd),
                         [](const auto& info) {
                           return MultifdFlagsToString(info.param);
                         });

TEST(PageInflaterTest, AZlibStreamMayNotEnd) {
  ZlibDeflater deflater;
  ExpectInflateError(Init(0) + Packet(kMultifdZlib, 0, 1,
                                      deflater.Flushed(Pages(0, 1), Z_FINISH)),
                     "the deflate stream ends, after the last page", 1);
}

TEST(PageInflaterTest, AnotherZstdFrameMayFollow) {
  ZstdDeflater deflater;
  std::string first = deflater.Flushed(Pages(0, 1), ZSTD_e_end);
  std::string second = deflater.Flushed(Pages(1, 1), ZSTD_e_end);
  Inflated found = InflateAllWays(Init(0) + Packet(kMultifdZstd, 0, 1, first) +
                                  Packet(kMultifdZstd, 0x1000, 1, second));
  EXPECT_TRUE(found.error.ok()) << ToString(found.error);
  EXPECT_TRUE(Joined(found) == Pages(0, 2));
}

TEST(PageInflaterTest, OnlyTheCurrentZstdFormatIsRead) {
  // Version 0.7, which libzstd may be built to read.
  ExpectInflateError(
      Init(0) + Packet(kMultifdZstd, 0, 1, "\x27\xb5\x2f\xfd rest of it"),
      "not a zstd frame", 0);
}

TEST(PageInflaterTest, AZstdWindowBeyondTheLimitIsRefused) {
  ZstdDeflater deflater(20);
  std::string bytes =
      Init(0) + Packet(kMultifdZstd, 0, 1, deflater.Packet(Pages(0, 1)));
  MultifdLimits limits;
  limits.window_bytes = 1 << 20;
  EXPECT_TRUE(InflateAllWays(bytes, limits).error.ok());
  limits.window_bytes = (1 << 20) - 1;
  Inflated found = InflateAllWays(bytes, limits);
  EXPECT_EQ(found.error.code, ErrorCode::kMultifdWindowLimit)
      << ToString(found.error);
  // QEMU's highest level is within the default.
  ZstdDeflater widest(25);
  EXPECT_TRUE(InflateAllWays(Init(0) + Packet(kMultifdZstd, 0, 1,
                                              widest.Packet(Pages(0, 1))))
                  .error.ok());
}

TEST(ChannelPagesTest, TheWindowsOfAllChannelsHaveOneLimit) {
  ZstdDeflater deflater(20);
  const std::string packet =
      Packet(kMultifdZstd, 0, 1, deflater.Packet(Pages(0, 1)));
  auto read = [&](int count) {
    ChannelOptions options;
    options.limits.window_bytes = 1 << 20;
    std::deque<std::string> bytes;
    for (int i = 0; i < count; ++i) {
      bytes.push_back(Init(static_cast<uint8_t>(i)) + packet);
    }
    std::deque<MemorySource> sources;
    for (const std::string& each : bytes) sources.emplace_back(AsBytes(each));
    ChannelPages channels;
    for (int i = 0; i < count; ++i) {
      channels.AddChannel(StrCat("file", i), sources[i], options);
    }
    return channels.ReadToSync([](const ChannelPage&, const PacketPlace&) {});
  };
  // That they end before a sync point is another matter.
  EXPECT_EQ(read(3).code, ErrorCode::kOutOfStep);
  const Error error = read(8);
  EXPECT_EQ(error.code, ErrorCode::kMultifdWindowLimit) << ToString(error);
  EXPECT_EQ(error.offset, (Init(0) + packet).size());
}

// More channels than are read at a time, of several packets each: more than one
// turn takes up to each of two sync points.
TEST(ChannelPagesTest, GiveTheSameForEveryNumberOfThreads) {
  constexpr uint32_t kChannels = 6;
  constexpr uint32_t kPages = 70;
  static_assert(kChannels > ChannelPages::kAtATime);
  static_assert(size_t{2} * kPages * kPage > ChannelPages::kTurnBytes);
  std::vector<std::string> channels;
  for (uint32_t i = 0; i < kChannels; ++i) {
    ZstdDeflater deflater;
    std::string& bytes = channels.emplace_back(Init(static_cast<uint8_t>(i)));
    for (uint32_t packet = 0; packet < 4; ++packet) {
      const uint32_t from = (4 * i + packet) * kPages;
      bytes += Packet(kMultifdZstd, uint64_t{from} * kPage, kPages,
                      deflater.Packet(Pages(from, kPages)), i);
      if (packet % 2 == 1) bytes += Packet(kMultifdSync, 0, 0, "");
    }
  }
  using Given = std::tuple<std::string, uint64_t, ChannelPageKind, std::string>;
  // What came before each sync point, in its order.
  auto read = [&](int threads, Error& error) {
    std::vector<std::vector<Given>> all(2);
    std::deque<MemorySource> sources;
    ChannelPages pages(threads);
    for (const std::string& each : channels) {
      sources.emplace_back(AsBytes(each));
      pages.AddChannel(StrCat("file", sources.size()), sources.back(), {});
    }
    for (std::vector<Given>& given : all) {
      error = pages.ReadToSync(
          [&](const ChannelPage& page, const PacketPlace& place) {
            EXPECT_EQ(page.block, "pc.ram");
            EXPECT_GT(place.offset, 0U);
            given.emplace_back(place.file, page.offset, page.kind,
                               AsText(page.bytes));
          });
      if (!error.ok()) return all;
    }
    error = pages.Finish();
    return all;
  };
  Error error;
  const std::vector<std::vector<Given>> one = read(1, error);
  EXPECT_TRUE(error.ok()) << ToString(error);
  EXPECT_EQ(one[0].size(),
            2 * kChannels * kPages + 2 * (0 + 1 + 2 + 3 + 4 + 5));
  EXPECT_TRUE(one[0][0] ==
              Given("file1", 0, ChannelPageKind::kPage, Pages(0, 1)));
  for (int threads : {2, 3, 8}) {
    EXPECT_TRUE(read(threads, error) == one) << threads;
    EXPECT_TRUE(error.ok()) << ToString(error);
  }
  // Where several are damaged, the first is told, wherever the damage is.
  channels[1].resize(channels[1].size() - 1);
  channels[2].insert(Init(0).size(), 1, 'x');
  read(1, error);
  EXPECT_EQ(error.file, "file3") << ToString(error);
  channels[1].insert(channels[1].size() / 3, 1, 'x');
  read(1, error);
  const std::string first = ToString(error);
  EXPECT_EQ(error.file, "file2") << first;
  for (int threads : {2, 3, 8}) {
    read(threads, error);
    EXPECT_EQ(ToString(error), first) << threads;
  }
}

TEST(PageInflaterTest, QplAndUadkPagesComeWithTheirLengths) {
  for (uint32_t method : {kMultifdQpl, kMultifdUadk}) {
    std::string raw = PageOf(0);
    std::string payload = Be32Text(3) + Be32Text(4096) + Be32Text(5)  // lengths
                          + "abc" + raw + "defgh";
    Inflated found =
        InflateAllWays(Init(0) + Packet(method, 0x1000, 3, payload, 1));
    EXPECT_TRUE(found.error.ok()) << ToString(found.error);
    std::string name = MultifdFlagsToString(method);
    EXPECT_EQ(found.compressed,
              (std::vector<std::string>{"0x1000 " + name + " abc",
                                        "0x3000 " + name + " defgh"}));
    // One that is as long as a page is not compressed.
    EXPECT_TRUE(Joined(found) == raw);
    EXPECT_EQ(found.pages.begin()->first.second, 0x2000);
    EXPECT_EQ(found.zeros, (std::vector<uint64_t>{0x4000}));
  }
}

TEST(PageInflaterTest, QplLengthsFillThePayloadExactly) {
  for (const std::string& payload : {
           Be32Text(3),                            // no place for both
           Be32Text(3) + Be32Text(3) + "abcab",    // one byte lacks
           Be32Text(3) + Be32Text(3) + "abcabcd",  // one too many
           Be32Text(0) + Be32Text(6) + "abcabc",   // an empty page
           Be32Text(4097) + Be32Text(1) +
               std::string(4098, 'x'),                     // beyond a page
           Be32Text(0xffffffff) + Be32Text(7) + "abcabc",  // sum that wraps
       }) {
    Inflated found =
        InflateAllWays(Init(0) + Packet(kMultifdQpl, 0x1000, 2, payload));
    EXPECT_EQ(found.error.code, ErrorCode::kMultifdPageLengths)
        << ToString(found.error);
    EXPECT_TRUE(found.compressed.empty());
  }
}

TEST(PageInflaterTest, QatzipIsOneBodyForAllPages) {
  Inflated found =
      InflateAllWays(Init(0) + Packet(kMultifdQatzip, 0x1000, 2, "abcdef", 1));
  EXPECT_TRUE(found.error.ok()) << ToString(found.error);
  EXPECT_EQ(found.compressed,
            (std::vector<std::string>{"0x1000 QATZIP abcdef"}));
  EXPECT_EQ(found.zeros, (std::vector<uint64_t>{0x3000}));
  EXPECT_EQ(InflateAllWays(Init(0) + Packet(kMultifdQatzip, 0x1000, 2, ""))
                .error.code,
            ErrorCode::kMultifdPageLengths);
}

TEST(PageInflaterTest, PageOffsetsAreMultiplesOfThePageSize) {
  EXPECT_EQ(
      InflateAllWays(Init(0) + Packet(0, 0x1001, 1, PageOf(0))).error.code,
      ErrorCode::kMultifdPageOffset);
  EXPECT_EQ(InflateAllWays(Init(0) + Packet(0, 0x800, 0, "", 1)).error.code,
            ErrorCode::kMultifdPageOffset);
}

TEST(PageInflaterTest, PagesHaveToBeTakenBeforeMoreIsAdded) {
  std::string bytes = Init(0) + Packet(0, 0, 2, Pages(0, 2), 1);
  for (int taken = 0; taken <= 3; ++taken) {
    std::string twice = bytes + bytes.substr(kMultifdInitBytes);
    ByteSpan input = AsBytes(twice);
    ChannelDecoder decoder;
    PageInflater inflater;
    MultifdEvent event;
    ChannelPage page;
    for (int i = 0; i < 3; ++i) {  // The init, the packet, its payload.
      ASSERT_EQ(decoder.Next(input, event), Step::kEvent);
      inflater.Add(event);
    }
    for (int i = 0; i < taken; ++i) {
      EXPECT_EQ(inflater.Next(page), Step::kEvent);
    }
    ASSERT_EQ(decoder.Next(input, event), Step::kEvent);
    inflater.Add(event);
    EXPECT_EQ(inflater.error("c").code,
              taken == 3 ? ErrorCode::kNone : ErrorCode::kMultifdNotTaken);
  }
}

// Channels of real QEMUs, whose guests hold what the manifest says.
class InflaterCaptureTest : public testing::TestWithParam<testdata::Capture> {};

TEST_P(InflaterCaptureTest, ThePagesOfAllChannelsAreTheGuestsMemory) {
  for (size_t longest : {size_t{100}, size_t{1} << 20}) {
    std::map<std::pair<std::string, uint64_t>, std::string> pages;
    for (const std::string& channel : ReadChannels(GetParam())) {
      Inflated found = Inflate(channel, longest);
      EXPECT_TRUE(found.error.ok()) << ToString(found.error);
      pages.merge(found.pages);
    }
    for (const testdata::Memory& memory : GetParam().memory()) {
      std::string bytes;
      for (uint64_t at = 0; at < memory.bytes(); at += kPage) {
        bytes += pages[{memory.block(), memory.offset() + at}];
      }
      EXPECT_EQ(bytes.size(), memory.bytes());
      EXPECT_EQ(Sha256(bytes), memory.sha256());
    }
  }
}

std::vector<testdata::Capture> WithMemory() {
  std::vector<testdata::Capture> captures;
  for (const testdata::Capture& capture : AllCaptures()) {
    if (capture.memory_size() != 0) captures.push_back(capture);
  }
  return captures;
}

INSTANTIATE_TEST_SUITE_P(All, InflaterCaptureTest,
                         testing::ValuesIn(WithMemory()), CaptureName());

}  // namespace
}  // namespace migstream
