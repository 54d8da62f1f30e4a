// Devices and sets of them, for C.

#include "codec/c/device.h"

#include <cerrno>
#include <utility>

#include "codec/session/kernel_device.h"

using namespace migstream;     // NOLINT: this file is the C side.
using namespace migstream::c;  // NOLINT

namespace {

// A device whose functions are the caller's.
class CallerDevice : public MigrationDevice {
 public:
  CallerDevice(const migstream_device_options& options,
               const migstream_device_functions& functions)
      : options_(options), functions_(functions) {}

  uint64_t flags() const override {
    return options_.flags == 0 ? kMigrationStopCopy : options_.flags;
  }
  bool has_records() const override { return options_.has_records != 0; }
  bool tells_reinit() const override { return options_.tells_reinit != 0; }

  int SetState(DeviceState state, bool* new_session) override {
    int is_new = 0;
    int error =
        Ask(functions_.set_state, static_cast<uint32_t>(state), &is_new);
    *new_session = error == 0 && is_new != 0;
    return error;
  }
  int GetState(DeviceState* state) override {
    uint32_t number = 0;
    int error = Ask(functions_.get_state, &number);
    *state = static_cast<DeviceState>(number);
    return error;
  }
  void DropSession() override {
    if (functions_.drop_session != nullptr) {
      functions_.drop_session(options_.context);
    }
  }
  int Reset() override { return Ask(functions_.reset); }
  IoResult Read(std::span<uint8_t> buffer) override {
    return Move(functions_.read, buffer.data(), buffer.size());
  }
  IoResult Write(ByteSpan bytes) override {
    return Move(functions_.write, bytes.data(), bytes.size());
  }
  int WaitForData(bool writing) override {
    return functions_.wait == nullptr ? ETIMEDOUT
                                      : Ask(functions_.wait, writing ? 1 : 0);
  }
  int GetPrecopyBytes(PrecopyBytes* bytes) override {
    int reinit = 0;
    int error = Ask(functions_.get_precopy_bytes, &bytes->initial,
                    &bytes->dirty, &reinit);
    bytes->reinit = reinit != 0;
    return error;
  }
  int GetStopCopyBytes(uint64_t* bytes) override {
    return Ask(functions_.get_stop_copy_bytes, bytes);
  }
  int StartReading(RecordStart* start) override {
    int pending = 0;
    int error = Ask(functions_.start_reading, &pending, &start->bytes);
    start->pending = pending != 0;
    return error;
  }
  int StartWriting(uint64_t bytes) override {
    return Ask(functions_.start_writing, bytes);
  }

 private:
  template <typename Function, typename... Arguments>
  int Ask(Function function, Arguments... arguments) {
    if (function == nullptr) return ENOTSUP;
    return ErrnoOf(function(options_.context, arguments...));
  }
  template <typename Function, typename Buffer>
  IoResult Move(Function function, Buffer buffer, size_t bytes) {
    if (function == nullptr) return {.error = ENOTSUP};
    const int64_t moved = function(options_.context, buffer, bytes);
    if (moved < 0) return {.error = ErrnoOf(moved)};
    // More than there is room for is no answer.
    if (static_cast<uint64_t>(moved) > bytes) return {.error = EOVERFLOW};
    return {.bytes = static_cast<size_t>(moved)};
  }

  const migstream_device_options options_;
  const migstream_device_functions functions_;
};

}  // namespace

namespace migstream::c {

migstream_status WithSet(migstream_set* set, const Handle& session,
                         migstream_status (*run)(void* context),
                         void* context) {
  return Call(set, [&] {
    MemoryScope scope(session.memory());
    return run(context);
  });
}

migstream_status RunCallWithSet(Handle& session, migstream_set* set,
                                migstream_status (*run)(void* context),
                                void* context) {
  return RunCall(session, [&] { return WithSet(set, session, run, context); });
}

}  // namespace migstream::c

extern "C" {

migstream_status migstream_device_create(
    const migstream_device_options* options, migstream_device** device) {
  if (device == nullptr) return MIGSTREAM_BAD_ARGUMENT;
  *device = nullptr;
  migstream_device_options given;
  migstream_device_functions functions;
  migstream_status status = ReadOptions(options, &given);
  if (status != MIGSTREAM_OK) return status;
  if (given.functions == nullptr) return MIGSTREAM_BAD_ARGUMENT;
  status = ReadOptions(given.functions, &functions);
  if (status != MIGSTREAM_OK) return status;
  return MakeStarted(given.allocator, device, [&](migstream_device& made) {
    made.device = std::make_unique<CallerDevice>(given, functions);
    return MIGSTREAM_OK;
  });
}

migstream_status migstream_device_from_fd(
    const migstream_device_options* options, int fd,
    migstream_device** device) {
  if (device == nullptr) return MIGSTREAM_BAD_ARGUMENT;
  *device = nullptr;
  migstream_device_options given;
  migstream_status status = ReadOptions(options, &given);
  if (status != MIGSTREAM_OK) return status;
  return MakeStarted(
      given.allocator, device, [&](migstream_device& made) -> migstream_status {
        KernelDeviceOptions kernel;
        if (given.wait_milliseconds != 0) {
          kernel.wait_milliseconds = given.wait_milliseconds;
        }
        std::unique_ptr<KernelDevice> opened;
        const Error error = KernelDevice::Open(fd, &opened, kernel);
        made.device = std::move(opened);
        return error.ok() ? MIGSTREAM_OK : MIGSTREAM_ERROR;
      });
}

migstream_status migstream_set_create(const migstream_set_options* options,
                                      migstream_set** set) {
  if (set == nullptr) return MIGSTREAM_BAD_ARGUMENT;
  *set = nullptr;
  migstream_set_options given;
  migstream_status status = ReadOptions(options, &given);
  if (status != MIGSTREAM_OK) return status;
  return Make(given.allocator, set);
}

migstream_status migstream_set_add(migstream_set* set, migstream_device* device,
                                   const char* idstr, uint32_t instance_id) {
  if (!Is(device) || device->in_set || idstr == nullptr) {
    return MIGSTREAM_BAD_ARGUMENT;
  }
  return Call(set, [&]() -> migstream_status {
    set->uses.emplace_back(*device);
    // It stays there even if it does not answer.
    device->in_set = true;
    return set->Check(set->set.Add(*device->device, idstr, instance_id));
  });
}

migstream_status migstream_set_check(migstream_set* set) {
  return Call(set, [&] { return set->Check(set->set.CheckMigratable()); });
}

migstream_status migstream_set_run(migstream_set* set) {
  return Call(set, [&] { return set->Check(set->set.Run()); });
}

migstream_status migstream_set_reset(migstream_set* set) {
  return Call(set, [&] { return set->Check(set->set.ResetAll()); });
}

migstream_status migstream_set_report(migstream_set* set, size_t index,
                                      const migstream_device_report** report) {
  if (report == nullptr) return MIGSTREAM_BAD_ARGUMENT;
  *report = nullptr;
  return Call(set, [&] {
    if (index >= set->set.size()) return MIGSTREAM_BAD_ARGUMENT;
    const DeviceReport& is = set->set.device(index).report();
    set->idstr = is.idstr;
    set->text = ToString(is);
    set->report = {.struct_size = sizeof(migstream_device_report),
                   .idstr = set->idstr.c_str(),
                   .instance_id = is.instance_id,
                   .asked = static_cast<uint32_t>(is.asked),
                   .state = static_cast<uint32_t>(is.is),
                   .was_reset = is.was_reset ? 1 : 0,
                   .lost = is.lost ? 1 : 0,
                   .failed_errno = is.failed_errno,
                   .text = set->text.c_str()};
    *report = &set->report;
    return MIGSTREAM_OK;
  });
}

}  // extern "C"
