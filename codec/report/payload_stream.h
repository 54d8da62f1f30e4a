// Streams that carry a sample of testdata/payloads, for tests.

#ifndef MIGSTREAM_CODEC_REPORT_PAYLOAD_STREAM_H_
#define MIGSTREAM_CODEC_REPORT_PAYLOAD_STREAM_H_

#include <algorithm>
#include <string>

#include "absl/status/statusor.h"
#include "codec/generate/generator.h"
#include "codec/generate/stream.pb.h"
#include "codec/payload/driver_rules.h"
#include "codec/wire/text.h"
#include "gtest/gtest.h"
#include "testdata/payloads.h"

namespace migstream {

inline PciId IdOf(const testdata::Payload& truth) {
  auto number = [&](size_t at) {
    return static_cast<uint16_t>(
        std::stoul(truth.pci_id().substr(at, 4), nullptr, 16));
  };
  return {number(0), number(5)};
}

// One device's migration, its payload in records or packets of `piece` bytes.
inline Generated PayloadStream(const testdata::Payload& truth,
                               recipe::Dialect dialect, size_t piece) {
  const std::string bytes = ReadPayload(truth);
  const size_t split = std::min<size_t>(truth.phase_split(), bytes.size());
  // Which has no pre-copy.
  if (dialect == recipe::V80 && split != 0) dialect = recipe::V81;
  recipe::Migration migration;
  migration.set_dialect(dialect);
  recipe::Device& device = *migration.add_devices();
  for (size_t at = 0; at < split; at += piece) {
    device.add_parts()->add_records()->set_payload(
        bytes.substr(at, std::min(piece, split - at)));
  }
  for (size_t at = split; at < bytes.size(); at += piece) {
    device.add_end()->set_payload(bytes.substr(at, piece));
  }
  std::string config(4096, '\0');
  PciId id = IdOf(truth);
  config[0] = static_cast<char>(id.vendor);
  config[1] = static_cast<char>(id.vendor >> 8);
  config[2] = static_cast<char>(id.device);
  config[3] = static_cast<char>(id.device >> 8);
  config[0x0b] = 2;
  device.mutable_config()->set_pci_config(config);
  absl::StatusOr<Generated> made = Generate(migration);
  EXPECT_TRUE(made.ok()) << made.status();
  return made.ok() ? *std::move(made) : Generated();
}

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_REPORT_PAYLOAD_STREAM_H_
