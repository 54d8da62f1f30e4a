#include "codec/loader/loader_device.h"

#include <algorithm>

#include "codec/survey/payload_survey.h"
#include "codec/wire/error.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

// A v1 device's loader reads what is not there as zeros, piece by piece: so
// many bytes take minutes.
constexpr uint64_t kEndlessBytes = uint64_t{1} << 40;
// Where the device's region has its data part; most have it further behind.
// Beyond the end of 64 bits, counted from there, a record seems to fit the
// region, and the loader wants memory for all of it.
constexpr uint64_t kV1DataOffset = 4096;

}  // namespace

bool LoaderDevices::Load(LoaderInput& input, LoaderDevice& device) {
  uint64_t at = input.offset();
  uint64_t tag = input.Be64();
  while (true) {
    Element element = plain_.Meaning(tag);
    if (element == Element::kNone) element = multifd_.Meaning(tag);
    switch (element) {
      case Element::kEndOfState:
        return true;
      case Element::kSetup:
        at = input.offset();
        tag = input.Be64();
        if (plain_.Meaning(tag) == Element::kEndOfState) return true;
        return input.Refuse(at,
                            StrCat("SETUP STATE: EOS not found ", Hex(tag)));
      case Element::kData:
        if (!LoadData(input, at, device.payload)) return false;
        break;
      case Element::kConfig:
        if (multifd_transfer_.value_or(false) &&
            multifd_.multifd_device_state) {
          return input.Refuse(at,
                              "got DEV_CONFIG_STATE in main migration channel "
                              "but doing multifd transfer");
        }
        if (!LoadConfig(input, device)) return false;
        // Only where records may follow it does the loader go on.
        if (!plain_.end.After(Element::kConfig).Contains(Element::kData)) {
          return true;
        }
        break;
      case Element::kInitDataSent:
        return LoadInitDataSent(input, at);
      case Element::kConfigLoadReady:
        if (!multifd_transfer_.value_or(multifd_used_)) {
          return input.Refuse(
              at, "got DEV_CONFIG_LOAD_READY outside multifd transfer");
        }
        if (!load_config_after_iter_.value_or(true)) {
          return input.Refuse(at, "got DEV_CONFIG_LOAD_READY but was disabled");
        }
        if (!ready_.emplace(device.idstr, device.instance_id).second) {
          return input.Refuse(at, "duplicate DEV_CONFIG_LOAD_READY");
        }
        return true;
      // No release knows the two.
      case Element::kTrigger:
      case Element::kDataStateComplete:
      case Element::kNone:
        return input.Refuse(at, StrCat("Unknown tag ", Hex(tag)));
    }
    at = input.offset();
    tag = input.Be64();
    if (!input.CheckEnd()) return false;
  }
}

// A loader looks at none of it, but the device's driver will.
bool LoaderDevices::LoadData(LoaderInput& input, uint64_t at,
                             PayloadTally* payload) {
  const uint64_t bytes = input.Be64();
  uint64_t left = bytes;
  while (payload != nullptr && left != 0) {
    ByteSpan here = input.Peek(1);
    here = here.first(std::min<uint64_t>(here.size(), left));
    if (here.empty()) break;
    payload->Add(here, {.stream_offset = input.offset()});
    input.Skip(here.size());
    left -= here.size();
    const uint64_t skipped = input.Skip(std::min(left, payload->skippable()));
    payload->Skip(skipped);
    left -= skipped;
  }
  const bool v1 = plain_.protocol == VfioProtocol::kV1;
  if (v1 && bytes > UINT64_MAX - kV1DataOffset) {
    return input.Refuse(at, "vfio_load_buffer: Error allocating buffer");
  }
  input.Skip(left);
  spins_ = v1 && input.ended() && bytes >= kEndlessBytes;
  return !spins_ ||
         input.Refuse(at, StrCat("a record of ", bytes,
                                 " bytes, most of which never come"));
}

bool LoaderDevices::LoadInitDataSent(LoaderInput& input, uint64_t at) {
  ++acks_;
  if (!switchover_ack_) {
    return input.Refuse(
        at, "Received INIT_DATA_SENT but switchover ack is not used");
  }
  if (awaited_ && acks_ > *awaited_) {
    return input.Refuse(at,
                        "qemu_loadvm_approve_switchover failed, err=-22 "
                        "(Invalid argument)");
  }
  return true;
}

bool LoaderDevices::LoadConfig(LoaderInput& input, LoaderDevice& device) {
  constexpr size_t kVersionBytes = 4;
  ByteSpan head = input.Peek(kVersionBytes + 4);
  if (device.payload != nullptr && head.size() >= kVersionBytes + 4) {
    if (auto id = IdOf(head.subspan(kVersionBytes))) device.payload->SetId(*id);
  }
  if (!LoadConfigPayload(input, device, row_)) return false;
  uint64_t at = input.offset();
  uint64_t tag = input.Be64();
  if (plain_.Meaning(tag) != Element::kEndOfState) {
    return input.Refuse(at,
                        StrCat("Failed loading device config space, end flag "
                               "incorrect ",
                               Hex(tag)));
  }
  configured_.emplace(device.idstr, device.instance_id);
  return input.CheckEnd();
}

}  // namespace migstream
