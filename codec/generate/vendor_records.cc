#include <algorithm>

#include "absl/status/status.h"
#include "codec/generate/vendor_payload.h"
#include "codec/payload/mlx5.h"
#include "codec/payload/virtio.h"
#include "codec/payload/xe.h"

namespace migstream {
namespace {

constexpr uint64_t kPage = 4096;
constexpr uint64_t kChunk = 8 << 20;

}  // namespace

absl::Status VendorMaker::Make(const recipe::Mlx5& recipe) const {
  const uint64_t image = Or(recipe.image_bytes(), 4096);
  const uint64_t increment = Or(recipe.increment_bytes(), 256);
  const uint64_t final_image = Or(recipe.final_bytes(), 512);
  const uint64_t finals = Or(recipe.final_images(), 1);
  absl::Status status = Claim(1, image);
  status.Update(Claim(recipe.increments(), increment));
  status.Update(Claim(finals, final_image));
  if (!status.ok()) return status;
  out.id = {0x15b3, 0x101e};
  if (recipe.generation() == recipe::Mlx5::RAW) {
    // What no header can hold.
    out.bytes = random.Bytes(std::max<uint64_t>(final_image, 16));
    out.bytes[7] = '\xff';
    return absl::OkStatus();
  }
  PayloadEncoder encoder(*kMlx5Format.root);
  if (recipe.generation() == recipe::Mlx5::TAGS) {
    // With a tenth to spare, in pages; in chunk mode, one chunk.
    uint64_t pages = (final_image + final_image / 10 + kPage - 1) / kPage;
    uint64_t size =
        finals > 1 ? std::max(kChunk, pages * kPage) : pages * kPage;
    encoder.Fields("STOP_COPY_SIZE",
                   {{"stop_copy_size", Or(recipe.stop_copy_size(), size)}},
                   {{"flags", 1}});
  }
  if (pre_copy) {
    encoder.Opaque("FW_DATA", random.Bytes(image));
    for (uint32_t i = 0; i < recipe.increments(); ++i) {
      encoder.Opaque("FW_DATA", random.Bytes(increment));
    }
  }
  PreCopyTo(encoder);
  for (uint64_t i = 0; i < finals; ++i) {
    encoder.Opaque("FW_DATA", random.Bytes(final_image));
  }
  out.bytes = encoder.Take();
  return absl::OkStatus();
}

absl::Status VendorMaker::Make(const recipe::Virtio& recipe) const {
  const uint64_t snapshots = pre_copy ? Or(recipe.snapshots(), 2) : 1;
  const uint64_t queues = Or(recipe.queues(), 3);
  if (queues > 0xffff) {
    return absl::InvalidArgumentError(
        "a virtio device has 65535 queues at most");
  }
  if (absl::Status status = Claim(snapshots, 256 + queues * 96); !status.ok()) {
    return status;
  }
  out.id = {0x1af4, static_cast<uint16_t>(recipe.block() ? 0x1042 : 0x1041)};
  constexpr uint64_t kOffered = 0x970078020, kDriven = 0x930010020;
  constexpr uint64_t kAcknowledged = 3, kDriving = 15;
  constexpr uint64_t kMsixVector = 16, kNumQueues = 18;
  const uint64_t rings = (1 + random.Below(1 << 20)) << 16;
  PayloadEncoder encoder(*kVirtioFormat.root);
  for (uint64_t i = 1; i <= snapshots; ++i) {
    if (i == snapshots) PreCopyTo(encoder);
    // The guest's driver comes up in the first one's time.
    bool driving = i > 1 || i == snapshots;
    encoder.Begin("DEVICE_DATA");
    encoder.Fields("DEV_FEATURES", {{"feature_bits", kOffered | kDriven}},
                   {{"flags", 1}}, 8);
    encoder.Fields("DRV_FEATURES", {{"feature_bits", kDriven}}, {}, 8);
    encoder.Fields("PCI_COMMON_CFG", {{"value", 0}},
                   {{"selector", kMsixVector}}, 2);
    encoder.Fields("PCI_COMMON_CFG", {{"value", queues}},
                   {{"selector", kNumQueues}}, 2);
    encoder.Fields("DEVICE_STATUS",
                   {{"device_status", driving ? kDriving : kAcknowledged}});
    for (uint64_t queue = 0; queue < queues; ++queue) {
      uint64_t ring = rings + queue * 0x4000;
      encoder.Fields("VQ_CFG",
                     {{"queue_size", 256},
                      {"vector", queue + 1},
                      {"enabled", driving},
                      {"desc", driving ? ring : 0},
                      {"driver", driving ? ring + 0x1000 : 0},
                      {"device", driving ? ring + 0x2000 : 0}},
                     {{"selector", queue}});
    }
    for (uint64_t queue = 0; queue < queues; ++queue) {
      encoder.Fields("VQ_NOTIFY_CFG", {{"notify_off", queue}},
                     {{"selector", queue}});
    }
    constexpr uint64_t kOfDevice = 0x200;
    if (recipe.device_parts()) encoder.Unknown(kOfDevice, random.Bytes(4));
    encoder.End();
  }
  out.bytes = encoder.Take();
  return absl::OkStatus();
}

absl::Status VendorMaker::Make(const recipe::Xe& recipe) const {
  const uint64_t gts = Or(recipe.gts(), 1);
  const uint64_t guc = Or(recipe.guc_bytes(), 256);
  const uint64_t ptes = Or(recipe.ggtt_ptes(), 8);
  const uint64_t packets = Or(recipe.vram_packets(), 1);
  if (gts > XeRules::kGts || guc % 4 != 0 || recipe.vram_bytes() % packets) {
    return absl::InvalidArgumentError(
        "xe has two GTs at most, whole words of GUC state, and VRAM in packets "
        "of one size");
  }
  absl::Status status = Claim(gts, guc);
  status.Update(Claim(1, ptes * 8));
  status.Update(Claim(packets, recipe.vram_bytes() / packets));
  if (!status.ok()) return status;
  out.id = {0x8086, 0xe20b};
  const PayloadFieldValue version = {"version", 1};
  PayloadEncoder encoder(*kXeFormat.root);
  encoder.Begin("DESCRIPTOR", {version});
  encoder.Fields("DEVID", {{"devid", out.id.device}});
  encoder.Fields("REVID", {{"revid", 0}});
  encoder.End();
  for (uint64_t gt = 0; gt < gts; ++gt) {
    const PayloadEncoder::Values head = {version, {"gt_id", gt}};
    encoder.Opaque("GUC", random.Bytes(guc), head);
    if (gt == 0) {
      std::string table;
      for (uint64_t i = 0; i < ptes; ++i) {
        const uint8_t present[8] = {1, 0, static_cast<uint8_t>(i)};
        table += AsText(present);
      }
      encoder.Opaque("GGTT", table, head);
    }
    encoder.Fields("MMIO", {{"vf_sw_flag", random.Below(2)}}, head);
    uint64_t bytes = gt == 0 ? recipe.vram_bytes() / packets : 0;
    for (uint64_t i = 0; i < packets && bytes > 0; ++i) {
      encoder.Opaque("VRAM", random.Bytes(bytes),
                     {version, {"offset", i * bytes}});
    }
  }
  encoder.Opaque("TRAILER", "", {version});
  out.bytes = encoder.Take();
  return absl::OkStatus();
}

}  // namespace migstream
