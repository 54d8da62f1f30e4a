// What the generator has made: streams, and what is known about them.

#ifndef MIGSTREAM_CODEC_GENERATE_GENERATED_H_
#define MIGSTREAM_CODEC_GENERATE_GENERATED_H_

#include <cstdint>
#include <string>
#include <vector>

#include "codec/generate/marked_bytes.h"
#include "codec/generate/stream.pb.h"
#include "flags/dialect.h"

namespace migstream {

// A device as it was generated.
struct GeneratedDevice {
  std::string idstr;
  uint32_t instance_id = 0;
  uint32_t section_id = 0;
  const Dialect* dialect = nullptr;
  // All records, in the order of the device; with options.keep_payload.
  std::string payload;
  std::string pci_config;
  // The vectors of the config payload on the main channel or in a packet.
  uint32_t msix_vectors = 0;
  std::vector<std::string> subsections;  // Their names.
  bool init_data_sent = false;
  bool config_load_ready = false;
  // With a vendor's payload.
  std::string driver;
  std::vector<std::string> payload_findings;  // By the damage that was done.
  std::string kernel_says;
};

// One damage, done.
struct DoneDamage {
  recipe::Damage damage;
  // What stands in its way: a tag, a name. For the loader's message.
  std::string found;
};

struct Generated {
  MarkedBytes main;
  std::vector<MarkedBytes> channels;
  std::vector<GeneratedDevice> devices;
  std::vector<DoneDamage> damages;  // kDamage marks say where.
  std::string machine_type;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_GENERATE_GENERATED_H_
