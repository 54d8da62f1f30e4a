// How a release's loader reads VFIO devices' sections. FORMAT.md sections 9.5,
// 10.4, 11.8 and 16.
//
// It reads by the dialect table, but without SectionDecoder: a loader does not
// know in which type of section it is, takes elements in any order and number,
// and reads a config payload by its own device's sizes.

#ifndef MIGSTREAM_CODEC_LOADER_LOADER_DEVICE_H_
#define MIGSTREAM_CODEC_LOADER_LOADER_DEVICE_H_

#include <cstdint>
#include <set>
#include <string>

#include "codec/loader/loader_input.h"
#include "codec/loader/loader_row.h"

namespace migstream {

// The destination's device, as far as it is known.
struct LoaderDevice {
  std::string idstr;
  // Its PCI configuration space; empty: it agrees with the stream's.
  std::string config = {};
  // Bytes of its config payload; 0: unknown, what fits is taken.
  uint64_t config_bytes = 0;
};

class LoaderDevices {
 public:
  LoaderDevices(const LoaderRow& row, Release release)
      : row_(row),
        plain_(LoaderDialect(release, false)),
        multifd_(LoaderDialect(release, true)) {}

  // Whether the destination has the capability switchover-ack.
  void SetSwitchoverAck(bool on) { switchover_ack_ = on; }
  // Whether device state comes over multifd channels.
  void SetMultifd(bool on) { multifd_used_ = on; }
  // Of how many devices an INIT_DATA_SENT is awaited; without a call, of any
  // number.
  void SetAwaitedAcks(uint64_t count) { acks_left_ = count; }

  // One section's content; false if it is refused.
  bool Load(LoaderInput& input, const LoaderDevice& device);

  // What was seen.
  bool init_data_sent() const { return init_data_sent_; }
  bool config_load_ready() const { return !ready_.empty(); }
  // The devices of which a CONFIG was loaded.
  const std::set<std::string>& configured() const { return configured_; }

 private:
  bool LoadConfig(LoaderInput& input, const LoaderDevice& device);
  bool LoadInitDataSent(LoaderInput& input, uint64_t at);

  const LoaderRow& row_;
  const Dialect& plain_;
  const Dialect& multifd_;
  bool switchover_ack_ = false;
  bool multifd_used_ = false;
  uint64_t acks_left_ = ~uint64_t{0};
  bool init_data_sent_ = false;
  std::set<std::string> ready_;  // CONFIG_LOAD_READY came.
  std::set<std::string> configured_;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_LOADER_LOADER_DEVICE_H_
