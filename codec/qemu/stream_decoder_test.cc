#include "codec/qemu/stream_decoder.h"

#include <algorithm>
#include <random>
#include <string>

#include "codec/qemu/decode_stream.h"
#include "codec/qemu/stream_bytes.h"
#include "codec/qemu/stream_encoder.h"
#include "flags/ram_flags.h"
#include "gtest/gtest.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

const HandlerBytes kTimer = {.id = 3, .idstr = "timer"};
const HandlerBytes kRam = {.id = 2, .idstr = "ram", .version = 4};
const HandlerBytes kVfio = {.id = 7, .idstr = "0000:00:05.0/vfio"};

std::string Before() {
  return HeaderBytes() + ConfigurationBytes("pc-q35-8.2") +
         kRam.Start(Be64Bytes(kRamMemSize) + Be64Bytes(kRamEos));
}

class DecoderCaptureTest : public testing::TestWithParam<testdata::Capture> {
 protected:
  DecoderCaptureTest()
      : bytes_(ReadCapture(GetParam())), lengths_(KnownLengths::Of(bytes_)) {}

  StreamDecoderOptions Options() const { return {.content_length = lengths_}; }

  const std::string bytes_;
  const KnownLengths lengths_;
};

TEST_P(DecoderCaptureTest, AnyCutGivesTheSameEventsAndTheyEncodeToTheStream) {
  FedDecoder whole(Options());
  whole.Feed(AsBytes(bytes_));
  EXPECT_EQ(whole.End().ok(), GetParam().completed());
  if (GetParam().completed()) {
    EXPECT_TRUE(whole.encoded() == bytes_);
  } else {
    EXPECT_TRUE(bytes_.starts_with(whole.encoded()));
  }
  std::mt19937 random(1);
  for (size_t longest : {1, 9, 300, 5000}) {
    // Byte by byte a large one takes long, and shows nothing more.
    if (longest == 1 && bytes_.size() > 400000) continue;
    FedDecoder pieces(Options());
    for (size_t at = 0; at < bytes_.size();) {
      size_t size =
          std::min<size_t>(1 + random() % longest, bytes_.size() - at);
      pieces.Feed(AsBytes(bytes_).subspan(at, size));
      at += size;
    }
    EXPECT_EQ(pieces.End().ok(), GetParam().completed());
    EXPECT_TRUE(pieces.lines() == whole.lines()) << longest;
    EXPECT_TRUE(pieces.encoded() == whole.encoded()) << longest;
  }
}

INSTANTIATE_TEST_SUITE_P(All, DecoderCaptureTest,
                         testing::ValuesIn(AllCaptures()), CaptureName());

TEST(StreamDecoderTest, ADeviceThatIsNotKnownIsAnErrorAndNotAWait) {
  FedDecoder fed({});
  EXPECT_EQ(fed.Feed(AsBytes(Before())), Step::kNeedInput);
  // Its header, and no byte of its content.
  EXPECT_EQ(fed.Feed(AsBytes(kTimer.Named('\x04'))), Step::kError);
  EXPECT_EQ(fed.decoder().error().code, ErrorCode::kUnwalkable);
  EXPECT_EQ(fed.decoder().error().offset, Before().size());
  EXPECT_EQ(fed.decoder().error().section, "timer FULL");
}

TEST(StreamDecoderTest, ACommandsWrongLengthIsAnErrorAndNotAWait) {
  FedDecoder fed({});
  // PING, of which no byte of data has come.
  EXPECT_EQ(fed.Feed(AsBytes(Before() + U8Bytes(8) + Be16Bytes(2) +
                             Be16Bytes(0xffff))),
            Step::kError);
  EXPECT_EQ(ToString(fed.decoder().error()),
            StrCat(Hex(Before().size() + 3),
                   ": COMMAND PING: 65535 bytes of data, expected 4"));
}

TEST(StreamDecoderTest, APackageWithinAPackageIsAnErrorAndNotAWait) {
  const std::string packaged = U8Bytes(8) + Be16Bytes(7) + Be16Bytes(4);
  FedDecoder fed({});
  EXPECT_EQ(fed.Feed(AsBytes(Before() + packaged + Be32Bytes(1000) + packaged)),
            Step::kError);
  EXPECT_EQ(fed.decoder().error().code, ErrorCode::kBadCommand);
  EXPECT_EQ(fed.decoder().error().offset, Before().size() + 9);
}

TEST(StreamDecoderTest, NothingGoesOnPastAPackagesEnd) {
  const std::string ping = CommandBytes(2, Be32Bytes(3));
  const std::string before = Before() + CommandBytes(4);
  // How many bytes the package has too few.
  for (const std::string& last :
       {ping, kTimer.Named('\x04'), kRam.Part(Be64Bytes(kRamEos)),
        kVfio.Start(TagBytes(3) + TagBytes(1))}) {
    for (size_t missing = 1; missing < last.size(); ++missing) {
      const std::string inside = ping + last;
      const std::string packaged = CommandBytes(
          7, Be32Bytes(static_cast<uint32_t>(inside.size() - missing)));
      const uint64_t end =
          before.size() + packaged.size() + inside.size() - missing;
      FedDecoder fed({});
      EXPECT_EQ(fed.Feed(AsBytes(before + packaged + inside + ping)),
                Step::kError);
      EXPECT_EQ(fed.decoder().error().code, ErrorCode::kOutOfStep) << missing;
      EXPECT_EQ(fed.decoder().error().offset, end);
      EXPECT_LE(fed.encoded().size(), end) << "no event reaches past it";
    }
  }
}

TEST(StreamDecoderTest, WhatIsBehindAPackageDecidesNothingInIt) {
  HandlerBytes ram = kRam;
  ram.footers = false;
  // The first section ends with the package: no footer is in that.
  const std::string bytes = HeaderBytes() + ConfigurationBytes("pc-q35-2.3") +
                            PackagedBytes(ram.Start(Be64Bytes(kRamEos)));
  FedDecoder fed({});
  EXPECT_EQ(fed.Feed(AsBytes(bytes)), Step::kNeedInput);
  EXPECT_TRUE(fed.encoded() == bytes) << "nothing waits for what follows";
  EXPECT_EQ(fed.decoder().footers(), false);
}

TEST(StreamDecoderTest, TheCallerMayAskForMoreOfADevicesState) {
  size_t seen = 0;
  StreamDecoderOptions options;
  options.content_length = [&](const SectionView& section, ByteSpan input) {
    EXPECT_EQ(section.idstr, "timer");
    seen = input.size();
    if (input.size() < 3) return ContentLength{ContentLength::kNeedInput};
    return ContentLength{ContentLength::kBytes, 5};
  };
  FedDecoder fed(options);
  fed.Feed(AsBytes(Before() + kTimer.Named('\x04') + "ab"));
  EXPECT_EQ(seen, 2);
  EXPECT_EQ(fed.decoder().bytes_needed(), 3);
  EXPECT_EQ(fed.Feed(AsBytes("cde" + kTimer.Footer() + EofBytes())),
            Step::kNeedInput);
  EXPECT_TRUE(fed.End().ok());
  EXPECT_TRUE(fed.encoded().ends_with("abcde" + kTimer.Footer() + EofBytes()));
}

TEST(StreamDecoderTest, TheCallerMayTakeADevicesStateOver) {
  StreamDecoderOptions options;
  options.content_length = [](const SectionView&, ByteSpan) {
    return ContentLength{ContentLength::kTakenOver};
  };
  StreamDecoder decoder(options);
  const std::string bytes = Before() + kTimer.Full("state") + EofBytes();
  ByteSpan input = AsBytes(bytes);
  StreamEvent event;
  do {
    ASSERT_EQ(decoder.Next(input, event), Step::kEvent);
  } while (event.kind != StreamEvent::kTakenOver);
  EXPECT_TRUE(AsText(input).starts_with("state"));
  input = input.subspan(5);  // As QEMU's own loader would read it.
  EXPECT_EQ(decoder.TakeOver(5), Step::kEvent);
  EXPECT_EQ(decoder.EndContent(), Step::kEvent);
  ASSERT_EQ(decoder.Next(input, event), Step::kEvent);
  EXPECT_EQ(event.kind, StreamEvent::kSectionEnd);
  EXPECT_EQ(event.content_bytes, 5);
  ASSERT_EQ(decoder.Next(input, event), Step::kEvent);
  EXPECT_EQ(event.kind, StreamEvent::kEof);
}

TEST(StreamDecoderTest, PayloadMayBeTakenOverButNoMoreThanIsDue) {
  const std::string bytes = Before() + kVfio.Start(TagBytes(3) + TagBytes(1)) +
                            kVfio.Named('\x02').substr(0, 5) + TagBytes(4) +
                            Be64Bytes(1000);
  StreamDecoder decoder;
  ByteSpan input = AsBytes(bytes);
  StreamEvent event;
  while (decoder.Next(input, event) == Step::kEvent) {
  }
  EXPECT_EQ(decoder.payload_left(), 1000);
  EXPECT_EQ(decoder.TakeOver(999), Step::kEvent);
  EXPECT_EQ(decoder.offset(), bytes.size() + 999);
  EXPECT_EQ(decoder.TakeOver(2), Step::kError);
  EXPECT_EQ(decoder.error().code, ErrorCode::kRecordOverrun);
  EXPECT_EQ(decoder.Next(input, event), Step::kError) << "it stays";
}

TEST(StreamDecoderTest, MisuseIsAnErrorThatStays) {
  StreamDecoder decoder;
  EXPECT_EQ(decoder.EndContent(), Step::kError);
  EXPECT_EQ(decoder.error().code, ErrorCode::kNotWritable);
  ByteSpan none;
  StreamEvent event;
  EXPECT_EQ(decoder.Next(none, event), Step::kError);
}

TEST(StreamDecoderTest, AStreamMayEndBehindEofAndNowhereBefore) {
  const std::string bytes = Before() + EofBytes();
  for (size_t length = 0; length <= bytes.size(); ++length) {
    FedDecoder fed({});
    fed.Feed(AsBytes(bytes).first(length));
    Error error = fed.End();
    EXPECT_EQ(error.ok(), length == bytes.size()) << length;
    if (!error.ok()) {
      EXPECT_EQ(error.code, ErrorCode::kTruncated);
      EXPECT_EQ(error.offset, length);
    }
  }
}

TEST(StreamDecoderTest, FootersNeedNotBeFoundOutByWhoKnows) {
  HandlerBytes ram = kRam;
  ram.footers = false;
  const std::string start = HeaderBytes() + ram.Start(Be64Bytes(kRamEos));
  FedDecoder unknown({});
  unknown.Feed(AsBytes(start));
  FedDecoder known({.footers = false});
  known.Feed(AsBytes(start));
  EXPECT_EQ(known.lines().size(), unknown.lines().size() + 1)
      << "the section's end";
}

// StreamEncoder

class StreamEncoderTest : public testing::Test {
 protected:
  uint8_t headers_[StreamEncoder::kMinHeaderBytes];
  iovec pieces_[StreamEncoder::kMinPieces];
  StreamEncoder encoder_{GetDialect(DialectId::kV111), headers_, pieces_};
};

TEST_F(StreamEncoderTest, APartIsOneWrite) {
  const std::string payload(1000, 'p');
  SectionView part;
  part.type = SectionType::kPart;
  part.id = 7;
  part.vfio = true;
  EXPECT_EQ(encoder_.Section(part), Put::kDone);
  encoder_.device().Data(AsBytes(payload));
  encoder_.device().EndOfState();
  EXPECT_EQ(encoder_.EndSection(true), Put::kDone);
  ASSERT_EQ(encoder_.pieces().size(), 3) << "headers, payload, tag and footer";
  EXPECT_EQ(encoder_.pieces()[1].iov_base, payload.data()) << "by reference";
  std::string bytes;
  for (const iovec& piece : encoder_.pieces()) {
    bytes.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
  }
  EXPECT_EQ(bytes,
            kVfio.Part(TagBytes(4) + Be64Bytes(1000) + payload + TagBytes(1)));
}

TEST_F(StreamEncoderTest, WhatMayNotStandHereIsRefusedForGood) {
  EXPECT_EQ(encoder_.Content(AsBytes("x")), Put::kError) << "in no section";
  EXPECT_EQ(encoder_.error().code, ErrorCode::kNotWritable);
  EXPECT_EQ(encoder_.Header(), Put::kError);
}

TEST_F(StreamEncoderTest, ADevicesEventOutsideOfItsSectionIsRefused) {
  EXPECT_EQ(encoder_.Device({}), Put::kError);
  EXPECT_FALSE(encoder_.ok());
}

TEST_F(StreamEncoderTest, WhatDoesNotFitChangesNothing) {
  iovec few[1];
  StreamEncoder encoder(GetDialect(DialectId::kV111), headers_, few);
  EXPECT_EQ(encoder.Command(Command::kPing, AsBytes("1234")), Put::kFull);
  EXPECT_TRUE(encoder.ok());
  EXPECT_TRUE(encoder.pieces().empty());
}

}  // namespace
}  // namespace migstream
