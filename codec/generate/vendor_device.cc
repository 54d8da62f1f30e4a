#include "codec/generate/vendor_device.h"

#include <algorithm>
#include <string_view>

#include "codec/generate/payload_damage.h"
#include "codec/generate/random.h"
#include "codec/generate/recipe_dialect.h"
#include "codec/io/absl_view.h"
#include "codec/payload/payload_verdict.h"
#include "codec/wire/text.h"
#include "flags/dialect.h"

namespace migstream {
namespace {

constexpr uint64_t kUsualRecordBytes = 1 << 20;
constexpr uint64_t kMaxPieces = 1 << 20;

absl::Status Invalid(std::string_view what) {
  return absl::InvalidArgumentError(AbslView(what));
}

// One device's, cut as a VMM reads it.
class Spelling {
 public:
  Spelling(const Dialect& dialect, bool framed, uint64_t max_bytes,
           Random random, recipe::Device& device)
      : dialect_(dialect),
        framed_(framed),
        max_bytes_(max_bytes),
        random_(random),
        device_(device) {}

  absl::Status Run(GeneratedDevice& told) {
    recipe::Vendor vendor;
    vendor.Swap(device_.mutable_vendor());
    device_.clear_vendor();
    if (device_.parts_size() != 0 || device_.end_size() != 0) {
      return Invalid("a vendor's payload makes parts and end itself");
    }
    if (absl::Status status = Make(vendor, told); !status.ok()) return status;
    record_bytes_ =
        vendor.record_bytes() == 0 ? kUsualRecordBytes : vendor.record_bytes();
    if (payload().bytes.size() / record_bytes_ > kMaxPieces) {
      return absl::ResourceExhaustedError(
          StrCat("the payload is cut into more than ", kMaxPieces, " records"));
    }
    PayloadReport report = ReadPayload(damaged_);
    told.driver = report.format->name;
    told.kernel_says = Judge(report, kNewestKernel).text;
    Write(vendor.init_data_sent() == recipe::YES ? report.initial_bytes : 0);
    if (!framed_) {
      recipe::Config& config = *device_.mutable_config();
      if (config.pci_vendor() == 0) config.set_pci_vendor(payload().id.vendor);
      if (config.pci_device() == 0) config.set_pci_device(payload().id.device);
    }
    return absl::OkStatus();
  }

 private:
  const VendorPayload& payload() const { return damaged_.payload; }

  absl::Status Make(const recipe::Vendor& vendor, GeneratedDevice& told) {
    damaged_.has_pre_copy = dialect_.part.Exists();
    damaged_.has_init_data_sent =
        dialect_.part.After(Element::kNone).Contains(Element::kInitDataSent);
    if (vendor.pre_copy() == recipe::YES && !damaged_.has_pre_copy) {
      return Invalid(StrCat("dialect ", dialect_.name, " has no pre-copy"));
    }
    absl::Status status = MakeVendorPayload(
        vendor, damaged_.has_pre_copy && vendor.pre_copy() != recipe::NO,
        max_bytes_, random_, damaged_.payload);
    for (const recipe::PayloadDamage& damage : vendor.damage()) {
      auto finding = FindingOf(damage.kind());
      if (!status.ok() || !finding) continue;
      status = DamagePayload(*finding, random_, damaged_);
      told.payload_findings.emplace_back(GetRow(*finding).name);
    }
    return status;
  }

  // `initial`: INIT_DATA_SENT comes with that byte; 0: not at all.
  void Write(uint64_t initial) {
    const uint64_t split = payload().pre_copy_bytes;
    if (damaged_.init_early) device_.add_parts()->set_init_data_sent(true);
    for (uint64_t at = 0; at < split;) {
      recipe::Part& part = *device_.add_parts();
      at += AddPiece(at, split, *part.add_records());
      if (initial == 0 || at < initial || damaged_.init_early) continue;
      part.set_init_data_sent(true);
      initial = 0;
    }
    for (uint64_t at = split; at < payload().bytes.size();) {
      at += AddPiece(at, payload().bytes.size(), *device_.add_end());
    }
  }

  uint64_t AddPiece(uint64_t at, uint64_t end, recipe::Record& record) const {
    uint64_t bytes = std::min(record_bytes_, end - at);
    record.set_payload(payload().bytes.substr(at, bytes));
    return bytes;
  }

  const Dialect& dialect_;
  const bool framed_;
  const uint64_t max_bytes_;
  Random random_;
  recipe::Device& device_;
  uint64_t record_bytes_ = kUsualRecordBytes;
  DamagedPayload damaged_;
};

}  // namespace

bool HasVendors(const recipe::Migration& recipe) {
  return std::any_of(
      recipe.devices().begin(), recipe.devices().end(),
      [](const recipe::Device& device) { return device.has_vendor(); });
}

absl::Status SpellOutVendors(uint64_t max_bytes, recipe::Migration& recipe,
                             std::vector<GeneratedDevice>& devices) {
  const Dialect& dialect =
      RecipeDialect(recipe.dialect(), GetDialect(DialectId::kV111));
  // Numbers of their own, so that a vendor's payload changes no other bytes.
  Random random(~recipe.seed());
  devices.resize(recipe.devices_size());
  for (int i = 0; i < recipe.devices_size(); ++i) {
    recipe::Device& device = *recipe.mutable_devices(i);
    if (!device.has_vendor()) continue;
    absl::Status status = Spelling(RecipeDialect(device.dialect(), dialect),
                                   !recipe.frame().empty(), max_bytes,
                                   Random(random.Next()), device)
                              .Run(devices[i]);
    if (!status.ok()) {
      return absl::Status(
          status.code(), StrCat("device ", i, ": ", StdView(status.message())));
    }
  }
  return absl::OkStatus();
}

}  // namespace migstream
