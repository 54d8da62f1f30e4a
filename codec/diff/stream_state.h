// What one stream holds, kept so that it can be compared with another: what a
// destination would end up with, and how it came.
//
//   StreamState state;
//   Error error = state.Read(source, channels, options);
//
// Payload of VFIO devices, the content of other devices' sections, and guest
// memory if it is asked for, are read again where they stand, if the stream can
// be opened once more; the rest is put into files without a name.

#ifndef MIGSTREAM_CODEC_DIFF_STREAM_STATE_H_
#define MIGSTREAM_CODEC_DIFF_STREAM_STATE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "codec/channels/channel_reader.h"
#include "codec/device/config_layout.h"
#include "codec/diff/stored_bytes.h"
#include "codec/extract/ram_store.h"
#include "codec/io/kept_bytes.h"
#include "codec/qemu/stream_reader.h"
#include "codec/wire/error.h"
#include "flags/command.h"

namespace migstream {

// A device, by idstr and instance id.
using DeviceName = std::pair<std::string, uint32_t>;

// A CONFIG of a VFIO device. FORMAT.md sections 11 and 14.
struct ConfigState {
  std::string place;     // "FULL", "END", …, "packet".
  uint64_t subflag = 0;  // E3.
  bool has_payload = false;
  // The payload's own numbers, by name: its version, and those of E5.
  std::map<std::string, uint64_t> numbers;
  std::string pci_config;
  std::string irq_states;  // A digit each.
  std::string msix_table;
  std::string msix_pba;
  struct Subsection {
    uint32_t version = 0;
    std::string bytes;
  };
  std::map<std::string, Subsection> subsections;  // By name.
};

// A VFIO device.
struct VfioState {
  StoredBytes payload;
  std::vector<ConfigState> configs;
  std::set<uint32_t> versions;  // The version_ids of its sections.
  // How it came: "PART sections", "INIT_DATA_SENT", "DATA records", …
  std::map<std::string, uint64_t> counts;
  std::vector<uint64_t> record_bytes;  // The first ones: see kMaxRecords.
};

// A value of another device.
struct StateValue {
  std::string text;   // Empty if it has more than kMaxText characters.
  std::string bytes;  // As they stand in the stream.
  // Where they are in a field that came in pieces, and how many characters of
  // the path say so.
  uint64_t offset = 0;
  size_t offset_characters = 0;
};

// Another device.
struct DeviceState {
  // Whether the end of one of its sections came; until then its name may be
  // guest memory in the place of one.
  bool is_known = false;
  std::set<uint32_t> versions;
  // By path: see field_paths.h, and keyed_lists.h. A path that comes again has
  // " (2)" after it.
  // None where no description tells of the content, or `too_many`.
  std::map<std::string, StateValue> values;
  bool too_many = false;  // See kMaxValueBytes.
  StoredBytes content;    // Of its sections; not of RAM.
};

struct CommandState {
  Command command = Command::kPing;
  std::string data;
};

// A block of guest memory.
struct RamState {
  uint64_t page_bytes = 4096;
  uint64_t missing_pages = 0;  // They never came.
};

struct StateOptions {
  ReaderOptions reader = {};
  // Whether guest memory is kept; and the channels once more, opened anew, for
  // what they carry of it.
  bool ram = false;
  std::vector<ChannelReader::Channel> ram_channels = {};
  // So many inflate what the channels carry.
  int threads = 1;
  // Opens the main channel once more; null if that cannot be. What it gives is
  // kept with the state.
  std::function<std::unique_ptr<ByteSource>()> open_again = {};
};

struct StreamState {
  // Records of all VFIO devices whose sizes are kept.
  static constexpr size_t kMaxRecords = 1 << 17;
  static constexpr size_t kMaxText = 40;
  // Memory of values. A device that has more than what is left has none,
  // and leaves it to others.
  static constexpr size_t kMaxValueBytes = 8 << 20;
  // Memory of all else: devices, configs, commands and versions; kHoldLimit
  // beyond.
  static constexpr size_t kMaxOtherBytes = 8 << 20;

  // A stream that is cut short, or damaged, is kept up to there; the error says
  // so, and is kept too.
  Error Read(ByteSource& source, std::vector<ChannelReader::Channel> channels,
             const StateOptions& options = {});

  std::map<DeviceName, VfioState> vfio;
  std::map<DeviceName, DeviceState> devices;
  std::vector<CommandState> commands;
  uint64_t sections = 0;
  std::optional<StoredBytes> description;
  KeptBytes kept;  // All StoredBytes.
  bool has_ram = false;
  std::map<std::string, RamState> ram;  // If it is kept, by block.
  RamStore ram_store;
  Error end;  // Why nothing more was read, if not since it was all.
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_DIFF_STREAM_STATE_H_
