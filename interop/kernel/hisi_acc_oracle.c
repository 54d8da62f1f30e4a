// hisi_acc's resume code. The destination's VF has as many queues, and the
// isolation, that the payload says, if any VF has.

#define _GNU_SOURCE
#include "kernel_stub.h"

struct device {
  int unused;
};
struct pci_dev {
  struct device dev;
  u32 device;
};
struct hisi_qm {
  struct pci_dev *pdev;
  u32 qp_base, qp_num;
  u64 eqe_dma, aeqe_dma, sqc_dma, cqc_dma;
};
struct acc_vf_data;

#include "hisi_acc_cut_data.h"

struct hisi_acc_vf_migration_file;
struct hisi_acc_vf_core_device {
  u8 match_done;
  struct hisi_qm *pf_qm;
  struct hisi_qm vf_qm;
  struct pci_dev *vf_dev;
  u32 vf_qm_state;
  struct hisi_acc_vf_migration_file *resuming_migf;
};

static const struct acc_vf_data *sent;

enum { kMaxQueues = 1024, kUsualQueues = 16 };
enum { QM_VF_STATE, QM_QUE_ISO_CFG_V, QM_NOT_READY = 1 };
enum { QM_MB_CMD_SQC_BT, QM_MB_CMD_CQC_BT };

static int qm_get_vft(struct hisi_qm *qm, u32 *base) {
  (void)qm;
  *base = sent->qp_base;
  bool fits = sent->qp_num >= 1 && sent->qp_num <= kMaxQueues;
  return fits ? (int)sent->qp_num : kUsualQueues;
}
static int qm_read_regs(struct hisi_qm *qm, u32 address, u32 *data, u8 count) {
  (void)qm, (void)address, (void)count;
  *data = sent->que_iso_cfg;
  return 0;
}
static int qm_write_regs(struct hisi_qm *qm, u32 reg, u32 *data, u8 count) {
  (void)qm, (void)reg, (void)data, (void)count;
  return 0;
}
static int qm_set_regs(struct hisi_qm *qm, struct acc_vf_data *data) {
  (void)qm, (void)data;
  return 0;
}
static int hisi_qm_mb(struct hisi_qm *qm, int command, u64 dma, int queue,
                      int op) {
  (void)qm, (void)command, (void)dma, (void)queue, (void)op;
  return 0;
}
static void qm_dev_cmd_init(struct hisi_qm *qm) { (void)qm; }

#include "hisi_acc_cut.h"

static struct acc_vf_data whole;
static struct hisi_qm physical;
static struct pci_dev function;
static struct hisi_acc_vf_core_device device_here;
static struct hisi_acc_vf_migration_file migration;
static struct file file_here;

void oracle_open(const u8 *payload, size_t bytes, u32 device) {
  memset(&whole, 0, sizeof whole);
  memcpy(&whole, payload, bytes < sizeof whole ? bytes : sizeof whole);
  sent = &whole;
  function.device = device;
  physical.pdev = &function;
  memset(&device_here, 0, sizeof device_here);
  device_here.pf_qm = &physical;
  device_here.vf_qm.pdev = &function;
  device_here.vf_dev = &function;
  device_here.resuming_migf = &migration;
  memset(&migration, 0, sizeof migration);
  migration.hisi_acc_vdev = &device_here;
  memset(&file_here, 0, sizeof file_here);
  file_here.private_data = &migration;
}

ssize_t oracle_write(const u8 *bytes, size_t count) {
  return hisi_acc_vf_resume_write(&file_here, (const char *)bytes, count, NULL);
}

int oracle_stop(void) { return hisi_acc_vf_load_state(&device_here); }

void oracle_close(void) {}
