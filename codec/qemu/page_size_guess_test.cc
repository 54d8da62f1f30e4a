#include "codec/qemu/page_size_guess.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "codec/qemu/stream_bytes.h"
#include "flags/ram_flags.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

std::optional<uint64_t> BlockBytes(std::string_view name) {
  return name == "pc.ram" ? std::optional<uint64_t>(1 << 20) : std::nullopt;
}

// Some records of a PART, of pages that follow each other.
std::string Records(uint64_t page_bytes, bool zero) {
  std::string records;
  for (uint64_t page = 0; page < 8; ++page) {
    const uint64_t flags =
        (zero ? kRamZero : kRamPage) | (page == 0 ? uint64_t{0} : kRamContinue);
    records += Be64Bytes(page * page_bytes | flags);
    if (page == 0) records += Str8Bytes("pc.ram");
    records += zero ? U8Bytes(0) : std::string(page_bytes, '\xf4');
  }
  return records + Be64Bytes(kRamEos);
}

TEST(PageSizeGuessTest, PagesProveTheirSize) {
  for (uint64_t page_bytes = 256; page_bytes <= 65536; page_bytes *= 2) {
    for (uint64_t usual : {uint64_t{4096}, uint64_t{8192}}) {
      const std::string records = Records(page_bytes, false);
      const PageSizeGuess guess =
          GuessPageSize(AsBytes(records), usual, BlockBytes);
      EXPECT_EQ(guess.page_bytes, page_bytes) << usual;
      EXPECT_TRUE(guess.proved);
    }
  }
}

TEST(PageSizeGuessTest, ZeroPagesProveThatPagesAreNoLarger) {
  for (uint64_t page_bytes : {1024, 4096, 8192}) {
    const std::string records = Records(page_bytes, true);
    const PageSizeGuess guess =
        GuessPageSize(AsBytes(records), 4096, BlockBytes);
    EXPECT_EQ(guess.page_bytes, std::min<uint64_t>(page_bytes, 4096));
    EXPECT_EQ(guess.proved, page_bytes < 4096);
  }
}

TEST(PageSizeGuessTest, WhatFitsNoSizeIsNotGuessed) {
  const std::string records = Be64Bytes(kRamHook) + Records(4096, false);
  EXPECT_EQ(GuessPageSize(AsBytes(records), 4096, BlockBytes).page_bytes, 0);
}

}  // namespace
}  // namespace migstream
