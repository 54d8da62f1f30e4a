/* Compiled as C11 and as C++17: saves a device of its own, loads it again from
 * the stream, and exits with 0 if it has the same state then. */

#include <errno.h>
#include <migstream.h>
#include <stdio.h>
#include <string.h>

#define REQUIRE(call)                                                \
  do {                                                               \
    const migstream_status is = (call);                              \
    if (is < MIGSTREAM_OK) {                                         \
      fprintf(stderr, "%s: %s\n", #call, migstream_status_name(is)); \
      return 1;                                                      \
    }                                                                \
  } while (0)

struct device {
  uint32_t state;
  char bytes[64];
  size_t size;
  size_t given;
};

static struct {
  unsigned char bytes[4096];
  size_t size;
} stream;

static int SetState(void* context, uint32_t state, int* new_session) {
  struct device* self = (struct device*)context;
  *new_session =
      state == MIGSTREAM_STATE_STOP_COPY || state == MIGSTREAM_STATE_RESUMING;
  if (state == MIGSTREAM_STATE_RESUMING) self->size = 0;
  self->state = state;
  return 0;
}

static int GetState(void* context, uint32_t* state) {
  *state = ((struct device*)context)->state;
  return 0;
}

static int Reset(void* context) {
  ((struct device*)context)->state = MIGSTREAM_STATE_RUNNING;
  return 0;
}

static int64_t Read(void* context, void* buffer, size_t bytes) {
  struct device* self = (struct device*)context;
  const size_t left = self->size - self->given;
  const size_t count = left < bytes ? left : bytes;
  memcpy(buffer, self->bytes + self->given, count);
  self->given += count;
  return (int64_t)count;
}

static int64_t Write(void* context, const void* data, size_t bytes) {
  struct device* self = (struct device*)context;
  if (bytes > sizeof self->bytes - self->size) return -ENOSPC;
  memcpy(self->bytes + self->size, data, bytes);
  self->size += bytes;
  return (int64_t)bytes;
}

static int GetStopCopyBytes(void* context, uint64_t* bytes) {
  struct device* self = (struct device*)context;
  *bytes = self->size - self->given;
  return 0;
}

static int WriteStream(void* context, uint32_t channel,
                       const struct iovec* pieces, int count) {
  int i;
  (void)context;
  (void)channel;
  for (i = 0; i < count; ++i) {
    if (pieces[i].iov_len > sizeof stream.bytes - stream.size) return -ENOSPC;
    memcpy(stream.bytes + stream.size, pieces[i].iov_base, pieces[i].iov_len);
    stream.size += pieces[i].iov_len;
  }
  return 0;
}

static migstream_status AddDevice(migstream_set* set, struct device* device,
                                  migstream_device** handle) {
  struct migstream_device_functions functions;
  struct migstream_device_options options;
  migstream_status status;
  memset(&functions, 0, sizeof functions);
  functions.struct_size = sizeof functions;
  functions.set_state = SetState;
  functions.get_state = GetState;
  functions.reset = Reset;
  functions.read = Read;
  functions.write = Write;
  functions.get_stop_copy_bytes = GetStopCopyBytes;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.functions = &functions;
  options.context = device;
  status = migstream_device_create(&options, handle);
  if (status != MIGSTREAM_OK) return status;
  return migstream_set_add(set, *handle, "0000:00:05.0/vfio", 0);
}

static int Save(struct device* device) {
  static const unsigned char pci_config[256] = {0};
  struct migstream_config config;
  const struct migstream_config* configs[1];
  struct migstream_save_options options;
  migstream_device* handle;
  migstream_set* set;
  migstream_save* save;
  uint64_t written;
  int32_t outcome;
  migstream_status status;
  REQUIRE(migstream_set_create(NULL, &set));
  REQUIRE(AddDevice(set, device, &handle));
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.no_return_path = 1;
  options.write = WriteStream;
  REQUIRE(migstream_save_create(set, &options, &save));
  REQUIRE(migstream_save_write_head(save, "pc-q35-11.1"));
  REQUIRE(migstream_save_start(save));
  do {
    REQUIRE(status = migstream_save_iterate(save, 0, &written));
  } while (status == MIGSTREAM_OK);
  REQUIRE(migstream_save_switchover(save));
  memset(&config, 0, sizeof config);
  config.struct_size = sizeof config;
  config.pci_config = pci_config;
  config.pci_config_bytes = sizeof pci_config;
  configs[0] = &config;
  REQUIRE(migstream_save_complete(save, configs, 1));
  REQUIRE(migstream_save_write_eof(save, NULL, 0));
  REQUIRE(migstream_save_finish(save, &outcome));
  migstream_destroy(save);
  migstream_destroy(set);
  migstream_destroy(handle);
  return 0;
}

static int Load(struct device* device) {
  struct migstream_config_hints hint;
  const struct migstream_config_hints* hints[1];
  struct migstream_load_options options;
  struct iovec input;
  const struct migstream_action* action;
  const struct migstream_reply* shut;
  migstream_device* handle;
  migstream_set* set;
  migstream_load* load;
  int32_t outcome;
  migstream_status status;
  REQUIRE(migstream_set_create(NULL, &set));
  REQUIRE(AddDevice(set, device, &handle));
  memset(&hint, 0, sizeof hint);
  hint.struct_size = sizeof hint;
  hint.pci_config_bytes = 256;
  hint.has_msix_vectors = 1;
  hints[0] = &hint;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.hints = hints;
  options.hint_count = 1;
  REQUIRE(migstream_load_create(set, &options, &load));
  REQUIRE(migstream_load_start(load));
  input.iov_base = stream.bytes;
  input.iov_len = stream.size;
  do {
    REQUIRE(status = migstream_load_next(load, &input, &action));
  } while (status == MIGSTREAM_EVENT);
  REQUIRE(migstream_load_check_complete(load));
  REQUIRE(migstream_load_finish(load, &outcome, &shut));
  if (outcome != MIGSTREAM_OUTCOME_COMPLETED) return 1;
  REQUIRE(migstream_set_run(set));
  migstream_destroy(load);
  migstream_destroy(set);
  migstream_destroy(handle);
  return 0;
}

int main(void) {
  struct device source = {MIGSTREAM_STATE_RUNNING, "the device's state", 18, 0};
  struct device destination = {MIGSTREAM_STATE_RUNNING, "", 0, 0};
  if (Save(&source) != 0 || Load(&destination) != 0) return 1;
  return destination.state == MIGSTREAM_STATE_RUNNING &&
                 destination.size == source.size &&
                 memcmp(destination.bytes, source.bytes, source.size) == 0
             ? 0
             : 1;
}
