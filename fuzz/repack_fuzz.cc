// `repack` with any options, on what the generator makes: the result decodes,
// and each device that is not left out gets the same payload as before, over
// whichever channels. The recipe's seed decides the options.

#include <cstdio>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "codec/channels/channel_reader.h"
#include "codec/channels/memory_channels.h"
#include "codec/generate/generator.h"
#include "codec/generate/recipe_dialect.h"
#include "codec/qemu/stream_recording.h"
#include "codec/rewrite/rewrite.h"
#include "fuzz/fuzzing.h"
#include "fuzz/recipe_mutator.h"

using namespace migstream;  // NOLINT: this file is a program.

namespace {

constexpr uint64_t kMaxBytes = 32 << 10;
constexpr size_t kNewChannels = 3;

using Payloads = std::map<std::string, std::string>;

// What the devices get.
Error ReadPayloads(const std::string& main,
                   const std::vector<std::string>& channels,
                   const ReaderOptions& options, Payloads& payloads) {
  MemorySource source(AsBytes(main));
  Recorded recorded = Record(source, options);
  if (!recorded.error.ok()) return recorded.error;
  for (const auto& [idstr, device] : recorded.recording.devices) {
    payloads[idstr] = device.payload;
  }
  const MemoryChannels sources(channels);
  ChannelReaderOptions reader_options;
  reader_options.host_endian = options.dialect->host_endian_packets;
  return ChannelReader(sources.given(), reader_options)
      .Read([&](const ReassembledPiece& piece) {
        if (piece.config) return;
        payloads[std::string(piece.idstr)] += std::string(AsText(piece.data));
      });
}

RewriteOptions OptionsOf(const Generated& made, uint64_t seed) {
  Random random(seed);
  RewriteOptions options;
  if (random.OneIn(2)) options.record_bytes = 1 + random.Below(300);
  if (random.OneIn(2)) {
    options.to = &AllDialects()[random.Below(AllDialects().size())];
  }
  options.strip_empty_parts = random.OneIn(2);
  options.single_channel = random.OneIn(2);
  options.split_channels = random.OneIn(3);
  if (!made.devices.empty() && random.OneIn(4)) {
    options.dropped_devices.push_back(
        made.devices[random.Below(made.devices.size())].idstr);
  }
  if (!made.devices.empty() && random.OneIn(4)) {
    options.device = made.devices[0].idstr;
    options.config = made.devices[0].pci_config;
    if (!options.config.empty()) options.config[0] ^= 1;
  }
  return options;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  recipe::Migration recipe;
  if (!ParseRecipe(ByteSpan(data, size), recipe)) return 0;
  auto made = Generate(recipe, {.frame = {}, .max_bytes = kMaxBytes});
  if (!made.ok() || made->channels.size() > 8) return 0;
  // Payloads are told apart by idstr here.
  std::set<std::string> idstrs;
  for (const GeneratedDevice& device : made->devices) {
    if (!idstrs.insert(device.idstr).second) return 0;
  }
  RewriteOptions options = OptionsOf(*made, recipe.seed());
  options.reader.dialect =
      &RecipeDialect(recipe.dialect(), GetDialect(DialectId::kV111));

  RewriteInput input;
  input.main = [&] {
    return std::make_unique<MemorySource>(AsBytes(made->main.bytes));
  };
  std::vector<std::string> channels;
  for (const MarkedBytes& channel : made->channels) {
    channels.push_back(channel.bytes);
  }
  for (const std::string& channel : channels) {
    input.channels.push_back({"channel", [&channel] {
                                return std::make_unique<MemorySource>(
                                    AsBytes(channel));
                              }});
  }
  StringSink main;
  std::vector<StringSink> sinks(options.split_channels   ? kNewChannels
                                : options.single_channel ? 0
                                                         : channels.size());
  RewriteOutput output = {&main, {}};
  for (StringSink& sink : sinks) output.channels.push_back(&sink);
  Error error = Rewrite(input, output, options);
  REQUIRE(IsOfClass(error, 0xfe));
  if (!error.ok()) return 0;

  Payloads before;
  if (!ReadPayloads(made->main.bytes, channels, options.reader, before).ok()) {
    return 0;  // Rewritten all the same: it was not looked at that closely.
  }
  for (const std::string& gone : options.dropped_devices) before.erase(gone);
  std::vector<std::string> written;
  written.reserve(sinks.size());
  for (const StringSink& sink : sinks) written.push_back(sink.bytes());
  ReaderOptions again = options.reader;
  if (options.to != nullptr) again.dialect = options.to;
  // With its state elsewhere a device is one of another row of the table, which
  // is found; but a row that was never released is not, unless its END cannot
  // hold what was merged.
  const bool released = again.dialect->released();
  const bool merged = options.single_channel && !options.split_channels;
  if (released ? options.split_channels || options.single_channel
               : merged && again.dialect->empty_end()) {
    again.dialect = &GetDialect(DialectId::kAuto);
  }
  Payloads after;
  Error unreadable = ReadPayloads(main.bytes(), written, again, after);
  if (!unreadable.ok() || after != before) {
    std::fprintf(stderr, "from %s to %s, single %d, split %d: %s\n",
                 std::string(options.reader.dialect->name).c_str(),
                 options.to ? std::string(options.to->name).c_str() : "same",
                 options.single_channel, options.split_channels,
                 ToString(unreadable).c_str());
    for (const Payloads* all : {&before, &after}) {
      for (const auto& [idstr, payload] : *all) {
        std::fprintf(stderr, "  %s: %zu bytes\n", idstr.c_str(),
                     payload.size());
      }
    }
  }
  REQUIRE(unreadable.ok());
  REQUIRE(after == before);
  return 0;
}
