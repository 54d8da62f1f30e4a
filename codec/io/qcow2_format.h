// The numbers of a qcow2 image that lead to a snapshot's VM state: what QEMU's
// `savevm` writes. Big-endian. QEMU's docs/interop/qcow2.rst is the
// specification.

#ifndef MIGSTREAM_CODEC_IO_QCOW2_FORMAT_H_
#define MIGSTREAM_CODEC_IO_QCOW2_FORMAT_H_

#include <cstddef>
#include <cstdint>

namespace migstream {

inline constexpr uint32_t kQcow2Magic = 0x514649fb;  // "QFI", 0xfb

// The header; version 2 ends at 72.
inline constexpr size_t kQcow2VersionOffset = 4;
inline constexpr size_t kQcow2BackingOffset = 8;       // be64; 0: none.
inline constexpr size_t kQcow2BackingSizeOffset = 16;  // be32
inline constexpr size_t kQcow2ClusterBitsOffset = 20;
inline constexpr size_t kQcow2SizeOffset = 24;       // be64, of the disk.
inline constexpr size_t kQcow2CryptOffset = 32;      // be32; 0: none.
inline constexpr size_t kQcow2SnapshotsOffset = 60;  // be32, how many.
inline constexpr size_t kQcow2TableOffset = 64;      // be64, where.
inline constexpr size_t kQcow2HeaderBytes2 = 72;
inline constexpr size_t kQcow2IncompatibleOffset = 72;  // be64
inline constexpr size_t kQcow2HeaderLengthOffset = 100;
inline constexpr size_t kQcow2CompressionOffset = 104;  // u8, behind that.
inline constexpr size_t kQcow2HeaderBytes3 = 104;

enum Qcow2Feature : uint64_t {
  kQcow2Dirty = 1 << 0,        // Only refcounts may be stale.
  kQcow2Corrupt = 1 << 1,      // QEMU refuses to write to it.
  kQcow2DataFile = 1 << 2,     // Clusters are in another file.
  kQcow2Compression = 1 << 3,  // The header says which.
  kQcow2ExtendedL2 = 1 << 4,   // Entries of 16 bytes, 32 subclusters.
  kQcow2KnownFeatures = 0x1f,
};

enum class Qcow2Compression : uint8_t { kDeflate = 0, kZstd = 1 };

inline constexpr uint32_t kQcow2MinClusterBits = 9;
inline constexpr uint32_t kQcow2MaxClusterBits = 21;
inline constexpr uint32_t kQcow2MaxSnapshots = 65536;
inline constexpr uint64_t kQcow2MaxTableBytes = 64 << 20;  // The snapshots'.
inline constexpr uint32_t kQcow2MaxL1Entries = (32 << 20) / 8;

// An entry of the snapshot table; then extra data, id and name, and zeros up to
// a multiple of 8.
inline constexpr size_t kQcow2SnapshotBytes = 40;
inline constexpr size_t kQcow2SnapshotL1Entries = 8;    // be32
inline constexpr size_t kQcow2SnapshotIdBytes = 12;     // be16
inline constexpr size_t kQcow2SnapshotNameBytes = 14;   // be16
inline constexpr size_t kQcow2SnapshotSeconds = 16;     // be32, since 1970.
inline constexpr size_t kQcow2SnapshotState = 32;       // be32
inline constexpr size_t kQcow2SnapshotExtraBytes = 36;  // be32
// In the extra data.
inline constexpr size_t kQcow2ExtraState = 0;  // be64, instead of the other.
inline constexpr size_t kQcow2ExtraDisk = 8;   // be64
inline constexpr uint32_t kQcow2MaxExtraBytes = 1024;

// Bits of an L1 and an L2 entry.
inline constexpr uint64_t kQcow2OffsetMask = 0x00fffffffffffe00;
inline constexpr uint64_t kQcow2Compressed = uint64_t{1} << 62;
inline constexpr uint64_t kQcow2Zero = 1;
inline constexpr uint64_t kQcow2SectorBytes = 512;
inline constexpr uint32_t kQcow2Subclusters = 32;

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_IO_QCOW2_FORMAT_H_
