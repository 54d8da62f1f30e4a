#include "codec/rewrite/described_writer.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "flags/ram_flags.h"

namespace migstream {

void DescribedWriter::Write(ByteSpan bytes) {
  written_ += bytes.size();
  sink_.Write(bytes);
}

void DescribedWriter::OnRamBlocks(absl::Span<const RamBlock> blocks) {
  mapped_ram_ = std::any_of(
      blocks.begin(), blocks.end(),
      [](const RamBlock& block) { return block.pages_offset != 0; });
}

void DescribedWriter::OnRamRecord(const RamRecordView& record) {
  if (!mapped_ram_ || record.flags != kRamEos) return;
  mapped_ram_ = false;
  // The record's own number is already written.
  if (written_ != record.offset + 8 && error_.ok()) {
    error_ = {ErrorCode::kNotWritable, record.offset, "ram START",
              "mapped-ram pages stand at fixed offsets in the file, and what "
              "comes before them has changed its length"};
  }
}

void DescribedWriter::OnSectionEnd(const SectionView& section,
                                   uint64_t content_bytes, bool footer) {
  if (section.vfio && section.type == SectionType::kFull) {
    fulls_.push_back({std::string(section.idstr), section.instance_id,
                      device_content_bytes()});
  }
  StreamWriter::OnSectionEnd(section, content_bytes, footer);
}

void DescribedWriter::OnDescription(uint64_t offset, ByteSpan json) {
  absl::StatusOr<std::string> edited = EditDescription(AsText(json), fulls_);
  if (edited.ok()) {
    StreamWriter::OnDescription(offset, AsBytes(*edited));
  } else if (error_.ok()) {
    error_ = {ErrorCode::kBadDescription, offset, "VMDESCRIPTION",
              std::string(edited.status().message())};
  }
}

}  // namespace migstream
