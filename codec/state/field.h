// The state of devices as named values, and who gets them.
// FORMAT.md section 7.
//
// A FieldReader gives those of a whole stream, a FieldWalker of one device:
//
//   OnDevice(section)
//     OnValue(field "version", value)
//     OnStruct(field "timer", element 0 of 3)
//       OnValue(…)                        // Its fields, in the stream's order.
//     OnStructEnd(field)
//   OnDeviceEnd(section)
//
// A FieldPaths makes (device, path, value) of that: see field_paths.h.
//
// All views are good during the call only.

#ifndef MIGSTREAM_CODEC_STATE_FIELD_H_
#define MIGSTREAM_CODEC_STATE_FIELD_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "codec/qemu/stream_visitor.h"
#include "codec/qemu/vm_description.h"
#include "codec/wire/bytes.h"

namespace migstream {

// One element of a field, or a subsection.
struct Field {
  std::string_view name = {};
  // As the description says; empty for a subsection.
  std::string_view type = {};
  FieldKind kind = FieldKind::kBytes;
  // Fields of one name in one struct are one list, wherever they stand: an
  // array may be described in several parts, and names may occur twice. This is
  // element `index` of `elements`; a field that is alone is 0 of 1.
  uint64_t index = 0;
  uint64_t elements = 1;
  uint64_t bytes = 0;   // Of the element; kUnknownBytes until its last piece.
  uint64_t offset = 0;  // Of its first byte in the section's content.
  // In a struct, fields of one name have others in between.
  bool scattered = false;

  static constexpr uint64_t kUnknownBytes = ~uint64_t{0};

  bool is_list() const { return elements != 1; }
};

// What a field holds: a number, or bytes.
struct FieldValue {
  // kUnsigned, kSigned, kBool, kPointer: all its bits, not sign-extended.
  uint64_t number = 0;
  // The bytes that the number stands in. Those of a kBytes may come in several
  // calls; these are then `offset` bytes into the field.
  ByteSpan bytes = {};
  uint64_t offset = 0;
};

// A number as QEMU's own analysis script shows it: "0x0000001f", and for a
// negative one "0xffffffff (-1)"; "true", "null-ptr". Bytes: "00 1f"; those of
// a capability, which is a name, as text.
std::string ValueText(const Field& field, const FieldValue& value);

// "00 1f"
std::string HexText(ByteSpan bytes);

// What is known of a device's state.
enum class StateKind : uint8_t {
  kDescribed,      // A FULL, by the description.
  kUndescribed,    // A FULL: one kBytes field.
  kRam,            // The block list.
  kVfio,           // What its records add up to, and its config payload.
  kHandler,        // START, PART and END of a handler that is not described.
  kConfiguration,  // The CONFIGURATION; its section has the idstr of that name.
};

class FieldVisitor {
 public:
  virtual ~FieldVisitor() = default;

  // `all` is the device as one struct: its bytes, and whether it is scattered.
  virtual void OnDevice(const SectionView& /*section*/, StateKind,
                        const Field& /*all*/) {}
  // A kStruct, kTmp or kSubsection: what comes up to OnStructEnd() is in it.
  virtual void OnStruct(const Field&) {}
  virtual void OnStructEnd(const Field&) {}
  virtual void OnValue(const Field&, const FieldValue&) {}
  // A list without elements.
  virtual void OnEmptyList(const Field&) {}
  virtual void OnDeviceEnd(const SectionView& /*section*/) {}
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_STATE_FIELD_H_
