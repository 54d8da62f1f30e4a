#include "codec/state/field_walker.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "codec/wire/error.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "flags/section_type.h"

namespace migstream {
namespace {

uint32_t Saturated(uint64_t number) {
  return static_cast<uint32_t>(std::min<uint64_t>(number, UINT32_MAX));
}

}  // namespace

FieldWalker::FieldWalker(const VmDescription& description,
                         const DescribedDevice& device, FieldVisitor& visitor,
                         uint64_t max_empty)
    : description_(description),
      device_(device),
      visitor_(visitor),
      empty_left_(max_empty) {
  const VmDescription::Node& root = node(device.node);
  all_.kind = FieldKind::kStruct;
  all_.bytes = root.bytes;
  if (root.kind == FieldKind::kBytes) {
    // Its fields are not what its size says.
    leaf_.name = "data";
    leaf_.type = "buffer";
    leaf_.bytes = root.bytes;
    at_root_ = true;
    state_ = kBytes;
    return;
  }
  Open(all_, device.node);
  all_.scattered = top().scattered;
}

void FieldWalker::Open(const Field& field, uint32_t owner) {
  if (levels_.size() == depth_) levels_.emplace_back();
  Level& level = levels_[depth_++];
  if (level.owner != owner || level.members.empty()) {
    level.owner = owner;
    FindMembers(level);
  }
  level.node = owner + 1;
  level.member = 0;
  level.element = 0;
  level.subsections = false;
  level.field = field;
  level.field.scattered = level.scattered;
  if (depth_ > 1) visitor_.OnStruct(level.field);
}

void FieldWalker::FindMembers(Level& level) {
  std::vector<uint32_t> nodes;
  for (uint32_t at = level.owner + 1; at < node(level.owner).end;
       at = node(at).end) {
    nodes.push_back(at);
  }
  auto name = [&](uint32_t member) {
    return description_.text(node(nodes[member]).name);
  };
  std::vector<uint32_t> by_name(nodes.size());
  std::iota(by_name.begin(), by_name.end(), 0);
  std::stable_sort(by_name.begin(), by_name.end(),
                   [&](uint32_t a, uint32_t b) { return name(a) < name(b); });
  level.members.assign(nodes.size(), {});
  level.scattered = false;
  for (size_t begin = 0, end; begin < by_name.size(); begin = end) {
    uint64_t total = 0;
    for (end = begin;
         end < by_name.size() && name(by_name[end]) == name(by_name[begin]);
         ++end) {
      level.members[by_name[end]].first = Saturated(total);
      total += node(nodes[by_name[end]]).count;
      level.scattered |= end > begin && by_name[end] != by_name[end - 1] + 1;
    }
    for (size_t i = begin; i < end; ++i) {
      Member& member = level.members[by_name[i]];
      member.total = Saturated(total);
      // Among lists without elements, the first is reported.
      if (total == 0 && i != begin) member.first = UINT32_MAX;
    }
  }
}

bool FieldWalker::Next() {
  while (state_ == kBetween) {
    Level& level = top();
    if (level.node < node(level.owner).end) {
      NextElement(level);
    } else if (!level.subsections) {
      level.subsections = true;
      level.node = level.owner + 1;
      level.member = 0;
    } else if (depth_ > 1) {
      Close();
      ++top().element;
    } else {
      state_ = kDone;
    }
  }
  return state_ != kDone;
}

// state_ stays kBetween unless there is something to take.
void FieldWalker::NextElement(Level& level) {
  const VmDescription::Node& next = node(level.node);
  const Member& member = level.members[level.member];
  bool is_subsection = next.kind == FieldKind::kSubsection;
  bool here = is_subsection == level.subsections;
  Field field;
  field.name = description_.text(next.name);
  field.type = description_.text(next.type);
  field.kind = next.kind;
  field.index = uint64_t{member.first} + level.element;
  field.elements = member.total;
  field.bytes = next.bytes;
  field.offset = offset_;
  if (!here || level.element >= next.count) {
    if (here && member.total == 0 && member.first == 0) {
      if (!CountEmpty()) return;
      visitor_.OnEmptyList(field);
    }
    level.node = next.end;
    ++level.member;
    level.element = 0;
    return;
  }
  if (next.bytes == 0 && !CountEmpty()) return;
  switch (next.kind) {
    case FieldKind::kStruct:
    case FieldKind::kTmp:
      Open(field, level.node);
      return;
    case FieldKind::kSubsection:
      state_ = kHead;
      break;
    case FieldKind::kBytes:
      state_ = kBytes;
      break;
    default:
      state_ = kNumber;
      break;
  }
  leaf_ = field;
  leaf_done_ = 0;
  held_.clear();
  if (leaf_.bytes == 0) {
    visitor_.OnValue(leaf_, {});
    EndLeaf();
  }
  return;
}

void FieldWalker::Close() {
  Field field = top().field;
  --depth_;
  visitor_.OnStructEnd(field);
}

void FieldWalker::EndLeaf() {
  if (at_root_) {
    state_ = kDone;
    return;
  }
  state_ = kBetween;
  ++top().element;
}

bool FieldWalker::CountEmpty() {
  if (empty_left_ == 0) {
    Fail("too many fields without bytes");
    return false;
  }
  --empty_left_;
  return true;
}

void FieldWalker::Fail(std::string problem) {
  problem_ =
      StrCat(std::move(problem), ", at ", Hex(offset_), " of the content");
  while (depth_ > 1) Close();
  leaf_ = {};
  leaf_.name = "undecoded";
  leaf_.type = "buffer";
  leaf_.offset = offset_;
  leaf_.bytes = device_.bytes > offset_ ? device_.bytes - offset_ : 0;
  leaf_done_ = 0;
  at_root_ = true;
  state_ = kBytes;
}

void FieldWalker::Take(ByteSpan bytes) {
  while (!bytes.empty() && Next()) {
    if (state_ == kNumber) {
      TakeNumber(bytes);
    } else if (state_ == kBytes) {
      TakeBytes(bytes);
    } else {
      TakeHead(bytes);
    }
  }
  if (!bytes.empty() && problem_.empty()) {
    problem_ =
        StrCat("more than the ", device_.bytes, " bytes that are described");
  }
  offset_ += bytes.size();
}

void FieldWalker::TakeNumber(ByteSpan& bytes) {
  size_t taken = std::min<uint64_t>(leaf_.bytes - held_.size(), bytes.size());
  held_.insert(held_.end(), bytes.begin(), bytes.begin() + taken);
  bytes = bytes.subspan(taken);
  offset_ += taken;
  if (held_.size() < leaf_.bytes) return;
  FieldValue value;
  value.number = LoadBe(held_.data(), static_cast<int>(held_.size()));
  value.bytes = held_;
  visitor_.OnValue(leaf_, value);
  EndLeaf();
}

void FieldWalker::TakeBytes(ByteSpan& bytes) {
  size_t taken = std::min<uint64_t>(leaf_.bytes - leaf_done_, bytes.size());
  FieldValue value;
  value.bytes = bytes.first(taken);
  value.offset = leaf_done_;
  bytes = bytes.subspan(taken);
  offset_ += taken;
  leaf_done_ += taken;
  if (taken > 0) visitor_.OnValue(leaf_, value);
  if (leaf_done_ == leaf_.bytes) EndLeaf();
}

// 05, str8 name, be32 version: as described, or the description is not that of
// these bytes.
void FieldWalker::TakeHead(ByteSpan& bytes) {
  const size_t head_bytes = 6 + leaf_.name.size();
  size_t taken = std::min(head_bytes - held_.size(), bytes.size());
  held_.insert(held_.end(), bytes.begin(), bytes.begin() + taken);
  size_t known = std::min(held_.size(), head_bytes - 4);
  std::string expected =
      StrCat(std::string(1, static_cast<char>(SectionType::kSubsection)),
             std::string(1, static_cast<char>(leaf_.name.size())), leaf_.name);
  if (AsText(held_).substr(0, known) != expected.substr(0, known)) {
    // What was held of it is given with the rest.
    std::vector<uint8_t> before(held_.begin(), held_.end() - taken);
    offset_ -= before.size();
    Fail(StrCat("no subsection ", Printable(leaf_.name)));
    ByteSpan held = before;
    TakeBytes(held);
    return;
  }
  bytes = bytes.subspan(taken);
  offset_ += taken;
  if (held_.size() < head_bytes) return;
  Field field = leaf_;
  state_ = kBetween;
  uint32_t owner = top().node;
  Open(field, owner);
}

std::string FieldWalker::Finish() {
  Next();
  if (state_ == kBytes && leaf_.bytes == 0) EndLeaf();
  if (state_ != kDone && problem_.empty()) {
    problem_ =
        StrCat("ends within the ", device_.bytes, " bytes that are described");
  }
  while (depth_ > 1) Close();
  return problem_;
}

}  // namespace migstream
