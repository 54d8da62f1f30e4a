// What one QEMU can load, by its own word: the JSON that it writes for
// -dump-vmstate FILE, which needs no guest.
//
//   VmstateDump dump;
//   std::string problem = ParseDump(json, dump);
//
// It has the devices that are classes of QEMU's object model, whether the
// machine has one or not. Sections that are registered by hand are not in it:
// ram, timer, cpu_common, VFIO devices.

#ifndef MIGSTREAM_CODEC_DESTINATION_VMSTATE_DUMP_H_
#define MIGSTREAM_CODEC_DESTINATION_VMSTATE_DUMP_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace migstream {

struct DumpedField {
  std::string name;
  int64_t version_id = 0;    // Of its state, from which on it is there.
  bool conditional = false;  // The device decides whether it is there.
  int64_t bytes = 0;         // In QEMU's memory; a number's are the stream's.
  std::optional<size_t> state = std::nullopt;  // What is in it: see states.
};

// A VMStateDescription: of a device, of a struct in one, or a subsection.
struct DumpedState {
  std::string name;
  int64_t version_id = 0;  // The newest that is taken, and the one written.
  int64_t minimum_version_id = 0;
  // Nothing where the JSON has no list.
  std::optional<std::vector<DumpedField>> fields = std::nullopt;
  std::optional<std::vector<size_t>> subsections = std::nullopt;  // In states.
};

struct DumpedDevice {
  std::string name;  // Of the class: "e1000e".
  int64_t version_id = 0;
  std::optional<size_t> state = std::nullopt;
};

struct VmstateDump {
  std::string machine;  // "pc-i440fx-7.2"; empty: the dump does not say.
  std::vector<DumpedDevice> devices;  // As they stand in the JSON.
  std::vector<DumpedState> states;

  // Null if there is none.
  const DumpedDevice* Find(std::string_view name) const;
};

struct DumpLimits {
  size_t json_bytes = 16 << 20;
  size_t json_depth = 64;
};

// Whether a file that begins so may be one: the first of QEMU's own members.
bool LooksLikeDump(std::string_view head);

// Empty if all is well, else what is wrong.
std::string ParseDump(std::string_view json, VmstateDump& dump,
                      const DumpLimits& limits = {});

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_DESTINATION_VMSTATE_DUMP_H_
