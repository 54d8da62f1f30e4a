// The devices that the proposals of 2020 have as their examples, for tests.

#ifndef MIGSTREAM_CODEC_MODEL_SEED_MODELS_H_
#define MIGSTREAM_CODEC_MODEL_SEED_MODELS_H_

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "codec/model/model_json.h"

namespace migstream {

inline constexpr char kE1000e[] = "https://qemu.org/devices/e1000e";

// The network card before it filtered addresses, and after.
inline constexpr char kOldCard[] = R"({"models": {
  "https://qemu.org/devices/e1000e": {"versions": {"1": {}}, "params": {}}}})";
inline constexpr char kNewCard[] = R"({"models": {
  "https://qemu.org/devices/e1000e": {
    "versions": {"1": {}, "2": {"rx-filter-size": 32}},
    "latest": 2,
    "params": {
      "rx-filter-size": {
        "type": "int", "init_value": 32, "off_value": 0,
        "allowed_values": ["0-255"],
        "description": "Addresses that the filter holds"}}}}})";

// A feature, and a capacity that is what it is.
inline constexpr char kMyNic[] = R"({"models": {
  "vendor-a.com/my-nic": {
    "params": {
      "new-feature": {
        "description": "New feature that old devices lack",
        "init_value": true, "off_value": false, "type": "bool"},
      "num-resources": {
        "allowed_values": [64], "description": "Number of resources",
        "init_value": 64, "type": "int"}}}}})";

// Two types of one graphics card.
inline constexpr char kGfx4[] = R"({"models": {
  "gfx.com/gpu": {"params": {"memory": {
    "type": "int", "init_value": 4096, "allowed_values": [4096]}}}}})";
inline constexpr char kGfx8[] = R"({"models": {
  "gfx.com/gpu": {"params": {"memory": {
    "type": "int", "init_value": 8192, "allowed_values": [8192]}}}}})";

// Ends the test where the JSON is not sound.
inline OfferedModels Parsed(std::string_view json) {
  OfferedModels offered;
  std::string problem = ParseModels(json, offered);
  if (!problem.empty()) {
    std::fprintf(stderr, "%s\n", problem.c_str());
    std::abort();
  }
  return offered;
}

inline ModelDescription ParsedModel(std::string_view json) {
  return Parsed(json).models.at(0);
}

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_MODEL_SEED_MODELS_H_
