// Flags of the iterable handlers other than RAM and VFIO. FORMAT.md section 6.

#ifndef MIGSTREAM_FLAGS_OTHER_FLAGS_H_
#define MIGSTREAM_FLAGS_OTHER_FLAGS_H_

#include <cstdint>

namespace migstream {

// "dirty-bitmap": the flags that open each chunk, one byte, two or four.
enum DirtyBitmapFlag : uint32_t {
  kDirtyBitmapEos = 0x01,         // Ends the section's content.
  kDirtyBitmapZeroes = 0x02,      // With BITS: no bytes, all bits are zero.
  kDirtyBitmapName = 0x04,        // str8 bitmap alias.
  kDirtyBitmapDeviceName = 0x08,  // str8 node alias.
  kDirtyBitmapStart = 0x10,       // be32 granularity, u8 flags.
  kDirtyBitmapComplete = 0x20,    // Nothing.
  kDirtyBitmapBits = 0x40,        // be64 sector, be32 sectors[, be64 n, bytes].
  kDirtyBitmapExtraFlags = 0x80,  // The flags go on in the next bytes.
};

// "block", up to 9.0: low bits of the be64 that opens each record; the rest is
// a sector number.
enum BlockFlag : uint64_t {
  kBlockDevice = 0x01,    // str8 device, then 1 MiB unless ZERO.
  kBlockEos = 0x02,       // Ends the section's content.
  kBlockProgress = 0x04,  // Nothing; the rest is a percentage.
  kBlockZero = 0x08,      // With DEVICE: no bytes, all are zero.
};
inline constexpr uint64_t kBlockFlagMask = 0x1ff;
inline constexpr uint64_t kBlockChunkBytes = 1 << 20;

// "s390-storage_attributes" and "s390-skeys": low bits of the be64 that opens
// each record; the rest is an address.
enum S390Flag : uint64_t {
  kS390Eos = 0x01,    // Ends the section's content.
  kS390More = 0x02,   // be64 count, count bytes.
  kS390Error = 0x04,  // The source failed; ends the section's content.
  kS390Done = 0x08,   // Nothing.
};
inline constexpr uint64_t kS390FlagMask = 0xfff;

// "spapr/htab": be32 of START that says that the guest has no hash table here.
inline constexpr uint32_t kHtabNone = 0xffffffff;
inline constexpr uint64_t kHtabEntryBytes = 16;

}  // namespace migstream

#endif  // MIGSTREAM_FLAGS_OTHER_FLAGS_H_
