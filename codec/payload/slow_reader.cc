#include "codec/payload/slow_reader.h"

#include <algorithm>
#include <map>

#include "codec/wire/text.h"

namespace migstream {
namespace {

using payload::Driver;
using Number = unsigned __int128;  // Sums of two sizes fit.

class SlowReader {
 public:
  explicit SlowReader(ByteSpan bytes) : bytes_(bytes) {}

  std::vector<std::string> Lines() && {
    if (!stopped_) lines_.push_back("done");
    return std::move(lines_);
  }

  void ReadMlx5() {
    for (uint64_t at = 0; !stopped_ && at < size();) {
      if (!Have(at, 16)) return;
      uint64_t bytes = Le(at, 8), tag = Le(at + 12, 4);
      Record(at, 0, tag, bytes);
      if (!Body(at, at + 16, bytes, tag == 1)) return;
      at += 16 + bytes;
    }
  }

  void ReadVirtio() {
    for (uint64_t at = 0; !stopped_ && at < size();) {
      if (!Have(at, 16)) return;
      uint64_t bytes = Le(at, 8), tag = Le(at + 12, 4);
      Record(at, 0, tag, bytes);
      if (tag == 0) {
        Parts(at, at + 16, bytes);
        if (stopped_) return;
      } else if (!Body(at, at + 16, bytes, false)) {
        return;
      }
      at += 16 + bytes;
    }
  }

  void ReadXe() {
    for (uint64_t at = 0; !stopped_ && at < size();) {
      if (!Have(at, 24)) return;
      uint64_t type = Le(at + 1, 1), bytes = Le(at + 16, 8);
      Record(at, 0, type, bytes);
      if (type == 1) {
        Klvs(at, at + 24, bytes);
        if (stopped_) return;
      } else if (!Body(at, at + 24, bytes, type == 4)) {
        return;
      }
      at += 24 + bytes;
    }
  }

  void ReadHisi() {
    if (!Struct(0, 40) || !Struct(40, 136)) return;
    if (size() > 176) Record(176, 0, 0, UINT64_MAX);
  }

  void ReadMtty() {
    if (!Struct(0, 24) || !Struct(24, 36) || !Struct(60, 36)) return;
    if (size() > 96) Record(96, 0, 0, UINT64_MAX);
  }

  void ReadPds() {
    if (size() > 0) Record(0, 0, 0, UINT64_MAX);
  }

  void ReadIce() {
    for (uint64_t at = 0; !stopped_ && at < size();) {
      if (!Have(at, 4)) return;
      uint64_t type = Le(at, 2), bytes = Le(at + 2, 2);
      Record(at, 0, type, bytes);
      if (!Body(at, at + 4, bytes, type == 1)) return;
      at += 4 + bytes;
    }
  }

  void ReadGvt() {
    for (uint64_t at = 0; !stopped_ && at < size();) {
      if (!Have(at, 8)) return;
      uint64_t type = Le(at, 4), bytes = Le(at + 4, 4);
      Record(at, 0, type, bytes);
      if (!Body(at, at + 8, bytes, type == 1)) return;
      at += 8 + bytes;
    }
  }

  void ReadQat() {
    uint64_t at = 0;
    for (int block = 0; block < 2 && at < size(); ++block) {
      if (!Have(at, 16)) return;
      uint64_t count = Le(at + 10, 2), bytes = Le(at + 12, 4);
      Record(at, 0, 0, bytes);
      block_at_ = at;
      block_bytes_ = bytes;
      if (count == 0) {
        if (!Body(at, at + 16, bytes, false)) return;
      } else {
        Sections(at, at + 16, at + 16 + bytes, count, 1,
                 block == 0 ? "setup" : "state");
        if (stopped_) return;
      }
      at += 16 + bytes;
    }
    if (at < size()) Record(at, 0, 0, UINT64_MAX);
  }

 private:
  uint64_t size() const { return bytes_.size(); }
  uint64_t Le(uint64_t at, int width) const {
    uint64_t value = 0;
    for (int i = width - 1; i >= 0; --i) value = value << 8 | bytes_[at + i];
    return value;
  }

  void Say(std::string line) { lines_.push_back(std::move(line)); }
  void Stop(std::string line) {
    Say(std::move(line));
    stopped_ = true;
  }
  void Record(uint64_t at, int depth, uint64_t key, uint64_t bytes) {
    Say(StrCat("record ", at, " ", depth, " ", key, " ", bytes));
  }

  bool Have(uint64_t at, uint64_t bytes) {
    if (size() - at >= bytes) return true;
    Stop(StrCat("cut ", at, " ", bytes, " ", size() - at));
    return false;
  }

  // A body at the top of the payload, whose record began at `record`.
  bool Body(uint64_t record, uint64_t at, uint64_t bytes, bool fields) {
    if (Number{at} + bytes > size()) {
      Stop(StrCat("cut ", record, " ", bytes, " ", size() - at));
      return false;
    }
    if (fields && bytes > 0 && bytes <= 512) {
      Say(StrCat("fields ", at, " ", bytes));
    }
    return true;
  }

  bool Struct(uint64_t at, uint64_t bytes) {
    if (at >= size()) return false;
    Record(at, 0, 0, bytes);
    return Body(at, at, bytes, true);
  }

  void Parts(uint64_t record, uint64_t first, uint64_t bytes) {
    Number end = Number{first} + bytes;
    uint64_t at = first;
    auto cut = [&] {
      Stop(StrCat("cut ", record, " ", bytes, " ", size() - first));
    };
    while (at < end) {
      if (end - at < 16) {
        Say(StrCat("overrun ", at, " 16 ", static_cast<uint64_t>(end - at)));
        break;
      }
      if (size() - at < 16) return cut();
      uint64_t type = Le(at, 2), length = Le(at + 12, 4);
      if (length > end - at - 16) {
        Say(StrCat("overrun ", at, " ", length, " ",
                   static_cast<uint64_t>(end - at - 16)));
        break;
      }
      Record(at, 1, type, length);
      if (Number{at} + 16 + length > size()) return cut();
      if (type >= 0x100 && type <= 0x105 && length > 0 && length <= 512) {
        Say(StrCat("fields ", at + 16, " ", length));
      }
      at += 16 + length;
    }
    if (end > size()) return cut();
    Say(StrCat("end ", static_cast<uint64_t>(end)));
  }

  void Klvs(uint64_t record, uint64_t first, uint64_t bytes) {
    Number end = Number{first} + bytes;
    uint64_t at = first;
    auto cut = [&] {
      Stop(StrCat("cut ", record, " ", bytes, " ", size() - first));
    };
    while (at < end) {
      if (end - at < 4) {
        Say(StrCat("overrun ", at, " 4 ", static_cast<uint64_t>(end - at)));
        break;
      }
      if (size() - at < 4) return cut();
      uint64_t word = Le(at, 4);
      uint64_t key = word >> 16, length = (word & 0xffff) * 4;
      if (length > end - at - 4) {
        Say(StrCat("overrun ", at, " ", length, " ",
                   static_cast<uint64_t>(end - at - 4)));
        break;
      }
      Record(at, 1, key, length);
      if (Number{at} + 4 + length > size()) return cut();
      if ((key == 0xf001 || key == 0xf002) && length > 0 && length <= 512) {
        Say(StrCat("fields ", at + 4, " ", length));
      }
      at += 4 + length;
    }
    if (end > size()) return cut();
    Say(StrCat("end ", static_cast<uint64_t>(end)));
  }

  // What a section's path is: 'l' a list, 'f' a leaf of fields, 0 unknown.
  static char KindOf(const std::string& path) {
    static const auto* kinds = new std::map<std::string, char>{
        {"setup/CONFIG", 'l'},
        {"setup/CONFIG/gencap", 'f'},
        {"setup/CONFIG/svcmap", 'f'},
        {"setup/CONFIG/extdc", 'f'},
        {"state/GENER", 'l'},
        {"state/GENER/iovinit", 'f'},
        {"state/GENER/compver", 'f'},
        {"state/GENER/sla", 'f'},
        {"state/MISCBAR", 'l'},
        {"state/MISCBAR/visrc", 'f'},
        {"state/MISCBAR/vimsk", 'f'},
        {"state/MISCBAR/vispv", 'f'},
        {"state/MISCBAR/vimpv", 'f'},
        {"state/MISCBAR/pf2vm", 'f'},
        {"state/MISCBAR/vm2pf", 'f'},
        {"state/ETRBAR", 'l'},
        {"state/ETRBAR/bnk0", 'l'},
        {"state/ETRBAR/bnk1", 'l'},
        {"state/ETRBAR/bnk2", 'l'},
        {"state/ETRBAR/bnk3", 'l'},
        {"state/ETRBAR/bnk0/mregs", 'f'},
        {"state/ETRBAR/bnk1/mregs", 'f'},
        {"state/ETRBAR/bnk2/mregs", 'f'},
        {"state/ETRBAR/bnk3/mregs", 'f'},
    };
    auto found = kinds->find(path);
    return found == kinds->end() ? 0 : found->second;
  }

  void CutBlock() {
    Stop(StrCat("cut ", block_at_, " ", block_bytes_, " ",
                size() - block_at_ - 16));
  }

  void Sections(uint64_t parent, uint64_t at, uint64_t end, uint64_t count,
                int depth, const std::string& path) {
    for (; count > 0; --count) {
      if (at == end) {
        return Stop(StrCat("count ", parent, " ", count));
      }
      if (end - at < 16) {
        return Stop(StrCat("nesting ", at, " 16 ", end - at));
      }
      if (size() < at || size() - at < 16) return CutBlock();
      uint64_t key = Le(at, 8), bytes = Le(at + 8, 4), subs = Le(at + 12, 4);
      if (bytes > end - at - 16) {
        return Stop(StrCat("nesting ", at, " ", bytes, " ", end - at - 16));
      }
      std::string name(AsText(bytes_.subspan(at, 8)));
      name.resize(std::min(name.find('\0'), name.size()));
      std::string here = path + "/" + name;
      char kind = path.empty() ? 0 : KindOf(here);
      Record(at, depth, key, bytes);
      // Six lists within each other are followed, the payload's own included.
      if (subs > 0 && depth + 1 < 6) {
        Sections(at, at + 16, at + 16 + bytes, subs, depth + 1,
                 kind == 'l' ? here : "");
        if (stopped_) return;
      } else {
        if (at + 16 + bytes > size()) return CutBlock();
        if (kind == 'f' && bytes > 0 && bytes <= 512) {
          Say(StrCat("fields ", at + 16, " ", bytes));
        }
      }
      at += 16 + bytes;
    }
    if (end > size()) return CutBlock();
    Say(StrCat("end ", end));
  }

  ByteSpan bytes_;
  std::vector<std::string> lines_;
  bool stopped_ = false;
  uint64_t block_at_ = 0;
  uint64_t block_bytes_ = 0;
};

}  // namespace

std::vector<std::string> ReadSlowly(Driver driver, bool legacy,
                                    ByteSpan bytes) {
  SlowReader reader(bytes);
  switch (driver) {
    case Driver::kMlx5:
      legacy ? reader.ReadPds() : reader.ReadMlx5();
      break;
    case Driver::kHisiAcc:
      reader.ReadHisi();
      break;
    case Driver::kVirtio:
      reader.ReadVirtio();
      break;
    case Driver::kQat:
      reader.ReadQat();
      break;
    case Driver::kXe:
      reader.ReadXe();
      break;
    case Driver::kMtty:
      reader.ReadMtty();
      break;
    case Driver::kIceRfc:
      reader.ReadIce();
      break;
    case Driver::kGvtG:
      reader.ReadGvt();
      break;
    case Driver::kPds:
    case Driver::kOpaque:
      reader.ReadPds();
      break;
    case Driver::kSpdkNvme:
      break;
  }
  return std::move(reader).Lines();
}

}  // namespace migstream
