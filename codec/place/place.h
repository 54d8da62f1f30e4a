// What stands at one place of a stream: the bytes, what each field is called,
// what is around it, and, where reading ends, what the bytes may have been.
//
//   Place place = LookAt(source, 0x17862, options);
//   place.items[i].fields[j]
//
// The source can go back (MoveTo); it is read up to the place.

#ifndef MIGSTREAM_CODEC_PLACE_PLACE_H_
#define MIGSTREAM_CODEC_PLACE_PLACE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "codec/io/byte_source.h"
#include "codec/qemu/stream_reader.h"
#include "codec/wire/error.h"

namespace migstream {

struct PlaceField {
  uint64_t offset = 0;
  uint64_t bytes = 0;
  std::string first;  // Its first bytes, up to 8; none of payload and pages.
  std::string name;   // "tag", "section id".
  std::string value;  // Fit to be printed.
};

// A section's head, a record, a command: what is read in one piece.
struct PlaceItem {
  uint64_t offset = 0;
  std::string what;  // "PART of 0000:00:05.0/vfio, section 0x25".
  std::vector<PlaceField> fields;
};

struct Place {
  uint64_t offset = 0;           // That was asked for.
  std::vector<PlaceItem> items;  // Around it, in the order of the stream.
  std::string damage;            // What seems to have been done here.
  Error error;                   // Where reading ended before the place.
};

struct PlaceOptions {
  ReaderOptions reader = {};
  // Whether a place inside of payload or guest memory shows its bytes.
  bool payload = false;
};

Place LookAt(ByteSource& source, uint64_t offset, const PlaceOptions& options);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_PLACE_PLACE_H_
