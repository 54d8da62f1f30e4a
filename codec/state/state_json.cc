#include "codec/state/state_json.h"

#include <string_view>

#include "absl/strings/str_format.h"
#include "codec/qemu/handler_records.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

constexpr size_t kIndent = 4;
constexpr size_t kFlushBytes = 64 << 10;
// Text that a byte of state can take, with its share of names and spaces.
constexpr size_t kTextPerByte = 64;

std::string Quoted(std::string_view printable) {
  std::string text = "\"";
  for (char c : printable) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + "\"";
}

}  // namespace

std::string& StateJson::Out() {
  if (held_levels_.empty()) return out_;
  Held& held = *levels_[held_levels_.back()].held;
  return held.slots[held.current].text;
}

void StateJson::Put(std::string_view text) {
  Out().append(text.data(), text.size());
  if (!held_levels_.empty()) {
    held_bytes_ += text.size();
  } else if (out_.size() >= kFlushBytes) {
    sink_.Write(AsBytes(out_));
    out_.clear();
  }
}

void StateJson::NewLine() {
  Put("\n");
  Put(std::string(kIndent * indent_, ' '));
}

void StateJson::CloseList(Level& level) {
  if (!level.in_list) return;
  level.in_list = false;
  NewLine();
  Put("]");
}

bool StateJson::BeginMember(const Field& field) {
  if (!held_levels_.empty() && held_bytes_ > max_held_) {
    cut_ = true;
    return false;
  }
  Level& level = levels_.back();
  const bool is_list = field.is_list();
  bool goes_on = false;
  if (level.held) {
    Held& held = *level.held;
    auto [slot, added] =
        held.by_name.try_emplace(std::string(field.name), held.slots.size());
    if (added) held.slots.emplace_back();
    held.current = slot->second;
    held.slots[held.current].is_list = is_list;
    goes_on = !added;
  } else {
    goes_on = is_list && level.in_list && level.list_name == field.name;
    if (!goes_on) {
      CloseList(level);
      if (!level.empty) Put(",");
      NewLine();
      if (is_list) level.list_name = std::string(field.name);
      level.in_list = is_list;
    }
    level.empty = false;
  }
  if (!goes_on) Put(StrCat(Quoted(Printable(field.name)), ": "));
  if (is_list) {
    Put(goes_on ? "," : "[");
    ++indent_;
    NewLine();
  }
  return true;
}

void StateJson::EndMember(const Field& field) {
  if (field.is_list()) --indent_;
}

void StateJson::BeginObject(const Field& field) {
  Put("{");
  ++indent_;
  levels_.emplace_back();
  if (field.scattered && field.bytes <= max_held_ / kTextPerByte) {
    levels_.back().held = std::make_unique<Held>();
    held_levels_.push_back(levels_.size() - 1);
  }
}

void StateJson::EndObject() {
  Level level = std::move(levels_.back());
  CloseList(level);
  levels_.pop_back();
  if (level.held) {
    held_levels_.pop_back();
    for (Slot& slot : level.held->slots) {
      if (!held_levels_.empty()) held_bytes_ -= slot.text.size();
      if (!level.empty) Put(",");
      level.empty = false;
      NewLine();
      Put(slot.text);
      slot.text = {};
      if (slot.is_list) {
        NewLine();
        Put("]");
      }
    }
    if (held_levels_.empty()) held_bytes_ = 0;
  }
  --indent_;
  if (!level.empty) NewLine();
  Put("}");
}

void StateJson::PutHex(ByteSpan bytes) {
  if (bytes.empty()) return;
  if (hex_begun_) Put(" ");
  hex_begun_ = true;
  Put(HexText(bytes));
}

void StateJson::EndHex() {
  if (!in_hex_) return;
  in_hex_ = false;
  hex_begun_ = false;
  Put("\"");
}

void StateJson::OnDevice(const SectionView& section, StateKind state,
                         const Field& all) {
  skipped_ = state == StateKind::kConfiguration;
  if (skipped_) return;
  if (levels_.empty()) BeginObject({});
  // What nobody describes may be no name, but guest memory in its place.
  const bool unknown =
      state == StateKind::kUndescribed ||
      (state == StateKind::kHandler &&
       FindHandlerParser(section.idstr, section.type) == nullptr);
  std::string name =
      StrCat(unknown ? UnknownName(section.idstr) : std::string(section.idstr),
             " (", section.id, ")");
  Field member;
  member.name = name;
  BeginMember(member);
  if (state == StateKind::kHandler) {
    Put("\"\"");
    skipped_ = true;
    return;
  }
  BeginObject(all);
}

void StateJson::OnDeviceEnd(const SectionView&) {
  if (!skipped_) {
    EndHex();
    EndObject();
  }
  skipped_ = false;
}

void StateJson::OnStruct(const Field& field) {
  if (skipped_) return;
  if (in_tmp_ > 0) {
    ++in_tmp_;
  } else if (left_out_ > 0 || !BeginMember(field)) {
    ++left_out_;
  } else if (field.kind == FieldKind::kTmp) {
    in_tmp_ = 1;
    in_hex_ = true;
    Put("\"");
  } else {
    BeginObject(field);
  }
}

void StateJson::OnStructEnd(const Field& field) {
  if (skipped_) return;
  if (left_out_ > 0) {
    --left_out_;
    return;
  }
  if (in_tmp_ > 0) {
    if (--in_tmp_ > 0) return;
    EndHex();
  } else {
    EndHex();
    EndObject();
  }
  EndMember(field);
}

void StateJson::OnValue(const Field& field, const FieldValue& value) {
  if (skipped_ || left_out_ > 0) return;
  if (in_tmp_ > 0) return PutHex(value.bytes);
  bool is_bytes = field.kind == FieldKind::kBytes && field.type != "capability";
  if (!is_bytes) {
    if (!BeginMember(field)) return;
    std::string text = ValueText(field, value);
    Put(field.kind == FieldKind::kBool ? text : Quoted(text));
    EndMember(field);
    return;
  }
  if (value.offset == 0) {
    if (!BeginMember(field)) return;
    in_hex_ = true;
    Put("\"");
    // What follows it stands where it does.
    EndMember(field);
  }
  if (!in_hex_) return;  // Left out.
  PutHex(value.bytes);
  if (value.offset + value.bytes.size() == field.bytes) EndHex();
}

void StateJson::OnEmptyList(const Field& field) {
  if (skipped_ || left_out_ > 0 || in_tmp_ > 0) return;
  Field member = field;
  member.elements = 1;
  if (BeginMember(member)) Put("[]");
}

void StateJson::Finish() {
  if (levels_.empty()) BeginObject({});
  EndObject();
  Put("\n");
  sink_.Write(AsBytes(out_));
  out_.clear();
}

}  // namespace migstream
