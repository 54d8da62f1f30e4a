#include "codec/qemu/stream_writer.h"

#include <span>

#include "codec/wire/text.h"
#include "codec/wire/writer.h"
#include "flags/section_type.h"

namespace migstream {
namespace {

uint8_t Byte(SectionType type) { return static_cast<uint8_t>(type); }

class RepackVisitor : public StreamWriter {
 public:
  RepackVisitor(ByteSink& sink, const Dialect& dialect,
                std::vector<Finding>* findings)
      : StreamWriter(sink, dialect), findings_(findings) {}

  void OnFinding(const Finding& finding) override {
    if (findings_ != nullptr) findings_->push_back(finding);
  }

 private:
  std::vector<Finding>* findings_;
};

}  // namespace

void StreamWriter::OnHeader(uint32_t version) {
  uint8_t bytes[8];
  StoreBe32(bytes, kStreamMagic);
  StoreBe32(bytes + 4, version);
  sink_.Write(bytes);
}

void StreamWriter::OnConfiguration(const ConfigurationView& configuration) {
  uint8_t bytes[kMaxSectionHeaderBytes];
  Writer head(bytes);
  head.U8(Byte(SectionType::kConfiguration));
  head.Be32(static_cast<uint32_t>(configuration.machine_type.size()));
  sink_.Write(head.written());
  sink_.Write(AsBytes(configuration.machine_type));
  for (const auto& subsection : configuration.subsections) {
    Writer writer(bytes);
    writer.U8(Byte(SectionType::kSubsection));
    writer.Str8(subsection.name);
    writer.Be32(subsection.version);
    sink_.Write(writer.written());
    sink_.Write(subsection.payload);
  }
}

void StreamWriter::OnSection(const SectionView& section) {
  uint8_t bytes[kMaxSectionHeaderBytes];
  Writer writer(bytes);
  writer.U8(Byte(section.type));
  writer.Be32(section.id);
  if (section.type == SectionType::kStart ||
      section.type == SectionType::kFull) {
    writer.Str8(section.idstr);
    writer.Be32(section.instance_id);
    writer.Be32(section.version_id);
  }
  sink_.Write(writer.written());
  if (section.vfio) {
    encoder_ = std::make_unique<SectionEncoder>(section.type, dialect_,
                                                headers_, pieces_);
  }
}

void StreamWriter::OnDeviceEvent(const SectionView& section,
                                 const Event& event) {
  if (encoder_->Append(event) != Put::kDone && error_.ok()) {
    error_ = encoder_->error(section.idstr);
    error_.offset = event.offset;
  }
  for (const iovec& piece : encoder_->pieces()) {
    sink_.Write(
        ByteSpan(static_cast<const uint8_t*>(piece.iov_base), piece.iov_len));
  }
  encoder_->Clear();
}

void StreamWriter::OnSectionEnd(const SectionView& section, uint64_t,
                                bool footer) {
  if (!footer) return;
  uint8_t bytes[kFooterBytes] = {Byte(SectionType::kSectionFooter)};
  StoreBe32(bytes + 1, section.id);
  sink_.Write(bytes);
}

void StreamWriter::OnCommand(const CommandView& command) {
  uint8_t bytes[5] = {Byte(SectionType::kCommand)};
  StoreBe16(bytes + 1, static_cast<uint16_t>(command.command));
  StoreBe16(bytes + 3, static_cast<uint16_t>(command.data.size()));
  sink_.Write(bytes);
  sink_.Write(command.data);
}

void StreamWriter::OnEof(uint64_t) {
  uint8_t byte = Byte(SectionType::kEof);
  sink_.Write(ByteSpan(&byte, 1));
}

void StreamWriter::OnDescription(uint64_t, ByteSpan json) {
  uint8_t bytes[5] = {Byte(SectionType::kVmDescription)};
  StoreBe32(bytes + 1, static_cast<uint32_t>(json.size()));
  sink_.Write(bytes);
  sink_.Write(json);
}

Error CheckMayMove(uint64_t start, const RamStats& ram) {
  for (const RamBlock& block : ram.blocks) {
    if (start == 0 || block.pages_offset == 0) continue;
    return {ErrorCode::kNotWritable, start, "ram START",
            StrCat("mapped-ram offsets count from the file's first byte, "
                   "and the stream begins at ",
                   Hex(start))};
  }
  return {};
}

Error Repack(ByteSource& source, ByteSink& sink, const ReaderOptions& options,
             std::vector<Finding>* findings) {
  const uint64_t start = source.offset();
  RepackVisitor writer(sink, *options.dialect, findings);
  StreamReader reader(source, writer, options);
  Error error = reader.Read();
  if (!writer.error().ok()) return writer.error();
  Error moved = CheckMayMove(start, reader.ram());
  if (!moved.ok()) return moved;
  return error;
}

}  // namespace migstream
