// A stretch of a migration's file, and whose it is: what the map of a file
// consists of. FORMAT.md section 2.1.

#ifndef MIGSTREAM_CODEC_MAP_MAP_RANGE_H_
#define MIGSTREAM_CODEC_MAP_MAP_RANGE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace migstream {

enum class MapKind : uint8_t {
  kContainer,    // Stands before the stream: libvirt's header.
  kFraming,      // The stream's own: header, commands, EOF.
  kRam,          // RAM's sections, and its packets on a channel.
  kVfio,         // A VFIO device's, likewise.
  kOther,        // Another handler's sections.
  kDescription,  // VMDESCRIPTION
  kTrailing,     // Stands behind the stream.
  kUnread,       // Behind an error.
  kMixed,        // Several, put together for those who look.
};

// "ram", "vfio"
std::string_view ToString(MapKind kind);

struct MapRange {
  uint64_t offset = 0;  // In the file, or in what it is compressed to.
  uint64_t bytes = 0;
  MapKind kind = MapKind::kFraming;
  std::string owner;   // "0000:00:05.0/vfio", "ram", "stream"; printable.
  std::string what;    // "PART", "FULL CONFIG", "COMMAND PING"
  std::string detail;  // "pc-q35-11.1"; more about one that is not a run.
  // Sections, packets or messages that follow each other and are alike.
  uint64_t count = 1;
  uint64_t records = 0;        // A device's DATA records or packets.
  uint64_t payload_bytes = 0;  // In them.
  uint64_t pages = 0;          // RAM's, but for those of zeros.
  uint64_t zero_pages = 0;
  // The round of pre-copy, from 1 on, as the order of RAM's pages shows it; 0
  // before the first.
  uint32_t round = 0;
  bool stopped = false;  // The guest is.
  bool cut = false;      // It ends before its own end.
};

// What is in it, in words: "PART, 4 records of 52500 bytes".
std::string Describe(const MapRange& range);

// Called in the order of the file. Each range begins where the one before it
// ended.
using OnMapRange = std::function<void(const MapRange&)>;

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_MAP_MAP_RANGE_H_
