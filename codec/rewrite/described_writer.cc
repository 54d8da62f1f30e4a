#include "codec/rewrite/described_writer.h"

#include <algorithm>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "codec/wire/text.h"
#include "flags/ram_flags.h"

namespace migstream {
namespace {

constexpr uint64_t kCommandHeaderBytes = 5;  // Type, number, length.
constexpr uint64_t kPackagedBytes = kCommandHeaderBytes + 4;

}  // namespace

void DescribedWriter::Write(ByteSpan bytes) {
  written_ += bytes.size();
  if (!holds_package_) return sink_.Write(bytes);
  package_ += AsText(bytes);
  if (package_.size() > kMostPackageBytes) ReleasePackage();
}

void DescribedWriter::ReleasePackage() {
  holds_package_ = false;
  sink_.Write(AsBytes(package_));
  package_ = std::string();
}

void DescribedWriter::EndPackage(uint64_t offset) {
  if (package_end_ == 0 || offset < package_end_) return;
  package_end_ = 0;
  if (holds_package_) {
    StoreBe32(reinterpret_cast<uint8_t*>(&package_[kCommandHeaderBytes]),
              static_cast<uint32_t>(package_.size() - kPackagedBytes));
    ReleasePackage();
  } else if (written_ != written_package_end_ && error_.ok()) {
    error_ = {ErrorCode::kNotWritable, offset, "COMMAND PACKAGED",
              StrCat("what is in the package, more than ",
                     kMostPackageBytes >> 20, " MiB, has changed its length")};
  }
}

void DescribedWriter::OnSection(const SectionView& section) {
  EndPackage(section.offset);
  StreamWriter::OnSection(section);
}

void DescribedWriter::OnEof(uint64_t offset) {
  EndPackage(offset);
  StreamWriter::OnEof(offset);
}

void DescribedWriter::OnCommand(const CommandView& command) {
  EndPackage(command.offset);
  const bool packaged =
      command.command == Command::kPackaged && command.data.size() == 4;
  holds_package_ |= packaged;
  StreamWriter::OnCommand(command);
  if (!packaged) return;
  uint64_t bytes = LoadBe32(command.data.data());
  package_end_ = command.offset + kPackagedBytes + bytes;
  written_package_end_ = written_ + bytes;
}

void DescribedWriter::OnRamBlocks(std::span<const RamBlock> blocks) {
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
  if (keep_description_) return StreamWriter::OnDescription(offset, json);
  absl::StatusOr<std::string> edited = EditDescription(AsText(json), fulls_);
  if (edited.ok()) {
    StreamWriter::OnDescription(offset, AsBytes(*edited));
  } else if (error_.ok()) {
    error_ = {absl::IsFailedPrecondition(edited.status())
                  ? ErrorCode::kNotWritable
                  : ErrorCode::kBadDescription,
              offset, "VMDESCRIPTION", std::string(edited.status().message())};
  }
}

}  // namespace migstream
