// A stream of 1 GiB, and streams that claim more than there is: peak memory of
// the program, as the kernel counts it.

#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/device/config_bytes.h"
#include "codec/device/section_encoder.h"
#include "codec/io/compress_bytes.h"
#include "codec/qemu/stream_bytes.h"
#include "codec/wire/text.h"
#include "codec/wire/writer.h"
#include "flags/ram_flags.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "inspect/run_program.h"

namespace migstream {
namespace {

constexpr uint64_t kPeakKib = 48 << 10;
constexpr uint64_t kMiB = 1 << 20;

// Writes a stream piece by piece.
class Maker {
 public:
  explicit Maker(int fd) : fd_(fd) {
    Put([](Writer& w) {
      w.Be32(0x5145564d);
      w.Be32(3);
    });
    PutBytes(AsBytes(ConfigurationBytes("pc-q35-7.2")));
  }

  uint64_t bytes() const { return bytes_; }

  template <typename Write>
  void Put(Write write) {
    uint8_t buffer[512];
    Writer writer(buffer);
    write(writer);
    PutBytes(writer.written());
  }

  void PutBytes(ByteSpan bytes) {
    bytes_ += bytes.size();
    if (pending_.size() + bytes.size() > kMiB) Flush();
    if (bytes.size() > kMiB / 2) {
      WriteAll(fd_, bytes.data(), bytes.size());
    } else {
      pending_.append(AsText(bytes).data(), bytes.size());
    }
  }

  void Flush() {
    WriteAll(fd_, pending_.data(), pending_.size());
    pending_.clear();
  }

  void Named(uint8_t type, uint32_t id, std::string_view idstr,
             uint32_t version) {
    Put([&](Writer& w) {
      w.U8(type);
      w.Be32(id);
      w.Str8(idstr);
      w.Be32(0);
      w.Be32(version);
    });
  }

  void Numbered(uint8_t type, uint32_t id) {
    Put([&](Writer& w) {
      w.U8(type);
      w.Be32(id);
    });
  }

  void Footer(uint32_t id) {
    Put([&](Writer& w) {
      w.U8(0x7e);
      w.Be32(id);
    });
  }

  void Tag(int number, uint64_t size) {
    Put([&](Writer& w) {
      w.Be64(kTagPrefix + number);
      if (number == 4) w.Be64(size);
    });
  }

 private:
  int fd_;
  uint64_t bytes_ = 0;
  std::string pending_;
};

// Half RAM pages, half device data; then a FULL that only the description can
// tell the length of.
void MakeLargeStream(int fd, uint64_t bytes) {
  Maker maker(fd);
  uint64_t ram_bytes = bytes / 2;
  maker.Named(1, 2, "ram", 4);
  maker.Put([&](Writer& w) {
    w.Be64(ram_bytes | kRamMemSize);
    w.Str8("pc.ram");
    w.Be64(ram_bytes);
    w.Be64(kRamEos);
  });
  maker.Footer(2);
  maker.Named(1, 9, "0000:00:05.0/vfio", 1);
  maker.Tag(3, 0);
  maker.Tag(1, 0);
  maker.Footer(9);
  std::string page(4096, '\x5a');
  for (uint64_t at = 0; at < ram_bytes;) {
    maker.Numbered(2, 2);
    for (int i = 0; i < 4096 && at < ram_bytes; ++i, at += 4096) {
      maker.Put([&](Writer& w) {
        w.Be64(at | kRamPage | (i == 0 ? uint64_t{0} : uint64_t{kRamContinue}));
        if (i == 0) w.Str8("pc.ram");
      });
      maker.PutBytes(AsBytes(page));
    }
    maker.Put([](Writer& w) { w.Be64(kRamEos); });
    maker.Footer(2);
  }
  maker.Numbered(3, 2);
  maker.Put([](Writer& w) { w.Be64(kRamEos); });
  maker.Footer(2);
  maker.Numbered(3, 9);
  std::string record(kMiB, '\xa5');
  while (maker.bytes() < bytes) {
    maker.Tag(4, record.size());
    maker.PutBytes(AsBytes(record));
  }
  maker.Tag(1, 0);
  maker.Footer(9);
  maker.Named(4, 9, "0000:00:05.0/vfio", 1);
  maker.Tag(2, 0);
  maker.PutBytes(AsBytes(ConfigBytes{}.Payload()));
  maker.Tag(1, 0);
  maker.Footer(9);
  maker.Named(4, 10, "timer", 2);
  maker.PutBytes(AsBytes(std::string(24, '\x7e')));
  maker.Footer(10);
  std::string json =
      R"({"page_size": 4096, "devices": [{"name": "timer", "instance_id": 0,)"
      R"( "vmsd_name": "timer", "version": 2, "fields": [)"
      R"({"name": "x", "type": "int64", "size": 8, "array_len": 3}]}]})";
  maker.Put([&](Writer& w) {
    w.U8(0);
    w.U8(6);
    w.Be32(static_cast<uint32_t>(json.size()));
  });
  maker.PutBytes(AsBytes(json));
  maker.Flush();
}

TEST(MemoryTest, AGibibyteFromAFilePeaksUnder48MiB) {
  std::string path = WriteTestFile("large.qvm", "");
  int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  MakeLargeStream(fd, 1024 * kMiB);
  close(fd);
  for (const char* verb : {"inspect", "check"}) {
    ProgramRun run = RunProgram({verb, path});
    EXPECT_EQ(run.status, 0) << run.output << run.errors;
    EXPECT_LT(run.peak_rss_kib, kPeakKib) << verb;
    RecordProperty(StrCat(verb, "_peak_kib"),
                   static_cast<int>(run.peak_rss_kib));
  }
  unlink(path.c_str());
}

TEST(MemoryTest, AGibibyteFromAPipePeaksUnder48MiB) {
  for (const char* verb : {"inspect", "check"}) {
    ProgramRun run =
        RunProgram({verb, "-"},
                   {.feed = [](int fd) { MakeLargeStream(fd, 1024 * kMiB); }});
    EXPECT_EQ(run.status, 0) << run.output << run.errors;
    EXPECT_LT(run.peak_rss_kib, kPeakKib) << verb;
    RecordProperty(StrCat(verb, "_pipe_peak_kib"),
                   static_cast<int>(run.peak_rss_kib));
  }
}

// A stream that is compressed with a window as large as the limit allows.
std::string MakePackedStream(Compression compression) {
  std::string path = WriteTestFile("large.qvm", "");
  int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  MakeLargeStream(fd, 32 * kMiB);
  close(fd);
  std::string bytes = ReadTestFile(path);
  unlink(path.c_str());
  return WriteTestFile("packed", compression == Compression::kXz
                                     ? XzBytes(bytes, 6)
                                     : ZstdBytes(bytes, 23));
}

TEST(MemoryTest, TheLargestWindowsPeakUnder48MiB) {
  for (Compression compression : {Compression::kZstd, Compression::kXz}) {
    // What this process holds would be counted as the program's.
    std::string path = MakePackedStream(compression);
    malloc_trim(0);
    for (const char* verb : {"inspect", "check"}) {
      ProgramRun run = RunProgram({verb, path});
      EXPECT_EQ(run.status, 0) << run.output << run.errors;
      EXPECT_LT(run.peak_rss_kib, kPeakKib) << verb;
      RecordProperty(StrCat(ToString(compression), "_peak_kib"),
                     static_cast<int>(run.peak_rss_kib));
    }
    unlink(path.c_str());
  }
}

// What a stream of nothing much needs: the program, its libraries, one buffer.
uint64_t SmallPeak() {
  return RunProgram({"check", WriteTestFile("x", "QEVM")}).peak_rss_kib;
}

void ExpectClaimCostsNothing(const std::string& bytes,
                             const std::string& complaint) {
  ProgramRun run = RunProgram({"check", WriteTestFile("claim.qvm", bytes)});
  EXPECT_EQ(run.status, 1) << run.errors;
  EXPECT_THAT(run.output, testing::HasSubstr(complaint));
  EXPECT_LT(run.peak_rss_kib, SmallPeak() + 2048);
}

std::string Claim(void (*put)(Maker&)) {
  std::string path = WriteTestFile("made", "");
  int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  Maker maker(fd);
  put(maker);
  maker.Flush();
  close(fd);
  return ReadTestFile(path);
}

TEST(MemoryTest, ARecordOf2To63BytesCostsNothing) {
  ExpectClaimCostsNothing(Claim([](Maker& maker) {
                            maker.Named(1, 9, "vfio", 1);
                            maker.Tag(3, 0);
                            maker.Tag(1, 0);
                            maker.Footer(9);
                            maker.Numbered(3, 9);
                            maker.Tag(4, uint64_t{1} << 63);
                          }),
                          "DATA record claims 9223372036854775808 bytes");
}

TEST(MemoryTest, ADescriptionOf4GiBCostsNothing) {
  ExpectClaimCostsNothing(Claim([](Maker& maker) {
                            maker.Put([](Writer& w) {
                              w.U8(0);
                              w.U8(6);
                              w.Be32(0xffffffff);
                              w.U8('{');
                            });
                          }),
                          "claims 4294967295 bytes");
}

TEST(MemoryTest, AConfigOf4BillionBytesOfMsixCostsNothing) {
  ExpectClaimCostsNothing(
      Claim([](Maker& maker) {
        maker.Named(4, 9, "vfio", 1);
        maker.Tag(2, 0);
        maker.Put([](Writer& w) { w.Be32(2); });
        maker.PutBytes(AsBytes(std::string(5000, '\0')));
        maker.Footer(9);
        std::string json =
            R"({"devices": [{"name": "vfio", "size": 4294967296}]})";
        maker.Put([&](Writer& w) {
          w.U8(0);
          w.U8(6);
          w.Be32(static_cast<uint32_t>(json.size()));
        });
        maker.PutBytes(AsBytes(json));
      }),
      "config payload");
}

TEST(MemoryTest, APackageOf4GiBCostsNothing) {
  ExpectClaimCostsNothing(Claim([](Maker& maker) {
                            maker.Put([](Writer& w) {
                              w.U8(8);
                              w.Be16(7);
                              w.Be16(4);
                              w.Be32(0xffffffff);
                            });
                          }),
                          "input ends");
}

TEST(MemoryTest, FindingsAndDevicesWithoutNumberPeakUnder64MiB) {
  const std::string findings = Claim([](Maker& maker) {
    for (int i = 0; i < 400000; ++i) {
      maker.Put([](Writer& w) {
        w.U8(8);
        w.Be16(0x63);
        w.Be16(0);
      });
    }
  });
  const std::string devices = Claim([](Maker& maker) {
    for (uint32_t id = 0; id < 25000; ++id) {
      maker.Named(4, id, StrCat("0000:00:", id, ".0/vfio"), 1);
      maker.Tag(1, 0);
      maker.Footer(id);
    }
  });
  for (const auto& [name, bytes] :
       {std::pair("findings", findings), std::pair("devices", devices)}) {
    std::string path = WriteTestFile("many.qvm", bytes);
    for (std::vector<std::string> words :
         {std::vector<std::string>{"inspect", path},
          {"inspect", "--format=json", path},
          {"check", path},
          {"stats", path}}) {
      ProgramRun run = RunProgram(words);
      EXPECT_EQ(run.status, 1) << run.errors;
      EXPECT_LT(run.peak_rss_kib, 64 << 10) << words[0];
      // inspect runs twice; bench/peaks prints the second figure, of JSON.
      RecordProperty(StrCat(name, "_", words[0], "_peak_kib"),
                     static_cast<int>(run.peak_rss_kib));
    }
    unlink(path.c_str());
  }
}

// One device of 2^20 fields, each of one byte.
std::string MillionFields() {
  constexpr int kFields = 1 << 20;
  return Claim([](Maker& maker) {
    maker.Named(4, 10, "dev", 1);
    maker.PutBytes(AsBytes(std::string(kFields, '\x01')));
    maker.Footer(10);
    std::string json = R"({"devices":[{"name":"dev","fields":[{"size":1})";
    for (int i = 1; i < kFields; ++i) json += R"(,{"size":1})";
    json += "]}]}";
    maker.Put([&](Writer& w) {
      w.U8(0);
      w.U8(6);
      w.Be32(static_cast<uint32_t>(json.size()));
    });
    maker.PutBytes(AsBytes(json));
  });
}

TEST(MemoryTest, AMillionFieldsTakeMemoryOnlyIfAskedFor) {
  std::string path = WriteTestFile("fields.qvm", MillionFields());
  ProgramRun run = RunProgram({"inspect", path});
  EXPECT_EQ(run.status, 0) << run.errors;
  EXPECT_LT(run.peak_rss_kib, kPeakKib);
  // 24 bytes a field, its JSON, and what groups fields by name.
  run = RunProgram({"inspect", "--state", path});
  EXPECT_EQ(run.status, 0) << run.errors;
  EXPECT_LT(run.peak_rss_kib, 2 * kPeakKib);
  EXPECT_GT(run.output.size(), (1 << 20) * 6);
  unlink(path.c_str());
}

}  // namespace
}  // namespace migstream
