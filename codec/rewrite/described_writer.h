// The last step of rewriting: writes the stream, with a VMDESCRIPTION that fits
// what was written. FORMAT.md sections 5 and 7.

#ifndef MIGSTREAM_CODEC_REWRITE_DESCRIBED_WRITER_H_
#define MIGSTREAM_CODEC_REWRITE_DESCRIBED_WRITER_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "codec/qemu/description_editor.h"
#include "codec/qemu/stream_writer.h"
#include "codec/wire/error.h"
#include "flags/dialect.h"

namespace migstream {

class DescribedWriter : private ByteSink, public StreamWriter {
 public:
  // Both must outlive the writer. `before` bytes stand before the stream.
  DescribedWriter(ByteSink& sink, const Dialect& dialect, uint64_t before = 0)
      : StreamWriter(static_cast<ByteSink&>(*this), dialect),
        sink_(sink),
        written_(before) {}

  void OnSection(const SectionView& section) override;
  void OnCommand(const CommandView& command) override;
  void OnEof(uint64_t offset) override;
  void OnRamRecord(const RamRecordView& record) override;
  void OnRamBlocks(std::span<const RamBlock> blocks) override;
  void OnSectionEnd(const SectionView& section, uint64_t content_bytes,
                    bool footer) override;
  void OnDescription(uint64_t offset, ByteSpan json) override;

  // Nothing that the description tells of changes: it is written as it is.
  void KeepDescription() { keep_description_ = true; }

  // Nothing more comes, though a package may not have ended.
  void Finish() { ReleasePackage(); }

  // Why what was written must not be used, if it must not.
  const Error& error() const {
    return error_.ok() ? StreamWriter::error() : error_;
  }

 private:
  // A package says how long it is before it begins. So it is held up to its
  // end, or, if it is longer than this, keeps its length.
  static constexpr size_t kMostPackageBytes = 8 << 20;

  void Write(ByteSpan bytes) override;
  void EndPackage(uint64_t offset);
  void ReleasePackage();

  ByteSink& sink_;
  uint64_t written_;         // Of the file.
  bool mapped_ram_ = false;  // In this section, pages stand at fixed offsets.
  // Where a PACKAGED ends in the input, and would end in what is written; 0
  // outside of one.
  uint64_t package_end_ = 0;
  uint64_t written_package_end_ = 0;
  bool holds_package_ = false;
  std::string package_;  // With its command.
  bool keep_description_ = false;
  std::vector<WrittenFull> fulls_;
  Error error_;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_REWRITE_DESCRIBED_WRITER_H_
