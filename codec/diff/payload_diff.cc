#include "codec/diff/payload_diff.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/payload/payload_tally.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

using payload::Body;
using payload::Driver;

constexpr size_t kReadBytes = 64 << 10;
constexpr std::string_view kWhat = "payload";

std::optional<PciId> IdOf(const VfioState& state) {
  for (const ConfigState& config : state.configs) {
    if (config.pci_config.size() < 4) continue;
    const uint8_t* id = AsBytes(config.pci_config).data();
    return PciId{LoadLe16(id), LoadLe16(id + 2)};
  }
  return std::nullopt;
}

// What a snapshot is made of, in drivers that send several.
std::string_view SnapshotName(const PayloadReport& report) {
  switch (report.format->driver) {
    case Driver::kMlx5:
      return "FW_DATA";
    case Driver::kVirtio:
      return "DEVICE_DATA";
    case Driver::kHisiAcc:
    case Driver::kPds:
    case Driver::kQat:
    case Driver::kXe:
    case Driver::kMtty:
    case Driver::kIceRfc:
    case Driver::kGvtG:
    case Driver::kSpdkNvme:
    case Driver::kOpaque:
      break;
  }
  return {};
}

bool IsSnapshot(const PayloadReport& report, size_t record) {
  const PayloadRecord& at = report.records[record];
  return at.depth == 0 && at.header_bytes > 0 &&
         at.name == SnapshotName(report);
}

// A record with those in it: from `first`, up to `end`.
struct Range {
  size_t first = 0;
  size_t end = 0;
};

Range Snapshot(const PayloadReport& report, size_t first) {
  size_t end = first + 1;
  while (end < report.records.size() && report.records[end].depth > 0) ++end;
  return {first, end};
}

uint64_t HeaderNumber(const PayloadReport& report, const PayloadRecord& record,
                      std::string_view field) {
  for (size_t i = 0; i < record.value_count; ++i) {
    const PayloadValue& value = report.values[record.first_value + i];
    if (value.in_header && value.field->name == field) return value.value;
  }
  return 0;
}

// What a payload's records are called, so that the same ones have the same
// name in another payload.
class Names {
 public:
  // `alone`: the range is one snapshot, whichever it is.
  Names(const PayloadReport& report, Range range, bool alone)
      : report_(report), alone_(alone) {
    for (size_t i = range.first; i < range.end; ++i) {
      snapshots_ += IsSnapshot(report, i);
    }
    for (size_t i = range.first; i < range.end; ++i) {
      std::string name = Name(i);
      int times = ++seen_[name];
      if (times > 1) StrAppend(&name, " (", times, ")");
      all_.push_back({std::move(name), i});
    }
  }

  struct Named {
    std::string name;
    size_t record;
  };
  const std::vector<Named>& all() const { return all_; }

 private:
  std::string Name(size_t i) {
    const PayloadRecord& record = report_.records[i];
    std::string name =
        record.depth == 0 ? OuterName(i) : StrCat(lists_[record.depth - 1]);
    if (record.depth > 0) {
      StrAppend(&name, name.empty() ? "" : "/", record.name);
      if (report_.format->driver == Driver::kVirtio) {
        StrAppend(&name, Selector(record));
      }
    }
    lists_.resize(record.depth + size_t{1});
    // Parts of a device's last snapshot are just the device's.
    bool virtio_list =
        report_.format->driver == Driver::kVirtio && record.depth == 0;
    lists_[record.depth] =
        virtio_list && (alone_ || snapshots_ == 0) ? "" : name;
    return name;
  }

  std::string OuterName(size_t i) {
    const PayloadRecord& record = report_.records[i];
    if (report_.format->driver == Driver::kXe && record.header_bytes > 0) {
      std::string name = StrCat("GT ", HeaderNumber(report_, record, "gt_id"),
                                " ", record.name);
      uint64_t offset = HeaderNumber(report_, record, "offset");
      if (record.name == "VRAM") StrAppend(&name, " ", Hex(offset));
      return name;
    }
    if (!IsSnapshot(report_, i)) return record.name;
    --snapshots_;
    if (alone_) return record.name;
    if (report_.format->driver == Driver::kVirtio) {
      return snapshots_ == 0
                 ? record.name
                 : StrCat(record.name, " ", snapshots_, " before the last");
    }
    uint64_t& number = images_[record.stop_copy];
    return StrCat(record.name, " ", number++, " of ",
                  record.stop_copy ? "stop-copy" : "pre-copy");
  }

  std::string Selector(const PayloadRecord& record) const {
    uint64_t selector = HeaderNumber(report_, record, "selector");
    bool has = record.name == "PCI_COMMON_CFG" || record.name == "VQ_CFG" ||
               record.name == "VQ_NOTIFY_CFG" || selector != 0;
    return has ? StrCat(" ", selector) : std::string();
  }

  const PayloadReport& report_;
  const bool alone_;
  uint64_t snapshots_ = 0;  // Still to come.
  uint64_t images_[2] = {};
  std::vector<std::string> lists_;  // The record that is open at each depth.
  std::map<std::string, int> seen_;
  std::vector<Named> all_;
};

class Comparison {
 public:
  Comparison(const PayloadSide& a, const PayloadSide& b, Differences& out)
      : a_(a),
        b_(b),
        out_(out),
        fields_(out, "fields of payload"),
        records_(out, "records of payload") {}

  Error Run(const Names& names_a, const Names& names_b) {
    std::map<std::string_view, size_t> others;
    for (const Names::Named& named : names_b.all()) {
      others.emplace(named.name, named.record);
    }
    for (const Names::Named& named : names_a.all()) {
      auto other = others.find(named.name);
      if (other == others.end()) {
        AddOnly(named, a_, true);
        continue;
      }
      CompareRecords(named.name, a_.report.records[named.record],
                     b_.report.records[other->second]);
      others.erase(other);
      if (!error_.ok()) return error_;
    }
    for (const Names::Named& named : names_b.all()) {
      if (others.count(named.name) != 0) AddOnly(named, b_, false);
    }
    return error_;
  }

  // What the reports have not, since nothing could be read there, or since
  // there are more records than are kept.
  Error CompareRest() {
    uint64_t from_a = ReadTo(a_), from_b = ReadTo(b_);
    if (from_a == a_.bytes->size() && from_b == b_.bytes->size()) return {};
    return CompareBytes("beyond its records", *a_.bytes, from_a,
                        a_.bytes->size() - from_a, *b_.bytes, from_b,
                        b_.bytes->size() - from_b);
  }

 private:
  static uint64_t ReadTo(const PayloadSide& side) {
    const PayloadReport& report = side.report;
    if (report.records_unkept > 0 && !report.records.empty()) {
      const PayloadRecord& last = report.records.back();
      return std::min(last.offset + last.header_bytes + last.there,
                      side.bytes->size());
    }
    return report.unread_from.value_or(side.bytes->size());
  }

  void AddOnly(const Names::Named& named, const PayloadSide& side, bool in_a) {
    const PayloadRecord& record = side.report.records[named.record];
    std::string text = StrCat(record.there, " bytes");
    records_.Add(StrCat(kWhat, " ", named.name), in_a ? text : "",
                 in_a ? "" : text);
  }

  void CompareRecords(const std::string& name, const PayloadRecord& a,
                      const PayloadRecord& b) {
    // What is in a list is compared by its own records.
    bool list = a.row && a.row->body == Body::kList;
    uint64_t bytes_a = a.header_bytes + (list ? 0 : a.there);
    uint64_t bytes_b = b.header_bytes + (list ? 0 : b.there);
    StoredBytes whole_a = a_.bytes->Part(a.offset, bytes_a);
    StoredBytes whole_b = b_.bytes->Part(b.offset, bytes_b);
    bool same = false;
    Keep(IsSameStored(*a_.kept, whole_a, *b_.kept, whole_b, same));
    if (same || !error_.ok()) return;
    size_t before = out_.size();
    bool differ = CompareValues(name, a, b);
    if (list || (differ && a.row && a.row->body == Body::kFields)) return;
    if (out_.size() != before && a.there == 0 && b.there == 0) return;
    // No field says what it is, or the body has none.
    if (!records_.IsListed()) return;
    Keep(CompareBytes(name, *a_.bytes, a.offset + a.header_bytes, a.there,
                      *b_.bytes, b.offset + b.header_bytes, b.there));
  }

  // Whether any differs.
  bool CompareValues(const std::string& name, const PayloadRecord& a,
                     const PayloadRecord& b) {
    bool differ = false;
    for (size_t i = 0; i < a.value_count; ++i) {
      const PayloadValue& value = a_.report.values[a.first_value + i];
      const PayloadValue* other = Find(b, value, i);
      if (!other) continue;
      std::string what = StrCat(kWhat, " ", name, " ", value.field->name);
      if (value.field->count > 1) StrAppend(&what, "[", value.index, "]");
      if (value.bytes == 0) {
        differ |= CompareText(what, value, *other);
      } else if (value.value != other->value && !IsSize(a, value)) {
        differ = true;
        fields_.Add(std::move(what), FieldText(*value.field, value.value),
                    FieldText(*other->field, other->value));
      }
    }
    return differ;
  }

  const PayloadValue* Find(const PayloadRecord& in, const PayloadValue& wanted,
                           size_t at) const {
    auto is = [&](size_t i) {
      const PayloadValue& value = b_.report.values[in.first_value + i];
      return value.field == wanted.field && value.index == wanted.index &&
             value.in_header == wanted.in_header;
    };
    if (at < in.value_count && is(at)) {
      return &b_.report.values[in.first_value + at];
    }
    for (size_t i = 0; i < in.value_count; ++i) {
      if (is(i)) return &b_.report.values[in.first_value + i];
    }
    return nullptr;
  }

  // The bodies' lengths are said once.
  static bool IsSize(const PayloadRecord& record, const PayloadValue& value) {
    constexpr uint64_t kWord = 4;
    return value.in_header &&
           (value.value == record.bytes || value.value * kWord == record.bytes);
  }

  // A field of bytes. What they are is not told.
  bool CompareText(const std::string& what, const PayloadValue& a,
                   const PayloadValue& b) {
    StoredBytes bytes_a = a_.bytes->Part(a.offset, a.field->bytes);
    StoredBytes bytes_b = b_.bytes->Part(b.offset, b.field->bytes);
    bool same = false;
    Keep(IsSameStored(*a_.kept, bytes_a, *b_.kept, bytes_b, same));
    if (same || !error_.ok()) return false;
    fields_.Add(what, StrCat(bytes_a.size(), " bytes"), "differ");
    return true;
  }

  Error CompareBytes(std::string_view name, const StoredBytes& a,
                     uint64_t from_a, uint64_t bytes_a, const StoredBytes& b,
                     uint64_t from_b, uint64_t bytes_b) {
    const std::string what = StrCat(kWhat, " ", name);
    out_.Compare(StrCat(what, " bytes"), bytes_a, bytes_b);
    return CompareStored(what, *a_.kept, a.Part(from_a, bytes_a), *b_.kept,
                         b.Part(from_b, bytes_b), out_);
  }

  void Keep(Error error) {
    if (error_.ok()) error_ = std::move(error);
  }

  const PayloadSide& a_;
  const PayloadSide& b_;
  Differences& out_;
  DifferenceKind fields_;
  DifferenceKind records_;
  Error error_;
};

}  // namespace

Error ReadPayload(const KeptBytes& kept, const VfioState& state,
                  PayloadSide& side) {
  side.kept = &kept;
  side.bytes = &state.payload;
  const uint64_t size = state.payload.size();
  auto count = state.counts.find("pre-copy bytes");
  const uint64_t split =
      count == state.counts.end() ? 0 : std::min(count->second, size);
  PayloadTally tally({.id = IdOf(state)});
  StoredCursor cursor(kept, state.payload);
  std::vector<uint8_t> buffer(kReadBytes);
  bool stopped = false;
  for (uint64_t at = 0; at < size;) {
    if (at == split && !stopped) {
      tally.BeginStopCopy();
      stopped = true;
    }
    uint64_t left = (at < split ? split : size) - at;
    if (uint64_t skipped = std::min(left, tally.skippable()); skipped > 0) {
      tally.Skip(skipped);
      cursor.Skip(skipped);
      at += skipped;
      continue;
    }
    std::span<uint8_t> piece(buffer.data(),
                             std::min<uint64_t>(left, buffer.size()));
    if (Error error = cursor.Read(piece); !error.ok()) return error;
    tally.Add(piece, {.stream_offset = at});
    at += piece.size();
  }
  side.report = tally.Finish();
  return {};
}

bool IsComparable(const PayloadSide& a, const PayloadSide& b) {
  const PayloadReport& report_a = a.report;
  const PayloadReport& report_b = b.report;
  return report_a.format == report_b.format &&
         report_a.format->driver != Driver::kOpaque && report_a.id_agrees &&
         report_b.id_agrees && report_a.big_endian == report_b.big_endian &&
         !report_a.records.empty() && !report_b.records.empty() &&
         // One without headers is just bytes.
         (report_a.records[0].header_bytes == 0) ==
             (report_b.records[0].header_bytes == 0);
}

Error ComparePayloads(const PayloadSide& a, const PayloadSide& b,
                      Differences& out) {
  Comparison comparison(a, b, out);
  Error error =
      comparison.Run(Names(a.report, {0, a.report.records.size()}, false),
                     Names(b.report, {0, b.report.records.size()}, false));
  return error.ok() ? comparison.CompareRest() : error;
}

bool HasSnapshots(const PayloadSide& side) {
  size_t snapshots = 0;
  for (size_t i = 0; i < side.report.records.size(); ++i) {
    snapshots += IsSnapshot(side.report, i);
  }
  return snapshots > 1;
}

Error CompareWithin(const PayloadSide& side, Differences& out) {
  std::optional<size_t> first;
  size_t last = 0;
  for (size_t i = 0; i < side.report.records.size(); ++i) {
    if (!IsSnapshot(side.report, i)) continue;
    if (!first) first = i;
    last = i;
  }
  return Comparison(side, side, out)
      .Run(Names(side.report, Snapshot(side.report, *first), true),
           Names(side.report, Snapshot(side.report, last), true));
}

}  // namespace migstream
