// xe's resume code. The device is the payload's, has its revision and two GTs
// on one tile; its firmware takes what it is given, at once.

#define _GNU_SOURCE
#include "kernel_stub.h"

enum { kGts = 2 };
struct xe_tile {
  u8 id;
};
struct xe_gt {
  struct xe_tile *tile;
  int mmio;
};
struct xe_bo {
  struct {
    void *vaddr;
  } vmap;
};
struct xe_device {
  struct {
    u32 devid, revid;
  } info;
  struct xe_gt gts[kGts];
};
struct xe_mmio {
  int unused;
};

static struct xe_gt *xe_device_get_gt(struct xe_device *xe, u8 id) {
  return id < kGts ? &xe->gts[id] : NULL;
}
#define for_each_gt(gt, xe, id) \
  for ((id) = 0; (id) < kGts && ((gt) = &(xe)->gts[id]); ++(id))
#define IS_SRIOV_PF(xe) ((xe) != NULL)
#define xe_assert(xe, condition) ((void)(xe))
#define xe_sriov_warn(xe, ...) ((void)(xe))
#define xe_sriov_err_ratelimited(xe, ...) ((void)(xe))
#define xe_sriov_dbg_verbose(xe, ...) ((void)(xe))

// VRAM's backing is memory like any other here.
enum { ttm_bo_type_kernel, XE_BO_FLAG_SYSTEM = 1, XE_BO_FLAG_PINNED = 2 };
static struct xe_bo *xe_bo_create_pin_map_novm(struct xe_device *xe,
                                               struct xe_tile *tile,
                                               size_t bytes, int type,
                                               int flags, bool intr) {
  (void)xe, (void)tile, (void)type, (void)flags, (void)intr;
  struct xe_bo *bo = stub_alloc(sizeof *bo);
  bo->vmap.vaddr = stub_alloc(bytes);
  if (bo->vmap.vaddr) return bo;
  free(bo);
  return ERR_PTR(-ENOMEM);
}
static void xe_bo_unpin_map_no_vm(struct xe_bo *bo) {
  if (bo) free(bo->vmap.vaddr);
  free(bo);
}

struct xe_sriov_packet;
static struct xe_sriov_packet *pending;
#define pf_pick_pending(xe, vf) (&pending)
static int xe_gt_sriov_pf_migration_restore_produce(
    struct xe_gt *gt, unsigned int vf, struct xe_sriov_packet *data);
static bool trailer_came;
#define xe_gt_sriov_pf_control_restore_data_done(gt, vf) (trailer_came = true)

// Registers that keep the VF's software flags, as many in each kind of GT.
enum { VF_SW_FLAG_COUNT = 4, MED_VF_SW_FLAG_COUNT = 4 };
#define VF_SW_FLAG(n) (n)
#define MED_VF_SW_FLAG(n) (n)
#define xe_gt_is_media_type(gt) ((gt)->mmio != 0)
#define xe_mmio_init_vf_view(mmio, gt_mmio, vf) ((void)(mmio))
#define xe_mmio_write32(mmio, reg, value) ((void)(value))
#define pf_migration_mmio_size(gt, vf) (VF_SW_FLAG_COUNT * sizeof(u32))
#define xe_guc_klv_key_to_string(key) ""
struct drm_printer {
  int unused;
};
#define xe_dbg_printer(xe) ((struct drm_printer){0})
#define xe_sriov_dbg(xe, ...) ((void)(xe))
#define xe_guc_klv_print_one(key, len, value, p) ((void)(p))

int xe_guc_klv_count(const u32 *klvs, u32 num_dwords);
int xe_guc_klv_parser(const u32 *klvs, u32 num_dwords, void *obj,
                      int (*decoder)(void *obj, u16 key, u16 len,
                                     const u32 *value));
int xe_sriov_pf_migration_restore_produce(struct xe_device *xe,
                                          unsigned int vfid,
                                          struct xe_sriov_packet *data);

#include "xe_cut.h"

static struct xe_tile tile;
static struct xe_device device_here;
static int worker_failed;

// What the driver's worker does with what is not for the driver itself.
static int xe_gt_sriov_pf_migration_restore_produce(
    struct xe_gt *gt, unsigned int vf, struct xe_sriov_packet *data) {
  (void)vf;
  if (worker_failed) return -EIO;
  if (data->hdr.type == XE_SRIOV_PACKET_TYPE_MMIO &&
      pf_migration_mmio_restore(gt, vf, data->vaddr, data->hdr.size) != 0) {
    worker_failed = true;
  }
  xe_sriov_packet_free(data);
  return 0;
}

void oracle_open(const u8 *payload, size_t bytes, u32 device) {
  static const u8 kRevision[4] = {1, 0, 2, 0xf0};
  memset(&device_here, 0, sizeof device_here);
  device_here.info.devid = device;
  for (size_t at = 24; at + 8 <= bytes && at < 64; at += 4) {
    if (memcmp(payload + at, kRevision, sizeof kRevision) != 0) continue;
    memcpy(&device_here.info.revid, payload + at + 4, 4);
    break;
  }
  for (int i = 0; i < kGts; ++i) device_here.gts[i].tile = &tile;
  pending = NULL;
  worker_failed = 0;
  trailer_came = false;
}

ssize_t oracle_write(const u8 *bytes, size_t count) {
  size_t taken = 0;
  while (taken < count) {
    ssize_t now = xe_sriov_packet_write_single(
        &device_here, 1, (const char *)bytes + taken, count - taken);
    if (now < 0) return now;
    taken += (size_t)now;
  }
  return (ssize_t)taken;
}

int oracle_stop(void) {
  if (worker_failed) return -EIO;
  return trailer_came ? 0 : -ETIMEDOUT;
}

void oracle_close(void) { xe_sriov_packet_free(pending); }
