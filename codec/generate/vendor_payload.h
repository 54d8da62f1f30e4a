// A payload as a driver writes it, made from a recipe's wishes (stream.proto)
// by the driver's rows. codec/payload/PAYLOADS.md.

#ifndef MIGSTREAM_CODEC_GENERATE_VENDOR_PAYLOAD_H_
#define MIGSTREAM_CODEC_GENERATE_VENDOR_PAYLOAD_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "codec/generate/random.h"
#include "codec/generate/stream.pb.h"
#include "codec/payload/driver_rules.h"
#include "codec/payload/formats.h"
#include "codec/payload/payload_encoder.h"

namespace migstream {

struct VendorPayload {
  PciId id;  // The device's, for its config space.
  std::string bytes;
  uint64_t pre_copy_bytes = 0;  // The first so many.
};

// What the makers have in common.
struct VendorMaker {
  bool pre_copy;  // There is a phase of it.
  Random& random;
  uint64_t max_bytes;
  VendorPayload& out;

  // The recipe's number, or the usual one.
  static uint64_t Or(uint64_t number, uint64_t usual) {
    return number == 0 ? usual : number;
  }
  // `count` times `bytes`, before they are made.
  absl::Status Claim(uint64_t count, uint64_t bytes) const;
  // What has been written goes out in pre-copy.
  void PreCopyTo(const PayloadEncoder& encoder) const {
    if (pre_copy) out.pre_copy_bytes = encoder.size();
  }

  // vendor_records.cc
  absl::Status Make(const recipe::Mlx5& recipe) const;
  absl::Status Make(const recipe::Virtio& recipe) const;
  absl::Status Make(const recipe::Xe& recipe) const;
  // vendor_structs.cc
  absl::Status Make(const recipe::HisiAcc& recipe) const;
  absl::Status Make(const recipe::Pds& recipe) const;
  absl::Status Make(const recipe::Qat& recipe) const;
  absl::Status Make(const recipe::Mtty& recipe) const;
  // vendor_payload.cc
  absl::Status Make(const recipe::IceRfc& recipe) const;
  absl::Status Make(const recipe::GvtG& recipe) const;
  absl::Status Make(const recipe::SpdkNvme& recipe) const;
  absl::Status Make(const recipe::Carried& recipe) const;
};

// kInvalidArgument: the recipe asks for what the driver does not write;
// kResourceExhausted: for more than `max_bytes`.
absl::Status MakeVendorPayload(const recipe::Vendor& vendor, bool pre_copy,
                               uint64_t max_bytes, Random& random,
                               VendorPayload& payload);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_GENERATE_VENDOR_PAYLOAD_H_
