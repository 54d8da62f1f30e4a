// What the drivers' resume code wants of a kernel, in user space: types, and
// services that do the least. Memory is bounded, and counted as such.

#ifndef MIGSTREAM_INTEROP_KERNEL_KERNEL_STUB_H_
#define MIGSTREAM_INTEROP_KERNEL_KERNEL_STUB_H_

#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

typedef uint8_t u8, __u8;
typedef uint16_t u16, __le16;
typedef uint32_t u32, __le32;
typedef uint64_t u64, __le64;
typedef unsigned long ulong;

#define __user
#define __iomem
#define __packed __attribute__((packed))

// ---- Arithmetic ----

#define PAGE_SIZE 4096ul
#define PAGE_ALIGN(n) (((n) + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1))
#define BIT_ULL(n) (1ull << (n))
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define DIV_ROUND_UP(n, by) (((n) + (by)-1) / (by))
#define DIV_ROUND_UP_ULL DIV_ROUND_UP
#define min_t(type, a, b) ((type)(a) < (type)(b) ? (type)(a) : (type)(b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#define offsetofend(type, member) \
  (offsetof(type, member) + sizeof(((type *)0)->member))
#define FIELD_GET(mask, value) (((value) & (mask)) >> __builtin_ctz(mask))
#define check_add_overflow(a, b, sum) __builtin_add_overflow(a, b, sum)
#define le64_to_cpup(p) le64toh(*(p))
#define le32_to_cpup(p) le32toh(*(p))

// ---- Errors as pointers ----

#define ERR_PTR(error) ((void *)(long)(error))
#define PTR_ERR(p) ((long)(p))
#define IS_ERR(p) ((unsigned long)(p) >= (unsigned long)-4095)
#define IS_ERR_OR_NULL(p) (!(p) || IS_ERR(p))

// ---- Nobody else is here, and nobody listens ----

struct mutex {
  int unused;
};
#define mutex_lock(m) ((void)(m))
#define mutex_unlock(m) ((void)(m))

#define pr_debug(...) ((void)0)
#define pr_err(...) ((void)0)
#define pr_warn(...) ((void)0)
#define dev_err(dev, ...) ((void)(dev))
#define dev_info(dev, ...) ((void)(dev))
#define print_hex_dump_debug(...) ((void)0)
#define IS_ENABLED(option) 0
#define IS_BUILTIN(option) 0

// ---- Memory ----

#define GFP_KERNEL 0
enum { kMaxAllocation = 64 << 20 };
extern bool stub_memory_failed;

static inline void *stub_alloc(size_t bytes) {
  if (bytes > kMaxAllocation) {
    stub_memory_failed = true;
    return NULL;
  }
  return calloc(1, bytes ? bytes : 1);
}
#define kzalloc_obj(object, ...) stub_alloc(sizeof(object))
// That much the kernel itself refuses.
#define kzalloc(bytes, flags) stub_alloc(bytes)
#define kvzalloc(bytes, flags) ((bytes) > INT_MAX ? NULL : stub_alloc(bytes))
#define kfree free
#define kvfree free

static inline unsigned long copy_from_user(void *to, const void *from,
                                           size_t bytes) {
  memcpy(to, from, bytes);
  return 0;
}
static inline unsigned long copy_to_user(void *to, const void *from,
                                         size_t bytes) {
  memcpy(to, from, bytes);
  return 0;
}

struct page {
  u8 bytes[PAGE_SIZE];
};
#define kmap_local_page(page) ((page)->bytes)
#define kunmap_local(address) ((void)(address))

struct file {
  void *private_data;
  loff_t f_pos;
};

// ---- What each driver's oracle has ----

// A payload arrives at `device`, in writes; then the guest is to run. Bytes
// that are taken, or an error below 0.
void oracle_open(const u8 *payload, size_t bytes, u32 device);
ssize_t oracle_write(const u8 *bytes, size_t count);
int oracle_stop(void);
void oracle_close(void);

#endif  // MIGSTREAM_INTEROP_KERNEL_KERNEL_STUB_H_
