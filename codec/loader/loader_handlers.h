// The handlers of a loader's destination: which it has, as far as a stream
// shows that, and which of them a START or FULL has named. LOADERS.md
// section 7.

#ifndef MIGSTREAM_CODEC_LOADER_LOADER_HANDLERS_H_
#define MIGSTREAM_CODEC_LOADER_LOADER_HANDLERS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/io/byte_source.h"
#include "codec/loader/loader_input.h"
#include "codec/loader/loader_row.h"
#include "codec/qemu/handler_records.h"
#include "codec/qemu/vm_description.h"

namespace migstream {

struct LoaderHandler {
  std::string idstr;
  uint32_t instance_id = 0;
  uint32_t section_id = 0;
  uint32_t version_id = 0;
  bool ends_early = false;  // The idstr, at a NUL: no source writes one.
  bool vfio = false;
  bool older = false;            // Than the description's version,
  bool reads_less = false;       // and a device that takes it reads less.
  uint64_t described_bytes = 0;  // Of its FULL's content; 0: not described.
};

// Whether one name is the other with a wrong byte, or a piece of it: then one
// of them is damaged.
bool IsNearMiss(std::string_view a, std::string_view b);

// The versions that a destination takes of a handler, if they are known.
struct LoaderVersions {
  std::optional<uint32_t> newest = std::nullopt;
  std::optional<uint32_t> oldest = std::nullopt;
};

class LoaderHandlers {
 public:
  // The source's devices: the destination has the same. Null if they are not
  // known; else it must last until another is given.
  void Describe(const VmDescription* description);
  const VmDescription* description() const { return description_; }
  bool has_description() const { return description_ != nullptr; }
  // How many of them are VFIO devices.
  uint64_t described_vfio() const { return described_vfio_; }

  // Whether the destination has a handler of the idstr and instance id: then
  // `vfio`, `described_bytes` and `versions` are filled in, and an instance id
  // that stands for any is the handler's own.
  bool Exists(LoaderHandler& handler, SectionType type,
              LoaderVersions& versions) const;

  // Named by a START or FULL, perhaps again; false if that were more than so
  // many.
  bool Name(const LoaderHandler& handler, size_t limit);
  // The handler that has the section id now; if several have it, the one that
  // was named first. Null if there is none. Good until the next is named.
  const LoaderHandler* Find(uint32_t section_id) const;
  // The first of the described that was not named yet; null if there is none.
  const DescribedDevice* FirstUnnamed() const;
  // A name as it may be shown: whole if the description has one like it, since
  // any other may be a piece of guest memory.
  std::string Shown(std::string_view idstr) const;
  // What the description has in the place of the one that was named last; null
  // if that is not known.
  const DescribedDevice* expected() const { return expected_; }
  size_t size() const { return named_.size(); }
  // How many of them are neither "ram" nor VFIO devices.
  size_t others() const { return others_; }

 private:
  // Null if it does not name the handler.
  const DescribedDevice* Describe(const LoaderHandler& handler) const;

  const VmDescription* description_ = nullptr;
  uint64_t described_vfio_ = 0;
  const DescribedDevice* expected_ = nullptr;
  size_t next_described_ = 0;  // Behind the last one named.
  std::vector<LoaderHandler> named_;
  size_t names_ = 0;  // SectionsOfName() of all.
  size_t others_ = 0;
  std::map<std::pair<std::string, uint32_t>, size_t> by_name_;
  std::set<std::pair<uint32_t, size_t>> by_section_id_;
};

// Nothing if the version at `at` is taken.
std::optional<LoaderRefusal> CheckVersion(const LoaderHandler& handler,
                                          const LoaderVersions& versions,
                                          uint64_t at, const LoaderRow& row);

// What walks the handler's sections, if their content tells its own length;
// null if it does not.
HandlerParser ParserOf(const LoaderHandler& handler);

// Consumes a section's content by it; the error's section is left open.
Error PassHandlerContent(ByteSource& source, HandlerParser parser,
                         SectionType type);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_LOADER_LOADER_HANDLERS_H_
