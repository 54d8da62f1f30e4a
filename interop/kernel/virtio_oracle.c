// virtio's resume code. Its device takes any parts.

#define _GNU_SOURCE
#include "kernel_stub.h"

// What its structs mention, and this does not use.
struct list_head {
  int unused;
};
struct ratelimit_state {
  int unused;
};
struct scatterlist {
  unsigned int length;
};
struct sg_append_table {
  struct {
    struct scatterlist *sgl;
  } sgt;
};
struct vfio_pci_core_device {
  void *pdev;
};
struct virtiovf_pci_core_device {
  struct vfio_pci_core_device core_device;
  struct mutex state_mutex;
};
// Before each snapshot, when the device gets it.
struct virtio_admin_cmd_resource_obj_cmd_hdr {
  u8 bytes[16];
};
struct virtiovf_data_buffer;
struct virtiovf_migration_file;

static struct page *virtiovf_get_migration_page(
    struct virtiovf_data_buffer *buf, unsigned long offset);
static int virtiovf_add_migration_pages(struct virtiovf_data_buffer *buf,
                                        unsigned int npages);
static struct virtiovf_data_buffer *virtiovf_alloc_data_buffer(
    struct virtiovf_migration_file *migf, size_t length);
static void virtiovf_free_data_buffer(struct virtiovf_data_buffer *buf);
static int virtio_pci_admin_dev_parts_set(void *pdev, struct scatterlist *sg) {
  (void)pdev, (void)sg;
  return 0;
}
// The width of the device's field.
#define BITS_PER_TYPE(field) 32
#define sg_mark_end(sg) ((void)(sg))
#define sg_unmark_end(sg) ((void)(sg))
#define virtiovf_state_mutex_unlock(device) ((void)(device))

#include "virtio_cut.h"

// Pages in one piece: `sgl` points to them.
static struct scatterlist entry;

static struct page *virtiovf_get_migration_page(
    struct virtiovf_data_buffer *buf, unsigned long offset) {
  buf->last_offset_sg = &entry;
  if (offset >= buf->allocated_length) return NULL;
  return (struct page *)buf->table.sgt.sgl + offset / PAGE_SIZE;
}

static int virtiovf_add_migration_pages(struct virtiovf_data_buffer *buf,
                                        unsigned int npages) {
  size_t had = buf->allocated_length;
  size_t bytes = had + (size_t)npages * PAGE_SIZE;
  u8 *pages = stub_alloc(bytes);
  if (!pages) return -ENOMEM;
  if (had) memcpy(pages, buf->table.sgt.sgl, had);
  free(buf->table.sgt.sgl);
  buf->table.sgt.sgl = (struct scatterlist *)pages;
  buf->allocated_length = bytes;
  return 0;
}

static struct virtiovf_data_buffer *virtiovf_alloc_data_buffer(
    struct virtiovf_migration_file *migf, size_t length) {
  struct virtiovf_data_buffer *buf = stub_alloc(sizeof *buf);
  buf->migf = migf;
  if (virtiovf_add_migration_pages(
          buf, (unsigned int)DIV_ROUND_UP(length, PAGE_SIZE)) == 0) {
    return buf;
  }
  free(buf);
  return ERR_PTR(-ENOMEM);
}

static void virtiovf_free_data_buffer(struct virtiovf_data_buffer *buf) {
  if (buf) free(buf->table.sgt.sgl);
  free(buf);
}

static struct virtiovf_pci_core_device device_here;
static struct virtiovf_migration_file migration;
static struct file file_here;

void oracle_open(const u8 *payload, size_t bytes, u32 device) {
  (void)payload, (void)bytes, (void)device;
  memset(&migration, 0, sizeof migration);
  memset(&file_here, 0, sizeof file_here);
  file_here.private_data = &migration;
  migration.virtvdev = &device_here;
  migration.buf = virtiovf_alloc_data_buffer(&migration, 4096);
  migration.buf->include_header_object = 1;
  migration.buf_header = virtiovf_alloc_data_buffer(&migration, 16);
  migration.load_state = VIRTIOVF_LOAD_STATE_READ_HEADER;
}

ssize_t oracle_write(const u8 *bytes, size_t count) {
  return virtiovf_resume_write(&file_here, (const char *)bytes, count, NULL);
}

int oracle_stop(void) { return 0; }

void oracle_close(void) {
  virtiovf_free_data_buffer(migration.buf);
  virtiovf_free_data_buffer(migration.buf_header);
}
