// What real QEMUs wrote, read and written again.

#include <string>

#include "codec/io/open_stream.h"
#include "codec/qemu/stream_recording.h"
#include "codec/qemu/stream_writer.h"
#include "gtest/gtest.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

class CaptureTest : public testing::TestWithParam<testdata::Capture> {
 protected:
  CaptureTest() : bytes_(ReadCapture(GetParam())) {}

  const std::string bytes_;
};

TEST_P(CaptureTest, IsReadToItsEndOrToTheCut) {
  MemorySource source(AsBytes(bytes_));
  Recorded recorded = Record(source);
  if (GetParam().completed()) {
    EXPECT_TRUE(recorded.error.ok()) << ToString(recorded.error);
  } else {
    EXPECT_EQ(recorded.error.code, ErrorCode::kTruncated)
        << ToString(recorded.error);
    EXPECT_EQ(recorded.error.offset, bytes_.size());
  }
  EXPECT_EQ(recorded.recording.devices.size(), GetParam().devices_size());
}

TEST_P(CaptureTest, HoldsWhatTheDeviceGave) {
  if (!GetParam().completed()) return;
  MemorySource source(AsBytes(bytes_));
  Recorded recorded = Record(source);
  for (const testdata::Device& truth : GetParam().devices()) {
    ASSERT_EQ(recorded.recording.devices.count(truth.idstr()), 1);
    const auto& device = recorded.recording.devices[truth.idstr()];
    if (HasDeviceStateChannels(GetParam())) {
      EXPECT_LE(device.payload.size(), truth.payload_bytes());
      EXPECT_TRUE(device.pci_config_bytes.empty());
      continue;
    }
    EXPECT_EQ(device.payload.size(), truth.payload_bytes());
    EXPECT_EQ(Sha256(device.payload), truth.payload_sha256());
    ASSERT_EQ(device.pci_config_bytes.size(), 1);
    EXPECT_EQ(device.pci_config_bytes[0], truth.pci_config_bytes());
    EXPECT_EQ(device.msix_vectors[0], truth.host_msix_vectors());
    EXPECT_EQ(device.config_ends, 1);
    std::vector<uint64_t> records;
    for (uint64_t bytes : device.records) {
      if (bytes != 0) records.push_back(bytes);
    }
    if (truth.record_sizes_size() != 0) {
      EXPECT_EQ(records, std::vector<uint64_t>(truth.record_sizes().begin(),
                                               truth.record_sizes().end()));
    }
  }
}

TEST_P(CaptureTest, IsWrittenAgainToTheLastByte) {
  MemorySource source(AsBytes(bytes_));
  StringSink sink;
  Error error = Repack(source, sink, {}, nullptr);
  EXPECT_EQ(error.ok(), GetParam().completed()) << ToString(error);
  EXPECT_TRUE(sink.bytes() == bytes_);
}

TEST_P(CaptureTest, GivesTheSameFromAPipeByteByByteAndFromTheFile) {
  MemorySource memory(AsBytes(bytes_));
  Recorded whole = Record(memory);
  for (size_t longest : {1, 7, 4096, 1 << 20}) {
    ShortReadSource pipe(AsBytes(bytes_), longest);
    Recorded piped = Record(pipe);
    EXPECT_EQ(ToString(piped.error), ToString(whole.error));
    EXPECT_TRUE(piped.recording.Text() == whole.recording.Text()) << longest;
  }
  OpenedStream file = OpenStream(CapturePath(GetParam()));
  ASSERT_TRUE(file.error.ok());
  Recorded from_file = Record(*file.source);
  EXPECT_EQ(ToString(from_file.error), ToString(whole.error));
  EXPECT_TRUE(from_file.recording.Text() == whole.recording.Text());
}

INSTANTIATE_TEST_SUITE_P(All, CaptureTest, testing::ValuesIn(AllCaptures()),
                         CaptureName());

}  // namespace
}  // namespace migstream
