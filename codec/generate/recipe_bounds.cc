#include "codec/generate/recipe_bounds.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "codec/device/config_layout.h"
#include "codec/device/pci_config.h"
#include "codec/wire/text.h"
#include "flags/ram_flags.h"

namespace migstream {
namespace {

// The length of one list in a recipe, `repeat` included: a bound on time, as
// max_bytes is one on memory.
constexpr uint64_t kMaxRepeats = 1 << 20;
constexpr uint64_t kMaxRamBlockBytes = uint64_t{1} << 48;
constexpr size_t kMaxNameBytes = 0xff;
constexpr size_t kUuidBytes = 16;
constexpr uint32_t kMaxChannels = 255;
constexpr int kIrqStates = 4;
constexpr uint32_t kRamPageBits = 12;

template <typename Message>
bool IsTooLong(const google::protobuf::RepeatedPtrField<Message>& list) {
  uint64_t times = 0;
  for (const Message& message : list) {
    times += std::max<uint64_t>(message.repeat(), 1);
  }
  return times > kMaxRepeats;
}

absl::Status CheckConfig(int device, const recipe::Config& config) {
  auto beyond = [device](std::string_view field, uint32_t value,
                         uint32_t limit) {
    return absl::InvalidArgumentError(StrCat("device ", device, ": config.",
                                             field, " is ", value,
                                             ", more than ", limit));
  };
  if (config.pci_config_bytes() > kPcieConfigBytes) {
    return beyond("pci_config_bytes", config.pci_config_bytes(),
                  kPcieConfigBytes);
  }
  if (config.msix_vectors() > kMaxMsixVectors) {
    return beyond("msix_vectors", config.msix_vectors(), kMaxMsixVectors);
  }
  if (config.irq_state_size() > kIrqStates) {
    return beyond("irq_state's number", config.irq_state_size(), kIrqStates);
  }
  if (config.msix_table().size() % kMsixEntryBytes != 0) {
    return absl::InvalidArgumentError(
        StrCat("device ", device, ": config.msix_table has ",
               config.msix_table().size(), " bytes, and not 16 a vector"));
  }
  return absl::OkStatus();
}

// RAM is generated as a source without capabilities writes it, in pages of
// 4 KiB.
absl::Status CheckRam(const recipe::Migration& recipe) {
  const recipe::Configuration& configuration = recipe.configuration();
  const uint32_t bits = configuration.page_bits();
  if (bits != 0 && (bits < kMinPageBits || bits > kMaxPageBits)) {
    return absl::InvalidArgumentError(StrCat("page_bits is ", bits,
                                             ", and not ", kMinPageBits, " to ",
                                             kMaxPageBits));
  }
  if (!recipe.has_ram()) return absl::OkStatus();
  if (bits != 0 && bits != kRamPageBits) {
    return absl::InvalidArgumentError(StrCat(
        "RAM is generated with page_bits ", kRamPageBits, " only, not ", bits));
  }
  for (const std::string& name : configuration.capabilities()) {
    if (name != "x-ignore-shared" && name != "mapped-ram") continue;
    return absl::InvalidArgumentError(
        StrCat("RAM is not generated for capability ", name));
  }
  for (const recipe::RamBlock& block : recipe.ram().blocks()) {
    if (block.name().empty() || block.bytes() == 0) {
      return absl::InvalidArgumentError("a RAM block has no name, or no bytes");
    }
  }
  return absl::OkStatus();
}

}  // namespace

uint64_t RecipePayloadBytes(const recipe::Migration& recipe) {
  double bytes = 0;
  auto times = [](const auto& message) {
    return std::max<double>(message.repeat(), 1);
  };
  for (const recipe::Device& device : recipe.devices()) {
    for (const recipe::Part& part : device.parts()) {
      for (const recipe::Record& record : part.records()) {
        bytes +=
            times(part) * times(record) * static_cast<double>(record.bytes());
      }
    }
    for (const recipe::Record& record : device.end()) {
      bytes += times(record) * static_cast<double>(record.bytes());
    }
  }
  constexpr double kMost = 1e18;
  return static_cast<uint64_t>(std::min(bytes, kMost));
}

absl::Status CheckRecipeBounds(const recipe::Migration& recipe,
                               uint64_t max_bytes) {
  if (RecipePayloadBytes(recipe) > max_bytes) {
    return absl::ResourceExhaustedError(
        StrCat("the recipe makes more than ", max_bytes, " bytes"));
  }
  if (recipe.channels().count() > kMaxChannels) {
    return absl::InvalidArgumentError(StrCat("channels.count is ",
                                             recipe.channels().count(),
                                             ", more than ", kMaxChannels));
  }
  const recipe::Configuration& configuration = recipe.configuration();
  bool long_name = std::any_of(
      configuration.capabilities().begin(), configuration.capabilities().end(),
      [](const std::string& name) { return name.size() > kMaxNameBytes; });
  bool large_block = false;
  for (const recipe::RamBlock& block : recipe.ram().blocks()) {
    long_name |= block.name().size() > kMaxNameBytes;
    large_block |= block.bytes() > kMaxRamBlockBytes;
  }
  bool too_long = recipe.ram().parts() > kMaxRepeats;
  for (const recipe::Device& device : recipe.devices()) {
    too_long |= IsTooLong(device.parts()) || IsTooLong(device.end());
    for (const recipe::Part& part : device.parts()) {
      too_long |= IsTooLong(part.records());
    }
  }
  if (too_long) {
    return absl::ResourceExhaustedError(
        StrCat("the recipe has more than ", kMaxRepeats,
               " of one thing in a row, repeats included"));
  }
  if (large_block) {
    return absl::InvalidArgumentError(
        StrCat("a RAM block is larger than ", kMaxRamBlockBytes, " bytes"));
  }
  if (long_name) {
    return absl::InvalidArgumentError(
        StrCat("a RAM block's or capability's name has more than ",
               kMaxNameBytes, " bytes"));
  }
  if (!configuration.uuid().empty() &&
      configuration.uuid().size() != kUuidBytes) {
    return absl::InvalidArgumentError(StrCat("the uuid has ",
                                             configuration.uuid().size(),
                                             " bytes, not ", kUuidBytes));
  }
  if (absl::Status status = CheckRam(recipe); !status.ok()) return status;
  for (int i = 0; i < recipe.devices_size(); ++i) {
    absl::Status status = CheckConfig(i, recipe.devices(i).config());
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace migstream
