// The state of devices as (device, path, value), one after the other in the
// stream's order: for comparing, searching and listing.
//
//   FieldPaths paths([&](const PathValue& value) {
//     out << value.device << " " << value.path << " = " << value.text << "\n";
//   });
//   FieldReader fields(paths);
//   StreamReader reader(source, fields, options);
//   Error error = reader.Read();
//   fields.Finish(error);
//
// A path names one value of a device: "env.segs[2].base",
// "ich9_pm/tco.tco_regs.tco.rld". Names are put together with dots and may have
// some themselves. Bytes come in chunks of the same size however the stream was
// read: all but the first have their offset in the path, "data+0x1000".

#ifndef MIGSTREAM_CODEC_STATE_FIELD_PATHS_H_
#define MIGSTREAM_CODEC_STATE_FIELD_PATHS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/state/field.h"

namespace migstream {

// Views are good during the call only.
struct PathValue {
  // As it stands in the stream: see Printable().
  std::string_view device;
  uint32_t instance_id = 0;
  StateKind state = StateKind::kDescribed;
  // Fit to be printed.
  std::string_view path;
  std::string_view type;  // As the description says.
  // Bytes that come in chunks: where the chunk is in the field; and the path's
  // end, which says that too, has so many characters.
  uint64_t offset = 0;
  size_t offset_characters = 0;
  std::string_view text;  // ValueText().
  ByteSpan bytes;         // As they stand in the stream.
};

class FieldPaths : public FieldVisitor {
 public:
  static constexpr size_t kChunkBytes = 4096;

  explicit FieldPaths(std::function<void(const PathValue&)> on_value)
      : on_value_(std::move(on_value)) {}

  void OnDevice(const SectionView& section, StateKind state,
                const Field& all) override;
  void OnStruct(const Field& field) override;
  void OnStructEnd(const Field& field) override;
  void OnValue(const Field& field, const FieldValue& value) override;
  void OnDeviceEnd(const SectionView& section) override;

 private:
  void Append(const Field& field);
  void Give(const Field& field, const FieldValue& value,
            size_t offset_characters = 0);
  void GiveChunk(const Field& field);

  const std::function<void(const PathValue&)> on_value_;
  std::string device_;
  uint32_t instance_id_ = 0;
  StateKind state_ = StateKind::kDescribed;
  std::string path_;
  std::vector<size_t> open_;  // Lengths of the path before each open struct.
  std::vector<uint8_t> chunk_;
  uint64_t chunk_offset_ = 0;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_STATE_FIELD_PATHS_H_
