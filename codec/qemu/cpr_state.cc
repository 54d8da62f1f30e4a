#include "codec/qemu/cpr_state.h"

#include <string_view>

#include "codec/qemu/content_reader.h"
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
bool Another(ContentReader& content, size_t entries, const CprLimits& limits) {
  uint64_t at = content.offset();
  uint8_t more = content.U8();
  if (content.ok() && more > 1) {
    content.Fail(ErrorCode::kBadHandler, at,
                 StrCat("byte ", Hex(more),
                        ", expected 1 before an "
                        "entry or 0 behind the last"));
  }
  if (content.ok() && more == 1 && entries == limits.entries) {
    content.Fail(ErrorCode::kHoldLimit, at,
                 StrCat("more than ", limits.entries, " entries"));
  }
  return content.ok() && more == 1;
}

// Its length counts a NUL.
std::string Name(ContentReader& content, ByteSource& source,
                 const CprLimits& limits) {
  uint64_t at = content.offset();
  uint32_t length = content.Be32();
  if (!content.ok()) return "";
  if (length > limits.name_bytes) {
    content.Fail(ErrorCode::kHoldLimit, at,
                 StrCat("name claims ", length, " bytes, the limit is ",
                        limits.name_bytes));
    return "";
  }
  std::string_view text = AsText(source.Peek(length)).substr(0, length);
  std::string name(text.substr(0, text.find('\0')));
  content.Pass(length, "a name");
  return name;
}

void ReadDescriptors(ContentReader& content, ByteSource& source,
                     const CprLimits& limits, CprState& state) {
  while (Another(content, state.descriptors.size(), limits)) {
    CprState::Descriptor row;
    row.offset = content.offset() - 1;
    row.name = Name(content, source, limits);
    row.id = content.Be32();
    ByteSpan next = source.Peek(1);
    if (!next.empty() && next[0] == kPassedMark) {
      content.U8();
    } else {
      row.number = content.Be32();
    }
    if (content.ok()) state.descriptors.push_back(std::move(row));
  }
}

void ReadVfioDevices(ContentReader& content, ByteSource& source,
                     const CprLimits& limits, CprState& state) {
  while (Another(content, state.vfio_devices.size(), limits)) {
    CprState::VfioDevice row;
    row.offset = content.offset() - 1;
    row.name = Name(content, source, limits);
    row.device_id = content.Be32();
    row.ioas_id = content.Be32();
    row.hwpt_id = content.Be32();
    if (content.ok()) state.vfio_devices.push_back(std::move(row));
  }
}

void ReadSubsection(ContentReader& content, ByteSource& source,
                    const CprLimits& limits, CprState& state) {
  uint64_t at = content.offset();
  if (content.U8() != static_cast<uint8_t>(SectionType::kSubsection)) {
    return content.Fail(ErrorCode::kTrailingBytes, at,
                        "bytes behind the state that are no subsection");
  }
  std::string name = content.Str8();
  uint32_t version = content.Be32();
  if (!content.ok()) return;
  if (name != kVfioDevices || version != kVfioDevicesVersion) {
    return content.Fail(
        ErrorCode::kUnknownSubsection, at,
        StrCat("unknown subsection '", name, "' version ", version));
  }
  ReadVfioDevices(content, source, limits, state);
}

}  // namespace

Error ReadCprState(ByteSource& source, CprState& state,
                   const CprLimits& limits) {
  StreamVisitor none;
  ContentReader content(source, none, "CPR state");
  uint64_t start = content.offset();
  uint32_t magic = content.Be32();
  uint32_t version = content.Be32();
  if (content.ok() && magic != kCprMagic) {
    content.Fail(ErrorCode::kNotAStream, start,
                 StrCat("begins with ", Hex(magic), ", expected ",
                        Hex(kCprMagic), " (QCPR)"));
  }
  if (content.ok() && version != kCprVersion) {
    content.Fail(ErrorCode::kUnknownVersion, start + 4,
                 StrCat("version ", version, ", expected 1"));
  }
  ReadDescriptors(content, source, limits, state);
  if (content.ok() && !source.Peek(1).empty()) {
    ReadSubsection(content, source, limits, state);
  }
  if (content.ok() && !source.Peek(1).empty()) {
    content.Fail(ErrorCode::kTrailingBytes, content.offset(),
                 "bytes behind the state");
  }
  Error error = content.error();
  if (!source.failure().empty() &&
      (error.ok() || error.code == ErrorCode::kTruncated)) {
    return {ErrorCode::kReadFailed, content.offset(), content.section(),
            source.failure()};
  }
  return error;
}

}  // namespace migstream
