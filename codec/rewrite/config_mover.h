// Moves CONFIG to where another dialect has it: QEMU 5.2 writes it into END,
// before the data; later ones into a FULL of its own. FORMAT.md section 10.

#ifndef MIGSTREAM_CODEC_REWRITE_CONFIG_MOVER_H_
#define MIGSTREAM_CODEC_REWRITE_CONFIG_MOVER_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "codec/rewrite/buffered_config.h"
#include "codec/rewrite/visitor_filter.h"
#include "flags/dialect.h"

namespace migstream {

// A device, by idstr and instance id.
using DeviceKey = std::pair<std::string, uint32_t>;
using BufferedConfigs = std::map<DeviceKey, BufferedConfig>;

// Bytes of config payloads that may be held at a time.
inline constexpr uint64_t kBufferedConfigBytes = 16 << 20;

// Takes CONFIG out of END, and puts a FULL of each such device behind all
// others: loaders want it after interrupt controllers and buses.
class ConfigToFull : public VisitorFilter {
 public:
  using VisitorFilter::VisitorFilter;

  void OnDeviceEvent(const SectionView& section, const Event& event) override;
  void OnSectionEnd(const SectionView& section, uint64_t content_bytes,
                    bool footer) override;
  void OnEof(uint64_t offset) override;

 private:
  struct Full {
    SectionView section;
    std::string idstr;
    BufferedConfig config;
  };
  std::vector<Full> fulls_;
  uint64_t section_offset_ = ~uint64_t{0};  // Of the last END in fulls_.
  uint64_t held_bytes_ = 0;
  bool footers_ = true;
};

// Reads a stream for the configs that ConfigToEnd needs beforehand: of FULL,
// and of END where they are there already.
class ConfigCollector : public StreamVisitor {
 public:
  bool wants_payload() const override { return false; }
  void OnDeviceEvent(const SectionView& section, const Event& event) override;

  BufferedConfigs& configs() { return configs_; }
  const Error& error() const { return error_; }

 private:
  BufferedConfigs configs_;
  uint64_t held_bytes_ = 0;
  Error error_;
};

// Leaves out the FULLs of devices, and puts their CONFIGs first into END.
class ConfigToEnd : public VisitorFilter {
 public:
  // `configs` must outlive the filter.
  ConfigToEnd(const BufferedConfigs& configs, StreamVisitor& next)
      : VisitorFilter(next), configs_(configs) {}

  void OnSection(const SectionView& section) override;
  void OnDeviceEvent(const SectionView& section, const Event& event) override;
  void OnSectionEnd(const SectionView& section, uint64_t content_bytes,
                    bool footer) override;

 private:
  const BufferedConfigs& configs_;
  bool dropping_ = false;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_REWRITE_CONFIG_MOVER_H_
