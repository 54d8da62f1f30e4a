#include "codec/c/rig.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace migstream::c {
namespace {

constexpr char kIdstr[] = "0000:00:05.0/vfio";

bool IsSaving(uint32_t state) {
  return state == MIGSTREAM_STATE_PRE_COPY ||
         state == MIGSTREAM_STATE_PRE_COPY_P2P ||
         state == MIGSTREAM_STATE_STOP_COPY;
}

// The main channel, and one more if there is one.
using Streams = std::pair<std::string*, std::string*>;

int AppendPieces(void* context, uint32_t channel, const iovec* pieces,
                 int count) {
  const Streams& streams = *static_cast<Streams*>(context);
  std::string& stream = channel == 0 ? *streams.first : *streams.second;
  for (int i = 0; i < count; ++i) {
    stream.append(static_cast<const char*>(pieces[i].iov_base),
                  pieces[i].iov_len);
  }
  return 0;
}

// Goes on as long as all is well.
class Chain {
 public:
  template <typename Run>
  Chain& Then(Run run) {
    if (status_ >= MIGSTREAM_OK) status_ = run();
    return *this;
  }
  migstream_status status() const { return status_; }

 private:
  migstream_status status_ = MIGSTREAM_OK;
};

// A device alone in a set.
struct Set {
  Set(const migstream_allocator* allocator, MemoryDevice& device) {
    migstream_device_options options = device.options();
    options.allocator = allocator;
    migstream_set_options set_options = {};
    set_options.struct_size = sizeof set_options;
    set_options.allocator = allocator;
    chain.Then([&] { return migstream_device_create(&options, &own); })
        .Then([&] { return migstream_set_create(&set_options, &set); })
        .Then([&] { return migstream_set_add(set, own, kIdstr, 0); });
    device.set = set;
  }
  ~Set() {
    // The device first: the set still uses it.
    migstream_destroy(own);
    migstream_destroy(set);
  }

  Chain chain;
  migstream_device* own = nullptr;
  migstream_set* set = nullptr;
};

int32_t DialectOf(const std::string* channel) {
  return channel == nullptr ? MIGSTREAM_DIALECT_V111 : MIGSTREAM_DIALECT_V111M;
}

std::string PciConfig() { return std::string(256, '\0'); }

}  // namespace

CountingAllocator::CountingAllocator()
    : allocator_{sizeof allocator_, this, Allocate, Release} {}

CountingAllocator::~CountingAllocator() {
  if (blocks_ != 0 || bytes_ != 0) std::abort();  // A leak.
}

void* CountingAllocator::Allocate(void* context, size_t bytes,
                                  size_t alignment) {
  CountingAllocator& self = *static_cast<CountingAllocator*>(context);
  if (self.calls_++ >= self.fail_from_) {
    self.has_failed_ = true;
    return nullptr;
  }
  ++self.blocks_;
  self.bytes_ += bytes;
  return std::aligned_alloc(alignment,
                            (bytes + alignment - 1) / alignment * alignment);
}

void CountingAllocator::Release(void* context, void* memory, size_t bytes,
                                size_t) {
  CountingAllocator& self = *static_cast<CountingAllocator*>(context);
  --self.blocks_;
  self.bytes_ -= bytes;
  std::free(memory);
}

MemoryDevice::MemoryDevice() : functions_{} {
  functions_.struct_size = sizeof functions_;
  functions_.set_state = SetState;
  functions_.get_state = GetState;
  functions_.reset = Reset;
  functions_.read = Read;
  functions_.write = Write;
  functions_.get_precopy_bytes = GetPrecopyBytes;
  functions_.get_stop_copy_bytes = GetStopCopyBytes;
}

migstream_device_options MemoryDevice::options() {
  migstream_device_options options = {};
  options.struct_size = sizeof options;
  options.functions = &functions_;
  options.context = this;
  options.flags = MIGSTREAM_MIGRATION_STOP_COPY | MIGSTREAM_MIGRATION_P2P |
                  MIGSTREAM_MIGRATION_PRE_COPY;
  return options;
}

int MemoryDevice::SetState(void* context, uint32_t state, int* new_session) {
  MemoryDevice& self = *static_cast<MemoryDevice*>(context);
  if (state == MIGSTREAM_STATE_RESUMING) {
    *new_session = self.is != state ? 1 : 0;
    self.loaded.clear();
  } else if (IsSaving(state) && !IsSaving(self.is)) {
    *new_session = 1;
    self.given_ = 0;
  }
  self.is = state;
  return 0;
}

int MemoryDevice::GetState(void* context, uint32_t* state) {
  *state = static_cast<MemoryDevice*>(context)->is;
  return 0;
}

int MemoryDevice::Reset(void* context) {
  static_cast<MemoryDevice*>(context)->is = MIGSTREAM_STATE_RUNNING;
  return 0;
}

int64_t MemoryDevice::Read(void* context, void* buffer, size_t bytes) {
  MemoryDevice& self = *static_cast<MemoryDevice*>(context);
  if (self.on_read) self.on_read();
  const bool stopped = self.is == MIGSTREAM_STATE_STOP_COPY;
  // The second half comes when it stands still.
  const size_t end = stopped ? self.state.size() : self.state.size() / 2;
  const size_t count = std::min({bytes, end - self.given_, size_t{1000}});
  if (count == 0) return stopped ? 0 : -ENOMSG;
  std::memcpy(buffer, &self.state[self.given_], count);
  self.given_ += count;
  return static_cast<int64_t>(count);
}

int64_t MemoryDevice::Write(void* context, const void* data, size_t bytes) {
  MemoryDevice& self = *static_cast<MemoryDevice*>(context);
  if (self.on_write) self.on_write();
  self.loaded.append(static_cast<const char*>(data), bytes);
  return static_cast<int64_t>(bytes);
}

int MemoryDevice::GetPrecopyBytes(void* context, uint64_t* initial,
                                  uint64_t* dirty, int* reinit) {
  MemoryDevice& self = *static_cast<MemoryDevice*>(context);
  *initial = self.state.size() / 2 - self.given_;
  *dirty = 0;
  *reinit = 0;
  return 0;
}

int MemoryDevice::GetStopCopyBytes(void* context, uint64_t* bytes) {
  MemoryDevice& self = *static_cast<MemoryDevice*>(context);
  *bytes = self.state.size() - self.given_;
  return 0;
}

std::string Save(const migstream_allocator* allocator, MemoryDevice& device,
                 migstream_status* status, std::string* channel) {
  Set set(allocator, device);
  std::string stream;
  Streams streams = {&stream, channel};
  migstream_save_options options = {};
  options.struct_size = sizeof options;
  options.dialect = DialectOf(channel);
  options.channels = channel == nullptr ? 0 : 1;
  options.no_return_path = 1;
  options.context = &streams;
  options.write = AppendPieces;
  migstream_save* save = nullptr;
  const std::string pci = PciConfig();
  migstream_config config = {};
  config.struct_size = sizeof config;
  config.pci_config = reinterpret_cast<const uint8_t*>(pci.data());
  config.pci_config_bytes = pci.size();
  const migstream_config* configs[] = {&config};
  uint64_t written;
  const migstream_pending* pending;
  int32_t outcome = 0;
  *status =
      set.chain
          .Then([&] { return migstream_save_create(set.set, &options, &save); })
          .Then([&] { return migstream_set_check(set.set); })
          .Then([&] { return migstream_save_write_head(save, "pc-q35-11.1"); })
          .Then([&] { return migstream_save_start(save); })
          .Then([&] {
            migstream_status done;
            while ((done = migstream_save_iterate(save, 1, &written)) ==
                   MIGSTREAM_OK) {
            }
            return done;
          })
          .Then([&] { return migstream_save_get_pending(save, 1, &pending); })
          .Then([&] { return migstream_save_switchover(save); })
          .Then([&] { return migstream_save_complete(save, configs, 1); })
          .Then([&] { return migstream_save_write_eof(save, nullptr, 0); })
          .Then([&] { return migstream_save_finish(save, &outcome); })
          .status();
  migstream_destroy(save);
  return *status == MIGSTREAM_OK ? stream : "";
}

migstream_status Load(const migstream_allocator* allocator,
                      MemoryDevice& device, const std::string& stream,
                      size_t piece, int32_t* outcome,
                      const std::string* channel) {
  Set set(allocator, device);
  migstream_load_options options = {};
  options.struct_size = sizeof options;
  options.dialect = DialectOf(channel);
  options.channels = channel == nullptr ? 0 : 1;
  migstream_config_hints hint = {};
  hint.struct_size = sizeof hint;
  hint.pci_config_bytes = 256;
  hint.has_msix_vectors = 1;
  const migstream_config_hints* hints[] = {&hint};
  options.hints = hints;
  options.hint_count = 1;
  migstream_load* load = nullptr;
  auto feed_channel = [&]() -> migstream_status {
    if (channel == nullptr) return MIGSTREAM_OK;
    iovec input = {const_cast<char*>(channel->data()), channel->size()};
    migstream_status status = migstream_load_feed_channel(load, 0, &input);
    if (status != MIGSTREAM_OK) return status;
    // What came there can be something to do.
    iovec none = {nullptr, 0};
    const migstream_action* action;
    do {
      status = migstream_load_next(load, &none, &action);
    } while (status == MIGSTREAM_EVENT);
    return status;
  };
  auto create = [&] {
    const migstream_status status =
        migstream_load_create(set.set, &options, &load);
    device.load = load;
    return status;
  };
  auto feed = [&] {
    size_t taken = 0;
    for (size_t end = 0;;) {
      end = std::min(stream.size(), end + piece);
      iovec input = {const_cast<char*>(&stream[taken]), end - taken};
      const migstream_action* action;
      migstream_status status;
      while ((status = migstream_load_next(load, &input, &action)) ==
             MIGSTREAM_EVENT) {
        if (action->kind == MIGSTREAM_ACTION_APPLY_CONFIG &&
            action->config->pci_config_bytes != 256) {
          return migstream_status{MIGSTREAM_ERROR};
        }
      }
      taken = end - input.iov_len;
      if (status != MIGSTREAM_NEED_INPUT || end == stream.size()) return status;
    }
  };
  const migstream_reply* shut;
  const migstream_status status =
      set.chain.Then(create)
          .Then([&] { return migstream_load_start(load); })
          .Then(feed)
          .Then(feed_channel)
          .Then([&] { return migstream_load_check_complete(load); })
          .Then([&] { return migstream_load_finish(load, outcome, &shut); })
          .Then([&] { return migstream_set_run(set.set); })
          .status();
  // The set before the session that uses it.
  migstream_destroy(set.set);
  set.set = nullptr;
  migstream_destroy(load);
  return status;
}

}  // namespace migstream::c
