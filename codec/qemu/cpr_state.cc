#include "codec/qemu/cpr_state.h"

#include <string_view>

#include "codec/qemu/pull_record.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "flags/section_type.h"

namespace migstream {
namespace {

constexpr uint32_t kCprVersion = 1;
constexpr uint32_t kVfioDevicesVersion = 1;
constexpr char kVfioDevices[] = "CprState/vfio devices";
// Stands where a descriptor was handed over beside the bytes. A descriptor's
// number never begins so.
constexpr uint8_t kPassedMark = 0x20;

// A byte 1 before each entry, a byte 0 behind the last.
bool Another(RecordCursor& cursor, size_t entries, const CprLimits& limits) {
  const uint64_t at = cursor.offset();
  const uint8_t more = cursor.U8();
  if (more > 1) {
    cursor.Fail(ErrorCode::kBadHandler, at,
                StrCat("byte ", Hex(more),
                       ", expected 1 before an entry or 0 behind the last"));
  } else if (more == 1 && entries == limits.entries) {
    cursor.Fail(ErrorCode::kHoldLimit, at,
                StrCat("more than ", limits.entries, " entries"));
  }
  return cursor.ok() && more == 1;
}

// Its length counts a NUL.
std::string Name(RecordCursor& cursor, const CprLimits& limits) {
  const uint64_t at = cursor.offset();
  const uint32_t length = cursor.Be32();
  if (length > limits.name_bytes) {
    cursor.Fail(ErrorCode::kHoldLimit, at,
                StrCat("name claims ", length, " bytes, the limit is ",
                       limits.name_bytes));
  }
  std::string_view text = AsText(cursor.Bytes(length));
  return std::string(text.substr(0, text.find('\0')));
}

// Rows up to the byte 0 behind the last; `read` reads one.
template <typename Row, typename Read>
Error ReadRows(ByteSource& source, const CprLimits& limits,
               std::vector<Row>& rows, Read read) {
  for (bool another = true; another;) {
    Row row;
    Error error = PullRecord(source, [&](RecordCursor& cursor) {
      row = {};
      row.offset = cursor.offset();
      another = Another(cursor, rows.size(), limits);
      if (!another) return;
      row.name = Name(cursor, limits);
      read(cursor, row);
    });
    if (!error.ok()) return error;
    if (another) rows.push_back(std::move(row));
  }
  return {};
}

Error ReadHead(ByteSource& source) {
  return PullRecord(source, [](RecordCursor& cursor) {
    const uint64_t start = cursor.offset();
    const uint32_t magic = cursor.Be32();
    const uint32_t version = cursor.Be32();
    if (!cursor.ok()) return;
    if (magic != kCprMagic) {
      cursor.Fail(ErrorCode::kNotAStream, start,
                  StrCat("begins with ", Hex(magic), ", expected ",
                         Hex(kCprMagic), " (QCPR)"));
    }
    if (version != kCprVersion) {
      cursor.Fail(ErrorCode::kUnknownVersion, start + 4,
                  StrCat("version ", version, ", expected 1"));
    }
  });
}

Error ReadDescriptors(ByteSource& source, const CprLimits& limits,
                      CprState& state) {
  return ReadRows(source, limits, state.descriptors,
                  [](RecordCursor& cursor, CprState::Descriptor& row) {
                    row.id = cursor.Be32();
                    if (cursor.Peek8() == kPassedMark) {
                      cursor.U8();
                    } else {
                      row.number = cursor.Be32();
                    }
                  });
}

Error ReadVfioDevices(ByteSource& source, const CprLimits& limits,
                      CprState& state) {
  Error error = PullRecord(source, [](RecordCursor& cursor) {
    const uint64_t at = cursor.offset();
    if (cursor.U8() != static_cast<uint8_t>(SectionType::kSubsection)) {
      return cursor.Fail(ErrorCode::kTrailingBytes, at,
                         "bytes behind the state that are no subsection");
    }
    const std::string_view name = cursor.Str8();
    const uint32_t version = cursor.Be32();
    if (cursor.ok() &&
        (name != kVfioDevices || version != kVfioDevicesVersion)) {
      cursor.Fail(ErrorCode::kUnknownSubsection, at,
                  StrCat("unknown subsection '", UnknownName(name),
                         "' version ", version));
    }
  });
  if (!error.ok()) return error;
  return ReadRows(source, limits, state.vfio_devices,
                  [](RecordCursor& cursor, CprState::VfioDevice& row) {
                    row.device_id = cursor.Be32();
                    row.ioas_id = cursor.Be32();
                    row.hwpt_id = cursor.Be32();
                  });
}

}  // namespace

Error ReadCprState(ByteSource& source, CprState& state,
                   const CprLimits& limits) {
  Error error = ReadHead(source);
  if (error.ok()) error = ReadDescriptors(source, limits, state);
  if (error.ok() && !source.Peek(1).empty()) {
    error = ReadVfioDevices(source, limits, state);
  }
  if (error.ok() && !source.Peek(1).empty()) {
    error = {ErrorCode::kTrailingBytes, source.offset(), "",
             "bytes behind the state"};
  }
  if (!source.failure().empty() &&
      (error.ok() || error.code == ErrorCode::kTruncated)) {
    error = {ErrorCode::kReadFailed, source.offset(), "", source.failure()};
  }
  if (!error.ok()) error.section = "CPR state";
  return error;
}

}  // namespace migstream
