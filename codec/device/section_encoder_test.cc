#include "codec/device/section_encoder.h"

#include <array>
#include <functional>
#include <random>
#include <span>
#include <string>

#include "codec/device/config_bytes.h"
#include "codec/device/section_bytes.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

using enum SectionType;

struct Encoding {
  Encoding(SectionType type, DialectId id)
      : encoder(type, GetDialect(id), headers, pieces) {}

  std::string Bytes() const {
    std::string bytes;
    for (const iovec& piece : encoder.pieces()) {
      bytes.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
    }
    return bytes;
  }

  uint8_t headers[SectionEncoder::kMinHeaderBytes];
  iovec pieces[16];
  SectionEncoder encoder;
};

TEST(SectionEncoderTest, PayloadIsReferencedAndHeadersAreJoined) {
  Encoding e(kEnd, DialectId::kV111);
  std::string a = "abc", b = "defg";
  EXPECT_EQ(e.encoder.Data(AsBytes(a)), Put::kDone);
  EXPECT_EQ(e.encoder.Data(AsBytes(b)), Put::kDone);
  EXPECT_EQ(e.encoder.EndOfState(), Put::kDone);
  EXPECT_TRUE(e.encoder.done());
  ASSERT_EQ(e.encoder.pieces().size(), 5);
  EXPECT_EQ(e.encoder.pieces()[1].iov_base, a.data());
  EXPECT_EQ(e.encoder.pieces()[3].iov_base, b.data());
  EXPECT_EQ(e.Bytes(), DataBytes("abc") + DataBytes("defg") + kEos);
  EXPECT_EQ(e.encoder.bytes(), e.Bytes().size());
}

TEST(SectionEncoderTest, ABatchIsARecordOfEachPayload) {
  Encoding e(kEnd, DialectId::kV111);
  std::string a = "abc", b = "defg";
  iovec all[] = {{a.data(), 3}, {nullptr, 0}, {b.data(), 4}};
  std::span<const iovec> payloads = all;
  EXPECT_EQ(e.encoder.DataBatch(payloads), Put::kDone);
  EXPECT_TRUE(payloads.empty());
  EXPECT_EQ(e.encoder.DataBatch(payloads), Put::kDone) << "of nothing";
  EXPECT_EQ(e.encoder.EndOfState(), Put::kDone);
  // An empty record's header is one piece with the next.
  ASSERT_EQ(e.encoder.pieces().size(), 5);
  EXPECT_EQ(e.encoder.pieces()[1].iov_base, a.data());
  EXPECT_EQ(e.Bytes(),
            DataBytes("abc") + DataBytes("") + DataBytes("defg") + kEos);
  EXPECT_EQ(e.encoder.bytes(), e.Bytes().size());
}

TEST(SectionEncoderTest, ABatchThatDoesNotFitGoesOnAfterClear) {
  std::string text(30, 'x');
  std::vector<iovec> all;
  std::string expected;
  for (size_t i = 0; i < 30; ++i) {
    all.push_back({text.data(), i % 3});
    expected += DataBytes(text.substr(0, i % 3));
  }
  // Each of the two buffers is the one that ends first.
  for (const auto& [header_bytes, piece_count] :
       {std::pair<size_t, size_t>{16, 100}, {17, 2}, {100, 3}, {300, 8}}) {
    std::vector<uint8_t> headers(header_bytes);
    std::vector<iovec> pieces(piece_count);
    SectionEncoder encoder(kEnd, GetDialect(DialectId::kV111), headers, pieces);
    std::span<const iovec> payloads = all;
    std::string bytes;
    Put put;
    do {
      put = encoder.DataBatch(payloads);
      ASSERT_FALSE(encoder.pieces().empty());
      for (const auto& [base, size] : encoder.pieces()) {
        bytes.append(static_cast<const char*>(base), size);
      }
      encoder.Clear();
    } while (put == Put::kFull);
    EXPECT_EQ(put, Put::kDone);
    EXPECT_EQ(bytes, expected) << header_bytes << ", " << piece_count;
  }
  uint8_t headers[15];
  iovec pieces[8];
  SectionEncoder encoder(kEnd, GetDialect(DialectId::kV111), headers, pieces);
  std::span<const iovec> payloads = all;
  EXPECT_EQ(encoder.DataBatch(payloads), Put::kFull) << "nothing fits";
  EXPECT_EQ(payloads.size(), all.size());
}

TEST(SectionEncoderTest, ABatchIsRefusedWhereARecordIs) {
  std::string text = "abc";
  iovec all[] = {{text.data(), 3}, {text.data(), 3}};
  std::span<const iovec> payloads = all;
  Encoding start(kStart, DialectId::kV111);
  EXPECT_EQ(start.encoder.DataBatch(payloads), Put::kError);
  EXPECT_EQ(start.encoder.error("device").code, ErrorCode::kNotWritable);
  EXPECT_EQ(payloads.size(), 2);

  Encoding open(kEnd, DialectId::kV111);
  open.encoder.DataHeader(5);
  EXPECT_EQ(open.encoder.DataBatch(payloads), Put::kError);
  EXPECT_EQ(open.encoder.error("device").code, ErrorCode::kMissingPayload);

  // A row in which one record ends a PART's data.
  Dialect row = GetDialect(DialectId::kV111);
  row.part.next[static_cast<int>(Element::kData)] = {Element::kEndOfState};
  uint8_t headers[SectionEncoder::kMinHeaderBytes];
  iovec pieces[SectionEncoder::kMinPieces];
  SectionEncoder part(kPart, row, headers, pieces);
  EXPECT_EQ(part.DataBatch(payloads), Put::kError);
  EXPECT_EQ(payloads.size(), 1) << "the first may stand there";
  EXPECT_EQ(part.bytes(), 16 + 3);
  EXPECT_EQ(part.error("device").code, ErrorCode::kNotWritable);
}

TEST(SectionEncoderTest, StartIsOnePiece) {
  Encoding e(kStart, DialectId::kV60);
  e.encoder.Setup();
  e.encoder.EndOfState();
  EXPECT_EQ(e.encoder.pieces().size(), 1);
  EXPECT_EQ(e.Bytes(), kSetupTag + kEos);
}

TEST(SectionEncoderTest, AConfigIsWrittenFromItsParts) {
  ConfigBytes config;
  std::string pci = config.PciConfig(), msix = config.Msix();
  ConfigView view;
  view.pci_config = AsBytes(pci);
  view.msix_table = AsBytes(msix).first(80);
  view.msix_pba = AsBytes(msix).subspan(80);
  std::string ramfb(28, 'r');
  Encoding e(kFull, DialectId::kV111);
  EXPECT_EQ(e.encoder.Config(view), Put::kDone);
  EXPECT_EQ(e.encoder.Subsection({kDisplaySubsection, 1, AsBytes(ramfb)}),
            Put::kDone);
  EXPECT_EQ(e.encoder.EndConfig(), Put::kDone);
  EXPECT_TRUE(e.encoder.done());
  config.subsections = Subsection("VFIOPCIDevice/VFIODisplay", ramfb);
  EXPECT_EQ(e.Bytes(), TagBytes(2) + config.Payload() + kEos);
}

TEST(SectionEncoderTest, AConfigThatNoLoaderCouldReadIsRefused) {
  std::string pci = ConfigBytes().PciConfig(), bytes(100, 'x');
  ConfigView good;
  good.pci_config = AsBytes(pci);
  auto refused = [](const ConfigView& view, DialectId id) {
    Encoding e(kFull, id);
    return e.encoder.Config(view) == Put::kError &&
           e.encoder.error("device").code == ErrorCode::kNotWritable;
  };
  EXPECT_FALSE(refused(good, DialectId::kV111));
  ConfigView bad = good;
  bad.pci_config = AsBytes(pci).first(100);
  EXPECT_TRUE(refused(bad, DialectId::kV111));
  bad = good;
  bad.version = 3;
  EXPECT_TRUE(refused(bad, DialectId::kV111));
  bad = good;
  bad.irq_state[2] = 2;
  EXPECT_TRUE(refused(bad, DialectId::kV111));
  bad = good;
  bad.msix_table = AsBytes(bytes).first(20);
  EXPECT_TRUE(refused(bad, DialectId::kV111));
  bad.msix_table = AsBytes(bytes).first(32);
  EXPECT_TRUE(refused(bad, DialectId::kV111)) << "no pending bits";
}

TEST(SectionEncoderTest, ASubsectionIsOneOfTheConfigs) {
  std::string pci = ConfigBytes().PciConfig(), ramfb(28, 'r');
  ConfigView view;
  view.pci_config = AsBytes(pci);
  for (const SubsectionView& bad :
       {SubsectionView{"foo/bar", 1, AsBytes(ramfb)},
        SubsectionView{kDisplaySubsection, 1, AsBytes(ramfb).first(5)}}) {
    Encoding e(kFull, DialectId::kV111);
    e.encoder.Config(view);
    EXPECT_EQ(e.encoder.Subsection(bad), Put::kError);
    EXPECT_EQ(e.encoder.error("device").reason,
              "a subsection that no loader could read here");
  }
}

TEST(SectionEncoderTest, AnEventOfAnotherLayoutIsRefused) {
  Event event;
  event.kind = EventKind::kConfig;
  event.layout.kind = ConfigLayoutKind::kE5V7;
  event.layout.total_bytes = event.layout.fixed_bytes = 30;
  std::string payload(30, '\0');
  event.payload = AsBytes(payload);
  Encoding e(kFull, DialectId::kV111);
  EXPECT_EQ(e.encoder.Append(event), Put::kError);
}

TEST(SectionEncoderTest, WhatTheDialectDoesNotHaveIsRefused) {
  Encoding full(kFull, DialectId::kV52);
  EXPECT_EQ(full.encoder.EndOfState(), Put::kError);
  EXPECT_EQ(full.encoder.error("device").code, ErrorCode::kUnexpectedSection);

  Encoding part(kPart, DialectId::kV60);
  EXPECT_EQ(part.encoder.InitDataSent(), Put::kError);
  EXPECT_EQ(part.encoder.error("device").reason,
            "dialect V60 has no INIT_DATA_SENT here, but DATA or END_OF_STATE");
  EXPECT_EQ(part.encoder.EndOfState(), Put::kError) << "sticky";
}

TEST(SectionEncoderTest, NothingFollowsTheEnd) {
  Encoding e(kPart, DialectId::kV81);
  EXPECT_EQ(e.encoder.InitDataSent(), Put::kDone);
  EXPECT_EQ(e.encoder.EndOfState(), Put::kError);
}

TEST(SectionEncoderTest, ARecordsPayloadMayComeInPiecesOrByOtherMeans) {
  Encoding e(kEnd, DialectId::kV111);
  std::string a = "abc";
  EXPECT_EQ(e.encoder.DataHeader(10), Put::kDone);
  EXPECT_EQ(e.encoder.Payload(AsBytes(a)), Put::kDone);
  EXPECT_EQ(e.encoder.TakeOver(7), Put::kDone);
  EXPECT_EQ(e.encoder.EndOfState(), Put::kDone);
  EXPECT_EQ(e.encoder.bytes(), 16 + 10 + 8);
}

TEST(SectionEncoderTest, ARecordMustBeCompleteBeforeTheNextElement) {
  Encoding e(kEnd, DialectId::kV111);
  e.encoder.DataHeader(10);
  EXPECT_EQ(e.encoder.EndOfState(), Put::kError);
  EXPECT_EQ(e.encoder.error("device").code, ErrorCode::kMissingPayload);

  Encoding over(kEnd, DialectId::kV111);
  over.encoder.DataHeader(2);
  std::string a = "abc";
  EXPECT_EQ(over.encoder.Payload(AsBytes(a)), Put::kError);
  EXPECT_EQ(over.encoder.error("device").code, ErrorCode::kRecordOverrun);
}

TEST(SectionEncoderTest, FullBuffersChangeNothingAndTheSectionGoesOn) {
  uint8_t headers[16];
  iovec pieces[2];
  SectionEncoder encoder(kEnd, GetDialect(DialectId::kV111), headers, pieces);
  std::string a = "abc", bytes;
  auto flush = [&] {
    for (const iovec& piece : encoder.pieces()) {
      bytes.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
    }
    encoder.Clear();
  };
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(encoder.Data(AsBytes(a)), Put::kDone);
    EXPECT_EQ(encoder.Data(AsBytes(a)), Put::kFull);
    flush();
  }
  EXPECT_EQ(encoder.EndOfState(), Put::kDone);
  flush();
  EXPECT_EQ(bytes, DataBytes(a) + DataBytes(a) + DataBytes(a) + kEos);
}

// Whatever is called, and in whatever order: an error at the worst, and that
// one for good.
TEST(SectionEncoderTest, WrongCallsGiveAnError) {
  const std::string payload = "device state";
  std::mt19937_64 random(1);
  int refused = 0;
  for (int run = 0; run < 20000; ++run) {
    const auto& dialects = AllDialects();
    const Dialect& dialect = dialects[random() % dialects.size()];
    const auto type = static_cast<SectionType>(random() % 256);
    Encoding e(run % 8 == 0 ? type : std::array{kPart, kEnd, kFull}[run % 3],
               dialect.id);
    SectionEncoder& encoder = e.encoder;
    for (int call = 0; call < 8; ++call) {
      const Error before = encoder.error("dev");
      const std::function<Put()> calls[] = {
          [&] { return encoder.Setup(); },
          [&] { return encoder.Data(AsBytes(payload)); },
          [&] { return encoder.DataHeader(random() % 20); },
          [&] { return encoder.Payload(AsBytes(payload)); },
          [&] { return encoder.TakeOver(random() % 20); },
          [&] { return encoder.Config({}, random() % 4); },
          [&] { return encoder.Subsection({}); },
          [&] { return encoder.EndConfig(); },
          [&] { return encoder.EndOfState(); },
          [&] { return encoder.InitDataSent(); },
          [&] { return encoder.Trigger(); },
          [&] { return encoder.Append({}); },
          [&] { return encoder.Clear(), Put::kDone; },
      };
      Put put = calls[random() % std::size(calls)]();
      EXPECT_EQ(put == Put::kError && encoder.ok(), false);
      if (before.ok()) continue;
      EXPECT_EQ(ToString(encoder.error("dev")), ToString(before));
    }
    refused += encoder.ok() ? 0 : 1;
  }
  EXPECT_GT(refused, 1000);
}

}  // namespace
}  // namespace migstream
