#include "codec/generate/random_recipe.h"

#include <algorithm>

#include "codec/generate/random.h"
#include "codec/generate/recipe_dialect.h"
#include "flags/release.h"
#include "flags/trigger_flags.h"

namespace migstream {
namespace {

// Small ones by far the most, and now and then one that crosses 4 KiB, 64 KiB
// or 1 MiB.
uint64_t RecordBytes(Random& random, const WriterHabits& habits) {
  uint64_t bytes = random.Below(64);
  if (random.OneIn(4)) bytes = random.Below(5000);
  if (random.OneIn(32)) bytes = random.Below(70000);
  if (random.OneIn(512)) bytes = (1 << 20) - random.Below(3);
  if (habits.empty_records) return bytes;
  return std::max<uint64_t>(bytes, 1);
}

void FillRecord(Random& random, const Dialect& dialect,
                recipe::Record& record) {
  record.set_bytes(RecordBytes(random, dialect.habits));
  if (random.OneIn(3)) {
    record.set_fill(static_cast<recipe::Record::Fill>(
        random.Below(recipe::Record::Fill_ARRAYSIZE)));
  }
}

void FillPart(Random& random, const Dialect& dialect, recipe::Part& part) {
  const WriterHabits& habits = dialect.habits;
  int records = habits.min_part_records +
                static_cast<int>(random.Below(habits.max_part_records -
                                              habits.min_part_records + 1));
  for (int i = 0; i < std::min(records, 4); ++i) {
    FillRecord(random, dialect, *part.add_records());
  }
  if (dialect.subflag.width != 0 && random.OneIn(3)) {
    part.set_trigger_flags(kTriggerConfigFollows);
  }
}

void FillConfig(Random& random, const Dialect& dialect,
                recipe::Config& config) {
  config.set_pci_config_bytes(random.OneIn(3) ? 256 : 4096);
  if (random.OneIn(2)) {
    config.set_msix_vectors(static_cast<uint32_t>(
        random.OneIn(16) ? 1 + random.Below(2048) : random.Below(17)));
  }
  for (int i = 0; i < 4; ++i) {
    config.add_irq_state(static_cast<uint32_t>(random.Below(2)));
  }
  uint64_t written = random.Below(3);
  for (uint64_t i = 0; i < written; ++i) {
    *config.mutable_msix_table() += random.Bytes(12);
    *config.mutable_msix_table() += std::string("\0\0\0\0", 4);  // Not masked.
  }
  config.set_msix_pba(random.Bytes(random.Below(2)));
  // Since 8.2.
  config.set_display(dialect.released() &&
                     feature::kDisplaySubsection.In(dialect.last_release) &&
                     random.OneIn(4));
  if (dialect.config_layout == ConfigLayoutKind::kE5V26) {
    config.set_interrupt_type(random.OneIn(2) ? 3 : 0);
  }
  if (dialect.config_layout == ConfigLayoutKind::kE5V7) {
    config.set_interrupt_type(static_cast<uint32_t>(random.Below(4)));
  }
}

void FillDevice(Random& random, const Dialect& dialect,
                recipe::Device& device) {
  if (dialect.part.Exists()) {
    for (uint64_t i = random.Below(4); i > 0; --i) {
      FillPart(random, dialect, *device.add_parts());
    }
    // v1's QEMUs write one at least.
    if (device.parts_size() == 0 && dialect.protocol == VfioProtocol::kV1) {
      recipe::Part& part = *device.add_parts();
      for (int i = 0; i < dialect.habits.min_part_records; ++i) {
        part.add_records()->set_bytes(1);
      }
    }
  }
  bool acks =
      dialect.part.After(Element::kNone).Contains(Element::kInitDataSent);
  if (acks && device.parts_size() > 0 && random.OneIn(2)) {
    // It says that initial data has been sent.
    recipe::Part& part = *device.mutable_parts(device.parts_size() - 1);
    if (part.records_size() == 0)
      FillRecord(random, dialect, *part.add_records());
    part.set_init_data_sent(true);
    if (dialect.habits.init_data_sent_repeats && random.OneIn(3)) {
      *device.add_parts() = device.parts(device.parts_size() - 1);
    }
  }
  for (uint64_t i = random.Below(5); i > 0; --i) {
    FillRecord(random, dialect, *device.add_end());
    // In END only v1's last record may be empty, and none was ever seen so;
    // a packet never is.
    recipe::Record& record = *device.mutable_end(device.end_size() - 1);
    record.set_bytes(std::max<uint64_t>(record.bytes(), 1));
  }
  FillConfig(random, dialect, *device.mutable_config());
  device.set_config_load_ready(
      dialect.full.After(Element::kNone).Contains(Element::kConfigLoadReady) &&
      random.OneIn(2));
}

void FillVendor(Random& random, recipe::Vendor& vendor) {
  auto few = [&random](uint64_t most) {
    return static_cast<uint32_t>(random.Below(most + 1));
  };
  switch (random.Below(11)) {
    case 0:
      vendor.mutable_mlx5()->set_generation(
          static_cast<recipe::Mlx5::Generation>(
              random.Below(recipe::Mlx5::Generation_ARRAYSIZE)));
      vendor.mutable_mlx5()->set_increments(few(3));
      vendor.mutable_mlx5()->set_final_images(few(4));
      break;
    case 1:
      vendor.mutable_hisi_acc()->set_v1(random.OneIn(3));
      vendor.mutable_hisi_acc()->set_not_ready(random.OneIn(3));
      break;
    case 2:
      vendor.mutable_pds()->set_bytes(uint64_t{4} * few(16384));
      break;
    case 3:
      vendor.mutable_virtio()->set_snapshots(few(4));
      vendor.mutable_virtio()->set_queues(few(8));
      vendor.mutable_virtio()->set_device_parts(random.OneIn(2));
      vendor.mutable_virtio()->set_block(random.OneIn(2));
      break;
    case 4:
      vendor.mutable_qat()->set_slas(few(4));
      break;
    case 5:
      vendor.mutable_xe()->set_gts(few(2));
      vendor.mutable_xe()->set_vram_packets(few(3));
      vendor.mutable_xe()->set_vram_bytes(uint64_t{12288} * few(2));
      break;
    case 6:
      vendor.mutable_mtty()->set_ports(few(2));
      break;
    case 7:
      vendor.mutable_ice_rfc()->set_queues(few(4));
      break;
    case 8:
      vendor.mutable_gvt_g()->set_gtt_bytes(few(256));
      break;
    case 9:
      vendor.mutable_spdk_nvme()->set_bytes(few(1024));
      break;
    default:
      vendor.mutable_carried()->set_bytes(random.Bytes(1 + few(300)));
      vendor.mutable_carried()->set_pci_vendor(0x10de);
      vendor.mutable_carried()->set_pci_device(0x2237);
      break;
  }
  if (random.OneIn(4)) vendor.set_pre_copy(recipe::NO);
  if (random.OneIn(3)) vendor.set_record_bytes(1 + random.Below(600));
}

}  // namespace

recipe::Migration RandomRecipe(uint64_t seed, recipe::Dialect wanted) {
  Random random(seed);
  recipe::Migration recipe;
  recipe.set_seed(random.Next());
  recipe.set_dialect(static_cast<recipe::Dialect>(
      1 + random.Below(recipe::Dialect_ARRAYSIZE - 1)));
  if (wanted != recipe::NEWEST) recipe.set_dialect(wanted);
  const Dialect& dialect =
      RecipeDialect(recipe.dialect(), GetDialect(DialectId::kV111));
  if (random.OneIn(3)) {
    recipe::RamBlock& block = *recipe.mutable_ram()->add_blocks();
    block.set_name("pc.ram");
    block.set_bytes((1 + random.Below(16)) << 16);
    block.set_pages(static_cast<uint32_t>(random.Below(4)));
    block.set_zero_pages(static_cast<uint32_t>(random.Below(9)));
    recipe.mutable_ram()->set_parts(static_cast<uint32_t>(1 + random.Below(3)));
  }
  if (random.OneIn(16)) recipe.set_footers(recipe::NO);
  if (random.OneIn(16)) recipe.set_description(recipe::NO);
  if (random.OneIn(8)) {
    recipe.mutable_configuration()->set_uuid(random.Bytes(16));
  }
  uint64_t devices =
      random.OneIn(8) ? 1 + random.Below(8) : 1 + random.Below(2);
  for (uint64_t i = 0; i < devices; ++i) {
    FillDevice(random, dialect, *recipe.add_devices());
  }
  if (dialect.multifd_device_state) {
    recipe::Channels& channels = *recipe.mutable_channels();
    channels.set_count(static_cast<uint32_t>(1 + random.Below(4)));
    channels.set_shuffled(random.OneIn(2));
    channels.set_sync_packets(static_cast<uint32_t>(random.Below(3)));
  }
  // Drivers that have a format speak v2.
  for (recipe::Device& device : *recipe.mutable_devices()) {
    if (dialect.protocol != VfioProtocol::kV2 || !random.OneIn(3)) continue;
    bool acks = std::any_of(
        device.parts().begin(), device.parts().end(),
        [](const recipe::Part& part) { return part.init_data_sent(); });
    device.clear_parts();
    device.clear_end();
    FillVendor(random, *device.mutable_vendor());
    if (acks) device.mutable_vendor()->set_init_data_sent(recipe::YES);
  }
  return recipe;
}

void PutIntoFrame(const std::string& frame, recipe::Migration& recipe) {
  recipe.set_frame(frame);
  recipe.clear_configuration();
  recipe.clear_ram();
  recipe.clear_footers();
  for (recipe::Device& device : *recipe.mutable_devices()) {
    device.clear_config();
    // The frame's device is not that driver's.
    device.clear_vendor();
  }
}

}  // namespace migstream
