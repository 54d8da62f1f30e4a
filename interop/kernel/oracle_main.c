// Gives payloads to a driver's resume code, cut anyhow, and says what came of
// each, a line: "accept", "write EINVAL", "stop EINVAL", or "memory", where it
// asked for more than there is here, or "oops", where it follows a null
// pointer.
//
// Standard input is records: bytes of payload, a seed for the cuts, the
// device's PCI device id, all le32; then the payload.

#include <setjmp.h>
#include <signal.h>

#include "kernel_stub.h"

bool stub_memory_failed;
static sigjmp_buf before;

static void on_fault(int signal) {
  (void)signal;
  siglongjmp(before, 1);
}

static u32 next_random(u32 *state) {
  *state = *state * 1664525u + 1013904223u;
  return *state >> 8;
}

static int give(const u8 *payload, size_t bytes, u32 seed, bool *at_stop) {
  *at_stop = false;
  for (size_t at = 0; at < bytes;) {
    size_t count = 1 + next_random(&seed) % (seed & 1 ? 64 : 1 << 20);
    if (count > bytes - at) count = bytes - at;
    ssize_t taken = oracle_write(payload + at, count);
    if (taken < 0) return (int)taken;
    if (taken == 0) return -EIO;
    at += (size_t)taken;
  }
  *at_stop = true;
  return oracle_stop();
}

int main(void) {
  signal(SIGSEGV, on_fault);
  u32 head[3];
  while (fread(head, sizeof head, 1, stdin) == 1) {
    u8 *payload = malloc(head[0] + 1);
    if (fread(payload, 1, head[0], stdin) != head[0]) return 1;
    stub_memory_failed = false;
    oracle_open(payload, head[0], head[2]);
    bool at_stop = false;
    if (sigsetjmp(before, 1)) {
      // What it held is lost; nobody counts it.
      puts("oops");
      continue;
    }
    int error = give(payload, head[0], head[1], &at_stop);
    oracle_close();
    free(payload);
    if (stub_memory_failed) {
      puts("memory");
    } else if (error == 0) {
      puts("accept");
    } else {
      printf("%s %s\n", at_stop ? "stop" : "write", strerrorname_np(-error));
    }
  }
  return 0;
}
