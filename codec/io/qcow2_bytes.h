// qcow2 images for tests, with a snapshot whose VM state is what the test says.

#ifndef MIGSTREAM_CODEC_IO_QCOW2_BYTES_H_
#define MIGSTREAM_CODEC_IO_QCOW2_BYTES_H_

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "codec/io/qcow2_format.h"
#include "codec/wire/bytes.h"

namespace migstream {

struct Qcow2Bytes {
  uint32_t version = 3;
  uint32_t cluster_bits = 9;
  uint64_t features = 0;
  uint8_t compression = 0;
  bool compressed = false;  // The state's clusters.
  bool extended = false;
  bool large_size = true;  // The state's size is in the extra data.
  uint64_t disk_bytes = 100000;
  std::string backing = "";
  int window_log = 0;  // Of zstd; 0: as large as is needed.

  // An image whose snapshots have these names, and all of them this state.
  std::string Make(const std::string& state,
                   const std::vector<std::string>& names = {"before"}) {
    const uint64_t cluster = uint64_t{1} << cluster_bits;
    const uint32_t l2_entries =
        static_cast<uint32_t>(cluster / (extended ? 16 : 8));
    std::string image(cluster, '\0');
    auto align = [&] {
      image.resize((image.size() + cluster - 1) / cluster * cluster);
    };
    const uint64_t per_l1 = cluster * l2_entries;
    const uint64_t first_l1 = (disk_bytes + per_l1 - 1) / per_l1;
    const uint64_t clusters = (state.size() + cluster - 1) / cluster;
    const uint64_t tables = (clusters + l2_entries - 1) / l2_entries;
    std::string l1((first_l1 + tables) * 8, '\0');
    for (uint64_t table = 0; table < tables; ++table) {
      std::string l2(cluster, '\0');
      for (uint64_t i = 0; i < l2_entries; ++i) {
        const uint64_t number = table * l2_entries + i;
        if (number >= clusters) break;
        std::string data = state.substr(number * cluster, cluster);
        data.resize(cluster);
        PutEntry(Place(data, image), l2, i);
      }
      align();
      StoreBe64(Bytes(l1) + (first_l1 + table) * 8,
                image.size() | uint64_t{1} << 63);
      image += l2;
    }
    align();
    const uint64_t l1_at = image.size();
    image += l1;
    align();
    const uint64_t list_at = image.size();
    for (size_t i = 0; i < names.size(); ++i) {
      image += Entry(l1_at, l1.size() / 8, std::to_string(i + 1), names[i],
                     state.size());
    }
    PutHeader(list_at, names.size(), image);
    return image;
  }

 private:
  static uint8_t* Bytes(std::string& text) {
    return reinterpret_cast<uint8_t*>(text.data());
  }

  // Puts a cluster into the image; its L2 entry.
  uint64_t Place(const std::string& data, std::string& image) const {
    const uint64_t cluster = uint64_t{1} << cluster_bits;
    // Zeros are not there at all.
    if (data.find_first_not_of('\0') == std::string::npos) return 0;
    if (!compressed) {
      image.resize((image.size() + cluster - 1) / cluster * cluster);
      const uint64_t at = image.size();
      image += data;
      return at | uint64_t{1} << 63;
    }
    const std::string packed = compression == 1 ? Zstd(data) : Deflate(data);
    const uint64_t at = image.size();
    const uint64_t sectors = (at % 512 + packed.size() + 511) / 512;
    image += packed;
    return kQcow2Compressed | (sectors - 1) << (62 - (cluster_bits - 8)) | at;
  }

  void PutEntry(uint64_t entry, std::string& l2, uint64_t i) const {
    StoreBe64(Bytes(l2) + i * (extended ? 16 : 8), entry);
    if (extended && entry != 0) {
      StoreBe64(Bytes(l2) + i * 16 + 8, 0xffffffff);
    }
  }

  static std::string Deflate(const std::string& data) {
    std::string packed(data.size() + 64, '\0');
    z_stream stream = {};
    deflateInit2(&stream, 9, Z_DEFLATED, -12, 9, Z_DEFAULT_STRATEGY);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
    stream.avail_in = static_cast<uInt>(data.size());
    stream.next_out = Bytes(packed);
    stream.avail_out = static_cast<uInt>(packed.size());
    deflate(&stream, Z_FINISH);
    packed.resize(stream.total_out);
    deflateEnd(&stream);
    return packed;
  }

  std::string Zstd(const std::string& data) const {
    std::string packed(ZSTD_compressBound(data.size()), '\0');
    ZSTD_CCtx* stream = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(stream, ZSTD_c_windowLog, window_log);
    ZSTD_inBuffer in = {data.data(), data.size(), 0};
    ZSTD_outBuffer out = {packed.data(), packed.size(), 0};
    // In two steps, so that the frame does not say how large it is.
    if (window_log != 0) {
      ZSTD_compressStream2(stream, &out, &in, ZSTD_e_continue);
    }
    ZSTD_compressStream2(stream, &out, &in, ZSTD_e_end);
    ZSTD_freeCCtx(stream);
    packed.resize(out.pos);
    return packed;
  }

  std::string Entry(uint64_t l1_at, uint64_t l1_entries, const std::string& id,
                    const std::string& name, uint64_t state_bytes) const {
    std::string entry(kQcow2SnapshotBytes, '\0');
    StoreBe64(Bytes(entry), l1_at);
    StoreBe32(Bytes(entry) + kQcow2SnapshotL1Entries,
              static_cast<uint32_t>(l1_entries));
    StoreBe16(Bytes(entry) + kQcow2SnapshotIdBytes,
              static_cast<uint16_t>(id.size()));
    StoreBe16(Bytes(entry) + kQcow2SnapshotNameBytes,
              static_cast<uint16_t>(name.size()));
    if (large_size) {
      StoreBe32(Bytes(entry) + kQcow2SnapshotExtraBytes, 16);
      std::string extra(16, '\0');
      StoreBe64(Bytes(extra), state_bytes);
      StoreBe64(Bytes(extra) + kQcow2ExtraDisk, disk_bytes);
      entry += extra;
    } else {
      StoreBe32(Bytes(entry) + kQcow2SnapshotState,
                static_cast<uint32_t>(state_bytes));
    }
    entry += id + name;
    entry.resize((entry.size() + 7) / 8 * 8);
    return entry;
  }

  void PutHeader(uint64_t list_at, uint64_t count, std::string& image) const {
    uint8_t* header = Bytes(image);
    StoreBe32(header, kQcow2Magic);
    StoreBe32(header + kQcow2VersionOffset, version);
    StoreBe32(header + kQcow2ClusterBitsOffset, cluster_bits);
    StoreBe64(header + kQcow2SizeOffset, disk_bytes);
    StoreBe32(header + kQcow2SnapshotsOffset, static_cast<uint32_t>(count));
    StoreBe64(header + kQcow2TableOffset, list_at);
    if (!backing.empty()) {
      StoreBe64(header + kQcow2BackingOffset, 200);
      StoreBe32(header + kQcow2BackingSizeOffset,
                static_cast<uint32_t>(backing.size()));
      std::copy(backing.begin(), backing.end(), header + 200);
    }
    if (version < 3) return;
    StoreBe64(header + kQcow2IncompatibleOffset,
              features | (compression != 0 ? uint64_t{kQcow2Compression} : 0) |
                  (extended ? uint64_t{kQcow2ExtendedL2} : 0));
    StoreBe32(header + kQcow2HeaderLengthOffset, 112);
    header[kQcow2CompressionOffset] = compression;
  }
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_IO_QCOW2_BYTES_H_
