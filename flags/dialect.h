// The dialect table: all that differs between QEMU releases inside a VFIO
// device's sections, a row a dialect. FORMAT.md sections 10 and 14.
//
//   const Dialect& dialect = GetDialect(DialectId::kV60);
//   dialect.Grammar(SectionType::kEnd).next[…]
//
// Decoder, encoder and detection are driven by the rows. A new tag is an
// Element, a number in `meanings` and a place in the grammars; the compiler
// tells what else has to know of it. A row is plain data and can be copied and
// changed:
//
//   Dialect e3 = GetDialect(DialectId::kE3);
//   e3.subflag.width = 8;

#ifndef MIGSTREAM_FLAGS_DIALECT_H_
#define MIGSTREAM_FLAGS_DIALECT_H_

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "flags/element.h"
#include "flags/release.h"
#include "flags/section_type.h"
#include "flags/tag.h"

namespace migstream {

enum class DialectId : uint8_t {
  kV52,    // QEMU 5.2
  kV60,    // 6.0 – 7.2
  kV80,    // 8.0
  kV81,    // 8.1 – 9.2
  kV100,   // 10.0 – 11.0
  kV100M,  // 10.0, device state over multifd
  kV101M,  // 10.1 – 11.0, device state over multifd
  kV111,   // 11.1 on
  kV111M,  // 11.1 on, device state over multifd
  // Never released; only chosen by name.
  kE1,     // Config in FULL: the bytes of V60.
  kE2,     // Trigger in FULL.
  kE3,     // Subflag after each CONFIG tag.
  kE4,     // Config in START as well.
  kE5V7,   // The 2019 config layout.
  kE5V26,  // The config layout of September 2020.
  kE6,     // DATA_STATE_COMPLETE in END.
  kE7,     // Host-endian device-state packets.
  // What any release may write, for a reader that does not know which.
  kAuto,
};

enum class VfioProtocol : uint8_t { kV1, kV2, kEither };

// Where a config payload's fields stand. FORMAT.md sections 11 and 14.
enum class ConfigLayoutKind : uint8_t {
  kReleased,  // 5.2 on.
  kE5V7,
  kE5V26,
};

// Which element may follow which in one type of section. The section has ended
// where nothing may follow. This is what a loader can take; what a release
// really writes is narrower, see WriterHabits.
struct SectionGrammar {
  std::array<ElementSet, kMaxElements> next;

  constexpr ElementSet After(Element element) const {
    return next[static_cast<int>(element)];
  }
  // Whether the dialect has sections of this type at all.
  constexpr bool Exists() const { return !After(Element::kNone).empty(); }
};

// What the dialect's writers do within its grammar: evidence, not law.
struct WriterHabits {
  uint8_t min_part_records;  // DATA records in a PART.
  uint8_t max_part_records;
  bool empty_records;         // DATA of size 0 occurs.
  uint64_t max_record_bytes;  // 0: no cap.
  bool init_data_sent_repeats;
  uint8_t max_configs;  // CONFIGs with a payload for one device.
  uint8_t max_ends;     // END sections of one device.
};

// E3: an unsigned big-endian number after each CONFIG tag. The proposal left
// width and values open; these defaults are this project's own.
struct Subflag {
  struct Value {
    uint64_t value;
    uint8_t flags;  // TriggerFlag
  };
  uint8_t width = 0;  // 0 (no subflag), 1, 2, 4 or 8 bytes.
  std::array<Value, 4> values = {};
  uint8_t value_count = 0;
};

struct Dialect {
  DialectId id;
  std::string_view name;    // "V60"
  std::string_view writer;  // "QEMU 6.0 to 7.2"
  Release first_release;    // 0: never released.
  Release last_release;
  VfioProtocol protocol;
  // Stop-copy data and config travel in multifd packets.
  bool multifd_device_state;
  // A DATA record is one transaction of the device: keep it as it is. Where
  // false, records may be merged and split at will.
  bool record_boundaries_matter;
  // Device-state packets have the sender's byte order, not big-endian.
  bool host_endian_packets;
  SectionGrammar start, part, end, full;
  // What the tags' numbers mean; released ones go up to 6.
  std::array<Element, kTagNumbers> meanings;
  ConfigLayoutKind config_layout;
  Subflag subflag;
  WriterHabits habits;

  // Whether a device's END holds none of its data, which is on multifd
  // channels.
  constexpr bool empty_end() const {
    return multifd_device_state &&
           !end.After(Element::kNone).Contains(Element::kData);
  }
  constexpr const SectionGrammar& Grammar(SectionType type) const {
    if (type == SectionType::kStart) return start;
    if (type == SectionType::kPart) return part;
    if (type == SectionType::kEnd) return end;
    return full;
  }
  // kNone for what is no tag in this dialect.
  constexpr Element Meaning(uint64_t tag) const {
    uint64_t number = tag - kTagPrefix;
    return number < meanings.size() ? meanings[number] : Element::kNone;
  }
  // The inverse, for an element that the dialect has.
  Tag TagOf(Element element) const;
  bool released() const { return first_release != 0; }
};

const Dialect& GetDialect(DialectId id);

// All rows in the order of DialectId, kAuto last.
std::span<const Dialect> AllDialects();

// By name without regard to case ("v60", "E5-v7", "auto"); null if none.
const Dialect* FindDialect(std::string_view name);

}  // namespace migstream

#endif  // MIGSTREAM_FLAGS_DIALECT_H_
