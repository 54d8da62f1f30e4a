// Flags of the be64 that opens each record of a RAM section; the bits from the
// target page size up are an offset. FORMAT.md section 5. Those without a
// release are older than QEMU 5.2.

#ifndef MIGSTREAM_FLAGS_RAM_FLAGS_H_
#define MIGSTREAM_FLAGS_RAM_FLAGS_H_

#include <cstdint>

namespace migstream {

enum RamFlag : uint64_t {
  kRamFull = 0x01,           // Obsolete; no release read here writes it.
  kRamZero = 0x02,           // [str8 block,] u8 fill. A page of that byte.
  kRamMemSize = 0x04,        // Block list; offset bits = total bytes. START.
  kRamPage = 0x08,           // [str8 block,] one page.
  kRamEos = 0x10,            // Ends the section's content.
  kRamContinue = 0x20,       // No block name: same block as before.
  kRamXbzrle = 0x40,         // [str8 block,] u8 1, be16 length, data.
  kRamHook = 0x80,           // RDMA only.
  kRamCompressPage = 0x100,  // [str8 block,] be32 length, zlib. Up to 9.0.
  kRamMultifdFlush = 0x200,  // Nothing. Since 8.1, with multifd.
};

// Target pages have 2^8 to 2^16 bytes.
inline constexpr uint32_t kMinPageBits = 8;
inline constexpr uint32_t kMaxPageBits = 16;
constexpr bool IsPageSize(uint64_t bytes) {
  return bytes >= uint64_t{1} << kMinPageBits &&
         bytes <= uint64_t{1} << kMaxPageBits && (bytes & (bytes - 1)) == 0;
}

// A block of MEM_SIZE may be followed by the size of its own pages. It has one
// of the bits that POSTCOPY_ADVISE gave and none of a record's flags and,
// unlike a name, begins with 00. `next` is the be64 there.
constexpr bool IsBlockPageSize(uint64_t next, uint64_t page_bytes,
                               uint64_t advised_page_sizes) {
  return next > page_bytes && (next & (next - 1)) == 0 &&
         (next & advised_page_sizes) != 0 && next >> 56 == 0;
}

// The most that zlib makes of a page that it cannot compress.
constexpr uint64_t MaxCompressedPageBytes(uint64_t page_bytes) {
  return page_bytes + (page_bytes >> 12) + (page_bytes >> 14) + 13;
}

// mapped-ram, section 5.5: the header's version, and what pages_offset is a
// multiple of.
inline constexpr uint32_t kMappedRamVersion = 1;
inline constexpr uint64_t kMappedRamAlignment = 1 << 20;

}  // namespace migstream

#endif  // MIGSTREAM_FLAGS_RAM_FLAGS_H_
