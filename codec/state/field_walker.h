// Goes through the content of a FULL section by its description, and gives the
// fields in it. FORMAT.md section 7.
//
//   FieldWalker walker(description, device, visitor);
//   walker.Take(bytes);                      // As often as there are any.
//   std::string problem = walker.Finish();
//
// The content may come in any pieces. Numbers are put together; bytes go on as
// views into the pieces, so that no device is too large. Time and memory are
// bounded by the content and the description, and not by what that claims.

#ifndef MIGSTREAM_CODEC_STATE_FIELD_WALKER_H_
#define MIGSTREAM_CODEC_STATE_FIELD_WALKER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "codec/qemu/vm_description.h"
#include "codec/state/field.h"

namespace migstream {

class FieldWalker {
 public:
  // The description, with its fields, and the visitor must outlive the walker.
  // Fields without bytes cost time and no input: of those, `max_empty` are
  // given.
  FieldWalker(const VmDescription& description, const DescribedDevice& device,
              FieldVisitor& visitor, uint64_t max_empty = 1 << 20);

  // The device as one struct. Nothing is given before the first Take().
  const Field& all() const { return all_; }

  void Take(ByteSpan bytes);

  // The content has ended. Not empty: what in it is not as described. From
  // there on it was given as one field "undecoded".
  std::string Finish();

 private:
  // Where a member's elements stand among those of the same name. There are
  // as many as there are fields: both numbers stay at UINT32_MAX, once there.
  struct Member {
    uint32_t first = 0;
    uint32_t total = 0;
  };
  // An open struct.
  struct Level {
    uint32_t owner = 0;  // The node whose members these are.
    std::vector<Member> members;
    bool scattered = false;
    // What comes next.
    uint32_t node = 0;
    uint32_t member = 0;
    uint64_t element = 0;
    bool subsections = false;  // They come after the fields.
    Field field;               // What is given at its end.
  };

  const VmDescription::Node& node(uint32_t index) const {
    return description_.node(index);
  }
  Level& top() { return levels_[depth_ - 1]; }
  void Open(const Field& field, uint32_t owner);
  void FindMembers(Level& level);
  // Goes on to the next field with bytes; false if there is none.
  bool Next();
  void NextElement(Level& level);
  void Close();
  void TakeNumber(ByteSpan& bytes);
  void TakeBytes(ByteSpan& bytes);
  void TakeHead(ByteSpan& bytes);
  void EndLeaf();
  bool CountEmpty();
  void Fail(std::string problem);

  const VmDescription& description_;
  const DescribedDevice& device_;
  FieldVisitor& visitor_;
  uint64_t empty_left_;
  Field all_;
  // The first `depth_` are open; members of the others are kept, for the next
  // element of an array has the same.
  std::vector<Level> levels_;
  size_t depth_ = 0;
  uint64_t offset_ = 0;
  enum { kBetween, kNumber, kBytes, kHead, kDone } state_ = kBetween;
  Field leaf_;
  uint64_t leaf_done_ = 0;
  std::vector<uint8_t> held_;  // A number or a subsection's head, in part.
  bool at_root_ = false;       // The whole device is one leaf.
  std::string problem_;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_STATE_FIELD_WALKER_H_
