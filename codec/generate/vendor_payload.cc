#include "codec/generate/vendor_payload.h"

#include "codec/io/absl_view.h"
#include "codec/payload/others.h"
#include "codec/wire/text.h"

namespace migstream {

absl::Status VendorMaker::Claim(uint64_t count, uint64_t bytes) const {
  // With its header, whichever it is.
  constexpr uint64_t kHeader = 64;
  if (bytes <= max_bytes && count <= max_bytes / (bytes + kHeader)) {
    return absl::OkStatus();
  }
  return absl::ResourceExhaustedError(
      AbslView(StrCat("the recipe makes more than ", max_bytes, " bytes")));
}

absl::Status VendorMaker::Make(const recipe::IceRfc& recipe) const {
  const uint64_t queues = Or(recipe.queues(), 2);
  if (absl::Status status = Claim(queues, 64); !status.ok()) return status;
  out.id = {0x8086, 0x1889};
  PayloadEncoder encoder(*kIceRfcFormat.root);
  encoder.Fields("HEADER",
                 {{"magic", 0xe8000001}, {"version", 1}, {"types", 6}});
  encoder.Opaque("VF_INFO", random.Bytes(16));
  for (uint64_t i = 0; i < queues; ++i) {
    encoder.Opaque("TX_QUEUE", random.Bytes(20));
    encoder.Opaque("RX_QUEUE", random.Bytes(28));
  }
  encoder.Opaque("MSIX_REGS", random.Bytes(28));
  encoder.Opaque("END", "");
  out.bytes = encoder.Take();
  return absl::OkStatus();
}

absl::Status VendorMaker::Make(const recipe::GvtG& recipe) const {
  const uint64_t gtt = Or(recipe.gtt_bytes(), 64);
  if (absl::Status status = Claim(1, gtt + 8192); !status.ok()) return status;
  // Its device's id is not in any table: the bytes say what it is.
  out.id = {0x8086, 0x1912};
  PayloadEncoder encoder(*kGvtGFormat.root);
  encoder.Fields("HEAD", {});
  encoder.Opaque("CFG_SPACE", std::string(4096, '\0'));
  encoder.Opaque("GTT", random.Bytes(gtt));
  encoder.Opaque("WORKLOAD", random.Bytes(16));
  out.bytes = encoder.Take();
  return absl::OkStatus();
}

absl::Status VendorMaker::Make(const recipe::SpdkNvme& recipe) const {
  const uint64_t bytes = Or(recipe.bytes(), 512);
  if (absl::Status status = Claim(1, bytes + 8192); !status.ok()) return status;
  out.id = {0x4e58, 0x0001};
  PayloadEncoder encoder(*kSpdkNvmeFormat.root);
  encoder.Fields("header", {{"magic", 0xafedbc23}});
  encoder.Opaque("rest of header", std::string(4096 - encoder.size(), '\0'));
  encoder.Opaque("controller data, queue pairs and BARs", random.Bytes(bytes));
  out.bytes = encoder.Take();
  return absl::OkStatus();
}

absl::Status VendorMaker::Make(const recipe::Carried& recipe) const {
  if (!recipe.file().empty()) {
    return absl::InvalidArgumentError(
        AbslView(StrCat(recipe.file(), ": it was not read")));
  }
  if (absl::Status status = Claim(1, recipe.bytes().size()); !status.ok()) {
    return status;
  }
  if (recipe.pre_copy_bytes() > recipe.bytes().size()) {
    return absl::InvalidArgumentError(AbslView(StrCat(
        "pre_copy_bytes is ", recipe.pre_copy_bytes(), ", more than the ",
        recipe.bytes().size(), " bytes that are carried")));
  }
  out.id = {static_cast<uint16_t>(recipe.pci_vendor()),
            static_cast<uint16_t>(recipe.pci_device())};
  out.bytes = recipe.bytes();
  if (pre_copy) out.pre_copy_bytes = recipe.pre_copy_bytes();
  return absl::OkStatus();
}

absl::Status MakeVendorPayload(const recipe::Vendor& vendor, bool pre_copy,
                               uint64_t max_bytes, Random& random,
                               VendorPayload& payload) {
  VendorMaker maker = {pre_copy, random, max_bytes, payload};
  switch (vendor.driver_case()) {
    case recipe::Vendor::kMlx5:
      return maker.Make(vendor.mlx5());
    case recipe::Vendor::kHisiAcc:
      return maker.Make(vendor.hisi_acc());
    case recipe::Vendor::kPds:
      return maker.Make(vendor.pds());
    case recipe::Vendor::kVirtio:
      return maker.Make(vendor.virtio());
    case recipe::Vendor::kQat:
      return maker.Make(vendor.qat());
    case recipe::Vendor::kXe:
      return maker.Make(vendor.xe());
    case recipe::Vendor::kMtty:
      return maker.Make(vendor.mtty());
    case recipe::Vendor::kIceRfc:
      return maker.Make(vendor.ice_rfc());
    case recipe::Vendor::kGvtG:
      return maker.Make(vendor.gvt_g());
    case recipe::Vendor::kSpdkNvme:
      return maker.Make(vendor.spdk_nvme());
    case recipe::Vendor::kCarried:
      return maker.Make(vendor.carried());
    case recipe::Vendor::DRIVER_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("vendor names no driver");
}

}  // namespace migstream
