// Bytes that know what stands where in them, and go on knowing it while they
// are damaged on purpose.
//
//   stream.Replace(mark.offset, 8, tag);   // All marks move along.

#ifndef MIGSTREAM_CODEC_GENERATE_MARKED_BYTES_H_
#define MIGSTREAM_CODEC_GENERATE_MARKED_BYTES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "flags/section_type.h"

namespace migstream {

enum class MarkKind : uint8_t {
  kHeader,       // Magic and version.
  kMachineType,  // Its be32 length and the name.
  kSection,      // From its type to its footer.
  kFooter,
  kSetup,            // The tag.
  kSetupEnd,         // The END_OF_STATE after it.
  kData,             // A whole record: tag, size, payload.
  kConfig,           // Tag, subflag and payload.
  kConfigEnd,        // The END_OF_STATE that closes it.
  kEnd,              // The tag that ends the section.
  kSwitchoverStart,  // The command.
  kEof,
  kPacket,  // In a multifd channel: a device-state packet, from its magic.
  kDamage,  // What was done here; `number` says as which of them.
};

struct Mark {
  MarkKind kind = MarkKind::kHeader;
  int device = -1;  // In the order of the recipe; -1: of none.
  SectionType section = SectionType::kFull;
  uint64_t offset = 0;
  uint64_t bytes = 0;
  uint32_t number = 0;  // kPacket: its index.
};

struct MarkedBytes {
  std::string bytes;
  std::vector<Mark> marks;  // In the order of their writing.

  // Puts `with` in the place of `count` bytes. Marks of which nothing is left
  // go. Bytes inserted between two marks belong to neither.
  void Replace(uint64_t at, uint64_t count, std::string_view with);
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_GENERATE_MARKED_BYTES_H_
