#include "codec/generate/ram_content.h"

#include <algorithm>

#include "codec/wire/be_text.h"
#include "flags/ram_flags.h"

namespace migstream {
namespace {

constexpr uint64_t kPageBytes = 4096;
// What precedes a page: its word, and what stands for one that is zero.
constexpr uint64_t kPageHeaderBytes = 8 + 1;
constexpr uint64_t kMaxNameBytes = 1 + 0xff;

// One block's pages: those with bytes, then those that are zero.
struct Pages {
  uint64_t written;
  uint64_t all;
};
Pages PagesOf(const recipe::RamBlock& block) {
  uint64_t in_block = block.bytes() / kPageBytes;
  uint64_t written = std::min<uint64_t>(block.pages(), in_block);
  return {written, std::min<uint64_t>(written + block.zero_pages(), in_block)};
}

}  // namespace

std::string RamStart(const recipe::Ram& ram) {
  uint64_t total = 0;
  std::string blocks;
  for (const recipe::RamBlock& block : ram.blocks()) {
    uint64_t bytes = block.bytes() / kPageBytes * kPageBytes;
    total += bytes;
    blocks += Str8Text(block.name()) + Be64Text(bytes);
  }
  return Be64Text(total | kRamMemSize) + blocks + RamEnd();
}

std::string RamPart(const recipe::Ram& ram, size_t nth, size_t parts,
                    Random& random) {
  std::string content;
  for (const recipe::RamBlock& block : ram.blocks()) {
    Pages pages = PagesOf(block);
    bool named = false;
    for (uint64_t page = nth; page < pages.all; page += parts) {
      bool is_zero = page >= pages.written;
      uint64_t word = page * kPageBytes | (is_zero ? kRamZero : kRamPage);
      content += Be64Text(named ? word | kRamContinue : word);
      if (!named) content += Str8Text(block.name());
      named = true;
      content += is_zero ? std::string(1, '\0') : random.Bytes(kPageBytes);
    }
  }
  return content + RamEnd();
}

uint64_t RamPartBytes(const recipe::Ram& ram, size_t nth, size_t parts) {
  uint64_t bytes = 8;
  for (const recipe::RamBlock& block : ram.blocks()) {
    Pages pages = PagesOf(block);
    if (nth >= pages.all) continue;
    uint64_t here = (pages.all - nth - 1) / parts + 1;
    bytes += here * kPageHeaderBytes + kMaxNameBytes;
    if (nth < pages.written) {
      bytes += ((pages.written - nth - 1) / parts + 1) * kPageBytes;
    }
  }
  return bytes;
}

std::string RamEnd() { return Be64Text(kRamEos); }

}  // namespace migstream
