// What comes in rows is what comes event by event, at every cut of the input.

#include "codec/qemu/stream_runs.h"

#include <map>
#include <string>
#include <vector>

#include "codec/qemu/stream_bytes.h"
#include "codec/qemu/stream_recording.h"
#include "codec/wire/text.h"
#include "flags/ram_flags.h"
#include "flags/tag.h"
#include "gtest/gtest.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

// PARTs of one handler.
struct Parts {
  uint64_t count = 0;
  uint64_t first_offset = 0;
  uint64_t last_offset = 0;
  bool footer = false;
  bool operator==(const Parts&) const = default;
};

// A line for each thing but empty PARTs, which are counted, and the content of
// sections; rows are taken apart.
class Trace : public StreamVisitor {
 public:
  explicit Trace(bool takes_runs) : takes_runs_(takes_runs) {}

  bool wants_payload() const override { return true; }
  bool takes_runs() const override { return takes_runs_; }

  void OnSection(const SectionView& section) override {
    const std::string line =
        StrCat(Hex(section.offset), " ", section.idstr, " ", section.id, " ",
               ToString(section.type));
    begin_ = lines.size();
    lines.push_back(line);
  }
  void OnDeviceEvent(const SectionView&, const Event& event) override {
    if (event.kind != EventKind::kData) {
      lines.push_back(StrCat(Hex(event.offset), " ", ToString(event)));
      return;
    }
    // Pieces of a record are put together.
    const size_t here = event.payload.size();
    if (event.starts_record) {
      lines.push_back(StrCat(Hex(event.offset), " DATA ", event.record_bytes));
    }
    payload.append(AsText(event.payload).data(), here);
  }
  void OnRamRecord(const RamRecordView& record) override {
    const bool page = record.block != nullptr;
    AddRecord(record.offset, record.flags, page ? record.block->name : "",
              record.page_offset);
  }
  void OnSectionEnd(const SectionView& section, uint64_t content_bytes,
                    bool footer) override {
    if (section.type == SectionType::kPart && lines.size() == begin_ + 2 &&
        content_bytes == EmptyParts::kContentBytes) {
      lines.resize(begin_);
      Add(section, 1, section.offset, footer);
      return;
    }
    lines.push_back(StrCat("end ", content_bytes, footer ? " footer" : ""));
  }
  void OnCommand(const CommandView& command) override {
    lines.push_back(StrCat(Hex(command.offset), " ", command.data.size()));
  }
  void OnEof(uint64_t offset) override {
    lines.push_back(StrCat(Hex(offset), " EOF"));
  }
  void OnFinding(const Finding& finding) override {
    lines.push_back(StrCat(Hex(finding.offset), " ", finding.id, " ",
                           finding.section, " ", finding.message));
  }

  void OnEmptyParts(const EmptyParts& row) override {
    ++rows;
    EXPECT_TRUE(takes_runs_);
    Add(row.section, row.count, row.last_offset, row.footer);
  }
  void OnDeviceRecords(const SectionView& section,
                       const DeviceRecords& records) override {
    ++rows;
    EXPECT_TRUE(takes_runs_ && !records.payloads.empty());
    StreamVisitor::OnDeviceRecords(section, records);
  }
  void OnDataParts(const DataParts& parts) override {
    ++rows;
    EXPECT_TRUE(takes_runs_ && !parts.records.payloads.empty());
    StreamVisitor::OnDataParts(parts);
    EXPECT_EQ(parts.section.offset, parts.records.offset - kNumberedBytes);
    uint64_t last = 0;
    parts.records.ForEach(
        [&](uint64_t offset, ByteSpan) { last = offset - kNumberedBytes; });
    EXPECT_EQ(parts.last_offset, last);
  }
  void OnRamPages(const RamPages& row) override {
    ++rows;
    EXPECT_TRUE(takes_runs_ && !row.pages.empty());
    uint64_t at = row.offset;
    for (const RamPage& page : row.pages) {
      const bool zero = page.bytes == nullptr;
      AddRecord(at, (zero ? kRamZero : kRamPage) | kRamContinue,
                row.block->name, page.page_offset);
      EXPECT_TRUE(zero || row.OffsetOf(page) == at + 8);
      at += 8 + (zero ? 1 : row.page_bytes);
    }
    EXPECT_EQ(at, row.offset + row.bytes.size());
  }

  std::vector<std::string> lines;
  std::map<uint32_t, Parts> parts;  // By id.
  std::string payload;
  size_t rows = 0;

 private:
  void Add(const SectionView& section, uint64_t count, uint64_t last_offset,
           bool footer) {
    Parts& of_id = parts[section.id];
    if (of_id.count == 0) of_id.first_offset = section.offset;
    of_id.count += count;
    of_id.last_offset = last_offset;
    of_id.footer = footer;
  }
  void AddRecord(uint64_t offset, uint64_t flags, std::string_view block,
                 uint64_t page_offset) {
    lines.push_back(StrCat(Hex(offset), " ", Hex(flags), " ", block, " ",
                           Hex(page_offset)));
  }

  const bool takes_runs_;
  size_t begin_ = 0;  // Of the section.
};

Error Read(ByteSource& source, Trace& trace, RamStats& ram) {
  StreamReader reader(source, trace);
  Error error = reader.Read();
  ram = reader.ram();
  return error;
}

// How many rows came of the whole input.
size_t ExpectTheSame(const std::string& bytes) {
  Trace single(false);
  RamStats truth;
  MemorySource memory(AsBytes(bytes));
  const Error error = Read(memory, single, truth);
  size_t rows = 0;
  for (size_t longest : {1, 7, 30, 100, 5000, 1 << 30}) {
    Trace trace(true);
    RamStats ram;
    MemorySource whole(AsBytes(bytes));
    ShortReadSource pipe(AsBytes(bytes), longest);
    const bool all = longest > bytes.size();
    EXPECT_EQ(ToString(Read(all ? static_cast<ByteSource&>(whole) : pipe, trace,
                            ram)),
              ToString(error));
    EXPECT_EQ(trace.lines, single.lines) << longest;
    EXPECT_TRUE(trace.payload == single.payload) << longest;
    EXPECT_TRUE(trace.parts == single.parts) << longest;
    EXPECT_EQ(ram.pages, truth.pages);
    EXPECT_EQ(ram.zero_pages, truth.zero_pages);
    rows = trace.rows;
  }
  EXPECT_EQ(single.rows, 0);
  return rows;
}

const HandlerBytes kRam = {2, "ram", 0, 4};
const HandlerBytes kDevice = {3, "0000:00:05.0/vfio"};
const HandlerBytes kOther = {4, "0000:00:06.0/vfio"};

std::string Eos() { return BeBytes(kRamEos, 8); }
std::string EndOfState() {
  return BeBytes(static_cast<uint64_t>(Tag::kEndOfState), 8);
}
std::string SetupBytes() {
  return BeBytes(static_cast<uint64_t>(Tag::kDevSetupState), 8) + EndOfState();
}
std::string Data(const std::string& payload) {
  return BeBytes(static_cast<uint64_t>(Tag::kDevDataState), 8) +
         BeBytes(payload.size(), 8) + payload;
}

std::string Begin(bool footers = true) {
  HandlerBytes ram = kRam, device = kDevice, other = kOther;
  ram.footers = device.footers = other.footers = footers;
  return HeaderBytes() + ConfigurationBytes("pc-q35-8.2") +
         ram.Start(BeBytes(0x20000 | kRamMemSize, 8) + Str8Bytes("pc.ram") +
                   BeBytes(0x20000, 8) + Eos()) +
         device.Start(SetupBytes()) + other.Start(SetupBytes());
}

TEST(StreamRunsTest, EmptyPartsOfHandlersThatTakeTurns) {
  std::string bytes = Begin();
  for (int i = 0; i < 100; ++i) {
    bytes += kRam.Part(Eos()) + kDevice.Part(EndOfState());
    if (i % 3 == 0) bytes += kOther.Part(EndOfState());
    if (i % 17 == 5) bytes += kDevice.Part(Data("abc") + EndOfState());
  }
  EXPECT_GT(ExpectTheSame(bytes + EofBytes()), 0);
  // Cut, and damaged.
  EXPECT_GT(ExpectTheSame(bytes.substr(0, bytes.size() - 3)), 0);
  for (size_t back : {1, 5, 6, 9, 14, 18}) {
    std::string damaged = bytes + EofBytes();
    damaged[bytes.size() - back] ^= 0x40;
    ExpectTheSame(damaged);
  }
}

TEST(StreamRunsTest, EmptyPartsWithoutFooters) {
  HandlerBytes ram = kRam, device = kDevice;
  ram.footers = device.footers = false;
  std::string bytes = Begin(false);
  for (int i = 0; i < 50; ++i) {
    bytes += ram.Part(Eos()) + device.Part(EndOfState());
  }
  EXPECT_GT(ExpectTheSame(bytes + EofBytes()), 0);
}

TEST(StreamRunsTest, PartsOfMoreHandlersThanARowHas) {
  std::string bytes = Begin();
  std::string round;
  for (uint32_t i = 0; i < 40; ++i) {
    const HandlerBytes device = {100 + i, StrCat("0000:01:", i, ".0/vfio")};
    bytes += device.Start(SetupBytes());
    round += device.Part(EndOfState());
  }
  for (int i = 0; i < 20; ++i) bytes += round;
  EXPECT_GT(ExpectTheSame(bytes + EofBytes()), 0);
}

TEST(StreamRunsTest, APartThatWasNeverStartedIsRefused) {
  const HandlerBytes unknown = {77, "ram"};
  EXPECT_GT(ExpectTheSame(Begin() + kRam.Part(Eos()) + kRam.Part(Eos()) +
                          unknown.Part(Eos()) + EofBytes()),
            0);
}

TEST(StreamRunsTest, RecordsOfAnySize) {
  std::string records;
  for (int i = 0; i < 700; ++i) {
    records += Data(std::string(i * i % 91, static_cast<char>('a' + i % 26)));
  }
  const std::string bytes = Begin() + kDevice.Part(records + EndOfState()) +
                            kDevice.End(records + records + EndOfState());
  EXPECT_GT(ExpectTheSame(bytes + EofBytes()), 0);
  EXPECT_GT(ExpectTheSame(bytes.substr(0, bytes.size() - 100)), 0);
  std::string damaged = bytes + EofBytes();
  damaged[bytes.size() - 20000] ^= 0x80;
  ExpectTheSame(damaged);
}

TEST(StreamRunsTest, PartsOfOneRecordEach) {
  std::string bytes = Begin();
  for (int i = 0; i < 700; ++i) {
    const std::string payload(i * i % 91, static_cast<char>('a' + i % 26));
    bytes += kDevice.Part(Data(payload) + EndOfState());
    if (i % 50 == 0) bytes += kOther.Part(Data(payload) + EndOfState());
    if (i % 100 == 0)
      bytes += kDevice.Part(Data("a") + Data("b") + EndOfState());
    if (i % 120 == 0) bytes += kDevice.Part(EndOfState()) + kRam.Part(Eos());
  }
  EXPECT_GT(ExpectTheSame(bytes + EofBytes()), 0);
  EXPECT_GT(ExpectTheSame(bytes.substr(0, bytes.size() - 20)), 0);
  // In the last PART: footer, END_OF_STATE, length, tag, id, type.
  const size_t last = 5 + 8 + 699 * 699 % 91;
  for (size_t back : {1, 5, 6, 13}) {
    std::string damaged = bytes + EofBytes();
    damaged[bytes.size() - back] ^= 0x40;
    ExpectTheSame(damaged);
  }
  for (size_t before : {1, 8, 9, 16, 17, 21}) {
    std::string damaged = bytes + EofBytes();
    damaged[bytes.size() - last - before] ^= 0x40;
    ExpectTheSame(damaged);
  }
}

TEST(StreamRunsTest, PartsOfOneRecordEachWithoutFooters) {
  HandlerBytes device = kDevice;
  device.footers = false;
  std::string bytes = Begin(false);
  for (int i = 0; i < 50; ++i) {
    bytes += device.Part(Data(std::string(i, 'x')) + EndOfState());
  }
  EXPECT_GT(ExpectTheSame(bytes + EofBytes()), 0);
}

TEST(StreamRunsTest, PagesUpToTheFirstThatIsNone) {
  auto page = [](uint64_t flags, uint64_t at, const std::string& payload) {
    return BeBytes(at | flags, 8) + payload;
  };
  const std::string full(4096, 'p');
  std::string pages = page(kRamPage, 0, Str8Bytes("pc.ram") + full);
  for (uint64_t at = 0x1000; at < 0x10000; at += 0x1000) {
    pages += page(kRamPage | kRamContinue, at, full);
    if (at % 0x3000 == 0) {
      pages += page(kRamZero | kRamContinue, at + 0x1000, std::string(1, '\0'));
    }
    // No zero page.
    if (at == 0x5000) pages += page(kRamZero | kRamContinue, at, "x");
  }
  const std::string bytes =
      Begin() + kRam.Part(pages + Eos()) +
      kRam.Part(page(kRamPage | kRamContinue, 0, full) + Eos());
  EXPECT_GT(ExpectTheSame(bytes + EofBytes()), 0);
  // The last one is outside its block.
  EXPECT_GT(ExpectTheSame(
                bytes + kRam.Part(page(kRamPage | kRamContinue, 0x10000, full) +
                                  page(kRamPage | kRamContinue, 0x20000, full) +
                                  Eos())),
            0);
}

TEST(StreamRunsTest, CapturesOfRealQemus) {
  size_t rows = 0;
  for (const testdata::Capture& capture : AllCaptures()) {
    const std::string bytes = ReadCapture(capture);
    if (bytes.size() > 3 << 20) continue;
    rows += ExpectTheSame(bytes);
  }
  EXPECT_GT(rows, 0);
}

}  // namespace
}  // namespace migstream
