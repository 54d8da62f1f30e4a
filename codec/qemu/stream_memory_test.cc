// What a StreamReader holds does not grow with the sections that it has read.

#include <sys/resource.h>

#include <algorithm>
#include <string>

#include "codec/qemu/stream_bytes.h"
#include "codec/qemu/stream_reader.h"
#include "codec/qemu/stream_visitor.h"
#include "flags/ram_flags.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

const HandlerBytes kRam = {.id = 2, .idstr = "ram", .version = 4};
const HandlerBytes kVfio = {.id = 7, .idstr = "0000:00:05.0/vfio"};

std::string RamStart() {
  return kRam.Start(Be64Bytes(kRamMemSize | 0x10000) + Str8Bytes("pc.ram") +
                    Be64Bytes(0x10000) + Be64Bytes(kRamEos));
}

// A pipe out of which rounds of a migration come.
class RoundsSource : public ByteSource {
 public:
  RoundsSource(std::string start, std::string round, int rounds)
      : bytes_(std::move(start)), round_(std::move(round)), rounds_(rounds) {}

 protected:
  size_t Read(uint8_t* to, size_t count) override {
    if (at_ == bytes_.size()) {
      if (rounds_ < 0) return 0;
      bytes_ = rounds_ == 0 ? EofBytes() : round_;
      --rounds_;
      at_ = 0;
    }
    count = std::min(count, bytes_.size() - at_);
    std::copy_n(bytes_.begin() + static_cast<ptrdiff_t>(at_), count, to);
    at_ += count;
    return count;
  }

 private:
  std::string bytes_;
  const std::string round_;
  int rounds_;
  size_t at_ = 0;
};

class SectionCounter : public StreamVisitor {
 public:
  static long PeakKib() {
    rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
  }

  bool wants_content() const override { return true; }
  bool wants_payload() const override { return true; }
  void OnSectionEnd(const SectionView&, uint64_t, bool) override {
    if (++sections == kEarly) early_peak_kib = PeakKib();
  }

  // So many fill every buffer of the reader.
  static constexpr int kEarly = 200000;
  int sections = 0;
  long early_peak_kib = 0;
};

TEST(StreamReaderMemoryTest, AMillionSectionsFromAPipeTakeWhatAFifthOfThemDo) {
  constexpr int kRounds = 500000;
  RoundsSource source(
      HeaderBytes() + RamStart() + kVfio.Start(kSetupTag + kEos),
      kRam.Part(Be64Bytes(kRamZero | 0x1000) + Str8Bytes("pc.ram") + '\0' +
                Be64Bytes(kRamEos)) +
          kVfio.Part(TagBytes(4) + Be64Bytes(4) + "data" + kEos),
      kRounds);
  SectionCounter visitor;
  Error error = StreamReader(source, visitor).Read();
  EXPECT_TRUE(error.ok()) << ToString(error);
  EXPECT_EQ(visitor.sections, 2 + 2 * kRounds);
  // What stands behind EOF is looked at in a window.
  constexpr long kWindowKib = 8 << 10;
  EXPECT_LT(SectionCounter::PeakKib() - visitor.early_peak_kib, kWindowKib);
}

}  // namespace
}  // namespace migstream
