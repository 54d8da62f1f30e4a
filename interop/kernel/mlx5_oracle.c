// mlx5's resume code. Its firmware takes any image.

#define _GNU_SOURCE
#include "kernel_stub.h"

// What its structs mention, and this does not use.
typedef int spinlock_t, wait_queue_head_t;
struct dma_iova_state {
  int unused;
};
struct list_head {
  int unused;
};
struct completion {
  int unused;
};
struct work_struct {
  int unused;
};
struct mlx5_async_work {
  int unused;
};
struct mlx5_async_ctx {
  int unused;
};
enum dma_data_direction { DMA_NONE, DMA_TO_DEVICE };
struct mlx5vf_pci_core_device {
  struct mutex state_mutex;
};
struct mlx5_vf_migration_file;
struct mlx5_vhca_data_buffer;

static struct page *mlx5vf_get_migration_page(struct mlx5_vhca_data_buffer *buf,
                                              unsigned long offset);
static struct mlx5_vhca_data_buffer *mlx5vf_alloc_data_buffer(
    struct mlx5_vf_migration_file *migf, u32 npages,
    enum dma_data_direction direction);
static void mlx5vf_free_data_buffer(struct mlx5_vhca_data_buffer *buf);
static int mlx5vf_cmd_load_vhca_state(struct mlx5vf_pci_core_device *mvdev,
                                      struct mlx5_vf_migration_file *migf,
                                      struct mlx5_vhca_data_buffer *buf) {
  (void)mvdev, (void)migf, (void)buf;
  return 0;
}
// The width of the firmware's field.
#define __mlx5_bit_sz(type, field) 32
#define mlx5vf_state_mutex_unlock(mvdev) ((void)(mvdev))

#include "mlx5_cut.h"

static struct page *mlx5vf_get_migration_page(struct mlx5_vhca_data_buffer *buf,
                                              unsigned long offset) {
  unsigned long page = offset / PAGE_SIZE;
  return page < buf->npages ? (struct page *)buf->page_list + page : NULL;
}

static struct mlx5_vhca_data_buffer *mlx5vf_alloc_data_buffer(
    struct mlx5_vf_migration_file *migf, u32 npages,
    enum dma_data_direction direction) {
  (void)migf, (void)direction;
  struct mlx5_vhca_data_buffer *buf = stub_alloc(sizeof *buf);
  buf->page_list = stub_alloc((size_t)npages * PAGE_SIZE);
  if (!buf->page_list) {
    free(buf);
    return ERR_PTR(-ENOMEM);
  }
  buf->npages = npages;
  return buf;
}

static void mlx5vf_free_data_buffer(struct mlx5_vhca_data_buffer *buf) {
  if (buf) free(buf->page_list);
  free(buf);
}

static struct mlx5vf_pci_core_device device_here;
static struct mlx5_vf_migration_file migration;
static struct file file_here;

void oracle_open(const u8 *payload, size_t bytes, u32 device) {
  (void)payload, (void)bytes, (void)device;
  memset(&migration, 0, sizeof migration);
  memset(&file_here, 0, sizeof file_here);
  file_here.private_data = &migration;
  migration.mvdev = &device_here;
  migration.buf[0] = mlx5vf_alloc_data_buffer(&migration, 1, DMA_TO_DEVICE);
  migration.buf_header[0] = mlx5vf_alloc_data_buffer(&migration, 1, DMA_NONE);
}

ssize_t oracle_write(const u8 *bytes, size_t count) {
  return mlx5vf_resume_write(&file_here, (const char *)bytes, count, NULL);
}

int oracle_stop(void) { return 0; }

void oracle_close(void) {
  mlx5vf_free_data_buffer(migration.buf[0]);
  mlx5vf_free_data_buffer(migration.buf_header[0]);
}
