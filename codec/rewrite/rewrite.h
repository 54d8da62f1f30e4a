// Rewrites a stream: the same migration in another shape, or with a part
// exchanged. FORMAT.md sections 9, 10 and 13.
//
//   RewriteOptions options;
//   options.to = &GetDialect(DialectId::kV60);
//   Error error = Rewrite({.main = open}, {.main = &sink}, options);
//   // What was written is of use only if there is no error.
//
// The VMDESCRIPTION is kept true. What cannot be rewritten safely is refused
// with kNotWritable and the reason; what the options alone, or with the number
// of channels, rule out with kBadOptions. A stream must be complete for it.

#ifndef MIGSTREAM_CODEC_REWRITE_REWRITE_H_
#define MIGSTREAM_CODEC_REWRITE_REWRITE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codec/io/byte_source.h"
#include "codec/qemu/stream_reader.h"
#include "codec/qemu/stream_writer.h"
#include "codec/wire/error.h"
#include "flags/dialect.h"

namespace migstream {

struct RewriteOptions {
  ReaderOptions reader = {};
  // Cuts DATA records to this many bytes; 0 leaves them. v2 only.
  uint64_t record_bytes = 0;
  // The dialect to write; null for the one that is there. CONFIG moves to where
  // it has it.
  const Dialect* to = nullptr;
  // Leaves out PARTs that give a device nothing.
  bool strip_empty_parts = false;
  // Puts what multifd channels carry into the main channel: device state and
  // guest memory.
  bool single_channel = false;
  // So many inflate what the channels carry of guest memory.
  int threads = 1;
  // Splits device state over the output's channels. The input must have none,
  // or `single_channel` be set.
  bool split_channels = false;
  // The device that the next two mean; empty for the only one.
  std::string device = {};
  // Another PCI config space: 256 or 4096 bytes; empty for none.
  std::string config = {};
  // Another payload, of a size that is known; null for none.
  ByteSource* payload = nullptr;
  // Its first bytes that travelled in pre-copy, and so go into PARTs; without,
  // the records that are there are filled in turn.
  std::optional<uint64_t> payload_split = {};
  // Devices to leave out, by idstr.
  std::vector<std::string> dropped_devices = {};
};

// Each call gives an input from its start; null if it cannot, which it reports.
using Reopen = std::function<std::unique_ptr<ByteSource>()>;

// The main channel is opened more than once if the dialect must be known before
// the first byte is written, which `reader.dialect` can tell, if CONFIG moves
// to END, or if channels are merged; so are the channels then.
struct RewriteInput {
  struct Channel {
    std::string name;  // For errors.
    Reopen open;
  };
  Reopen main;
  std::vector<Channel> channels = {};
};

// As many channels as there are in the input, in the same order, unless they
// are merged or split anew.
struct RewriteOutput {
  ByteSink* main;
  std::vector<ByteSink*> channels = {};
  // How many bytes stand before the stream in the main channel's file. As many
  // as in the input's, where it has mapped-ram.
  uint64_t before = 0;
};

Error Rewrite(const RewriteInput& input, const RewriteOutput& output,
              const RewriteOptions& options);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_REWRITE_REWRITE_H_
