// The handlers of a loader's destination: which it has, as far as a stream
// shows that, and which of them a START or FULL has named. LOADERS.md
// section 7.

#ifndef MIGSTREAM_CODEC_LOADER_LOADER_HANDLERS_H_
#define MIGSTREAM_CODEC_LOADER_LOADER_HANDLERS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "codec/io/byte_source.h"
#include "codec/qemu/handler_records.h"
#include "codec/qemu/vm_description.h"

namespace migstream {

struct LoaderHandler {
  std::string idstr;
  uint32_t instance_id = 0;
  uint32_t section_id = 0;
  uint32_t version_id = 0;
  bool vfio = false;
  uint64_t described_bytes = 0;  // Of its FULL's content; 0: not described.
};

class LoaderHandlers {
 public:
  // The source's devices: the destination has the same. Null if they are not
  // known; else it must outlive this.
  void Describe(const VmDescription* description);
  bool has_description() const { return description_ != nullptr; }
  // How many of them are VFIO devices.
  uint64_t described_vfio() const { return described_vfio_; }

  // Whether the destination has a handler of the idstr and instance id: then
  // `vfio` and `described_bytes` are filled in, and `newest` is the version
  // that it takes, if that is known.
  bool Exists(LoaderHandler& handler, std::optional<uint32_t>& newest) const;

  // Named by a START or FULL, perhaps again; false if that were more than so
  // many.
  bool Name(const LoaderHandler& handler, size_t limit);
  // The handler that has the section id now; if several have it, the one that
  // was named first. Null if there is none. Good until the next is named.
  const LoaderHandler* Find(uint32_t section_id) const;
  size_t size() const { return named_.size(); }
  // How many of them are neither "ram" nor VFIO devices.
  size_t others() const { return others_; }

 private:
  const VmDescription* description_ = nullptr;
  uint64_t described_vfio_ = 0;
  std::vector<LoaderHandler> named_;
  size_t others_ = 0;
  absl::flat_hash_map<std::pair<std::string, uint32_t>, size_t> by_name_;
  std::set<std::pair<uint32_t, size_t>> by_section_id_;
};

// What walks the handler's sections, if their content tells its own length;
// null if it does not.
HandlerParser ParserOf(const LoaderHandler& handler);

// Consumes a section's content by it; the error's section is left open.
Error PassHandlerContent(ByteSource& source, HandlerParser parser,
                         SectionType type);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_LOADER_LOADER_HANDLERS_H_
