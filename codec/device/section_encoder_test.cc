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
