// Descriptions of device models as JSON: what a host prints of the devices that
// it can make.
//
//   OfferedModels offered;
//   std::string problem = ParseModels(json, offered);
//   if (!problem.empty()) return Complain(problem);
//
//   {"models": {
//     "https://qemu.org/devices/e1000e": {
//       "versions": {"1": {}, "2": {"rx-filter-size": 32}},
//       "latest": 2,
//       "params": {
//         "rx-filter-size": {
//           "type": "int",                  bool, int or str
//           "init_value": 32,               of a device which was just made
//           "off_value": 0,                 none: it cannot be turned off
//           "allowed_values": ["0-32", 64], none: any
//           "description": "…"}}}}}
//
// That is migration_info.json as it was proposed in 2020, and the versions that
// the proposal before it had. "state_representation", a string of the model, is
// for model_lint.h. Other members are passed on as they are; a member twice in
// an object is an error.

#ifndef MIGSTREAM_CODEC_MODEL_MODEL_JSON_H_
#define MIGSTREAM_CODEC_MODEL_MODEL_JSON_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "codec/model/device_model.h"

namespace migstream {

struct ModelLimits {
  size_t json_bytes = 1 << 20;
  size_t json_depth = 8;  // Objects and arrays within each other.
};

// All models that one device, or one program, has.
struct OfferedModels {
  std::vector<ModelDescription> models = {};  // As they stand in the JSON.
  std::vector<OtherMember> other = {};

  bool operator==(const OfferedModels&) const = default;
};

// Empty if all is well, else what is wrong, and in which member.
std::string ParseModels(std::string_view json, OfferedModels& offered,
                        const ModelLimits& limits = {});

// It parses to the same.
std::string ToJson(const OfferedModels& offered);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_MODEL_MODEL_JSON_H_
