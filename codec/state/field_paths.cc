#include "codec/state/field_paths.h"

#include <algorithm>

#include "codec/wire/error.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"

namespace migstream {

void FieldPaths::OnDevice(const SectionView& section, StateKind state,
                          const Field&) {
  device_ = std::string(section.idstr);
  instance_id_ = section.instance_id;
  state_ = state;
  path_.clear();
  open_.clear();
  chunk_.clear();
}

void FieldPaths::OnDeviceEnd(const SectionView&) { chunk_.clear(); }

void FieldPaths::Append(const Field& field) {
  if (!path_.empty()) path_ += '.';
  path_ += Printable(field.name);
  if (field.is_list()) StrAppend(&path_, "[", field.index, "]");
}

void FieldPaths::OnStruct(const Field& field) {
  open_.push_back(path_.size());
  Append(field);
}

void FieldPaths::OnStructEnd(const Field&) {
  chunk_.clear();
  path_.resize(open_.back());
  open_.pop_back();
}

void FieldPaths::OnValue(const Field& field, const FieldValue& value) {
  size_t before = path_.size();
  Append(field);
  if (field.kind != FieldKind::kBytes || field.bytes == 0) {
    Give(field, value);
  } else {
    if (value.offset == 0) {
      chunk_.clear();
      chunk_offset_ = 0;
    }
    for (ByteSpan left = value.bytes; !left.empty();) {
      size_t taken = std::min(kChunkBytes - chunk_.size(), left.size());
      chunk_.insert(chunk_.end(), left.begin(), left.begin() + taken);
      left = left.subspan(taken);
      if (chunk_.size() == kChunkBytes) GiveChunk(field);
    }
    bool last = chunk_offset_ + chunk_.size() == field.bytes;
    if (last && !chunk_.empty()) GiveChunk(field);
  }
  path_.resize(before);
}

void FieldPaths::GiveChunk(const Field& field) {
  size_t before = path_.size();
  if (chunk_offset_ != 0) StrAppend(&path_, "+", Hex(chunk_offset_));
  FieldValue value;
  value.bytes = chunk_;
  value.offset = chunk_offset_;
  Give(field, value, path_.size() - before);
  path_.resize(before);
  chunk_offset_ += chunk_.size();
  chunk_.clear();
}

void FieldPaths::Give(const Field& field, const FieldValue& value,
                      size_t offset_characters) {
  std::string text = ValueText(field, value);
  PathValue given;
  given.device = device_;
  given.instance_id = instance_id_;
  given.state = state_;
  given.path = path_;
  given.offset = value.offset;
  given.offset_characters = offset_characters;
  given.type = field.type;
  given.text = text;
  given.bytes = value.bytes;
  on_value_(given);
}

}  // namespace migstream
