// What one stream holds, kept so that it can be compared with another: what a
// destination would end up with, and how it came.
//
//   StreamState state;
//   Error error = state.Read(source, channels, options);
//
// Payload of VFIO devices is put into a file without a name; guest memory is
// not looked at.

#ifndef MIGSTREAM_CODEC_DIFF_STREAM_STATE_H_
#define MIGSTREAM_CODEC_DIFF_STREAM_STATE_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "codec/qemu/channel_reader.h"
#include "codec/qemu/stream_reader.h"
#include "codec/qemu/temp_file.h"
#include "codec/wire/error.h"

namespace migstream {

// A device, by idstr and instance id.
using DeviceName = std::pair<std::string, uint32_t>;

// A VFIO device.
struct VfioState {
  // Where its payload is in StreamState::payload, in order.
  struct Piece {
    uint64_t offset = 0;
    uint64_t bytes = 0;
  };
  std::vector<Piece> payload;
  uint64_t payload_bytes = 0;

  bool has_config = false;
  std::string pci_config;
  std::string irq_states;  // A digit each.
  std::string msix_table;
  std::string msix_pba;
  std::map<std::string, std::string> subsections;  // By name.

  // How it came.
  uint64_t parts = 0;
  uint64_t pre_copy_bytes = 0;
  uint64_t init_data_sent = 0;
  uint64_t records = 0;
  std::vector<uint64_t> record_bytes;  // The first kMaxRecords.
};

// A value of another device.
struct StateValue {
  std::string text;   // Empty if it has more than kMaxText characters.
  std::string bytes;  // As they stand in the stream.
};

struct StreamState {
  static constexpr size_t kMaxRecords = 1 << 16;
  static constexpr size_t kMaxText = 40;
  // Values that are kept, and their bytes; kHoldLimit beyond.
  static constexpr size_t kMaxValues = 1 << 20;
  static constexpr size_t kMaxValueBytes = 64 << 20;

  // A stream that is cut short is kept up to the cut, and the error says so.
  Error Read(ByteSource& source, std::vector<ChannelReader::Channel> channels,
             const ReaderOptions& options);

  std::map<DeviceName, VfioState> vfio;
  // Every other device's values, by path: see field_paths.h. A path that comes
  // again has " (2)" after it.
  std::map<DeviceName, std::map<std::string, StateValue>> values;
  std::vector<std::string> commands;
  uint64_t sections = 0;
  TempFile payload;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_DIFF_STREAM_STATE_H_
