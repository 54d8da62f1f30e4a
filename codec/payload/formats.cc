#include "codec/payload/formats.h"

#include <algorithm>

#include "codec/payload/hisi_acc.h"
#include "codec/payload/mlx5.h"
#include "codec/payload/mtty.h"
#include "codec/payload/others.h"
#include "codec/payload/pds.h"
#include "codec/payload/qat.h"
#include "codec/payload/virtio.h"
#include "codec/payload/xe.h"
#include "codec/wire/text.h"

namespace migstream {

using payload::Format;
using payload::Likeness;
using payload::Look;

namespace {

// Virtio before mlx5: their records have one header, and only virtio's say
// more.
constexpr const Format* kFormats[] = {
    &kHisiAccFormat,  &kQatFormat, &kMttyFormat, &kIceRfcFormat,
    &kSpdkNvmeFormat, &kXeFormat,  &kGvtGFormat, &kVirtioFormat,
    &kMlx5Format,     &kPdsFormat,
};

Look LookAt(const Format& format, ByteSpan head) {
  return format.look ? format.look(head) : Look();
}

}  // namespace

std::string ToString(PciId id) {
  return StrCat(Hex(id.vendor, 4).substr(2), ":", Hex(id.device, 4).substr(2));
}

std::span<const Format* const> AllFormats() { return kFormats; }

const payload::PciRow* PciRowFor(PciId id) {
  for (const Format* format : kFormats) {
    for (const payload::PciRow& row : format->ids) {
      if (row.vendor == id.vendor && row.device == id.device) return &row;
    }
  }
  return nullptr;
}

const Format* FormatFor(PciId id) {
  for (const Format* format : kFormats) {
    for (const payload::PciRow& row : format->ids) {
      if (row.vendor == id.vendor && row.device == id.device) return format;
    }
  }
  return nullptr;
}

const Format* FormatNamed(std::string_view name) {
  for (const Format* format : kFormats) {
    if (format->name == name) return format;
  }
  return nullptr;
}

Recognition RecognizeAs(const Format& format, ByteSpan head) {
  Look look = LookAt(format, head);
  bool legacy = format.legacy_root && look.likeness == Likeness::kNo;
  return {&format, legacy ? format.legacy_root : format.root, look.big_endian,
          look.likeness == Likeness::kSure};
}

Recognition Recognize(ByteSpan head, std::optional<PciId> id) {
  const Format* maybe = nullptr;
  for (const Format* format : kFormats) {
    Look look = LookAt(*format, head);
    if (look.likeness == Likeness::kSure) return RecognizeAs(*format, head);
    if (look.likeness == Likeness::kMaybe && !maybe) maybe = format;
  }
  const Format* of_id = id ? FormatFor(*id) : nullptr;
  if (of_id) return RecognizeAs(*of_id, head);
  if (maybe && !id && head.size() >= 16) return RecognizeAs(*maybe, head);
  return RecognizeAs(kOpaqueFormat, head);
}

std::string Disagreement(const Recognition& found, std::optional<PciId> id,
                         ByteSpan head) {
  const Format* of_id = id ? FormatFor(*id) : nullptr;
  std::string says;
  if (id) {
    says =
        StrCat("configuration space says ", of_id ? of_id->name : "no driver",
               " (", ToString(*id), "), ");
  }
  if (found.by_bytes) {
    // Trees that were never merged have no rows of ids.
    if (!id || of_id == found.format || (!of_id && found.format->ids.empty())) {
      return {};
    }
    return StrCat(says, "the bytes are ", found.format->name, "'s");
  }
  const Format* format = of_id ? of_id : found.format;
  if (!format->look || format->legacy_root || head.empty()) return {};
  std::string bytes;
  for (uint8_t byte : head.first(std::min<size_t>(head.size(), 8))) {
    StrAppend(&bytes, Hex(byte, 2).substr(2));
  }
  return StrCat(says, "the bytes are not ", format->name, "'s: they begin ",
                bytes);
}

}  // namespace migstream
