// Device models, for C.

#include <string>

#include "codec/c/handle.h"
#include "codec/c/migstream.h"
#include "codec/model/compatibility.h"
#include "codec/model/model_json.h"

using namespace migstream;     // NOLINT: this file is the C side.
using namespace migstream::c;  // NOLINT

struct migstream_models : Handle {
  static constexpr uint32_t kKind = kKinds | 10;

  migstream_models() : Handle(kKind) {}

  migstream_status Refuse(std::string reason) {
    Error error;
    error.code = ErrorCode::kBadOptions;
    error.reason = std::move(reason);
    return Fail(error);
  }

  OfferedModels offered;
  std::string made;
};

extern "C" {

migstream_status migstream_models_create(
    const migstream_models_options* options, migstream_models** models) {
  if (models == nullptr) return MIGSTREAM_BAD_ARGUMENT;
  *models = nullptr;
  migstream_models_options given;
  migstream_status status = ReadOptions(options, &given);
  if (status != MIGSTREAM_OK) return status;
  return Make(given.allocator, models);
}

migstream_status migstream_models_parse(migstream_models* models,
                                        const char* json, size_t bytes) {
  if (!IsBytes(json, bytes)) return MIGSTREAM_BAD_ARGUMENT;
  return Call(models, [&]() -> migstream_status {
    OfferedModels offered;
    std::string problem = ParseModels(AsText(Bytes(json, bytes)), offered);
    if (!problem.empty()) return models->Refuse(std::move(problem));
    models->offered = std::move(offered);
    return MIGSTREAM_OK;
  });
}

migstream_status migstream_models_check(migstream_models* models,
                                        const char* device, const char** made) {
  if (device == nullptr || made == nullptr) return MIGSTREAM_BAD_ARGUMENT;
  *made = nullptr;
  return Call(models, [&]() -> migstream_status {
    DeviceText text;
    const ConfigError error = ParseDevice(device, text);
    if (!error.ok()) return models->Refuse(ToString(error));
    const Compatibility answer = CheckCompatible(text, models->offered.models);
    if (answer.why_not) return models->Refuse(ToString(*answer.why_not));
    models->made = CanonicalDevice(answer.destination);
    *made = models->made.c_str();
    return MIGSTREAM_OK;
  });
}

}  // extern "C"
