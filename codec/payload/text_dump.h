// The text that drivers print of their payloads, for people: in debugfs, or in
// the kernel's log.
//
//   hisi_acc   Mig Data:00000000: de de ca de ed fe cc aa 10 00 00 00 …
//              Dev Data:…                    the same of a live device
//   xe         mig_hdr: 01 05 00 00 00 00 00 00 00 00 00 00 00 00 00 00
//              mig_data: …                   64 bytes at the most
//   qat        h-00000000: 4f43 464e 4749 0000 003a 0000 0003 0000  CONFIG…
//              s-00000000: …
//
// What stands before these words in a line, and other lines, do not matter. A
// dump is less than a payload: what it leaves out is known to be missing, and
// nothing is said of it.

#ifndef MIGSTREAM_CODEC_PAYLOAD_TEXT_DUMP_H_
#define MIGSTREAM_CODEC_PAYLOAD_TEXT_DUMP_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/payload/format.h"
#include "codec/payload/payload_report.h"

namespace migstream {

struct TextDump {
  struct Piece {
    std::string bytes = {};
    // Else they only stand for what the text leaves out.
    bool shown = true;
    // Behind them, left out as well.
    uint64_t missing = 0;
  };

  const payload::Format* format = nullptr;
  std::string_view kind = {};  // "Mig Data (debugfs)".
  std::vector<Piece> pieces = {};
};

// The longest text that is read as one.
inline constexpr size_t kMaxDumpText = 16 << 20;

// None if the text is not one, or has nothing whole.
std::optional<TextDump> ParseTextDump(std::string_view text);

// Values that are not in the text have no number.
PayloadReport TallyTextDump(const TextDump& dump);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_PAYLOAD_TEXT_DUMP_H_
