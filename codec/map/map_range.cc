#include "codec/map/map_range.h"

#include "codec/wire/text.h"

namespace migstream {

std::string_view ToString(MapKind kind) {
  switch (kind) {
    case MapKind::kContainer:
      return "container";
    case MapKind::kFraming:
      return "framing";
    case MapKind::kRam:
      return "ram";
    case MapKind::kVfio:
      return "vfio";
    case MapKind::kOther:
      return "other";
    case MapKind::kDescription:
      return "description";
    case MapKind::kTrailing:
      return "trailing";
    case MapKind::kUnread:
      return "unread";
    case MapKind::kMixed:
      return "mixed";
  }
  return "";
}

std::string Describe(const MapRange& range) {
  std::string text;
  if (range.count > 1) StrAppend(&text, range.count, " x ");
  text += range.what;
  if (!range.detail.empty()) StrAppend(&text, " ", range.detail);
  std::string_view before = ": ";
  auto add = [&](const auto&... words) {
    StrAppend(&text, before, words...);
    before = ", ";
  };
  auto plural = [](uint64_t count) { return count == 1 ? "" : "s"; };
  if (range.records != 0) {
    add(range.records, " record", plural(range.records), " of ",
        range.payload_bytes, " bytes");
  }
  if (range.pages != 0) add(range.pages, " page", plural(range.pages));
  if (range.zero_pages != 0) add(range.zero_pages, " zero");
  if (range.kind == MapKind::kRam && range.round != 0) {
    add("round ", range.round);
  }
  if (range.cut) add("cut short");
  return text;
}

}  // namespace migstream
