#include "codec/io/open_stream.h"

#include "codec/io/ahead_source.h"
#include "codec/io/decompressing_source.h"
#include "codec/io/open_file.h"
#include "codec/io/open_qcow2.h"
#include "codec/io/qcow2_image.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

OpenedStream Failed(Error error) {
  OpenedStream failed;
  failed.error = std::move(error);
  return failed;
}

}  // namespace

OpenedStream OpenStream(const std::string& path, const OpenOptions& options) {
  auto file = OpenFile(path, options.access);
  if (!file.ok()) {
    return Failed(
        {ErrorCode::kReadFailed, 0, "", std::string(file.status().message())});
  }
  (*file)->SetReadAhead(false);
  if (!Qcow2Image::IsImage((*file)->Peek(4))) {
    return options.snapshot.empty()
               ? Unwrap(*std::move(file), options)
               : Failed({ErrorCode::kReadFailed, 0, "",
                         "is no qcow2 image, and so has no snapshots"});
  }
  Error error;
  auto state = OpenQcow2(path, options.snapshot, error);
  return state != nullptr ? Unwrap(std::move(state), options)
                          : Failed(std::move(error));
}

OpenedStream Unwrap(std::unique_ptr<ByteSource> source,
                    const OpenOptions& options) {
  OpenedStream opened;
  // What is skipped need not be read, and may be large.
  source->SetReadAhead(false);
  const ByteSource* const file = source.get();
  source = Decompressed(std::move(source), options.limits);
  const bool packed = source.get() != file;
  bool unpacks = packed;
  source->SetReadAhead(false);
  uint64_t skipped = source->Skip(options.offset);
  if (skipped < options.offset && source->failure().empty()) {
    return Failed(
        {ErrorCode::kNotAStream, skipped, "header",
         StrCat("input ends before the offset ", Hex(options.offset))});
  }
  if (IsLibvirtSave(source->Peek(kLibvirtHeaderBytes))) {
    opened.libvirt.emplace();
    Error error = ReadLibvirtSave(*source, options.on_xml, *opened.libvirt);
    if (!error.ok()) return Failed(std::move(error));
    Compression compression = CompressionOf(opened.libvirt->format);
    if (compression == Compression::kLzop && !packed) {
      opened.error = {ErrorCode::kReadFailed, source->offset(), "",
                      StrCat("lzop: is not supported; decompress it "
                             "beforehand: tail -c +",
                             source->offset() + 1, " FILE | lzop -dc")};
      return opened;
    }
    if (compression != Compression::kNone) {
      source = std::make_unique<DecompressingSource>(
          std::move(source), compression, options.limits);
      unpacks = true;
    }
  } else if (options.offset != 0) {
    const ByteSource* const before = source.get();
    source = Decompressed(std::move(source), options.limits);
    unpacks |= source.get() != before;
  }
  if (source->Peek(1).empty() && !source->failure().empty()) {
    opened.error = {ErrorCode::kReadFailed, source->offset(), "",
                    source->failure()};
    return opened;
  }
  // A pipe may have no more for now, and nobody could end the thread.
  if (unpacks && options.ahead && options.limits.threads > 1 &&
      !source->works_ahead() && source->raw_size()) {
    source = std::make_unique<AheadSource>(std::move(source));
  }
  source->SetReadAhead(true);
  opened.source = std::move(source);
  return opened;
}

}  // namespace migstream
