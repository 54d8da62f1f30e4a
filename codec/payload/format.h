// What a driver puts inside DATA, as rows: its fields, its records, how they
// are framed, who reads which generation of them. The rows are all that the
// walker knows (payload_decoder.h), and they print themselves as PAYLOADS.md.
//
//   constexpr payload::Field kHeader[] = {{"record_size", 0, 8}, …};
//   constexpr payload::Record kRecords[] = {
//       {.name = "FW_DATA", .key = 0, .body = payload::Body::kOpaque}};
//   constexpr payload::Level kRoot = {.header_bytes = 16, .size = {0, 8},
//                                     .key = {12, 4}, .header = kHeader,
//                                     .records = kRecords};
//
// Offsets and sizes are bytes. Rows are constants; everything that points to
// one points to it for the life of the program.

#ifndef MIGSTREAM_CODEC_PAYLOAD_FORMAT_H_
#define MIGSTREAM_CODEC_PAYLOAD_FORMAT_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "codec/payload/kernel_release.h"
#include "codec/wire/bytes.h"

namespace migstream::payload {

// A number of `width` bytes, 1 to 8.
inline uint64_t LoadNumber(const uint8_t* from, int width, bool big_endian) {
  if (big_endian) return LoadBe(from, width);
  // The widths that nearly all have, without a call.
  if (width == 8) {
    uint64_t value;
    std::memcpy(&value, from, sizeof value);
    return value;
  }
  if (width == 4) return LoadLe32(from);
  if (width == 2) return LoadLe16(from);
  uint64_t value = 0;
  for (int i = width - 1; i >= 0; --i) value = value << 8 | from[i];
  return value;
}

// Its `width` low bytes; 0: none.
inline void StoreNumber(uint8_t* to, int width, bool big_endian,
                        uint64_t value) {
  for (int i = 0; i < width; ++i) {
    to[big_endian ? width - 1 - i : i] = static_cast<uint8_t>(value >> 8 * i);
  }
}

struct ValueName {
  uint64_t value = 0;  // Or, in a set of bits, the bit's number.
  std::string_view name;
};

enum class Show : uint8_t {
  kDecimal,
  kHex,
  kBits,   // A set of bits, by names.
  kBytes,  // No number: never shown unasked.
};

struct Field {
  std::string_view name;  // The driver's own.
  uint16_t offset = 0;    // In the header, or in the body.
  uint16_t bytes = 0;     // Of one element; a number has 1, 2, 4 or 8.
  Show show = Show::kDecimal;
  uint16_t count = 1;
  std::span<const ValueName> names = {};
};

// "0x17f001000"; "1 not ready"; "0x21: MAC CTRL_VQ".
std::string FieldText(const Field& field, uint64_t value);

enum class Body : uint8_t {
  kOpaque,  // Firmware, memory, buffers: nothing public describes them.
  kFields,
  kList,  // Records of their own.
};

struct Level;

struct Record {
  std::string_view name;
  // What tells it from others: a tag, or a name's eight bytes.
  uint64_t key = 0;
  Body body = Body::kOpaque;
  // Stands where the table puts it, without a header. `bytes` is its size;
  // zero: all there is.
  bool bare = false;
  uint32_t bytes = 0;  // What kernels write; zero: any.
  std::span<const Field> fields = {};
  const Level* list = nullptr;
  std::string_view note = {};  // For PAYLOADS.md.
};

// Where a header has a number. No bytes: it has none.
struct Slot {
  uint8_t offset = 0;
  uint8_t bytes = 0;
};

// Records that stand one behind the other.
struct Level {
  uint8_t header_bytes = 0;
  Slot size = {};  // Of the body, in units of `unit` bytes.
  uint8_t unit = 1;
  Slot key = {};          // None: `records` come in the order of the table.
  Slot count = {};        // How many records the body is a list of; 0: a leaf.
  bool recovers = false;  // Where a record overruns, the next list is sound.
  std::string_view unknown = {};  // "tag": an unknown key 7 is "tag7".
  std::span<const Field> header = {};
  std::span<const Record> records = {};
  const Level* unknown_list = nullptr;  // Of what has a count and no row.
};

// Which bytes may travel while the guest still runs.
enum class PreCopy : uint8_t {
  kNone,    // The driver has no PRE_COPY.
  kPrefix,  // The first bytes, and no more.
  kAny,
};

struct PciRow {
  uint16_t vendor = 0;
  uint16_t device = 0;
  std::string_view what = {};
  KernelRelease since = {};
};

// One way of writing; rows are in the order of `Reader::reads`' bits.
struct Generation {
  std::string_view name;
  std::string_view needs;      // "mlx5_vfio_pci >= 6.3".
  std::string_view also = {};  // Of device and configuration.
};

// When a destination says no.
enum class Moment : uint8_t {
  kNever,
  kWrite,   // The write() of the bytes fails.
  kStop,    // RESUMING -> STOP fails, after all data was taken.
  kLater,   // A later write() or the stop, from a worker.
  kDevice,  // No code of the kernel's: device or firmware decides.
};

struct Refusal {
  Moment when = Moment::kNever;
  std::string_view error = {};  // "EINVAL".
  std::string_view log = {};    // What to look for in the kernel's log.
  // Before a release it was another.
  std::string_view error_before = {};
  KernelRelease changed = {};
};

// What a driver reads from a release on, until the next row's.
struct Reader {
  KernelRelease from;
  uint32_t reads = 0;  // Bit n: generation n.
  Refusal otherwise = {};
  std::string_view note = {};
};

enum class Driver : uint8_t {
  kOpaque,
  kMlx5,
  kHisiAcc,
  kPds,
  kVirtio,
  kQat,
  kXe,
  kMtty,
  kIceRfc,
  kGvtG,
  kSpdkNvme,
};

// How much the first bytes say.
enum class Likeness : uint8_t {
  kNo,
  kMaybe,  // They fit, and others' would too.
  kSure,
};

// Numbers are in the host's order in some drivers.
struct Look {
  Likeness likeness = Likeness::kNo;
  bool big_endian = false;
};

struct Format {
  Driver driver = Driver::kOpaque;
  std::string_view name;         // "mlx5".
  std::string_view module = {};  // "mlx5_vfio_pci".
  std::string_view source = {};  // The file that is its specification.
  const Level* root = nullptr;
  const Level* legacy_root = nullptr;  // Where bytes do not fit `root`.
  std::span<const PciRow> ids = {};
  Look (*look)(ByteSpan head) = nullptr;
  bool host_order = false;  // Else little-endian.
  PreCopy pre_copy = PreCopy::kAny;
  uint32_t prefix_bytes = 0;
  std::string_view length_law = {};
  std::span<const Generation> generations = {};
  std::span<const Reader> readers = {};
  std::string_view not_in_stream = {};
};

// The row of `key`, or null.
const Record* FindRecord(const Level& level, uint64_t key);

// Eight bytes of a name as a key.
constexpr uint64_t NameKey(std::string_view name) {
  uint64_t key = 0;
  for (size_t i = 0; i < name.size() && i < 8; ++i) {
    key |= uint64_t{static_cast<uint8_t>(name[i])} << (8 * i);
  }
  return key;
}

}  // namespace migstream::payload

#endif  // MIGSTREAM_CODEC_PAYLOAD_FORMAT_H_
