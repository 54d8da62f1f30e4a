// Small inputs that once took much memory, or would: the program's peak, as the
// kernel counts it, stays below what SECURITY.md promises. bench/README.md has
// the figures.

#include <fcntl.h>
#include <malloc.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "codec/device/config_bytes.h"
#include "codec/io/compress_bytes.h"
#include "codec/qemu/stream_bytes.h"
#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "inspect/run_program.h"

namespace migstream {
namespace {

constexpr uint64_t kPeakKib = 64 << 10;
constexpr uint64_t kMiB = 1 << 20;

// Written piece by piece. Zeros are holes.
class TestFile {
 public:
  explicit TestFile(const std::string& name)
      : path_(WriteTestFile(name, "")),
        fd_(open(path_.c_str(), O_WRONLY | O_CLOEXEC)) {}
  ~TestFile() { close(fd_); }
  TestFile(const TestFile&) = delete;
  TestFile& operator=(const TestFile&) = delete;

  void Put(const std::string& bytes) {
    WriteAll(fd_, bytes.data(), bytes.size());
  }
  void PutZeros(uint64_t count) {
    const off_t end = lseek(fd_, static_cast<off_t>(count), SEEK_CUR);
    EXPECT_EQ(ftruncate(fd_, end), 0);
  }
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
  const int fd_;
};

// Whatever it says of them, it is not killed.
void ExpectSmallPeak(const std::vector<std::string>& words,
                     const std::string& property) {
  // What this process holds would be counted as the program's.
  malloc_trim(0);
  const ProgramRun run = RunProgram(words);
  EXPECT_LE(run.status, 2) << words[0] << ": " << run.errors;
  EXPECT_LT(run.peak_rss_kib, kPeakKib) << StrJoin(words, " ").substr(0, 200);
  // The largest of a verb's runs: bench/peaks prints it.
  static std::map<std::string, uint64_t> peaks;
  const std::string name = StrCat(property, "_", words[0], "_peak_kib");
  peaks[name] = std::max<uint64_t>(peaks[name], run.peak_rss_kib);
  testing::Test::RecordProperty(name, static_cast<int>(peaks[name]));
}

void ExpectSmallPeaks(const std::vector<std::string>& files,
                      const std::string& property) {
  auto with = [&files](std::vector<std::string> words) {
    words.insert(words.end(), files.begin(), files.end());
    return words;
  };
  const std::string out = TestFolder() + "/out";
  for (const char* verb : {"inspect", "check", "stats"}) {
    ExpectSmallPeak(with({verb}), property);
  }
  ExpectSmallPeak(with({"check", "--for=qemu-11.1"}), property);
  ExpectSmallPeak(with({"repack", "--force", "-o", out}), property);
  ExpectSmallPeak(
      with({"extract", "--device=0000:00:00.0/vfio", "--force", "-o", out}),
      property);
  ExpectSmallPeak(with(with({"diff"})), property);
}

std::string Device(int i) { return StrCat("0000:00:", i, ".0/vfio"); }

// A main channel of devices whose state is on others.
std::string MainChannel(int devices) {
  std::string starts, ends, fulls;
  for (int i = 0; i < devices; ++i) {
    const HandlerBytes vfio = {.id = static_cast<uint32_t>(i),
                               .idstr = Device(i)};
    starts += vfio.Start(kSetupTag + kEos);
    ends += vfio.End(kEos);
    fulls += vfio.Full(kEos);
  }
  return WriteTestFile("main",
                       HeaderBytes() + starts + ends + fulls + EofBytes());
}

std::string ChannelHead(int id) {
  return Be32Bytes(0x11223344) + Be32Bytes(1) + std::string(16, '\0') +
         U8Bytes(static_cast<uint8_t>(id)) + std::string(7 + 32, '\0');
}

// What stands before a device-state packet of so many bytes.
std::string PacketHead(std::string idstr, uint32_t index, uint32_t bytes) {
  idstr.resize(256, '\0');
  return Be32Bytes(0x11223344) + Be32Bytes(1) + Be32Bytes(0x40) + idstr +
         Be32Bytes(0) + Be32Bytes(12 + bytes) + Be32Bytes(0) +
         Be32Bytes(index) + Be32Bytes(0);
}

// One of zeros.
void PutPacket(TestFile& to, const std::string& idstr, uint32_t index,
               uint32_t bytes) {
  to.Put(PacketHead(idstr, index, bytes));
  to.PutZeros(bytes);
}

TEST(BombsTest, PacketsThatWaitForOthers) {
  constexpr int kDevices = 8;
  const std::string main = MainChannel(kDevices);
  TestFile channel("ch1");
  channel.Put(ChannelHead(1));
  for (int i = 0; i < kDevices; ++i) {
    for (uint32_t index = 1; index < 16; ++index) {
      PutPacket(channel, Device(i), index, kMiB);
    }
  }
  ExpectSmallPeaks({main, channel.path()}, "waiting");
}

TEST(BombsTest, AsManyChannelsAsThereMayBe) {
  constexpr int kChannels = 255;
  std::vector<std::string> files = {MainChannel(kChannels)};
  for (int i = 0; i < kChannels; ++i) {
    TestFile channel(StrCat("channel", i));
    channel.Put(ChannelHead(i));
    PutPacket(channel, Device(i), 1, kMiB);
    PutPacket(channel, Device(i), 0, 1000);
    files.push_back(channel.path());
  }
  for (const char* verb : {"inspect", "check"}) {
    std::vector<std::string> words = {verb};
    words.insert(words.end(), files.begin(), files.end());
    ExpectSmallPeak(words, "channels");
  }
}

// Each refers back as far as it may, and has a packet that waits.
TEST(BombsTest, ChannelsThatAreCompressed) {
  constexpr int kChannels = 12;
  constexpr int kWindowLog = 23;
  std::vector<std::string> files = {MainChannel(kChannels)};
  for (int i = 0; i < kChannels; ++i) {
    std::string bytes = ChannelHead(i);
    for (uint32_t index = 0; index < 9; ++index) {
      bytes += PacketHead(Device(i), index, kMiB) + std::string(kMiB, '\0');
    }
    bytes += PacketHead(Device(i), 10, kMiB) + std::string(kMiB, '\0');
    files.push_back(
        WriteTestFile(StrCat("packed", i), ZstdBytes(bytes, kWindowLog)));
  }
  for (const char* verb : {"inspect", "check", "stats"}) {
    std::vector<std::string> words = {verb};
    words.insert(words.end(), files.begin(), files.end());
    ExpectSmallPeak(words, "compressed");
  }
}

// Threads decode many frames side by side: noise, which takes as much
// compressed, and zeros with a window of their own.
TEST(BombsTest, FramesThatAreLarge) {
  constexpr size_t kFrame = 8 * kMiB - 4096;
  std::string noise(kFrame, '\0');
  uint32_t state = 1;
  for (char& c : noise) {
    state = state * 1664525 + 1013904223;
    c = static_cast<char>(state >> 24);
  }
  const HandlerBytes vfio = {.id = 1, .idstr = Device(0)};
  for (const std::string& payload : {noise, std::string(kFrame, '\0')}) {
    const std::string record =
        Be64Bytes(0xffffffffef100004) + Be64Bytes(payload.size()) + payload;
    const std::string packed = ZstdBytes(record, 21);
    TestFile file("frames");
    file.Put(ZstdBytes(HeaderBytes() + vfio.Start(kSetupTag + kEos) +
                       U8Bytes(3) + Be32Bytes(1)));
    for (int i = 0; i < 12; ++i) file.Put(packed);
    file.Put(ZstdBytes(kEos + vfio.Footer() + EofBytes()));
    for (const char* verb : {"inspect", "check", "stats"}) {
      ExpectSmallPeak({verb, "--threads=4", file.path()}, "frames");
    }
  }
}

// A file that claims a TiB and holds a page of it.
TEST(BombsTest, HolesAreSoughtOver) {
  constexpr uint64_t kTiB = uint64_t{1} << 40;
  constexpr uint64_t kPage = 4096;
  constexpr uint64_t kPages = 1 << 26;  // Their offset, behind the bitmap.
  const HandlerBytes ram = {.id = 1, .idstr = "ram", .version = 4};
  const std::string eos = Be64Bytes(0x10);
  const std::string head =
      HeaderBytes() +
      ConfigurationBytes("pc", CapabilitiesBytes({"mapped-ram"})) +
      ram.Named(1) + Be64Bytes(kTiB | 4) + Str8Bytes("pc.ram") +
      Be64Bytes(kTiB) + Be32Bytes(1) + Be64Bytes(kPage) + Be64Bytes(kPage) +
      Be64Bytes(kPages);
  TestFile file("holes");
  file.Put(head);
  file.PutZeros(kPage - head.size());
  file.Put("\1");  // The bitmap.
  file.PutZeros(kPages - kPage - 1);
  file.Put(std::string(kPage, 'x'));
  file.PutZeros(kTiB - kPage);
  file.Put(eos + ram.Footer() + ram.End(eos) + EofBytes());
  const std::string out = TestFolder() + "/out";
  ExpectSmallPeak({"extract", "--ram=pc.ram", file.path(), "-o", out}, "holes");
  struct stat info = {};
  EXPECT_EQ(stat(out.c_str(), &info), 0);
  EXPECT_EQ(info.st_size, kTiB);
  EXPECT_LT(info.st_blocks * 512, kMiB);
}

TEST(BombsTest, ADescriptionAsLongAsItMayBe) {
  auto put = [](const std::string& name, auto device) {
    const uint64_t bytes = 16 * kMiB - 100;
    std::string json = "{\"devices\":[";
    for (int i = 0; json.size() + 1000 < bytes; ++i) {
      StrAppend(&json, i == 0 ? "" : ",", device(i));
    }
    json += "]}";
    TestFile file(name);
    file.Put(HeaderBytes() + EofBytes());
    file.Put(DescriptionBytes(json));
    return file.path();
  };
  // More devices than a stream can have, and as many as it can.
  const std::string many =
      put("many", [](int i) { return StrCat(R"({"name":")", i, R"("})"); });
  const std::string most = put("most", [](int i) {
    return StrCat(R"({"name":")", i, R"(","x":")", std::string(500, 'x'),
                  R"("})");
  });
  for (const std::string& file : {many, most}) {
    for (const char* verb : {"inspect", "check"}) {
      ExpectSmallPeak({verb, file}, "description");
    }
    ExpectSmallPeak({"diff", file, file}, "description");
  }
}

// What reads a stream more than once, or two of them.
void ExpectSmallPeaksOfTwo(const std::string& file,
                           const std::string& property) {
  const std::string out = TestFolder() + "/out";
  ExpectSmallPeak({"inspect", StrCat("--html=", out), "--force", file},
                  property);
  ExpectSmallPeak({"check", StrCat("--destination=", file), file}, property);
  ExpectSmallPeak({"diff", "--loadable", file, file}, property);
  ExpectSmallPeak({"extract", "--all", "--force", "-o", out + "_all", file},
                  property);
}

TEST(BombsTest, ADescriptionOfOneString) {
  const HandlerBytes device = {.id = 1, .idstr = "d"};
  TestFile file("string");
  file.Put(HeaderBytes() + device.Full("x") + EofBytes());
  file.Put(DescriptionBytes(
      StrCat(R"({"devices":[],"x":")", std::string(15 * kMiB, 's'), R"("})")));
  ExpectSmallPeaksOfTwo(file.path(), "string");
}

// With names as long as they may be, and of a usual length.
TEST(BombsTest, AsManySectionsAsThereMayBe) {
  for (const size_t name_bytes : {255, 20}) {
    TestFile file(StrCat("names", name_bytes));
    std::string sections = HeaderBytes();
    std::string json = "{\"devices\":[";
    for (uint32_t i = 0; i < 32'000; ++i) {
      std::string idstr = StrCat("0000:00:", i, "/dev");
      idstr.resize(name_bytes, 'x');
      sections += HandlerBytes{.id = i, .idstr = idstr}.Full("0123456789");
      StrAppend(&json, i == 0 ? "" : ",", R"({"name":")", idstr,
                R"(","instance_id":0,"version":1,)",
                R"("fields":[{"name":"x","type":"uint8","size":10}]})");
    }
    file.Put(sections + EofBytes());
    file.Put(DescriptionBytes(json + "]}"));
    sections = json = std::string();
    const std::string property = StrCat("names", name_bytes);
    for (const char* option : {"--vmdesc", "--recover"}) {
      ExpectSmallPeak({"inspect", option, file.path()}, property);
    }
    ExpectSmallPeak({"inspect", "--records", "--format=jsonl", file.path()},
                    property);
    ExpectSmallPeak({"diff", file.path(), file.path()}, property);
    ExpectSmallPeaksOfTwo(file.path(), property);
  }
}

TEST(BombsTest, TwoDescriptionsOfManyFields) {
  constexpr int kFields = 260'000;
  std::string json = R"({"devices":[{"name":"d","instance_id":0,"fields":[)";
  for (int i = 0; i < kFields; ++i) {
    StrAppend(&json, i == 0 ? "" : ",", R"({"name":"f)", i,
              R"(","type":"uint8","size":1})");
  }
  json += "]}]}";
  const HandlerBytes device = {.id = 1, .idstr = "d"};
  std::vector<std::string> files;
  for (const char fill : {'a', 'b'}) {
    TestFile file(StrCat("fields", std::string(1, fill)));
    file.Put(HeaderBytes() + device.Full(std::string(kFields, fill)) +
             EofBytes() + DescriptionBytes(json));
    files.push_back(file.path());
  }
  json = std::string();
  ExpectSmallPeak({"diff", files[0], files[1]}, "fields");
}

// Which do not fit the section, so that another description is looked for.
TEST(BombsTest, ADescriptionOfAsManyFieldsAsThereMayBe) {
  std::string json = R"({"devices":[{"name":"d","instance_id":0,"fields":[{})";
  for (int i = 0; i < 1'560'000; ++i) json += ",{}";
  const HandlerBytes device = {.id = 1, .idstr = "d"};
  TestFile file("most_fields");
  file.Put(HeaderBytes() + device.Full("state") + EofBytes());
  file.Put(DescriptionBytes(json + "]}]}"));
  json = std::string();
  ExpectSmallPeak({"diff", file.path(), file.path()}, "fields");
}

TEST(BombsTest, TwoStreamsOfManyLargeConfigs) {
  TestFile file("configs");
  file.Put(HeaderBytes());
  const std::string full = TagBytes(2) + ConfigBytes().Payload() + kEos;
  for (uint32_t i = 0; i < 3900; ++i) {
    const HandlerBytes vfio = {.id = i, .idstr = Device(static_cast<int>(i))};
    file.Put(vfio.Full(full));
  }
  file.Put(EofBytes());
  ExpectSmallPeak({"diff", file.path(), file.path()}, "configs");
}

// Records of devices in turns: none stands behind the one before it.
TEST(BombsTest, RecordsThatComeInTurns) {
  constexpr uint32_t kDevices = 60;
  std::string turn;
  TestFile file("turns");
  file.Put(HeaderBytes());
  for (uint32_t i = 0; i < kDevices; ++i) {
    const HandlerBytes vfio = {.id = i, .idstr = Device(static_cast<int>(i))};
    file.Put(vfio.Start(kSetupTag + kEos));
    turn += vfio.Part(DataBytes("x") + kEos);
  }
  for (int i = 0; i < 16'000; ++i) file.Put(turn);
  file.Put(EofBytes());
  ExpectSmallPeak({"diff", file.path(), file.path()}, "turns");
}

TEST(BombsTest, RecordsAsJson) {
  const HandlerBytes vfio = {.id = 1, .idstr = Device(0)};
  std::string records;
  for (int i = 0; i < 1000; ++i) records += DataBytes("x");
  TestFile file("records");
  file.Put(HeaderBytes() + vfio.Start(kSetupTag + kEos) + U8Bytes(3) +
           Be32Bytes(1));
  for (int i = 0; i < 400; ++i) file.Put(records);
  file.Put(kEos + vfio.Footer() + vfio.Full(kEos) + EofBytes());
  records = std::string();
  ExpectSmallPeak({"inspect", "--format=json", "--records", file.path()},
                  "records");
}

TEST(BombsTest, WhatDriversWroteAsJson) {
  std::string payload = std::string("\x08\0\0\0\0\0\0\0\1\0\0\0\1\0\0\0", 16) +
                        std::string(8, '\0');
  for (int i = 0; i < 20'000; ++i) {
    payload += std::string("\0\0\0\0\0\0\0\0\1\0\0\0\7\0\0\0", 16);
  }
  std::string bytes = HeaderBytes();
  for (uint32_t i = 0; i < 10; ++i) {
    const HandlerBytes vfio = {.id = i, .idstr = Device(static_cast<int>(i))};
    bytes += vfio.Start(kSetupTag + kEos) + vfio.End(DataBytes(payload) + kEos);
  }
  const std::string path = WriteTestFile("drivers", bytes + EofBytes());
  bytes = payload = std::string();
  ExpectSmallPeak({"inspect", "--format=json", path}, "drivers");
}

TEST(BombsTest, AsManyBlocksOfGuestMemoryAsThereMayBeFiles) {
  constexpr int kBlocks = 480;
  constexpr uint64_t kPages = 32;
  constexpr uint64_t kPage = 4096;
  const HandlerBytes ram = {.id = 1, .idstr = "ram", .version = 4};
  const std::string eos = Be64Bytes(0x10);
  std::string blocks;
  for (int i = 0; i < kBlocks; ++i) {
    blocks += Str8Bytes(StrCat("b", i, ".ram")) + Be64Bytes(kPages * kPage);
  }
  TestFile file("blocks");
  file.Put(HeaderBytes() +
           ram.Start(Be64Bytes(kBlocks * kPages * kPage | 4) + blocks + eos) +
           U8Bytes(2) + Be32Bytes(1));
  for (int i = 0; i < kBlocks; ++i) {
    std::string pages;
    for (uint64_t page = 0; page < kPages; ++page) {
      pages += Be64Bytes(page * kPage | (page == 0 ? 0x08 : 0x28));
      if (page == 0) pages += Str8Bytes(StrCat("b", i, ".ram"));
      pages += std::string(kPage, 'x');
    }
    file.Put(pages);
  }
  file.Put(eos + ram.Footer() + ram.End(eos) + EofBytes());
  const std::string folder = TestFolder() + "/memory";
  ExpectSmallPeak({"extract", "--all", file.path(), "-o", folder}, "blocks");
  EXPECT_EQ(ReadTestFile(folder + "/b479.ram.ram"),
            std::string(kPages * kPage, 'x'));
}

// It is made in memory, and only once.
TEST(BombsTest, AStreamThatIsGeneratedIsHeldOnce) {
  constexpr int kRecords = 48;
  const std::string recipe = WriteTestFile(
      "recipe", StrCat("dialect: V111 devices { end { bytes: ", kMiB,
                       " fill: ZEROES repeat: ", kRecords, " } }"));
  const ProgramRun run =
      RunProgram({"generate", recipe, "--force", "-o", TestFolder() + "/made"});
  EXPECT_EQ(run.status, 0) << run.errors;
  EXPECT_LT(run.peak_rss_kib, (kRecords + 24) << 10);
  testing::Test::RecordProperty("generate_peak_kib",
                                static_cast<int>(run.peak_rss_kib));
}

}  // namespace
}  // namespace migstream
