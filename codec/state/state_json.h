// The state of all devices as JSON, in the shape in which QEMU's own analysis
// script prints it. FORMAT.md section 7.9.
//
//   StateJson json(sink);
//   FieldReader fields(json);
//   StreamReader reader(source, fields, options);
//   Error error = reader.Read();
//   fields.Finish(error);
//   json.Finish();
//
// The text goes to the sink as it grows, and is well-formed JSON even if the
// stream ends early. A member for each device, "IDSTR (SECTION ID)"; the
// CONFIGURATION is left out, as that script does.

#ifndef MIGSTREAM_CODEC_STATE_STATE_JSON_H_
#define MIGSTREAM_CODEC_STATE_STATE_JSON_H_

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "codec/qemu/stream_writer.h"
#include "codec/state/field.h"

namespace migstream {

class StateJson : public FieldVisitor {
 public:
  // Fields of one name in one struct are a list even if others stand between
  // them. The text of such a struct is held until it ends, up to `max_held`
  // bytes; one that is too large for that has the name twice.
  explicit StateJson(ByteSink& sink, size_t max_held = 16 << 20)
      : sink_(sink), max_held_(max_held) {}

  void OnDevice(const SectionView& section, StateKind state,
                const Field& all) override;
  void OnStruct(const Field& field) override;
  void OnStructEnd(const Field& field) override;
  void OnValue(const Field& field, const FieldValue& value) override;
  void OnEmptyList(const Field& field) override;
  void OnDeviceEnd(const SectionView& section) override;

  void Finish();

  // Whether there is any text.
  bool begun() const { return !levels_.empty(); }

  // Members of a struct were left out, for more could not be held.
  bool cut() const { return cut_; }

 private:
  // The members of one name, in a struct that is held.
  struct Slot {
    std::string text;
    bool is_list = false;
  };
  struct Held {
    std::vector<Slot> slots;
    std::map<std::string, size_t> by_name;
    size_t current = 0;
  };
  // An open object.
  struct Level {
    bool empty = true;
    // A list that is open for more elements of its name.
    bool in_list = false;
    std::string list_name;
    std::unique_ptr<Held> held;
  };

  std::string& Out();
  void Put(std::string_view text);
  void NewLine();
  // False if the member is left out.
  bool BeginMember(const Field& field);
  void EndMember(const Field& field);
  void CloseList(Level& level);
  void BeginObject(const Field& field);
  void EndObject();
  void PutHex(ByteSpan bytes);
  void EndHex();

  ByteSink& sink_;
  const size_t max_held_;
  std::string out_;
  std::vector<Level> levels_;
  std::vector<size_t> held_levels_;  // Those whose members are held.
  size_t held_bytes_ = 0;
  size_t indent_ = 0;
  bool skipped_ = false;  // A device that is left out.
  size_t in_tmp_ = 0;     // Open structs, from a kTmp on: shown as bytes.
  size_t left_out_ = 0;   // Open structs, from one that is left out on.
  bool in_hex_ = false;
  bool hex_begun_ = false;
  bool cut_ = false;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_STATE_STATE_JSON_H_
