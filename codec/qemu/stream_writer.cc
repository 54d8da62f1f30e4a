#include "codec/qemu/stream_writer.h"

#include <span>

#include "codec/wire/text.h"

namespace migstream {
namespace {

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

void StreamWriter::OnConfiguration(const ConfigurationView& configuration) {
  Write(encoder_.Configuration(configuration.machine_type));
  for (const auto& subsection : configuration.subsections) {
    Write(encoder_.ConfigurationSubsection(subsection));
  }
}

void StreamWriter::Write(Put put, uint64_t offset) {
  if (put != Put::kDone && error_.ok()) {
    error_ = encoder_.error();
    error_.offset = offset;
  }
  for (const iovec& piece : encoder_.pieces()) {
    sink_.Write(
        ByteSpan(static_cast<const uint8_t*>(piece.iov_base), piece.iov_len));
  }
  encoder_.Clear();
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
