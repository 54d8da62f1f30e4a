#include "codec/session/migration_set.h"

#include "codec/wire/text.h"

namespace migstream {

using enum DeviceState;

MigrationSet::MigrationSet(Executor executor)
    : executor_(std::move(executor)) {}

Error MigrationSet::Add(MigrationDevice& device, std::string_view idstr,
                        uint32_t instance_id) {
  if (Find(idstr, instance_id) != size()) {
    return {ErrorCode::kBadOptions, 0, "",
            StrCat(idstr, ": two devices have this name")};
  }
  DeviceControl control(device, idstr, instance_id);
  if (Error error = control.Open(); !error.ok()) return error;
  devices_.push_back(std::move(control));
  std::string_view name = devices_.back().report().idstr;
  index_.emplace(std::pair(name, instance_id), size() - 1);
  return {};
}

size_t MigrationSet::Find(std::string_view idstr, uint32_t instance_id) const {
  auto found = index_.find({idstr, instance_id});
  return found == index_.end() ? size() : found->second;
}

std::vector<DeviceReport> MigrationSet::report() const {
  std::vector<DeviceReport> reports;
  for (const DeviceControl& device : devices_) {
    reports.push_back(device.report());
  }
  return reports;
}

Error MigrationSet::All(Order order,
                        const std::function<Error(DeviceControl&)>& run) {
  std::vector<Error> errors(size());
  auto one = [&](size_t i) {
    const size_t at = order == Order::kForward ? i : size() - 1 - i;
    errors[i] = run(devices_[at]);
  };
  if (executor_) {
    executor_(size(), one);
  } else {
    for (size_t i = 0; i < size(); ++i) one(i);
  }
  for (Error& error : errors) {
    if (!error.ok()) return std::move(error);
  }
  return {};
}

Error MigrationSet::CheckMigratable() const {
  for (const DeviceControl& device : devices_) {
    if (!device.Has(kMigrationStopCopy)) {
      return {ErrorCode::kDeviceCannotMigrate, 0, "",
              StrCat(device.report().idstr, ": it cannot be migrated")};
    }
    // QEMU's rule since 8.2; v1 does not know of P2P.
    if (size() > 1 && !device.has_records() && !device.Has(kMigrationP2p)) {
      return {ErrorCode::kDeviceCannotMigrate, 0, "",
              StrCat(device.report().idstr,
                     ": it does not have P2P, which several devices need")};
    }
  }
  return {};
}

Error MigrationSet::CheckChannels() const {
  for (const DeviceControl& device : devices_) {
    if (!device.has_records()) continue;
    return {ErrorCode::kDeviceCannotMigrate, 0, "",
            StrCat(device.report().idstr,
                   ": a v1 device's state does not go by channels")};
  }
  return {};
}

Error MigrationSet::StartPreCopy() {
  all_stopped_ = false;
  Error error = All(Order::kForward, [](DeviceControl& device) -> Error {
    if (device.state() != kRunning || !device.Has(kMigrationPreCopy)) return {};
    return device.SetState(kPreCopy);
  });
  if (!error.ok()) Abort();
  return error;
}

Error MigrationSet::Quiesce() {
  Error error = All(Order::kBackward, [](DeviceControl& device) -> Error {
    if (!device.Has(kMigrationP2p)) return {};
    if (device.state() == kPreCopy) return device.SetState(kPreCopyP2p);
    if (device.state() == kRunning) return device.SetState(kRunningP2p);
    return {};
  });
  if (error.ok()) {
    error = All(Order::kBackward, [](DeviceControl& device) -> Error {
      // One that cannot be read while it runs gathers its state in Collect();
      // v1 has no way from STOP.
      const bool collects = !IsPreCopy(device.state()) && !device.has_records();
      return device.SetState(collects ? kStop : kStopCopy);
    });
  }
  if (error.ok()) {
    all_stopped_ = true;
  } else {
    Abort();
  }
  return error;
}

Error MigrationSet::Collect(size_t i) {
  if (Error error = MayRead(i); !error.ok()) return error;
  return devices_[i].SetState(kStopCopy);
}

Error MigrationSet::Commit() {
  return All(Order::kForward, [](DeviceControl& device) -> Error {
    if (device.state() != kStopCopy) return {};
    return device.SetState(kStop);
  });
}

Error MigrationSet::Abort() {
  all_stopped_ = false;
  All(Order::kForward, [](DeviceControl& device) -> Error {
    // Straight on to RUNNING where this fails.
    if (device.report().lost || !device.Has(kMigrationP2p) ||
        device.state() == kRunning || device.state() == kResuming) {
      return {};
    }
    return device.SetState(kRunningP2p);
  });
  return All(Order::kForward,
             [](DeviceControl& device) { return device.Recover(); });
}

Error MigrationSet::StartResuming() {
  Error error = All(Order::kForward, [](DeviceControl& device) {
    return device.StartResuming();
  });
  if (!error.ok()) ResetAll();
  return error;
}

Error MigrationSet::FinishResuming() {
  Error error = All(Order::kForward, [](DeviceControl& device) {
    return device.FinishResuming();
  });
  if (!error.ok()) ResetAll();
  return error;
}

Error MigrationSet::Run() {
  Error error = All(Order::kForward, [](DeviceControl& device) -> Error {
    if (device.state() != kStop || !device.Has(kMigrationP2p)) return {};
    return device.SetState(kRunningP2p);
  });
  if (!error.ok()) return error;
  return All(Order::kForward, [](DeviceControl& device) {
    return device.has_records() && device.state() == kResuming
               ? device.RunLoaded()
               : device.SetState(kRunning);
  });
}

Error MigrationSet::ResetAll() {
  return All(Order::kForward,
             [](DeviceControl& device) { return device.Reset(); });
}

Error MigrationSet::MayRead(size_t i) const {
  const DeviceControl& device = devices_[i];
  if (all_stopped_ || IsPreCopy(device.state())) return {};
  return {ErrorCode::kSessionOrder, 0, "",
          StrCat(device.report().idstr,
                 ": it cannot be read before all devices are stopped")};
}

ReadResult MigrationSet::Read(size_t i, std::span<uint8_t> buffer) {
  if (Error error = MayRead(i); !error.ok()) return {.error = std::move(error)};
  return devices_[i].Read(buffer);
}

Error MigrationSet::StartReading(size_t i, RecordStart* start) {
  if (Error error = MayRead(i); !error.ok()) return error;
  return devices_[i].StartReading(start);
}

}  // namespace migstream
