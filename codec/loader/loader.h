// Whether a QEMU release's loader would take a stream, and what it would say.
// LOADERS.md.
//
//   LoaderOptions options;
//   options.release = 1101;
//   LoadVerdict verdict = PredictLoad(source, channels, options);
//
// This follows QEMU's loader byte by byte. It is laxer than StreamReader in
// what the loader never checks (record bytes, section types, what is missing),
// and stricter where a loader knows its own machine. What is known here of that
// machine is in the options; the rest is assumed to be as the stream needs it,
// and the verdict lists what was assumed. The state of other devices is not
// judged: its length is that of the description, as far as the footers agree.

#ifndef MIGSTREAM_CODEC_LOADER_LOADER_H_
#define MIGSTREAM_CODEC_LOADER_LOADER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "codec/channels/channel_reader.h"
#include "codec/io/byte_source.h"
#include "codec/qemu/limits.h"
#include "flags/dialect.h"

namespace migstream {

struct LoaderOptions {
  Release release = kNewestRelease;  // One that FindLoader() knows.
  // Which stable release of it, 13 for 10.0.13, where that matters.
  std::optional<uint16_t> stable = std::nullopt;
  // The destination's; empty: what the stream names.
  std::string machine_type = "";
  // The destination has what the stream names, also if no such release does.
  bool any_machine_type = false;
  // Whether sections, RAM blocks and config spaces were compared with those of
  // the destination: they are no assumption then.
  bool compared = false;
  enum Setting : uint8_t { kAsNeeded, kOff, kOn };
  // kAsNeeded: it is on if the stream opens a return path.
  Setting switchover_ack = kAsNeeded;
  // x-migration-multifd-transfer and x-migration-load-config-after-iter of the
  // destination's VFIO devices; kAsNeeded: as the stream is.
  Setting multifd_transfer = kAsNeeded;
  Setting load_config_after_iter = kAsNeeded;
  // As in ReportOptions.
  std::string destination_config = "";
  std::string destination_device = "";
  StreamLimits limits = {};
  // The target's; 0: as in ReaderOptions.
  uint64_t page_bytes = 0;
};

struct LoadVerdict {
  enum Outcome : uint8_t {
    kLoads,
    kRefuses,
    kWaits,       // For ever, and with no message.
    kUnreadable,  // The source failed: `message` is its failure.
  };
  Outcome outcome = kLoads;
  // Where what is refused, or waited for, begins.
  uint64_t offset = 0;
  std::string section;
  // The loader's words, in the release's own wording where it differs; for
  // kWaits what it waits for. For iterable handlers other than "ram" and VFIO
  // (FORMAT.md section 6) it is this library's error.
  std::string message;
  std::string file;  // A multifd channel's name; empty: the main channel.
  // What was assumed of the destination.
  std::vector<std::string> given;
  // With how many of the stream's devices the destination's config was
  // compared.
  uint64_t configs_compared = 0;
};

LoadVerdict PredictLoad(ByteSource& source,
                        std::vector<ChannelReader::Channel> channels,
                        const LoaderOptions& options);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_LOADER_LOADER_H_
