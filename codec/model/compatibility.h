// Whether a destination can have the device that the source has, and the first
// reason why not. It is to be asked before a migration begins, so that one
// which cannot succeed is not tried.
//
//   DeviceText source;  // "vendor-a.com/my-nic,num-queues=4"
//   ConfigError error = ParseDevice(text, source);
//   if (!error.ok()) return Refuse(ToString(error));
//   Compatibility answer = CheckCompatible(source, offered.models);
//   if (answer.why_not) return Refuse(ToString(*answer.why_not));
//   Make(answer.destination);
//
// The reasons come in the order of IncompatibleReason, and of one kind in that
// of the parameters' names, byte by byte. A source with its own description
// (DeviceConfig) knows its off values: those the destination need not know of.
// One without (DeviceText) is what its canonical form says; its version is what
// the destination takes it for.

#ifndef MIGSTREAM_CODEC_MODEL_COMPATIBILITY_H_
#define MIGSTREAM_CODEC_MODEL_COMPATIBILITY_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "codec/model/device_config.h"
#include "codec/model/device_model.h"
#include "codec/wire/bytes.h"

namespace migstream {

enum class IncompatibleReason : uint8_t {
  kModel,        // The destination does not offer it.
  kVersion,      // It offers the model, and not that version.
  kName,         // It has no such parameter, which is not off at the source.
  kType,         // It has one, of another type.
  kValue,        // It does not allow that value.
  kMissing,      // It has one that cannot be off, and the source has none.
  kConfigSpace,  // What a loader compares of it differs.
};

// Stable: "model", "version", "name", "type", "value", "missing",
// "config-space".
std::string_view ToString(IncompatibleReason reason);

struct Incompatible {
  IncompatibleReason reason = IncompatibleReason::kModel;
  std::string name = {};         // Of the parameter, or of the model.
  std::string source = {};       // What it is there.
  std::string destination = {};  // What it may be.
};

// "rx-filter-size is 64, the destination allows 0-32".
std::string ToString(const Incompatible& why_not);

struct Compatibility {
  std::optional<Incompatible> why_not;
  // If compatible: what to set there, for each parameter that it has.
  DeviceConfig destination;
};

// PCI configuration spaces, to be compared as a loader does (config_compare.h);
// none is if one of them is empty.
struct ConfigSpaces {
  ByteSpan source = {};
  ByteSpan destination = {};
  // As QEMU does from 9.1 on.
  bool skip_vendor_capabilities = true;
};

// `destination`: all models of one device, or of several; one that takes the
// source is enough.
Compatibility CheckCompatible(const DeviceConfig& source,
                              std::span<const ModelDescription> destination,
                              const ConfigSpaces& spaces = {});
Compatibility CheckCompatible(const DeviceText& source,
                              std::span<const ModelDescription> destination,
                              const ConfigSpaces& spaces = {});

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_MODEL_COMPATIBILITY_H_
