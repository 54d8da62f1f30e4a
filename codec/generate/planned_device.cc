#include "codec/generate/planned_device.h"

#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_format.h"
#include "codec/generate/recipe_dialect.h"
#include "codec/io/absl_view.h"
#include "codec/qemu/stream_reader.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

constexpr uint32_t kDeviceVersion = 1;
constexpr uint32_t kFirstSlot = 2;
constexpr uint32_t kSlots = 32;
constexpr size_t kMaxIdstrBytes = 0xff;

// Names and section ids that no other has.
class Identities {
 public:
  Identities(const recipe::Migration& recipe, const Frame* frame)
      : next_id_(uint64_t{frame ? frame->highest_id : kRamSectionId} + 1) {
    if (!frame && recipe.has_ram()) ids_.insert(kRamSectionId);
  }

  // Slot after slot, domain after domain.
  std::string FreeIdstr() {
    for (;; ++next_slot_) {
      std::string idstr = absl::StrFormat(
          "%04x:00:%02x.0/vfio", next_slot_ / kSlots, next_slot_ % kSlots);
      if (!names_.contains({idstr, 0})) return idstr;
    }
  }
  bool TakeName(const std::string& idstr, uint32_t instance_id) {
    return names_.emplace(idstr, instance_id).second;
  }

  uint64_t FreeId(uint64_t from) const {
    while (ids_.contains(from)) ++from;
    return from;
  }
  uint64_t next_id() const { return next_id_; }
  bool TakeId(uint64_t id) {
    return id <= 0xffffffff && ids_.insert(id).second;
  }
  void SetNextId(uint64_t id) { next_id_ = std::max(next_id_, id); }

 private:
  std::set<uint64_t> ids_;
  std::set<std::pair<std::string, uint32_t>> names_;
  uint64_t next_id_;
  uint32_t next_slot_ = kFirstSlot;
};

absl::Status Invalid(std::string_view what) {
  return absl::InvalidArgumentError(AbslView(what));
}

absl::Status Identify(int i, const recipe::Device& from,
                      const FrameDevice* frame, Identities& identities,
                      GeneratedDevice& told) {
  told.idstr = !from.idstr().empty() ? from.idstr()
               : frame               ? frame->idstr
                                     : identities.FreeIdstr();
  told.instance_id = frame && from.instance_id() == 0 ? frame->instance_id
                                                      : from.instance_id();
  if (told.idstr.size() > kMaxIdstrBytes || !IsVfioIdstr(told.idstr)) {
    return Invalid(StrCat("device ", i, ": idstr '", told.idstr,
                          "' is not a VFIO device's"));
  }
  if (!identities.TakeName(told.idstr, told.instance_id)) {
    return Invalid(StrCat("device ", i, ": a second ", told.idstr));
  }
  uint64_t id = from.section_id();
  if (id == 0) {
    id = identities.FreeId(frame ? frame->section_id : identities.next_id());
  }
  if (!identities.TakeId(id)) {
    return Invalid(StrCat("device ", i, ": section id ", id, " is another's"));
  }
  told.section_id = static_cast<uint32_t>(id);
  if (!frame) identities.SetNextId(id + 1);
  return absl::OkStatus();
}

// `model`: the frame's device whose config is taken where the recipe has none;
// null without a frame.
absl::Status Configure(int i, const recipe::Device& from,
                       const FrameDevice* model, Random& random,
                       PlannedDevice& device, GeneratedDevice& told) {
  device.has_config = !from.no_config();
  if (from.no_config() && device.dialect->multifd_device_state) {
    return Invalid(StrCat(told.idstr, ": without its config packet ",
                          "a device in multifd mode never ends"));
  }
  if (!from.has_config() && model && device.has_config) {
    if (!model->has_config) {
      return Invalid(StrCat("device ", i,
                            ": neither the recipe nor the frame has a config"));
    }
    device.config = model->config;
  } else {
    device.config = ConfigParts::Make(from.config(), *device.dialect, random);
  }
  told.pci_config = device.config.pci_config;
  told.msix_vectors = device.config.View().msix_vectors();
  for (const auto& subsection : device.config.subsections) {
    if (device.has_config) told.subsections.push_back(subsection.name);
  }
  told.config_load_ready = from.config_load_ready();
  return absl::OkStatus();
}

}  // namespace

absl::Status PlanDevices(const recipe::Migration& recipe,
                         const Dialect& dialect, const Frame* frame,
                         Random& random, std::vector<GeneratedDevice>& devices,
                         std::vector<PlannedDevice>& planned) {
  Identities identities(recipe, frame);
  devices.resize(recipe.devices_size());
  planned.resize(recipe.devices_size());
  for (int i = 0; i < recipe.devices_size(); ++i) {
    const recipe::Device& from = recipe.devices(i);
    const bool framed = frame && i < static_cast<int>(frame->devices.size());
    const FrameDevice* place = framed ? &frame->devices[i] : nullptr;
    const FrameDevice* model =
        framed || !frame ? place : &frame->devices.back();
    planned[i].recipe = &from;
    planned[i].dialect = &RecipeDialect(from.dialect(), dialect);
    devices[i].dialect = planned[i].dialect;
    absl::Status status = Identify(i, from, place, identities, devices[i]);
    if (status.ok()) {
      status = Configure(i, from, model, random, planned[i], devices[i]);
    }
    if (!status.ok()) return status;
  }
  // Views of what does not move any more.
  for (size_t i = 0; i < planned.size(); ++i) {
    planned[i].section.idstr = devices[i].idstr;
    planned[i].section.id = devices[i].section_id;
    planned[i].section.instance_id = devices[i].instance_id;
    planned[i].section.version_id = kDeviceVersion;
    Repeat(planned[i].recipe->parts(), [&](const recipe::Part& part) {
      devices[i].init_data_sent |= part.init_data_sent();
      return !devices[i].init_data_sent;
    });
  }
  return absl::OkStatus();
}

}  // namespace migstream
