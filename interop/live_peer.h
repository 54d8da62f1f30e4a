// What the VMMs of these tests have in common: VFIO devices that are opened as
// a VMM does, and sockets.

#ifndef MIGSTREAM_INTEROP_LIVE_PEER_H_
#define MIGSTREAM_INTEROP_LIVE_PEER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/qemu/stream_decoder.h"
#include "codec/session/channel_output.h"
#include "codec/session/migration_device.h"
#include "codec/session/migration_set.h"
#include "codec/session/outcome.h"
#include "codec/session/save_session.h"
#include "codec/wire/error.h"

namespace migstream {

// Devices on pcie.0, the first in slot 5.
class LivePeer {
 public:
  // GROUP:NAME of each, as /dev/vfio/12:0000:3b:00.1. A device without the v2
  // protocol is driven by its v1 region.
  Error Open(const std::vector<std::string_view>& names);

  MigrationSet& set() { return set_; }
  // As QEMU would save them; MSI-X as it is after a reset.
  std::vector<SavedConfig> configs() const;
  ByteSpan device_config(size_t i) const { return configs_[i]->device; }
  int fd(size_t i) const { return fds_[i]; }

 private:
  struct Config {
    std::vector<uint8_t> device;  // As the kernel shows it.
    std::vector<uint8_t> shaped;
    std::vector<uint8_t> msix_table, msix_pba;
  };

  std::vector<int> fds_;
  std::vector<std::unique_ptr<MigrationDevice>> devices_;
  std::vector<std::unique_ptr<Config>> configs_;
  MigrationSet set_;
};

// How long the FULL of each device of the machine is: an answer to what a
// StreamDecoder asks.
class ContentLengths {
 public:
  // A file of lines IDSTR, INSTANCE, BYTES with tabs between them.
  explicit ContentLengths(const char* path);

  ContentLength operator()(const SectionView& section) const;

 private:
  std::map<std::pair<std::string, uint32_t>, uint64_t> bytes_;
};

// A unix socket; ends the process if there is none.
int ConnectTo(const char* path);
int ListenAt(const char* path);
// What a connection is, its first bytes say: waits for them. Empty if none
// come.
std::optional<bool> IsMainChannel(int fd);

// "completed", "aborted", "unknown".
const char* ToString(Outcome::Kind kind);

// Sends one message on the return path.
int Reply(ChannelOutput& to, const ReturnPathMessage& message);

}  // namespace migstream

#endif  // MIGSTREAM_INTEROP_LIVE_PEER_H_
