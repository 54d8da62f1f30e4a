// Devices that move together. They all stop touching each other, then all stop,
// and none can be read as stopped before; if one fails the others go back.
//
// Saving: StartPreCopy(), Quiesce(), Collect() of each, Commit(), or Abort() at
// any time. Loading: StartResuming(), FinishResuming(), Run(), or ResetAll().
// After an error report() says where each device is.
//
// Devices and executor are lent and must outlive it. One thread at a time, but
// for different devices' Read() and Write().

#ifndef MIGSTREAM_CODEC_SESSION_MIGRATION_SET_H_
#define MIGSTREAM_CODEC_SESSION_MIGRATION_SET_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/session/device_control.h"
#include "codec/session/migration_device.h"
#include "codec/wire/bytes.h"
#include "codec/wire/error.h"

namespace migstream {

// Calls run(0) to run(count - 1), in any threads, and returns when all have.
using Executor =
    std::function<void(size_t count, const std::function<void(size_t)>& run)>;

class MigrationSet {
 public:
  // Without an executor, one device after the other.
  explicit MigrationSet(Executor executor = nullptr);

  // In the order in which the VMM has them. The idstr and the instance id are
  // those of the device's sections.
  Error Add(MigrationDevice& device, std::string_view idstr,
            uint32_t instance_id = 0);

  size_t size() const { return devices_.size(); }
  // size() if there is no such device.
  size_t Find(std::string_view idstr, uint32_t instance_id) const;
  DeviceControl& device(size_t i) { return devices_[i]; }
  const DeviceControl& device(size_t i) const { return devices_[i]; }
  const Executor& executor() const { return executor_; }
  std::vector<DeviceReport> report() const;

  // Why they cannot be moved: QEMU wants P2P of several devices.
  Error CheckMigratable() const;
  // Why their state cannot go by multifd channels: of v1 it is transactions,
  // and a packet does not say where one begins.
  Error CheckChannels() const;

  // RUNNING to PRE_COPY, of those that have it. After an error all run on.
  Error StartPreCopy();
  // All to P2P, those that have it, the last added first; then all to STOP_COPY
  // or, of those without PRE_COPY, to STOP. After an error all run on.
  Error Quiesce();
  // STOP to STOP_COPY: some drivers gather all their state in this call.
  Error Collect(size_t i);
  // STOP_COPY to STOP: the state has arrived elsewhere.
  Error Commit();
  // All run again; one that cannot otherwise, by a reset. An error says which
  // device is lost.
  Error Abort();

  // A fresh device each, in RESUMING. After an error all are reset.
  Error StartResuming();
  // What was loaded is judged: RESUMING to STOP. After an error all are reset.
  Error FinishResuming();
  // All to P2P, in the order of adding, then all to RUNNING.
  Error Run();
  Error ResetAll();

  // As the device's own; in STOP_COPY refused before all are stopped.
  ReadResult Read(size_t i, std::span<uint8_t> buffer);
  Error StartReading(size_t i, RecordStart* start);

 private:
  enum class Order { kForward, kBackward };

  // Runs all, although one fails; the first error, in that order.
  Error All(Order order, const std::function<Error(DeviceControl&)>& run);
  Error MayRead(size_t i) const;

  const Executor executor_;
  std::deque<DeviceControl> devices_;
  // Views of the devices' own names: looking one up allocates nothing.
  std::map<std::pair<std::string_view, uint32_t>, size_t> index_;
  bool all_stopped_ = false;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_SESSION_MIGRATION_SET_H_
