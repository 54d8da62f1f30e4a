// Writes what the walker (payload_decoder.h) reads, by the same rows: sizes,
// keys and counts in headers come from the records themselves, all else is
// zero unless a value is given.
//
//   PayloadEncoder encoder(*format.root);
//   encoder.Fields("STOP_COPY_SIZE", {{"stop_copy_size", 8192}},
//                  {{"flags", 1}});
//   encoder.Opaque("FW_DATA", image);
//   std::string bytes = encoder.Take();
//
// Names are those of the rows; one that the table has not is the caller's
// mistake, and asserted. Unknown() writes a key without a row.

#ifndef MIGSTREAM_CODEC_PAYLOAD_PAYLOAD_ENCODER_H_
#define MIGSTREAM_CODEC_PAYLOAD_PAYLOAD_ENCODER_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codec/payload/format.h"
#include "codec/wire/bytes.h"

namespace migstream {

// A field's value, or one of them where it has several.
struct PayloadFieldValue {
  std::string_view field;
  uint64_t number = 0;
  uint16_t index = 0;
  std::string_view bytes = {};  // Of a field that is no number.
};

class PayloadEncoder {
 public:
  using Values = std::vector<PayloadFieldValue>;

  // `root` must outlive the encoder.
  explicit PayloadEncoder(const payload::Level& root, bool big_endian = false)
      : big_endian_(big_endian) {
    lists_.push_back({&root, 0, 0});
  }

  // A record that is a list, until its End().
  void Begin(std::string_view name, const Values& header = {});
  void End();

  // `bytes`: of the body, if that is not its row's.
  void Fields(std::string_view name, const Values& values,
              const Values& header = {}, size_t bytes = 0);
  void Opaque(std::string_view name, std::string_view body,
              const Values& header = {});
  void Unknown(uint64_t key, std::string_view body, const Values& header = {});

  uint64_t size() const { return bytes_.size(); }
  // All of it; every list has ended.
  std::string Take();

 private:
  struct List {
    const payload::Level* level;
    size_t header;  // Where that of the list's own record is.
    uint64_t records;
  };

  const payload::Record& Row(std::string_view name) const;
  void Header(uint64_t key, bool bare, const Values& values);
  void Size(size_t header, const payload::Level& level);
  void Put(size_t at, std::span<const payload::Field> fields, size_t body_bytes,
           const Values& values);

  const bool big_endian_;
  std::string bytes_;
  std::vector<List> lists_;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_PAYLOAD_PAYLOAD_ENCODER_H_
