#include "fuzz/slow_decoder.h"

#include <optional>

namespace slow {
namespace {

using std::string;

// FORMAT.md 9.2, as the bytes stand in a stream.
string Tag(int number) {
  return string("\xff\xff\xff\xff\xef\x10\x00", 7) + static_cast<char>(number);
}

bool At(const string& bytes, uint64_t at, const string& what) {
  return at <= bytes.size() && bytes.compare(at, what.size(), what) == 0;
}

std::optional<uint64_t> Number(const string& bytes, uint64_t at, int width) {
  if (at + width > bytes.size()) return std::nullopt;
  uint64_t number = 0;
  for (int i = 0; i < width; ++i) {
    number = number * 256 + static_cast<unsigned char>(bytes[at + i]);
  }
  return number;
}

bool OneOf(const string& word, const string& list) {
  return (" " + list + " ").find(" " + word + " ") != string::npos;
}

// FORMAT.md 9.3, 9.5 and 14: which elements may stand after `before`, which is
// '-' at the front.
string Allowed(const string& dialect, int type, char before) {
  const bool v52_form = OneOf(dialect, "V52 E2 E4");
  const bool multifd = OneOf(dialect, "V100M V101M V111M E7");
  const bool acks =
      OneOf(dialect, "V81 V100 V100M V101M V111 V111M E6 E7 auto");
  switch (type) {
    case 1:
      if (before == '-') return "S";
      return before == 'S' ? (dialect == "E4" ? "CE" : "E") : "";
    case 2:
      if (dialect == "V80") return "";
      if (dialect == "E3") return "DEC";
      return acks ? "DEI" : "DE";
    case 3:
      if (v52_form) return before == '-' ? "C" : "DE";
      if (dialect == "E3") return "DEC";
      if (multifd) return "E";
      if (dialect == "E6" && before == '-') return "DEM";
      if (before == 'M') return "E";
      if (dialect == "auto" && before == '-') return "CDE";
      return "DE";
    default:
      if (dialect == "V52") return "";
      if (dialect == "E2") return before == '-' ? "T" : "E";
      if (dialect == "E6") return "CE";
      if (dialect == "auto") return "CER";
      if (OneOf(dialect, "V101M V111M")) return "ER";
      return multifd ? "E" : "C";
  }
}

char Meaning(const string& dialect, int number) {
  switch (number) {
    case 1:
      return 'E';
    case 2:
      return 'C';
    case 3:
      return 'S';
    case 4:
      return 'D';
    case 5:
      if (dialect == "E2") return 'T';
      return OneOf(dialect, "V81 V100 V100M V101M V111 V111M E6 E7 auto") ? 'I'
                                                                          : '?';
    case 6:
      if (dialect == "E6") return 'M';
      return OneOf(dialect, "V101M V111M auto") ? 'R' : '?';
    default:
      return '?';
  }
}

// Whether the section goes on behind a config's own END_OF_STATE.
bool ConfigGoesOn(const string& dialect, int type) {
  return (type == 3 && OneOf(dialect, "V52 E2 E4 E3 auto")) ||
         (type == 2 && dialect == "E3");
}

// FORMAT.md 12.2: the vectors of the first MSI-X capability in the list, and
// whether there is a PCI Express one.
struct Capabilities {
  uint64_t vectors = 0;
  bool express = false;
};
Capabilities Walk(const string& config) {
  Capabilities found;
  auto byte = [&config](int at) {
    return static_cast<unsigned char>(config[at]);
  };
  if ((byte(6) & 0x10) == 0) return found;
  int p = byte(0x34) & 0xfc;
  for (int step = 0; step < 48 && p >= 0x40; ++step) {
    if (byte(p) == 0x10) found.express = true;
    // Message control, of which a place at the very end has no room.
    if (byte(p) == 0x11 && found.vectors == 0 && p + 3 < 256) {
      found.vectors = ((byte(p + 3) << 8 | byte(p + 2)) & 0x7ff) + 1;
    }
    p = byte(p + 1) & 0xfc;
  }
  return found;
}

// One way to read a config payload, FORMAT.md 11.1: its parts' lengths.
struct Layout {
  uint64_t c = 0;
  uint64_t n = 0;
  uint64_t fixed = 0;
  std::vector<uint64_t> subsections;
  uint64_t all = 0;
};
std::optional<Layout> Fit(const string& bytes, uint64_t at, uint64_t c,
                          uint64_t length) {
  auto version = Number(bytes, at, 4);
  if (!version || *version > 2 || at + 4 + c + 16 > bytes.size()) {
    return std::nullopt;
  }
  Layout layout;
  layout.c = c;
  for (size_t pin = 0; pin < 4; ++pin) {
    if (*Number(bytes, at + 4 + c + 4 * pin, 4) > 1) return std::nullopt;
  }
  layout.n = Walk(bytes.substr(at + 4, c)).vectors;
  layout.fixed = 20 + c + 16 * layout.n + (layout.n + 7) / 8;
  layout.all = layout.fixed;
  const string parent = "VFIOPCIDevice";
  const string display = parent + "/VFIODisplay";
  // FORMAT.md 7.2 and 11.5.
  while (At(bytes, at + layout.all, "\5")) {
    auto name_length = Number(bytes, at + layout.all + 1, 1);
    if (!name_length || *name_length <= parent.size() ||
        !At(bytes, at + layout.all + 2, parent)) {
      break;
    }
    uint64_t head = 2 + *name_length + 4;
    if (at + layout.all + head > bytes.size()) return std::nullopt;
    uint64_t size = 0;
    if (bytes.substr(at + layout.all + 2, *name_length) == display) {
      size = head + 28;
      // Where it is too long for what is known it is no display either.
      if (length != 0 && layout.all + size > length) size = 0;
    }
    if (size == 0) {
      if (length == 0 || layout.all + head > length) return std::nullopt;
      if (bytes.substr(at + layout.all + 2, *name_length) == display) {
        return std::nullopt;
      }
      size = length - layout.all;
    }
    if (layout.subsections.size() == 16) return std::nullopt;
    layout.subsections.push_back(size);
    layout.all += size;
  }
  if (length != 0 && layout.all != length) return std::nullopt;
  if (!At(bytes, at + layout.all, Tag(1))) return std::nullopt;
  return layout;
}

// FORMAT.md 11.6.
std::optional<Layout> Deduce(const string& bytes, uint64_t at, uint64_t length,
                             bool element_follows) {
  if (At(bytes, at, Tag(1))) {
    if (length != 0) return std::nullopt;
    return Layout();  // 11.9
  }
  auto small = Fit(bytes, at, 256, length);
  auto large = Fit(bytes, at, 4096, length);
  if (!small || !large) return small ? small : large;
  auto right = [&](const Layout& layout) {
    uint64_t next = at + layout.all + 8;
    return element_follows &&
           (At(bytes, next, Tag(1)) || At(bytes, next, Tag(2)) ||
            At(bytes, next, Tag(4)));
  };
  if (right(*small) != right(*large)) return right(*small) ? small : large;
  return Walk(bytes.substr(at + 4, 256)).express ? large : small;
}

}  // namespace

Section Decode(const string& bytes, int type, const string& dialect,
               uint64_t length) {
  Section section;
  uint64_t at = 0;
  char before = '-';
  while (true) {
    string allowed = Allowed(dialect, type, before);
    if (allowed.empty()) return section;
    auto tag = Number(bytes, at, 8);
    if (!tag) {
      section.end = Section::kCut;
      return section;
    }
    char kind = *tag / 16 == 0xffffffffef10000
                    ? Meaning(dialect, static_cast<int>(*tag % 16))
                    : '?';
    if (kind == '?' || allowed.find(kind) == string::npos) return section;
    Item item;
    item.kind = kind;
    item.at = at;
    at += 8;
    before = kind;
    switch (kind) {
      case 'D': {
        auto size = Number(bytes, at, 8);
        if (!size) {
          section.end = Section::kCut;
          return section;
        }
        if (*size > uint64_t{1} << 40) return section;
        at += 8;
        item.c = *size;
        item.payload = bytes.substr(at, *size);
        section.items.push_back(item);
        if (item.payload.size() < *size) {
          section.end = Section::kCut;
          return section;
        }
        at += *size;
        break;
      }
      case 'C': {
        bool follows = true;
        if (dialect == "E3") {  // 14.3
          auto subflag = Number(bytes, at, 4);
          if (!subflag || *subflag < 1 || *subflag > 3) return section;
          follows = *subflag != 1;
          at += 4;
        }
        std::optional<Layout> layout = Layout();
        if (follows) {
          uint64_t known = length == 0 ? 0 : length - 8 - at;
          if (length != 0 && length < at + 8) return section;
          layout = Deduce(bytes, at, known, ConfigGoesOn(dialect, type));
        }
        if (!layout) return section;
        item.payload = bytes.substr(at, layout->fixed);
        item.c = layout->c;
        item.n = layout->n;
        section.items.push_back(item);
        at += layout->fixed;
        for (uint64_t size : layout->subsections) {
          uint64_t head = 2 + *Number(bytes, at + 1, 1) + 4;
          section.items.push_back(
              {'s', at, bytes.substr(at + head, size - head), 0, 0});
          at += size;
        }
        if (!At(bytes, at, Tag(1))) {
          return section;
        }
        section.items.push_back({'e', at, "", 0, 0});
        at += 8;
        if (!ConfigGoesOn(dialect, type)) {
          section.end = Section::kWhole;
          return section;
        }
        break;
      }
      default:
        section.items.push_back(item);
        if (kind == 'E' || kind == 'I' || kind == 'R') {
          section.end = Section::kWhole;
          return section;
        }
        break;
    }
  }
}

}  // namespace slow
