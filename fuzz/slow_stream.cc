#include "fuzz/slow_stream.h"

#include <algorithm>
#include <map>

#include "fuzz/slow_decoder.h"

namespace slow {
namespace {

using std::string;

bool IsPowerOfTwo(uint64_t number) {
  return number != 0 && (number & (number - 1)) == 0;
}

bool IsVfio(const string& idstr) {
  return idstr == "vfio" || idstr.ends_with("/vfio");
}

class Walk {
 public:
  Walk(std::string_view bytes, const FullLengths& lengths)
      : bytes_(bytes), end_(bytes.size()), lengths_(lengths) {}

  SlowStream Run() {
    Stream();
    if (!stopped_) out_.at = at_;
    return out_;
  }

 private:
  struct Known {
    string idstr;
    uint64_t instance = 0;
    uint64_t version = 0;
    bool started = false;
  };
  struct Block {
    string name;
    uint64_t used = 0;
  };

  // The first reason to stop counts.
  void Stop(decltype(SlowStream::end) end, uint64_t at) {
    if (stopped_) return;
    stopped_ = true;
    out_.end = end;
    out_.at = at;
  }
  void Wrong(uint64_t at) { Stop(SlowStream::kWrong, at); }

  // Whether `count` more bytes are there; if not, that is the end.
  bool Have(uint64_t count) {
    if (stopped_) return false;
    if (count <= end_ - at_) return true;
    // FORMAT.md 4.1: nothing is read behind a package's end.
    if (in_package_ && package_end_ <= bytes_.size()) {
      Wrong(package_end_);
    } else {
      Stop(SlowStream::kCut, bytes_.size());
    }
    return false;
  }
  uint64_t Peek(uint64_t width) const {
    uint64_t number = 0;
    for (uint64_t i = 0; i < width; ++i) {
      number = number * 256 + static_cast<unsigned char>(bytes_[at_ + i]);
    }
    return number;
  }
  uint64_t Number(uint64_t width) {
    if (!Have(width)) return 0;
    uint64_t number = Peek(width);
    at_ += width;
    return number;
  }
  string Bytes(uint64_t count) {
    if (!Have(count)) return "";
    string bytes(bytes_.substr(at_, count));
    at_ += count;
    return bytes;
  }
  string Str8() { return Bytes(Number(1)); }
  void Pass(uint64_t count) {
    if (Have(count)) at_ += count;
  }
  // What a record or a section announces. Nothing waits for it if it is more
  // than the package has.
  void Payload(uint64_t count) {
    if (in_package_ && at_ <= package_end_ && count > package_end_ - at_) {
      return Wrong(package_end_);
    }
    Pass(count);
  }

  // Not behind a stop: what is not whole is not there.
  void Add(string what, uint64_t at, std::vector<uint64_t> numbers = {},
           std::vector<string> texts = {}) {
    if (stopped_) return;
    out_.items.push_back(
        {std::move(what), at, std::move(numbers), std::move(texts)});
  }

  // FORMAT.md 2.1.
  void Stream() {
    uint64_t magic = Number(4);
    uint64_t version = Number(4);
    if (stopped_) return;
    if (magic != 0x5145564d) return Wrong(0);
    if (version != 3) return Wrong(4);
    Add("header", 0, {version});
    if (!Have(1)) return;
    if (Peek(1) == 7) Configuration();
    while (!stopped_) {
      if (!Have(1)) return;
      if (Peek(1) == 0) break;
      Thing();
    }
    if (stopped_) return;
    Add("eof", at_);
    Pass(1);
    if (at_ == end_ || Peek(1) != 6) return;
    uint64_t start = at_;
    Pass(1);
    uint64_t length = Number(4);
    if (length > 16 << 20) return Wrong(start + 1);
    Add("description", start, {length});
    Pass(length);
  }

  // FORMAT.md 3.
  void Configuration() {
    uint64_t start = at_;
    Pass(1);
    uint64_t length = Number(4);
    if (length > 1024) return Wrong(start + 1);
    string machine = Bytes(length);
    Add("configuration", start, {}, {machine});
    const string parent = "configuration";
    std::vector<string> names;
    while (Have(1) && Peek(1) == 5) {
      if (!Have(2)) return;
      uint64_t name_length = static_cast<unsigned char>(bytes_[at_ + 1]);
      if (name_length < parent.size() + 1) return;
      std::string_view begins = bytes_.substr(at_ + 2, parent.size());
      if (!parent.starts_with(begins)) return;
      if (!Have(2 + parent.size())) return;
      uint64_t at = at_;
      Pass(1);
      string name = Str8();
      uint64_t version = Number(4);
      uint64_t content = at_;
      if (stopped_) return;
      if (std::ranges::count(names, name) > 0) return Wrong(at);
      names.push_back(name);
      if (name == "configuration/target-page-bits") {
        uint64_t bits = Number(4);
        if (stopped_) return;
        if (bits < 8 || bits > 16) return Wrong(at);
        page_ = uint64_t{1} << bits;
      } else if (name == "configuration/capabilities") {
        uint64_t count = Number(4);
        if (count > 256) return Wrong(at);
        for (uint64_t i = 0; i < count && !stopped_; ++i) {
          string capability = Str8();
          if (capability == "x-ignore-shared") ignore_shared_ = true;
          if (capability == "mapped-ram") mapped_ram_ = true;
        }
      } else if (name == "configuration/uuid") {
        Pass(16);
      } else {
        return Wrong(at);
      }
      Add("subsection", at, {version},
          {name, string(bytes_.substr(content, at_ - content))});
    }
  }

  // A section or a command.
  void Thing() {
    switch (Peek(1)) {
      case 1:
      case 4:
        return Named();
      case 2:
      case 3:
        return Numbered();
      case 8:
        return Command();
      default:
        return Wrong(at_);
    }
  }

  // FORMAT.md 4.
  void Command() {
    uint64_t start = at_;
    Pass(1);
    uint64_t command = Number(2);
    uint64_t length = Number(2);
    if (stopped_) return;
    bool legal = false;
    switch (command) {
      case 1:
      case 4:
      case 5:
      case 8:
      case 9:
      case 11:
        legal = length == 0;
        break;
      case 2:
      case 7:
        legal = length == 4;
        break;
      case 3:
        legal = length == 0 || length == 16;
        break;
      case 6:
      case 10:
        legal = length > 0;
        break;
      default:  // One that is not known is passed over.
        legal = true;
        break;
    }
    if (!legal) return Wrong(start + 3);
    if (command == 7 && in_package_) return Wrong(start);
    uint64_t data_at = at_;
    string data = Bytes(length);
    if (stopped_) return;
    Add("command", start, {command}, {data});
    at_ = data_at;
    if (command == 3 && length == 16) {
      advised_ = Number(8);
      page_ = Number(8);
      if (!IsPowerOfTwo(page_) || page_ < 1 << 8 || page_ > 1 << 16) {
        out_.items.pop_back();
        return Wrong(data_at + 8);
      }
    } else if (command == 7) {
      Package(Number(4));
    } else {
      Pass(length);
    }
  }

  // FORMAT.md 4.1.
  void Package(uint64_t length) {
    in_package_ = true;
    package_end_ = at_ + length;
    end_ = std::min<uint64_t>(package_end_, bytes_.size());
    while (!stopped_ && at_ < package_end_) {
      if (!Have(1)) return;
      Thing();
    }
    in_package_ = false;
    end_ = bytes_.size();
  }

  // START and FULL, FORMAT.md 2.4.
  void Named() {
    uint64_t start = at_;
    uint64_t type = Number(1);
    uint64_t id = Number(4);
    string idstr = Str8();
    uint64_t instance = Number(4);
    uint64_t version = Number(4);
    if (stopped_) return;
    auto known = known_.find(id);
    if (known != known_.end() &&
        (known->second.idstr != idstr || known->second.instance != instance)) {
      return Wrong(start);
    }
    Known& section = known_[id];
    section.idstr = idstr;
    section.instance = instance;
    section.version = version;
    if (type == 1) section.started = true;
    Section(type, start, id, section);
  }

  void Numbered() {
    uint64_t start = at_;
    uint64_t type = Number(1);
    uint64_t id = Number(4);
    if (stopped_) return;
    auto known = known_.find(id);
    if (known == known_.end() || !known->second.started) return Wrong(start);
    Section(type, start, id, known->second);
  }

  void Section(uint64_t type, uint64_t start, uint64_t id, const Known& known) {
    Add("section", start, {type, start, id, known.instance, known.version},
        {known.idstr});
    uint64_t content = at_;
    Content(type, start, id, known.idstr);
    if (stopped_) return;
    uint64_t length = at_ - content;
    uint64_t footer_at = at_;
    // FORMAT.md 2.5.
    if (!footers_) {
      // Nothing of a package is behind its end.
      bool at_end = in_package_ && at_ == package_end_;
      if (!at_end && !Have(1)) return;
      footers_ = !at_end && Peek(1) == 0x7e;
    }
    if (*footers_) {
      if (!Have(1)) return;
      if (Number(1) != 0x7e) return Wrong(footer_at);
      uint64_t own = Number(4);
      if (own != id) return Wrong(footer_at + 1);
    }
    Add("section end", footer_at, {length, *footers_});
  }

  void Content(uint64_t type, uint64_t start, uint64_t id,
               const string& idstr) {
    if (IsVfio(idstr)) return Device(type, id);
    bool full = type == 4;
    if (idstr == "ram" && !full) return Ram();
    // FORMAT.md 6: a FULL of these is read as a START.
    if (idstr == "dirty-bitmap") return DirtyBitmap();
    if (idstr == "block") return BlockMigration();
    if (idstr == "s390-storage_attributes") return S390(8);
    if (idstr == "s390-skeys" && full) return S390(4);
    if (idstr == "todclock" && full) return TodClock();
    if (idstr == "spapr/htab") return Htab(type == 4 ? 1 : type);
    if (!full) return Wrong(start);
    if (!Have(1)) return;
    auto length = lengths_ ? lengths_(start, at_) : std::nullopt;
    if (!length) return Wrong(start);
    Payload(*length);
  }

  // FORMAT.md 9: by the slow decoder of sections.
  void Device(uint64_t type, uint64_t id) {
    uint64_t content = at_;
    slow::Section section = Decode(string(bytes_.substr(at_, end_ - at_)),
                                   static_cast<int>(type), "auto", 0);
    for (const Item& item : section.items) {
      Add("device", content + item.at,
          {static_cast<uint64_t>(item.kind), item.c, item.n}, {item.payload});
    }
    if (!section.items.empty()) {
      const Item& last = section.items.back();
      at_ = content + last.at + (last.kind == 'D' ? 16 + last.c : 8);
    }
    if (section.end == slow::Section::kWhole) return;
    // FORMAT.md 9.8: the footer in a tag's place.
    if (at_ <= end_ && end_ - at_ >= 5 && Peek(1) == 0x7e) {
      uint64_t tag_at = at_;
      at_ += 1;
      bool own = Number(4) == id;
      at_ = tag_at;
      if (own) return;
    }
    Stop(SlowStream::kRefused, content);
  }

  // FORMAT.md 5.1.
  void Ram() {
    while (!stopped_) {
      uint64_t at = at_;
      uint64_t word = Number(8);
      if (stopped_) return;
      uint64_t flags = word & (page_ - 1);
      uint64_t offset = word - flags;
      bool continues = (flags & 0x20) != 0;
      uint64_t flag = flags & ~uint64_t{0x20};
      if (!IsPowerOfTwo(flag)) return Wrong(at);
      if (mapped_ram_ && flags != 4 && flags != 0x10) return Wrong(at);
      switch (flag) {
        case 0x10:
          Add("ram", at, {flags, 0, 0}, {""});
          return;
        case 0x200:
          Add("ram", at, {flags, 0, 0}, {""});
          break;
        case 4:
          blocks_.clear();
          last_.clear();
          Add("ram", at, {flags, 0, 0}, {""});
          BlockList(offset);
          break;
        case 2:
        case 8:
        case 0x40:
        case 0x100:
          Page(at, flags, flag, continues, offset);
          break;
        default:
          return Wrong(at);
      }
    }
  }

  void Page(uint64_t at, uint64_t flags, uint64_t flag, bool continues,
            uint64_t offset) {
    if (!continues) {
      string name = Str8();
      if (stopped_) return;
      bool found = false;
      for (const Block& block : blocks_) {
        if (block.name != name) continue;
        found = true;
      }
      if (!found) return Wrong(at + 8);
      last_ = name;
    }
    if (last_.empty()) return Wrong(at + 8);
    uint64_t used = 0;
    for (const Block& block : blocks_) {
      if (block.name == last_) used = block.used;
    }
    if (offset > used || page_ > used - offset) return Wrong(at);
    uint64_t length = 0;
    if (flag == 2) length = 1;
    if (flag == 8) length = page_;
    if (flag == 0x40) {
      uint64_t head_at = at_;
      uint64_t one = Number(1);
      length = Number(2);
      if (stopped_) return;
      if (one != 1 || length > page_) return Wrong(head_at);
    }
    if (flag == 0x100) {
      uint64_t head_at = at_;
      length = Number(4);
      if (stopped_) return;
      if (length > page_ + (page_ >> 12) + (page_ >> 14) + (page_ >> 25) + 13) {
        return Wrong(head_at);
      }
    }
    Add("ram", at, {flags, offset, length}, {last_});
    Payload(length);
  }

  // FORMAT.md 5.3.
  void BlockList(uint64_t total) {
    uint64_t left = total;
    std::vector<string> names;
    while (left > 0 && !stopped_) {
      uint64_t at = at_;
      Block block;
      block.name = Str8();
      block.used = Number(8);
      if (stopped_) return;
      if (block.name.empty()) return Wrong(at);
      if (std::ranges::count(names, block.name) > 0) return Wrong(at);
      names.push_back(block.name);
      if (block.used > left) return Wrong(at);
      uint64_t page_size = 0;
      if (advised_ != 0) {
        uint64_t v = end_ - at_ < 8 ? 0 : Peek(8);
        if (v > page_ && IsPowerOfTwo(v) && (v & advised_) != 0 &&
            v < uint64_t{1} << 56) {
          page_size = Number(8);
        }
      }
      uint64_t address = ignore_shared_ ? Number(8) : 0;
      uint64_t mapped_at = at_;
      uint64_t bitmap = 0;
      uint64_t pages = 0;
      if (mapped_ram_) {
        uint64_t version = Number(4);
        uint64_t page = Number(8);
        bitmap = Number(8);
        pages = Number(8);
        if (stopped_) return;
        page_size = page;
        if (version != 1) return Wrong(mapped_at);
        if (!IsPowerOfTwo(page) || page < 1 << 8 || page > 1 << 16) {
          return Wrong(mapped_at);
        }
        if (bitmap != 0 || pages != 0) {
          uint64_t count = block.used / page + (block.used % page != 0);
          uint64_t length = (count / 64 + (count % 64 != 0)) * 8;
          if (bitmap < at_ || pages <= bitmap) return Wrong(mapped_at);
          if (pages - bitmap < length) return Wrong(mapped_at);
          if (pages + block.used < pages) return Wrong(mapped_at);
        }
      }
      Add("block", at,
          {block.used, page_size, ignore_shared_, address, bitmap, pages},
          {block.name});
      if (bitmap != 0 || pages != 0) Payload(pages + block.used - at_);
      left -= block.used;
      blocks_.push_back(block);
    }
    Add("blocks", at_);
  }

  // FORMAT.md 6.
  void Record(uint64_t at, uint64_t payload) {
    Add("record", at, {at_ - at, payload});
    Payload(payload);
  }

  void DirtyBitmap() {
    while (!stopped_) {
      uint64_t at = at_;
      uint64_t flags = Number(1);
      if (stopped_) return;
      if ((flags & 0x80) != 0 || (flags & 0x71) == 0) return Wrong(at);
      if ((flags & 8) != 0) Str8();
      if ((flags & 4) != 0) Str8();
      uint64_t payload = 0;
      if ((flags & 0x10) != 0) {
        Pass(5);
      } else if ((flags & 0x60) == 0x40) {
        Pass(12);
        if ((flags & 2) == 0) payload = Number(8);
      }
      Record(at, payload);
      if ((flags & 1) != 0) return;
    }
  }

  void BlockMigration() {
    while (!stopped_) {
      uint64_t at = at_;
      uint64_t flags = Number(8) & 0x1ff;
      if (stopped_) return;
      if (flags != 1 && flags != 9 && flags != 2 && flags != 4) {
        return Wrong(at);
      }
      if ((flags & 1) != 0) Str8();
      Record(at, flags == 1 ? 1 << 20 : 0);
      if (flags == 2) return;
    }
  }

  void S390(uint64_t highest) {
    while (!stopped_) {
      uint64_t at = at_;
      uint64_t flag = Number(8) & 0xfff;
      if (stopped_) return;
      if (!IsPowerOfTwo(flag) || flag > highest) return Wrong(at);
      // ERROR: the source has failed. The library refuses it, as loaders do.
      if (flag == 4) return Wrong(at);
      Record(at, flag == 2 ? Number(8) : 0);
      if (flag == 1) return;
    }
  }

  void TodClock() {
    uint64_t at = at_;
    uint64_t there = Number(1);
    if (there > 1) return Wrong(at);
    Record(at, there * 9);
  }

  void Htab(uint64_t type) {
    uint64_t at = at_;
    uint64_t word = Number(4);
    if (stopped_) return;
    bool none = word == 0xffffffff;
    if (type != 1 && word != 0 && !none) return Wrong(at);
    Record(at, 0);
    if (type == 1 || none) return;
    while (!stopped_) {
      uint64_t chunk_at = at_;
      uint64_t index = Number(4);
      uint64_t valid = Number(2);
      uint64_t invalid = Number(2);
      Record(chunk_at, valid * 16);
      if (index == 0 && valid == 0 && invalid == 0) return;
    }
  }

  const std::string_view bytes_;
  uint64_t at_ = 0;
  uint64_t end_;  // Of the input, or of the package.
  const FullLengths& lengths_;
  SlowStream out_;
  bool stopped_ = false;
  bool in_package_ = false;
  uint64_t package_end_ = 0;
  std::optional<bool> footers_;
  std::map<uint64_t, Known> known_;
  uint64_t page_ = 4096;
  uint64_t advised_ = 0;
  bool ignore_shared_ = false;
  bool mapped_ram_ = false;
  std::vector<Block> blocks_;
  string last_;  // That a page record named.
};

}  // namespace

SlowStream DecodeSlowly(std::string_view bytes, const FullLengths& lengths) {
  return Walk(bytes, lengths).Run();
}

}  // namespace slow
