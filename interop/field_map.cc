// Where the fields of a stream's framing and of its VFIO sections are, for
// those who want to damage one: a line for each, OFFSET SIZE KIND SECTION.
//
//   field_map [--all] FILE
//
// With --all RAM's records, the inside of the configuration and other devices'
// versions are there too; the content of other devices' sections never is.

#include <cstdio>
#include <string>
#include <string_view>

#include "codec/io/open_stream.h"
#include "codec/qemu/stream_reader.h"
#include "codec/qemu/stream_visitor.h"
#include "codec/wire/error.h"
#include "codec/wire/text.h"
#include "flags/ram_flags.h"
#include "flags/section_type.h"

namespace migstream {
namespace {

class FieldMap : public StreamVisitor {
 public:
  explicit FieldMap(bool all) : all_(all) {}

  void OnHeader(uint32_t) override {
    Take(4, "magic", "-");
    Take(4, "stream-version", "-");
  }

  void OnConfiguration(const ConfigurationView& configuration) override {
    at_ = configuration.offset;
    Take(1, "type", "configuration");
    Take(4, "machine-length", "configuration");
    Take(configuration.machine_type.size(), "machine", "configuration");
    if (!all_) return;
    for (const auto& subsection : configuration.subsections) {
      Take(1, "type", "subsection");
      Take(1, "idstr-length", "subsection");
      Take(subsection.name.size(), "idstr", "subsection");
      Take(4, "version", "subsection");
      Take(subsection.payload.size(), "content", "subsection");
    }
  }

  void OnSection(const SectionView& section) override {
    std::string idstr(section.idstr);
    std::string kind(ToString(section.type));
    at_ = section.offset;
    Take(1, kind, idstr);
    Take(4, "id", idstr);
    if (section.type == SectionType::kStart ||
        section.type == SectionType::kFull) {
      Take(1, "idstr-length", idstr);
      Take(idstr.size(), "idstr", idstr);
      Take(4, "instance", idstr);
      // Which versions a device knows is not of the framing.
      if (section.vfio || all_) {
        Take(4, "version", idstr);
      } else {
        at_ += 4;
      }
    }
    content_ = at_;
  }

  void OnRamRecord(const RamRecordView& record) override {
    if (!all_) return;
    at_ = record.offset;
    Take(8, StrCat("record-", record.flags & ~uint64_t{kRamContinue}), "ram");
    if (record.block != nullptr && (record.flags & kRamContinue) == 0) {
      Take(1, "block-length", "ram");
      Take(record.block->name.size(), "block", "ram");
    }
    // XBZRLE and compressed pages have a head of their own.
    if ((record.flags & kRamXbzrle) != 0) Take(3, "xbzrle", "ram");
    if ((record.flags & kRamCompressPage) != 0) Take(4, "compressed", "ram");
    if ((record.flags & kRamPage) != 0) return;
    Take(record.payload_bytes, StrCat("payload-", record.flags), "ram");
  }

  void OnRamBlocks(std::span<const RamBlock> blocks) override {
    if (!all_) return;
    for (const RamBlock& block : blocks) {
      if (block.pages_offset != 0) return;
      Take(1, "list-name-length", "ram");
      Take(block.name.size(), "list-name", "ram");
      Take(8, "list-bytes", "ram");
      if (block.has_address) Take(8, "list-address", "ram");
    }
  }

  void OnDeviceEvent(const SectionView& section, const Event& event) override {
    std::string idstr(section.idstr);
    if (event.kind == EventKind::kData && !event.starts_record) return;
    if (event.kind == EventKind::kSubsection) return;
    if (event.kind == EventKind::kConfigEnd) {
      Take(event.offset - at_, "config", idstr);
    }
    at_ = event.offset;
    Take(8, "tag", idstr);
    if (event.kind == EventKind::kData) {
      Take(8, "record-size", idstr);
      Take(event.record_bytes, "record", idstr);
    }
  }

  void OnSectionEnd(const SectionView& section, uint64_t content_bytes,
                    bool footer) override {
    if (!footer) return;
    at_ = content_ + content_bytes;
    Take(1, "footer", std::string(section.idstr));
    Take(4, "footer-id", std::string(section.idstr));
  }

  void OnCommand(const CommandView& command) override {
    at_ = command.offset;
    Take(1, "type", "command");
    Take(2, "command", "command");
    Take(2, "command-length", "command");
    Take(command.data.size(), "command-data", "command");
  }

  void OnEof(uint64_t offset) override {
    at_ = offset;
    Take(1, "eof", "-");
  }

  void OnDescription(uint64_t offset, ByteSpan json) override {
    at_ = offset;
    Take(1, "type", "description");
    Take(4, "description-length", "description");
    Take(json.size(), "description", "description");
  }

 private:
  void Take(uint64_t size, const std::string& kind, const std::string& idstr) {
    if (size > 0) {
      std::printf("%llu\t%llu\t%s\t%s\n", static_cast<unsigned long long>(at_),
                  static_cast<unsigned long long>(size), kind.c_str(),
                  idstr.c_str());
    }
    at_ += size;
  }

  const bool all_;
  uint64_t at_ = 0;       // Of the next field.
  uint64_t content_ = 0;  // Where the section's content begins.
};

}  // namespace
}  // namespace migstream

int main(int argc, char** argv) {
  const bool all = argc == 3 && argv[1] == std::string_view("--all");
  if (argc != (all ? 3 : 2)) {
    std::fprintf(stderr, "usage: field_map [--all] FILE\n");
    return 2;
  }
  migstream::OpenedStream source = migstream::OpenStream(argv[argc - 1]);
  if (!source.error.ok()) return 2;
  migstream::FieldMap map(all);
  migstream::Error error = migstream::StreamReader(*source.source, map).Read();
  if (error.ok()) return 0;
  std::fprintf(stderr, "%s\n", migstream::ToString(error).c_str());
  return 1;
}
