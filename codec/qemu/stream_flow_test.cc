// How a StreamReader is driven: by a source that has nothing yet, and by a
// visitor that skips a section or stops.

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "codec/qemu/decode_stream.h"
#include "codec/qemu/forwarding_visitor.h"
#include "codec/qemu/stream_bytes.h"
#include "codec/qemu/stream_recording.h"
#include "flags/ram_flags.h"
#include "gtest/gtest.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

using Status = StreamReader::Status;

const HandlerBytes kRam = {.id = 2, .idstr = "ram", .version = 4};
const HandlerBytes kTimer = {.id = 3, .idstr = "timer"};
const HandlerBytes kVfio = {.id = 7, .idstr = "0000:00:05.0/vfio"};

std::string RamStart() {
  return kRam.Start(Be64Bytes(kRamMemSize | 0x10000) + Str8Bytes("pc.ram") +
                    Be64Bytes(0x10000) + Be64Bytes(kRamEos));
}

// Two pages: as they are, and of zeros.
std::string RamPart() {
  return kRam.Part(Be64Bytes(kRamPage | 0x1000) + Str8Bytes("pc.ram") +
                   std::string(4096, 'p') +
                   Be64Bytes(kRamZero | kRamContinue | 0x2000) + '\0' +
                   Be64Bytes(kRamEos));
}

std::string VfioPart(const std::string& data) {
  return kVfio.Part(TagBytes(4) + Be64Bytes(data.size()) + data + kEos);
}

// A section of each kind between others.
std::string SmallStream() {
  return HeaderBytes() + ConfigurationBytes("pc-q35-8.2") + CommandBytes(1) +
         RamStart() + kVfio.Start(kSetupTag + kEos) + RamPart() +
         VfioPart("data") + kTimer.Full("state") + CommandBytes(11) +
         kRam.End(Be64Bytes(kRamEos)) + kVfio.End(kEos) + EofBytes() +
         DescriptionBytes(DescriptionJson({kTimer.Json(5)}));
}

// Has nothing yet before each piece of at most `longest` bytes.
class TricklingSource : public ByteSource {
 public:
  TricklingSource(ByteSpan bytes, size_t longest)
      : rest_(bytes), longest_(longest) {}

 protected:
  size_t Read(uint8_t* to, size_t count) override {
    if (rest_.empty()) return 0;
    if (waits_ = !waits_; waits_) return kNothingYet;
    count = std::min({count, rest_.size(), longest_});
    std::copy_n(rest_.begin(), count, to);
    rest_ = rest_.subspan(count);
    return count;
  }

 private:
  ByteSpan rest_;
  size_t longest_;
  bool waits_ = false;
};

// Whoever asks for more than the stream waits for ever.
class StreamAlone : public ByteSource {
 public:
  explicit StreamAlone(ByteSpan bytes) : rest_(bytes) {}

 protected:
  size_t Read(uint8_t* to, size_t count) override {
    if (rest_.empty()) ADD_FAILURE() << "waits for what will not come";
    count = std::min(count, rest_.size());
    std::copy_n(rest_.begin(), count, to);
    rest_ = rest_.subspan(count);
    return count;
  }

 private:
  ByteSpan rest_;
};

TEST(LiveReaderTest, NothingIsWaitedForBehindTheStream) {
  const std::string bytes = SmallStream();
  StreamAlone source(AsBytes(bytes));
  const Recorded live =
      Record(source, {.content_length = KnownLengths::Of(bytes)});
  EXPECT_TRUE(live.error.ok()) << ToString(live.error);
}

class StopBehindPart : public StreamVisitor {
 public:
  bool wants_content() const override { return true; }
  bool wants_payload() const override { return true; }
  void OnSectionEnd(const SectionView& section, uint64_t, bool) override {
    if (section.type == SectionType::kPart) Stop();
  }
};

// On a target whose pages' size nothing tells.
TEST(LiveReaderTest, ARamSectionIsNotHeldBackToGuessItsPages) {
  const std::string bytes =
      HeaderBytes() + ConfigurationBytes("virt-8.2") + RamStart() + RamPart();
  StreamAlone source(AsBytes(bytes));
  StopBehindPart visitor;
  StreamReader reader(source, visitor,
                      {.content_length = [](const SectionView&, ByteSpan) {
                        return ContentLength();
                      }});
  EXPECT_EQ(reader.ReadOn(), Status::kStopped);
}

class StreamFlowTest : public testing::TestWithParam<testdata::Capture> {};

TEST_P(StreamFlowTest, ASourceThatHasNothingYetGivesTheSame) {
  const std::string bytes = ReadCapture(GetParam());
  const ReaderOptions options = {.content_length = KnownLengths::Of(bytes)};
  MemorySource whole(AsBytes(bytes));
  const Recorded expected = Record(whole, options);
  const size_t longest = bytes.size() < 100000 ? 1 : 509;
  TricklingSource source(AsBytes(bytes), longest);
  StreamRecording recording;
  StreamReader reader(source, recording, options);
  size_t waited = 0;
  while (reader.ReadOn() == Status::kNothingYet) ++waited;
  EXPECT_GE(waited, bytes.size() / longest);
  EXPECT_EQ(ToString(reader.error()), ToString(expected.error));
  EXPECT_TRUE(recording.Text() == expected.recording.Text());
}

INSTANTIATE_TEST_SUITE_P(All, StreamFlowTest, testing::ValuesIn(AllCaptures()),
                         CaptureName());

TEST(NothingYetTest, ContentThatIsNotWantedIsPassedOverAsItComes) {
  const std::string bytes = SmallStream();
  const ReaderOptions options = {.content_length = KnownLengths::Of(bytes)};
  TricklingSource source(AsBytes(bytes), 1);
  StreamVisitor nobody;
  StreamReader reader(source, nobody, options);
  size_t waited = 0;
  while (reader.ReadOn() == Status::kNothingYet) ++waited;
  EXPECT_GT(waited, 300);
  EXPECT_TRUE(reader.error().ok()) << ToString(reader.error());
  EXPECT_EQ(source.offset(), bytes.size());
}

// Stops behind all that it passes on.
class StoppingVisitor : public ForwardingVisitor {
 public:
  using ForwardingVisitor::ForwardingVisitor;

  void OnHeader(uint32_t version) override {
    Stop();
    next().OnHeader(version);
  }
  void OnSection(const SectionView& section) override {
    Stop();
    next().OnSection(section);
  }
  void OnDeviceEvent(const SectionView& section, const Event& event) override {
    Stop();
    next().OnDeviceEvent(section, event);
  }
  void OnContent(ByteSpan bytes) override {
    Stop();
    next().OnContent(bytes);
  }
  void OnSectionEnd(const SectionView& section, uint64_t content_bytes,
                    bool footer) override {
    Stop();
    next().OnSectionEnd(section, content_bytes, footer);
  }
  void OnCommand(const CommandView& command) override {
    Stop();
    next().OnCommand(command);
  }
  void OnEof(uint64_t offset) override {
    Stop();
    next().OnEof(offset);
  }
};

TEST(StopTest, ReadingEndsBehindWhatTheVisitorSawLast) {
  const std::string bytes = SmallStream();
  MemorySource source(AsBytes(bytes));
  StreamRecording recording;
  StoppingVisitor visitor(recording);
  StreamReader reader(source, visitor);
  EXPECT_TRUE(reader.Read().ok());
  EXPECT_EQ(recording.Text(), "header 3\n0 0") << "and no content";
  EXPECT_EQ(source.offset(), 8);
}

TEST(StopTest, ReadingGoesOnWhereItStopped) {
  const std::string bytes = SmallStream();
  MemorySource whole(AsBytes(bytes));
  const Recorded expected = Record(whole);
  MemorySource source(AsBytes(bytes));
  StreamRecording recording;
  StoppingVisitor visitor(recording);
  StreamReader reader(source, visitor);
  int stops = 0;
  while (reader.ReadOn() == Status::kStopped) ++stops;
  EXPECT_GT(stops, 30);
  EXPECT_TRUE(reader.error().ok()) << ToString(reader.error());
  EXPECT_EQ(recording.Text(), expected.recording.Text());
}

// Skips sections, and counts what comes of them.
class SkippingVisitor : public StreamVisitor {
 public:
  SkippingVisitor(std::string idstr, SectionType type)
      : idstr_(std::move(idstr)), type_(type) {}

  bool wants_content() const override { return true; }
  bool wants_payload() const override { return true; }

  void OnSection(const SectionView& section) override {
    skips_ = section.idstr == idstr_ && section.type == type_;
    if (skips_) SkipSection();
  }
  void OnDeviceEvent(const SectionView&, const Event&) override { Count(); }
  void OnContent(ByteSpan) override { Count(); }
  void OnRamRecord(const RamRecordView&) override { Count(); }
  void OnRamBlocks(std::span<const RamBlock>) override { Count(); }
  void OnSectionEnd(const SectionView&, uint64_t content_bytes,
                    bool footer) override {
    EXPECT_TRUE(footer);
    if (skips_) skipped_bytes += content_bytes;
    skips_ = false;
  }

  uint64_t skipped_bytes = 0;
  int skipped_events = 0;
  int other_events = 0;

 private:
  void Count() { ++(skips_ ? skipped_events : other_events); }

  const std::string idstr_;
  const SectionType type_;
  bool skips_ = false;
};

TEST(SkipSectionTest, NothingOfTheSectionComesButItsEnd) {
  struct Case {
    const HandlerBytes* handler;
    SectionType type;
    std::string section;
  };
  const std::string bytes = SmallStream();
  for (const Case& c : {Case{&kRam, SectionType::kStart, RamStart()},
                        Case{&kRam, SectionType::kPart, RamPart()},
                        Case{&kVfio, SectionType::kPart, VfioPart("data")},
                        Case{&kTimer, SectionType::kFull, kTimer.Full("state")},
                        Case{&kVfio, SectionType::kFull, ""}}) {
    const bool named =
        c.type == SectionType::kStart || c.type == SectionType::kFull;
    const size_t around =
        (named ? c.handler->Named('\x01').size() : 5) + kFooterBytes;
    SkippingVisitor visitor(c.handler->idstr, c.type);
    // As those that change a stream look at it: one behind the other.
    ForwardingVisitor inner(visitor);
    ForwardingVisitor outer(inner);
    MemorySource source(AsBytes(bytes));
    EXPECT_TRUE(StreamReader(source, outer).Read().ok());
    EXPECT_EQ(visitor.skipped_bytes,
              c.section.empty() ? 0 : c.section.size() - around);
    EXPECT_EQ(visitor.skipped_events, 0) << c.handler->idstr;
    EXPECT_GT(visitor.other_events, 0) << "of the sections around it";
    EXPECT_EQ(source.offset(), bytes.size());
  }
}

// Gives `bytes`, and counts those that are read and not sought over.
class SeekingSource : public ByteSource {
 public:
  explicit SeekingSource(ByteSpan bytes) : rest_(bytes) {}

  uint64_t read = 0;

 protected:
  size_t Read(uint8_t* to, size_t count) override {
    count = std::min(count, rest_.size());
    std::copy_n(rest_.begin(), count, to);
    rest_ = rest_.subspan(count);
    read += count;
    return count;
  }
  uint64_t Seek(uint64_t count) override {
    count = std::min<uint64_t>(count, rest_.size());
    rest_ = rest_.subspan(count);
    return count;
  }

 private:
  ByteSpan rest_;
};

TEST(SkipSectionTest, ItsPayloadIsSoughtOver) {
  const std::string bytes = HeaderBytes() + ConfigurationBytes("pc-q35-8.2") +
                            kVfio.Start(kSetupTag + kEos) +
                            VfioPart(std::string(8 << 20, 'd')) +
                            kVfio.End(kEos) + EofBytes();
  for (SectionType skipped : {SectionType::kPart, SectionType::kFull}) {
    SeekingSource source(AsBytes(bytes));
    SkippingVisitor visitor(kVfio.idstr, skipped);
    EXPECT_TRUE(StreamReader(source, visitor).Read().ok());
    EXPECT_EQ(source.read < 2 << 20, skipped == SectionType::kPart)
        << source.read;
  }
}

}  // namespace
}  // namespace migstream
