// Writes seeds for the fuzz targets from the real captures, a folder a target,
// small enough to be quick: a capture's RAM pages and large FULL sections are
// left out, and its description is cut to match.
//
//   bazel run //fuzz:make_seeds -- DIR

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "codec/c/rig.h"
#include "codec/generate/frame.h"
#include "codec/generate/generator.h"
#include "codec/generate/random_recipe.h"
#include "codec/generate/recipe_dialect.h"
#include "codec/io/compress_bytes.h"
#include "codec/io/libvirt_bytes.h"
#include "codec/loader/loader_row.h"
#include "codec/payload/formats.h"
#include "codec/qemu/stream_bytes.h"
#include "codec/qemu/stream_reader.h"
#include "codec/qemu/stream_writer.h"
#include "codec/wire/text.h"
#include "flags/release.h"
#include "fuzz/recipe_mutator.h"
#include "testdata/captures.h"
#include "testdata/payloads.h"

namespace migstream {
namespace {

constexpr uint64_t kMaxFull = 64;
constexpr uint64_t kMaxPart = 96;
constexpr uint64_t kMaxRecord = 64;
constexpr size_t kMaxParts = 6;
constexpr size_t kMaxSeed = 6 << 10;

std::string Byte(int value) { return std::string(1, static_cast<char>(value)); }

// How report_fuzz and c_walk_fuzz are called: so many bytes of a multifd
// channel, and the newest loader.
std::string NewestLoader(size_t channel_bytes) {
  return Byte(static_cast<int>(channel_bytes & 0xff)) +
         Byte(static_cast<int>(channel_bytes >> 8)) +
         Byte(static_cast<int>(std::size(kReleases) - 1));
}

class Folder {
 public:
  Folder(const std::string& root, const std::string& target)
      : path_(StrCat(root, "/", target)) {
    std::filesystem::create_directories(path_);
  }

  void Add(const std::string& bytes) {
    if (bytes.size() > kMaxSeed || !seen_.insert(bytes).second) return;
    std::ofstream(StrCat(path_, "/", seen_.size()), std::ios::binary) << bytes;
  }

 private:
  const std::string path_;
  std::set<std::string> seen_;
};

struct Shrunk {
  std::string stream;
  struct Section {
    SectionType type;
    std::string content;
  };
  std::vector<Section> sections;  // Of devices.
  std::vector<std::string> configs;
};

// Copies a stream but for what is large.
class Shrinker : public StreamWriter {
 public:
  Shrinker() : StreamWriter(sink_, GetDialect(DialectId::kAuto)) {
    sink_.to = &shrunk.stream;
  }

  void OnSection(const SectionView& section) override {
    section_.clear();
    sink_.to = &section_;
    StreamWriter::OnSection(section);
    head_ = section_.size();
  }

  void OnDeviceEvent(const SectionView& section, const Event& event) override {
    Event cut = event;
    if (event.kind == EventKind::kData) {
      // A record's first bytes, as a whole record.
      if (!event.starts_record) return;
      cut.record_bytes = std::min(
          {event.record_bytes, kMaxRecord, uint64_t{event.payload.size()}});
      cut.payload = event.payload.first(cut.record_bytes);
      if (++records_ > 3 && section.type == SectionType::kEnd) return;
    }
    if (event.kind == EventKind::kConfig) config_at_ = section_.size() + 8;
    if (event.kind == EventKind::kConfigEnd) {
      shrunk.configs.push_back(section_.substr(config_at_));
    }
    StreamWriter::OnDeviceEvent(section, cut);
  }

  void OnSectionEnd(const SectionView& section, uint64_t bytes,
                    bool footer) override {
    std::string content = section_.substr(head_);
    StreamWriter::OnSectionEnd(section, bytes, footer);
    sink_.to = &shrunk.stream;
    bool keep = true;
    if (section.vfio) {
      shrunk.sections.push_back({section.type, content});
      records_ = 0;
      keep = section.type != SectionType::kPart || ++parts_ <= kMaxParts;
    } else if (section.type == SectionType::kPart) {
      keep = content.size() <= kMaxPart && ++parts_ <= kMaxParts;
    } else if (section.type == SectionType::kFull) {
      keep = content.size() <= kMaxFull;
    }
    if (keep) shrunk.stream += section_;
    if (keep && section.type == SectionType::kFull) {
      entries_.push_back(StrCat(R"({"name":")", std::string(section.idstr),
                                R"(","instance_id":)", section.instance_id,
                                R"(,"size":)", content.size(),
                                R"(,"fields":[{"name":"data","size":)",
                                content.size(), R"(,"type":"buffer"}]})"));
    }
    section_.clear();
  }

  void OnDescription(uint64_t offset, ByteSpan) override {
    std::string json = R"({"page_size":4096,"devices":[)";
    for (size_t i = 0; i < entries_.size(); ++i) {
      StrAppend(&json, i == 0 ? "" : ",", entries_[i]);
    }
    json += "]}";
    StreamWriter::OnDescription(offset, AsBytes(json));
  }

  void OnRest(ByteSpan) override {}

  Shrunk shrunk;

 private:
  struct Sink : ByteSink {
    void Write(ByteSpan bytes) override {
      to->append(AsText(bytes).data(), bytes.size());
    }
    std::string* to = nullptr;
  };

  Sink sink_{};
  std::string section_;
  size_t head_ = 0;
  size_t config_at_ = 0;
  size_t records_ = 0;
  size_t parts_ = 0;
  std::vector<std::string> entries_;
};

std::string DescriptionOf(const std::string& stream) {
  size_t at = stream.find("{\"");
  return at == std::string::npos ? "" : stream.substr(at);
}

void AddSections(const Shrunk& shrunk, const Dialect& dialect, Folder& section,
                 Folder& roundtrip, Folder& differential) {
  for (const Shrunk::Section& from : shrunk.sections) {
    int type = static_cast<int>(from.type) - 1;
    for (const Dialect* row : {&dialect, &GetDialect(DialectId::kAuto)}) {
      std::string tail = Byte(static_cast<int>(row->id));
      section.Add(from.content + Byte(5) + Byte(type) + tail);
      roundtrip.Add(from.content + Byte(type) + tail);
      differential.Add(from.content + Byte(type) + tail);
    }
  }
}

// Every command, and the handlers that no capture here has.
void AddHandlers(Folder& folder, const std::string& tail) {
  auto add = [&](const std::string& body) {
    folder.Add(HeaderBytes() + body + EofBytes() + tail);
  };
  const HandlerBytes vfio = {.id = 3, .idstr = "0000:00:02.0/vfio"};
  const std::string start = vfio.Start(TagBytes(3) + TagBytes(1));
  add(ConfigurationBytes("pc-q35-8.2", CapabilitiesBytes({"x-ignore-shared"})) +
      CommandBytes(1) + CommandBytes(2, Be32Bytes(1)) +
      CommandBytes(3, Be64Bytes(4096) + Be64Bytes(4096)) + CommandBytes(8) +
      start + CommandBytes(11) + CommandBytes(9) +
      CommandBytes(10, Str8Bytes("pc.ram")));
  add(start +
      CommandBytes(6, std::string(1, '\0') + Str8Bytes("pc.ram") +
                          std::string(1, '\0') + Be64Bytes(0) +
                          Be64Bytes(4096)) +
      PackagedBytes(CommandBytes(4) + vfio.Full(TagBytes(1)) +
                    CommandBytes(5)));
  const HandlerBytes bitmap = {.id = 5, .idstr = "dirty-bitmap"};
  add(bitmap.Start("\x1c" + Str8Bytes("node") + Str8Bytes("bits") +
                   Be32Bytes(65536) + U8Bytes(1) + "\x01") +
      bitmap.Part(std::string("\x40", 1) + Be64Bytes(0) + Be32Bytes(8) +
                  Be64Bytes(4) + "bits" + "\x01"));
  const HandlerBytes attributes = {
      .id = 6, .idstr = "s390-storage_attributes", .instance = 0, .version = 0};
  add(attributes.Start(Be64Bytes(1)) +
      attributes.Part(Be64Bytes(2) + Be64Bytes(3) + "abc" + Be64Bytes(1)));
  const HandlerBytes htab = {.id = 7, .idstr = "spapr/htab"};
  add(htab.Start(Be32Bytes(24)) +
      htab.Part(Be32Bytes(0) + Be32Bytes(0) + Be16Bytes(1) + Be16Bytes(2) +
                std::string(16, 'h') + std::string(8, '\0')));
  const HandlerBytes ram = {
      .id = 2, .idstr = "ram", .instance = 0, .version = 4};
  const std::string list = Be64Bytes(0x2000 | 4) + Str8Bytes("pc.ram") +
                           Be64Bytes(0x2000) + Be64Bytes(0x10);
  add(ram.Start(list) +
      ram.Part(Be64Bytes(2) + Str8Bytes("pc.ram") + U8Bytes(0) +
               Be64Bytes(0x1000 | 0x60) + U8Bytes(1) + Be16Bytes(3) + "xyz" +
               Be64Bytes(0x1000 | 0x120) + Be32Bytes(3) + "zip" +
               Be64Bytes(0x200) + Be64Bytes(0x10)));
}

// Payloads that are small, or the beginnings of others, each as its driver's.
void AddPayloads(Folder folder) {
  constexpr size_t kLongest = 1600, kQatBytes = 4096;
  for (const testdata::Payload& truth : AllPayloads()) {
    size_t longest = truth.name() == "qat" ? kQatBytes : kLongest;
    std::string bytes = ReadPayload(truth).substr(0, longest);
    for (size_t i = 0; i < AllFormats().size(); ++i) {
      if (AllFormats()[i]->name != truth.driver()) continue;
      int legacy = truth.name() == "mlx5-raw" ? 11 * (0x80 / 11 + 1) : 0;
      folder.Add(StrCat(bytes, Byte(static_cast<int>(bytes.size() % 7)),
                        Byte(static_cast<int>(truth.phase_split() % 256)),
                        Byte(static_cast<int>(i) + legacy)));
    }
  }
}

// Configs, and the sections that hold them, out of a generated stream.
void AddMade(const Generated& made, const Dialect& dialect, Folder& config,
             Folder& section, Folder& roundtrip, Folder& differential) {
  for (const Mark& mark : made.main.marks) {
    if (mark.kind != MarkKind::kConfig) continue;
    int kind = static_cast<int>(dialect.config_layout);
    std::string payload = made.main.bytes.substr(
        mark.offset + 8 + dialect.subflag.width, mark.bytes);
    config.Add(payload + Byte(kind == 0 ? 4 : 5 + kind));
    const Mark* whole = nullptr;
    for (const Mark& other : made.main.marks) {
      if (other.kind == MarkKind::kSection && other.offset < mark.offset &&
          (whole == nullptr || other.offset > whole->offset)) {
        whole = &other;
      }
    }
    if (whole == nullptr) continue;
    size_t head = whole->section == SectionType::kFull ||
                          whole->section == SectionType::kStart
                      ? 1 + 4 + 1 + 17 + 8
                      : 5;
    std::string content =
        made.main.bytes.substr(whole->offset + head, whole->bytes - head);
    std::string tail = Byte(static_cast<int>(whole->section) - 1) +
                       Byte(static_cast<int>(dialect.id));
    section.Add(StrCat(content, Byte(5), tail));
    roundtrip.Add(content + tail);
    differential.Add(content + tail);
  }
}

// A destination's session, of two devices: all dialects, each with its damages.
void AddSessions(Folder folder) {
  for (int dialect = 0; dialect < static_cast<int>(DialectId::kAuto);
       ++dialect) {
    recipe::Migration recipe;
    // In the table's order, behind the one that stands for the newest.
    recipe.set_dialect(static_cast<recipe::Dialect>(dialect + 1));
    recipe.set_return_path(recipe::YES);
    recipe.set_description(recipe::NO);
    for (int i = 0; i < 2; ++i) {
      recipe::Device& device = *recipe.add_devices();
      device.add_parts()->add_records()->set_bytes(20);
      for (int bytes : {50, 9, 0}) device.add_end()->set_bytes(bytes);
      device.mutable_config()->set_pci_config_bytes(256);
      device.mutable_config()->set_msix_vectors(1);
    }
    for (int kind = 0; kind < recipe::Damage::Kind_ARRAYSIZE; ++kind) {
      if (!recipe::Damage::Kind_IsValid(kind)) continue;
      recipe::Migration damaged = recipe;
      if (kind != 0) {
        damaged.add_damage()->set_kind(static_cast<recipe::Damage::Kind>(kind));
      }
      auto made = Generate(damaged);
      if (!made.ok()) continue;
      std::string bytes = made->main.bytes;
      std::string sizes;
      for (size_t i = 0; i < 3; ++i) {
        const std::string channel =
            i < made->channels.size() ? made->channels[i].bytes : "";
        bytes += channel;
        // From the end: the low byte, then the high one.
        sizes = StrCat(Byte(static_cast<int>(channel.size() >> 8)),
                       Byte(static_cast<int>(channel.size() & 0xff)), sizes);
      }
      const int turn = made->channels.empty()
                           ? 3
                           : static_cast<int>(made->channels.size()) - 1 + 30;
      folder.Add(StrCat(bytes, sizes, Byte(turn), Byte(0), Byte(kind % 4),
                        Byte(dialect)));
    }
  }
}

// What the C interface saves, alone and with a multifd channel behind it.
void AddSaved(Folder& folder) {
  for (const size_t bytes : {0, 100, 3000}) {
    c::MemoryDevice device;
    device.state.assign(bytes, 'x');
    migstream_status status;
    std::string channel;
    const std::string choices = Byte(20) + Byte(0);
    folder.Add(c::Save(nullptr, device, &status) + choices);
    const std::string stream = c::Save(nullptr, device, &status, &channel);
    folder.Add(StrCat(stream, channel, choices));
  }
}

void MakeSeeds(const std::string& root) {
  Folder c_interface(root, "c_fuzz");
  Folder c_walk(root, "c_walk_fuzz");
  Folder section(root, "section_fuzz");
  Folder roundtrip(root, "roundtrip_fuzz");
  Folder differential(root, "differential_fuzz");
  Folder stream(root, "stream_fuzz");
  Folder report(root, "report_fuzz");
  Folder config(root, "config_fuzz");
  Folder description(root, "description_fuzz");
  Folder input(root, "input_fuzz");
  Folder multifd(root, "multifd_fuzz");
  Folder recipes(root, "recipe_fuzz");
  AddPayloads(Folder(root, "payload_fuzz"));
  AddSessions(Folder(root, "load_session_fuzz"));

  auto add = [&](const std::string& bytes, const Dialect& dialect) {
    Shrinker shrinker;
    MemorySource source(AsBytes(bytes));
    ReaderOptions options;
    (void)StreamReader(source, shrinker, options).Read();
    const Shrunk& shrunk = shrinker.shrunk;
    stream.Add(shrunk.stream + Byte(3) + Byte(0xff));
    c_interface.Add(shrunk.stream + Byte(20) + Byte(0));
    report.Add(shrunk.stream + NewestLoader(0) + Byte(0xff));
    c_walk.Add(shrunk.stream + NewestLoader(0) + Byte(0xff));
    description.Add(DescriptionOf(shrunk.stream));
    AddSections(shrunk, dialect, section, roundtrip, differential);
    for (const std::string& payload : shrunk.configs) {
      for (int choice : {0, 4, 0x44, 0x84}) {
        config.Add(payload + Byte(choice));
      }
    }
    if (shrunk.stream.size() > 4000) return;
    LibvirtBytes save;
    save.format = 1;
    input.Add(GzipBytes(shrunk.stream) + Byte(0));
    input.Add(save.File(GzipBytes(shrunk.stream)) + Byte(0));
  };
  for (const testdata::Capture& capture : AllCaptures()) {
    add(ReadCapture(capture), GetDialect(DialectId::kAuto));
  }
  for (uint64_t seed = 0; seed < 120; ++seed) {
    recipe::Migration recipe = RandomRecipe(seed);
    if (seed % 3 == 0) {
      recipe.add_damage()->set_kind(
          static_cast<recipe::Damage::Kind>(1 + seed / 3));
    }
    recipes.Add(RecipeText(recipe));
    auto made = Generate(recipe);
    if (!made.ok()) continue;
    const Dialect& dialect =
        RecipeDialect(recipe.dialect(), GetDialect(DialectId::kV111));
    std::string choice = Byte(static_cast<int>(dialect.id));
    stream.Add(StrCat(made->main.bytes, Byte(3), choice));
    std::string channel = made->channels.empty() ? "" : made->channels[0].bytes;
    const std::string migration =
        StrCat(made->main.bytes, channel, NewestLoader(channel.size()), choice);
    report.Add(migration);
    c_walk.Add(migration);
    AddMade(*made, dialect, config, section, roundtrip, differential);
  }
  LibvirtBytes save;
  const std::string text = "QEVM, and the like; QEVM, and the like";
  for (uint32_t format = 0; format <= 6; ++format) {
    save.format = format;
    save.big_endian = format % 2 == 1;
    std::string body = format == 1   ? GzipBytes(text)
                       : format == 2 ? Bzip2Bytes(text)
                       : format == 3 ? XzBytes(text)
                       : format == 5 ? ZstdBytes(text)
                                     : text;
    input.Add(body + Byte(0));
    input.Add(save.File(body) + Byte(2));
    input.Add("12345" + save.File(body) + Byte(5) + Byte(1));
    input.Add(XzBytes(save.File(body)) + Byte(0));
  }
  // Windows that are larger than what a stream may ask for.
  input.Add(ZstdBytes(text, 27) + Byte(0));
  input.Add(XzBytes(text, 9) + Byte(0));
  AddHandlers(stream, Byte(3) + Byte(0xff));
  AddHandlers(report, NewestLoader(0) + Byte(0xff));
  AddHandlers(c_walk, NewestLoader(0) + Byte(0xff));
  AddSaved(c_interface);
  // Packets in order, shuffled, with a gap, twice; of one device and of three.
  auto op = [](int channel, int device, int index, int config, int size) {
    return Byte(channel) + Byte(device) + Byte(index) + Byte(config) +
           Byte(size);
  };
  std::string order, shuffled;
  for (int i = 0; i < 6; ++i) order += op(i % 3, 0, i, i == 5, i);
  for (int i : {3, 1, 0, 2}) shuffled += op(i % 3, i % 2, i / 2, i > 1, 20);
  multifd.Add(order + Byte(0));
  multifd.Add(shuffled + Byte(1));
  multifd.Add(order + op(0, 1, 9, 0, 255) + Byte(0));
  multifd.Add(order + order + Byte(0));
  multifd.Add(order + Byte(0xff) + std::string("\0\1\2\3\1\0\x50\xff", 8) +
              Byte(2));
}

}  // namespace
}  // namespace migstream

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: make_seeds DIR\n";
    return 2;
  }
  migstream::MakeSeeds(argv[1]);
}
