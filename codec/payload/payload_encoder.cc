#include "codec/payload/payload_encoder.h"

#include <algorithm>
#include <cassert>

namespace migstream {

using payload::Field;
using payload::Level;
using payload::Record;

namespace {

uint8_t* Mutable(std::string& bytes) {
  return reinterpret_cast<uint8_t*>(bytes.data());
}

}  // namespace

const Record& PayloadEncoder::Row(std::string_view name) const {
  std::span<const Record> rows = lists_.back().level->records;
  auto row = std::find_if(rows.begin(), rows.end(), [name](const Record& row) {
    return row.name == name;
  });
  assert(row != rows.end());
  return *row;
}

void PayloadEncoder::Put(size_t at, std::span<const Field> fields,
                         size_t body_bytes, const Values& values) {
  for (const PayloadFieldValue& value : values) {
    auto field = std::find_if(
        fields.begin(), fields.end(),
        [&](const Field& field) { return field.name == value.field; });
    assert(field != fields.end() && value.index < field->count);
    // A field without a size of its own is all of its record.
    size_t width = field->bytes != 0 ? field->bytes : body_bytes;
    size_t to = at + field->offset + value.index * width;
    assert(to + width <= bytes_.size());
    if (!value.bytes.empty()) {
      bytes_.replace(to, std::min(width, value.bytes.size()),
                     value.bytes.substr(0, width));
    } else {
      payload::StoreNumber(Mutable(bytes_) + to, static_cast<int>(width),
                           big_endian_, value.number);
    }
  }
}

void PayloadEncoder::Header(uint64_t key, bool bare, const Values& values) {
  List& list = lists_.back();
  ++list.records;
  if (bare) return;
  const Level& level = *list.level;
  size_t at = bytes_.size();
  bytes_.resize(at + level.header_bytes);
  Put(at, level.header, 0, values);
  payload::StoreNumber(Mutable(bytes_) + at + level.key.offset, level.key.bytes,
                       big_endian_, key);
}

// The record at `header` has ended.
void PayloadEncoder::Size(size_t header, const Level& level) {
  uint64_t body = bytes_.size() - header - level.header_bytes;
  assert(body % level.unit == 0);
  payload::StoreNumber(Mutable(bytes_) + header + level.size.offset,
                       level.size.bytes, big_endian_, body / level.unit);
}

void PayloadEncoder::Begin(std::string_view name, const Values& header) {
  const Record& row = Row(name);
  assert(row.list && !row.bare);
  size_t at = bytes_.size();
  Header(row.key, false, header);
  lists_.push_back({row.list, at, 0});
}

void PayloadEncoder::End() {
  List list = lists_.back();
  lists_.pop_back();
  assert(!lists_.empty());
  const Level& level = *lists_.back().level;
  Size(list.header, level);
  payload::StoreNumber(Mutable(bytes_) + list.header + level.count.offset,
                       level.count.bytes, big_endian_, list.records);
}

void PayloadEncoder::Fields(std::string_view name, const Values& values,
                            const Values& header, size_t bytes) {
  const Record& row = Row(name);
  const Level& level = *lists_.back().level;
  size_t at = bytes_.size();
  Header(row.key, row.bare, header);
  size_t body = bytes_.size();
  size_t body_bytes = bytes != 0 ? bytes : row.bytes;
  bytes_.resize(body + body_bytes);
  Put(body, row.fields, body_bytes, values);
  if (!row.bare) Size(at, level);
}

void PayloadEncoder::Opaque(std::string_view name, std::string_view body,
                            const Values& header) {
  const Record& row = Row(name);
  size_t at = bytes_.size();
  Header(row.key, row.bare, header);
  bytes_ += body;
  if (!row.bare) Size(at, *lists_.back().level);
}

void PayloadEncoder::Unknown(uint64_t key, std::string_view body,
                             const Values& header) {
  size_t at = bytes_.size();
  Header(key, false, header);
  bytes_ += body;
  Size(at, *lists_.back().level);
}

std::string PayloadEncoder::Take() {
  assert(lists_.size() == 1);
  return std::move(bytes_);
}

}  // namespace migstream
