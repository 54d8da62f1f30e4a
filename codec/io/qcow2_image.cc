#include "codec/io/qcow2_image.h"

#include <algorithm>
#include <array>
#include <utility>

#include "codec/io/qcow2_format.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

Error Refused(uint64_t offset, std::string reason) {
  return {ErrorCode::kNotAStream, offset, "qcow2", std::move(reason)};
}

}  // namespace

bool Qcow2Image::IsImage(ByteSpan bytes) {
  return bytes.size() >= 4 && LoadBe32(bytes.data()) == kQcow2Magic;
}

bool Qcow2Image::Read(uint64_t offset, std::span<uint8_t> to) const {
  return offset <= file_bytes_ && to.size() <= file_bytes_ - offset &&
         read_at_(offset, to);
}

Error Qcow2Image::Open() {
  Error error = ReadHeader();
  return error.ok() ? ReadSnapshots() : error;
}

Error Qcow2Image::ReadHeader() {
  std::array<uint8_t, kQcow2HeaderBytes3 + 1> header = {};
  if (!Read(0, std::span(header).first(kQcow2HeaderBytes2))) {
    return Refused(0, "the image ends in its header");
  }
  const uint32_t version = LoadBe32(&header[kQcow2VersionOffset]);
  if (version != 2 && version != 3) {
    return Refused(kQcow2VersionOffset,
                   StrCat("qcow2 of version ", version, ", expected 2 or 3"));
  }
  if (version == 3) {
    if (!Read(0, std::span(header).first(kQcow2HeaderBytes3))) {
      return Refused(0, "the image ends in its header");
    }
    const uint32_t length = LoadBe32(&header[kQcow2HeaderLengthOffset]);
    if (length > kQcow2HeaderBytes3 && !Read(0, header)) {
      return Refused(0, "the image ends in its header");
    }
    const uint64_t features = LoadBe64(&header[kQcow2IncompatibleOffset]);
    compression_ =
        (features & kQcow2Compression) != 0 && length > kQcow2HeaderBytes3
            ? header[kQcow2CompressionOffset]
            : 0;
    if (Error error = CheckFeatures(features); !error.ok()) return error;
  }
  cluster_bits_ = LoadBe32(&header[kQcow2ClusterBitsOffset]);
  if (cluster_bits_ < kQcow2MinClusterBits ||
      cluster_bits_ > kQcow2MaxClusterBits) {
    return Refused(kQcow2ClusterBitsOffset,
                   StrCat("clusters of 2^", cluster_bits_, " bytes"));
  }
  if (LoadBe32(&header[kQcow2CryptOffset]) != 0) {
    return Refused(
        kQcow2CryptOffset,
        "the image is encrypted: `qemu-img convert` decrypts a disk, "
        "but leaves out its snapshots; load it and migrate to a "
        "file");
  }
  if (LoadBe64(&header[kQcow2BackingOffset]) != 0) {
    return Refused(
        kQcow2BackingOffset,
        "the image has a backing file, in which a part of the snapshot may be, "
        "and which is not read: `qemu-img rebase -b \"\"` makes it whole");
  }
  disk_bytes_ = LoadBe64(&header[kQcow2SizeOffset]);
  snapshot_count_ = LoadBe32(&header[kQcow2SnapshotsOffset]);
  table_ = LoadBe64(&header[kQcow2TableOffset]);
  if (snapshot_count_ > kQcow2MaxSnapshots) {
    return Refused(kQcow2SnapshotsOffset,
                   StrCat(snapshot_count_, " snapshots, the limit is ",
                          kQcow2MaxSnapshots));
  }
  return {};
}

Error Qcow2Image::CheckFeatures(uint64_t features) {
  extended_ = (features & kQcow2ExtendedL2) != 0;
  if ((features & kQcow2DataFile) != 0) {
    return Refused(kQcow2IncompatibleOffset,
                   "the image keeps its clusters in an external data file, "
                   "which has no snapshots");
  }
  if ((features & ~uint64_t{kQcow2KnownFeatures}) != 0) {
    return Refused(kQcow2IncompatibleOffset,
                   StrCat("unknown features ", Hex(features)));
  }
  if (compression_ > static_cast<uint8_t>(Qcow2Compression::kZstd)) {
    return Refused(kQcow2CompressionOffset,
                   StrCat("unknown compression ", compression_));
  }
  return {};
}

Error Qcow2Image::ReadSnapshots() {
  uint64_t at = table_;
  for (uint32_t i = 0; i < snapshot_count_; ++i) {
    Qcow2Snapshot snapshot;
    if (Error error = ReadSnapshot(at, snapshot); !error.ok()) return error;
    if (at - table_ > kQcow2MaxTableBytes) {
      return Refused(table_, StrCat("a table of snapshots beyond ",
                                    kQcow2MaxTableBytes, " bytes"));
    }
    snapshots_.push_back(std::move(snapshot));
  }
  return {};
}

Error Qcow2Image::ReadSnapshot(uint64_t& at, Qcow2Snapshot& snapshot) {
  Error cut =
      Refused(at, StrCat("the image ends in snapshot ", snapshots_.size()));
  std::array<uint8_t, kQcow2SnapshotBytes> head;
  if (!Read(at, head)) return cut;
  const uint32_t extra_bytes = LoadBe32(&head[kQcow2SnapshotExtraBytes]);
  if (extra_bytes > kQcow2MaxExtraBytes) {
    return Refused(
        at + kQcow2SnapshotExtraBytes,
        StrCat("snapshot ", snapshots_.size(), " has ", extra_bytes,
               " bytes of extra data, the limit is ", kQcow2MaxExtraBytes));
  }
  std::array<uint8_t, kQcow2MaxExtraBytes> extra = {};
  if (!Read(at + head.size(), std::span(extra).first(extra_bytes))) return cut;
  snapshot.l1_offset = LoadBe64(head.data());
  snapshot.l1_entries = LoadBe32(&head[kQcow2SnapshotL1Entries]);
  snapshot.seconds = LoadBe32(&head[kQcow2SnapshotSeconds]);
  snapshot.state_bytes = extra_bytes >= 8
                             ? LoadBe64(&extra[kQcow2ExtraState])
                             : LoadBe32(&head[kQcow2SnapshotState]);
  snapshot.disk_bytes =
      extra_bytes >= 16 ? LoadBe64(&extra[kQcow2ExtraDisk]) : disk_bytes_;
  if (snapshot.l1_entries > kQcow2MaxL1Entries) {
    return Refused(
        at + kQcow2SnapshotL1Entries,
        StrCat("snapshot ", snapshots_.size(), " has ", snapshot.l1_entries,
               " L1 entries, the limit is ", kQcow2MaxL1Entries));
  }
  const uint32_t id_bytes = LoadBe16(&head[kQcow2SnapshotIdBytes]);
  const uint32_t name_bytes = LoadBe16(&head[kQcow2SnapshotNameBytes]);
  std::string names(id_bytes + name_bytes, '\0');
  const uint64_t names_at = at + head.size() + extra_bytes;
  if (!Read(names_at,
            {reinterpret_cast<uint8_t*>(names.data()), names.size()})) {
    return cut;
  }
  snapshot.id = names.substr(0, id_bytes);
  snapshot.name = names.substr(id_bytes);
  at = (names_at + names.size() + 7) & ~uint64_t{7};
  return {};
}

}  // namespace migstream
