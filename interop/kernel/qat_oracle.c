// QAT's resume code. The destination can do all that the source can, has its
// service map and its SLAs.

#define _GNU_SOURCE
#include "kernel_stub.h"

enum { kBanks = 4, kMaxSlas = 64 };
enum adf_base_services { kNoService };
struct device {
  int unused;
};
struct adf_accel_vf_info {
  u8 init, vf_compat_ver;
  void *mig_priv;
};
struct adf_bank_state;
struct adf_accel_dev;
struct adf_hw_device_data {
  u64 accel_capabilities_mask, extended_dc_capabilities, ring_to_svc_map;
  u32 num_banks_per_vf;
  int (*bank_state_restore)(struct adf_accel_dev *device, u32 bank,
                            struct adf_bank_state *state);
};
struct adf_accel_dev {
  struct {
    struct adf_accel_vf_info *vf_info;
  } pf;
  struct adf_hw_device_data *hw_device;
  struct device device;
};
struct adf_mstate_mgr;
struct adf_gen4_vfmig {
  struct adf_mstate_mgr *mstate_mgr;
};
struct qat_mig_dev {
  struct adf_accel_dev *parent_accel_dev;
  u8 *state;
  u32 setup_size, remote_setup_size, state_size;
  int vf_id;
};
#define GET_DEV(accelerator) ((accelerator)->device)
#define RL_RP_CNT_PER_LEAF_MAX kMaxSlas
#define adf_get_pmisc_base(device) NULL
#define ADF_CSR_WR(csr, offset, value) ((void)(csr), (void)(value))
#define ADF_GEN4_VINTMSK_OFFSET(vf) (vf)
#define ADF_GEN4_VINTMSKPF2VM_OFFSET(vf) (vf)
#define ADF_GEN4_PF2VM_OFFSET(vf) (vf)
#define ADF_GEN4_VM2PF_OFFSET(vf) (vf)
enum {
  ADF_PF2VF_VF_COMPATIBLE = 1,
  ADF_PF2VF_VF_INCOMPATIBLE,
  ADF_PF2VF_VF_COMPAT_UNKNOWN,
  ADF_PFVF_COMPAT_THIS_VERSION = 5,
};
#define strscpy(to, from, ...) ((void)strncpy((char *)(to), from, sizeof(to)))
// The drivers' ids are arrays of bytes.
#define strncmp(a, b, n) strncmp((const char *)(a), (const char *)(b), n)

struct mig_user_sla;
static u32 adf_gen4_vfmig_get_slas(struct adf_accel_dev *device, u32 vf,
                                   struct mig_user_sla *slas);

#include "qat_cut.h"

// The sections of that name, wherever they stand; null without one.
static const u8 *find_section(const u8 *payload, size_t bytes, const char *name,
                              u32 *size) {
  char id[8] = {0};
  memcpy(id, name, strlen(name));
  for (size_t at = 0; at + 16 <= bytes; ++at) {
    if (memcmp(payload + at, id, sizeof id) != 0) continue;
    memcpy(size, payload + at + 8, sizeof *size);
    return *size <= bytes - at - 16 ? payload + at + 16 : NULL;
  }
  return NULL;
}

static const u8 *sent_slas;
static u32 sent_slas_bytes;

static u32 adf_gen4_vfmig_get_slas(struct adf_accel_dev *device, u32 vf,
                                   struct mig_user_sla *slas) {
  (void)device, (void)vf;
  u32 count = sent_slas_bytes / sizeof *slas;
  if (!sent_slas) return 0;
  if (count > 4) count = 4;  // No VF has more.
  memcpy(slas, sent_slas, count * sizeof *slas);
  return count;
}

static int restore_bank(struct adf_accel_dev *device, u32 bank,
                        struct adf_bank_state *state) {
  (void)device, (void)bank, (void)state;
  return 0;
}

enum { kStateBytes = 4096, kRoom = 1 << 20 };
static u8 state_here[kStateBytes + kRoom];
static struct adf_hw_device_data hardware;
static struct adf_accel_vf_info function;
static struct adf_accel_dev device_here;
static struct adf_mstate_mgr manager;
static struct adf_gen4_vfmig private_here;
static struct qat_mig_dev migration;
static size_t filled;

void oracle_open(const u8 *payload, size_t bytes, u32 device) {
  (void)device;
  u32 size = 0;
  memset(state_here, 0, sizeof state_here);
  memset(&manager, 0, sizeof manager);
  memset(&hardware, 0, sizeof hardware);
  hardware.accel_capabilities_mask = ~(u64)0;
  hardware.extended_dc_capabilities = ~(u64)0;
  hardware.num_banks_per_vf = kBanks;
  hardware.bank_state_restore = restore_bank;
  const u8 *map = find_section(payload, bytes, "svcmap", &size);
  if (map && size <= 8) memcpy(&hardware.ring_to_svc_map, map, size);
  sent_slas = find_section(payload, bytes, "sla", &sent_slas_bytes);
  private_here.mstate_mgr = &manager;
  function.mig_priv = &private_here;
  device_here.pf.vf_info = &function;
  device_here.hw_device = &hardware;
  memset(&migration, 0, sizeof migration);
  migration.parent_accel_dev = &device_here;
  migration.state = state_here;
  migration.state_size = kStateBytes;
  filled = 0;
}

// As the VFIO driver does it, in own words: bytes go to their place, and the
// setup block is looked at as soon as it is there.
ssize_t oracle_write(const u8 *bytes, size_t count) {
  if (count > kStateBytes - filled) return -ENOMEM;
  memcpy(state_here + filled, bytes, count);
  filled += count;
  int error = adf_gen4_vfmig_load_setup(&migration, (int)filled);
  return error && error != -EAGAIN ? error : (ssize_t)count;
}

int oracle_stop(void) { return adf_gen4_vfmig_load_state(&migration); }

void oracle_close(void) {}
