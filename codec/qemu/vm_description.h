// The VMDESCRIPTION at the end of a stream: it alone says how long the FULL
// sections are, and what is in them. parse_description.h makes it of the JSON.
// FORMAT.md section 7.
//
//   const DescribedDevice* device = description.Find("timer", 0);
//
// The fields of a device are a tree, which is kept flat: a node, then all that
// is in it. FieldWalker is what goes through it.

#ifndef MIGSTREAM_CODEC_QEMU_VM_DESCRIPTION_H_
#define MIGSTREAM_CODEC_QEMU_VM_DESCRIPTION_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/wire/bytes.h"
#include "flags/dialect.h"

namespace migstream {

// How the bytes of a field are read. FORMAT.md section 7.9.
enum class FieldKind : uint8_t {
  kBytes,       // As they are: buffers, timers, and every type not known here.
  kUnsigned,    // Big-endian, 1 to 8 bytes.
  kSigned,      // The same, in two's complement.
  kBool,        // A byte; any but 0 is true.
  kPointer,     // The marker of a pointer: a byte, 0x30 if it is null.
  kStruct,      // The fields in it, one after the other.
  kTmp,         // The same; a script that knows no such type shows bytes.
  kSubsection,  // The same, after a head.
};

struct DescribedDevice {
  std::string name;  // The section's idstr.
  uint32_t instance_id = 0;
  std::optional<uint32_t> version = std::nullopt;  // Old-style ones say none.
  uint64_t bytes = 0;  // Of the FULL section's content.
  uint32_t node = 0;   // Of the device's own fields; see VmDescription::node().
};

// A visitor that needs one for longer than its StreamReader is there shares it.
class VmDescription : public std::enable_shared_from_this<VmDescription> {
 public:
  // A device, a field or a subsection.
  struct Node {
    uint32_t name = 0;  // See text().
    uint32_t type = 0;
    uint32_t end = 0;    // The nodes after this one, up to here, are in it.
    uint32_t count = 1;  // Elements.
    // The size of one element; a subsection's with its head. A bit field, for
    // there are many nodes.
    uint64_t bytes : 56 = 0;
    FieldKind kind : 8 = FieldKind::kBytes;
  };
  static_assert(sizeof(Node) == 24);

  // Null if it names no such section.
  const DescribedDevice* Find(std::string_view name,
                              uint32_t instance_id) const;

  const Node& node(uint32_t index) const { return nodes_[index]; }
  // A node's name or type; good as long as the description.
  std::string_view text(uint32_t at) const { return text_->c_str() + at; }

  // In the order of the FULL sections.
  std::vector<DescribedDevice> devices;
  uint64_t page_bytes = 0;
  bool has_configuration = false;  // Later than 7.2.
  // The newest field type that stands for a NULL in an array; null if none.
  const Feature* null_marker = nullptr;

 private:
  friend class DescriptionParser;

  // Places in `devices`, by name and instance id, and then as they stand there.
  std::vector<uint32_t> index_;
  std::vector<Node> nodes_;
  // Names and types, each with a NUL after it.
  std::unique_ptr<std::string> text_;
};

// Where the VMDESCRIPTION's JSON begins in the last bytes of a stream; nothing
// if there is none, or it begins before `tail`. Found from the end: the JSON
// holds no NUL, and its length before it holds one.
struct FoundDescription {
  bool found = false;
  size_t json_at = 0;  // In `tail`; the section's byte is 5 before it.
  // More of the stream's end has to be looked at.
  bool longer_tail_needed = false;
};
FoundDescription FindDescription(ByteSpan tail);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_QEMU_VM_DESCRIPTION_H_
