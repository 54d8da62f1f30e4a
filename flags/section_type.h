// The byte that opens each record of the enclosing stream, and its magics.
// FORMAT.md section 2. All are older than QEMU 5.2, the first that migrates
// VFIO devices.

#ifndef MIGSTREAM_FLAGS_SECTION_TYPE_H_
#define MIGSTREAM_FLAGS_SECTION_TYPE_H_

#include <cstddef>
#include <cstdint>
#include <string>

namespace migstream {

enum class SectionType : uint8_t {
  kEof = 0x00,            // Nothing follows, but VMDESCRIPTION.
  kStart = 0x01,          // First section of an iterable handler.
  kPart = 0x02,           // Any number, while the guest still runs.
  kEnd = 0x03,            // Last section of an iterable handler.
  kFull = 0x04,           // A handler's whole state in one section.
  kSubsection = 0x05,     // Inside vmstate content only.
  kVmDescription = 0x06,  // After EOF: JSON that describes the FULLs.
  kConfiguration = 0x07,  // Directly after the header only.
  kCommand = 0x08,        // Between sections, and inside PACKAGED.
  kSectionFooter = 0x7e,  // After each START, PART, END and FULL; since 2.4.
};

// "START", "PART", …; the number in hexadecimal for what is no section type.
std::string ToString(SectionType type);

// What opens a PART or END: type, be32 id.
inline constexpr size_t kNumberedBytes = 5;
// The footer's byte and its be32 section id.
inline constexpr size_t kFooterBytes = 5;
// Type, be32 id, str8 idstr, be32 instance id, be32 version id.
inline constexpr size_t kMaxSectionHeaderBytes = 1 + 4 + 1 + 255 + 4 + 4;

// The version_ids of all releases.
inline constexpr uint32_t kRamVersion = 4;
inline constexpr uint32_t kVfioVersion = 1;

// be32, first in the main channel: "QEVM".
inline constexpr uint32_t kStreamMagic = 0x5145564d;
inline constexpr uint32_t kStreamVersion = 3;
// The version of before QEMU 0.11; every later release refuses it.
inline constexpr uint32_t kStreamVersionObsolete = 2;

// be32, first in other files that one may meet beside a main channel.
inline constexpr uint32_t kMultifdMagic = 0x11223344;  // A multifd channel.
inline constexpr uint32_t kCprMagic = 0x51435052;      // "QCPR", CPR state.
inline constexpr char kLibvirtMagic[] = "LibvirtQemudSave";
inline constexpr char kLibvirtPartialMagic[] = "LibvirtQemudPart";

}  // namespace migstream

#endif  // MIGSTREAM_FLAGS_SECTION_TYPE_H_
