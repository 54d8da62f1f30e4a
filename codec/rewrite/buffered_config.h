// A device's config payload, kept until its place in the stream has come.

#ifndef MIGSTREAM_CODEC_REWRITE_BUFFERED_CONFIG_H_
#define MIGSTREAM_CODEC_REWRITE_BUFFERED_CONFIG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "codec/payload/driver_rules.h"
#include "codec/qemu/stream_visitor.h"

namespace migstream {

class BufferedConfig {
 public:
  // Whether an event belongs to a config payload: CONFIG, its subsections, and
  // the END_OF_STATE that closes it.
  static bool Takes(EventKind kind) {
    return kind == EventKind::kConfig || kind == EventKind::kSubsection ||
           kind == EventKind::kConfigEnd;
  }

  // Such an event; its payload is copied.
  void Add(const Event& event);

  // Tells them all again.
  void Replay(const SectionView& section, StreamVisitor& visitor) const;

  // What its PCI config space says; none without one.
  std::optional<PciId> pci_id() const;

  // Bytes held; a little more than are in the stream.
  uint64_t bytes() const { return bytes_; }

 private:
  struct Held {
    Event event;
    std::string payload;
    std::string name;
  };
  std::vector<Held> events_;
  uint64_t bytes_ = 0;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_REWRITE_BUFFERED_CONFIG_H_
