// How a release's loader reads VFIO devices' sections. FORMAT.md sections 9.5
// and 10.4, LOADERS.md section 2.
//
// It reads by the dialect table, but without SectionDecoder: a loader does not
// know in which type of section it is, takes elements in any order and number,
// and reads a config payload by its own device's sizes.

#ifndef MIGSTREAM_CODEC_LOADER_LOADER_DEVICE_H_
#define MIGSTREAM_CODEC_LOADER_LOADER_DEVICE_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "codec/loader/loader_config.h"
#include "codec/loader/loader_input.h"
#include "codec/loader/loader_row.h"

namespace migstream {

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
  // What the destination says of its devices, if it does.
  void SetTransfer(std::optional<bool> multifd,
                   std::optional<bool> after_iter) {
    multifd_transfer_ = multifd;
    load_config_after_iter_ = after_iter;
  }
  // How many devices have to send INIT_DATA_SENT; empty: any number may.
  void SetAwaitedAcks(std::optional<uint64_t> count) { awaited_ = count; }

  // One section's content; false if it is refused.
  bool Load(LoaderInput& input, const LoaderDevice& device);

  // What was seen.
  bool init_data_sent() const { return acks_ != 0; }
  // Those of which CONFIG_LOAD_READY came.
  const std::set<std::pair<std::string, uint32_t>>& ready() const {
    return ready_;
  }
  // The devices of which a CONFIG was loaded, by idstr and instance id.
  using Names = std::set<std::pair<std::string, uint32_t>>;
  const Names& configured() const { return configured_; }

 private:
  void LoadData(LoaderInput& input, PayloadTally* payload);
  bool LoadConfig(LoaderInput& input, const LoaderDevice& device);
  bool LoadInitDataSent(LoaderInput& input, uint64_t at);

  const LoaderRow& row_;
  const Dialect& plain_;
  const Dialect& multifd_;
  bool switchover_ack_ = false;
  bool multifd_used_ = false;
  std::optional<bool> multifd_transfer_;
  std::optional<bool> load_config_after_iter_;
  std::optional<uint64_t> awaited_;
  uint64_t acks_ = 0;
  Names ready_;  // CONFIG_LOAD_READY came.
  Names configured_;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_LOADER_LOADER_DEVICE_H_
