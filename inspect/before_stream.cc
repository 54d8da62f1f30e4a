#include "inspect/before_stream.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <system_error>

#include "codec/io/decompressing_source.h"
#include "codec/io/libvirt_save.h"
#include "codec/io/open_file.h"
#include "codec/io/open_stream.h"
#include "codec/qemu/stream_reader.h"
#include "codec/qemu/stream_visitor.h"
#include "codec/wire/text.h"
#include "inspect/console.h"

namespace migstream {
namespace {

bool CanBeReadAgain(const std::string& file) {
  std::error_code error;
  return std::filesystem::is_regular_file(file, error);
}

class MappedRamFinder : public StreamVisitor {
 public:
  void OnMappedRam(const RamBlock&, uint64_t) override {
    found = true;
    Stop();
  }
  void OnRamBlocks(std::span<const RamBlock>) override { Stop(); }
  bool found = false;
};

bool HasMappedRam(const Inputs& inputs) {
  const OpenedStream opened = OpenStream(inputs.file, inputs.options);
  if (!opened.source) return false;
  MappedRamFinder finder;
  StreamReader(*opened.source, finder).Read();
  return finder.found;
}

// False if there are fewer.
bool Copy(ByteSource& source, uint64_t bytes, ByteSink& sink) {
  while (bytes > 0) {
    ByteSpan here = source.Peek(1);
    if (here.empty()) return false;
    here = here.first(std::min<uint64_t>(here.size(), bytes));
    sink.Write(here);
    bytes -= here.size();
    source.Consume(here.size());
  }
  return true;
}

// A header that says how what follows is compressed now.
bool CopyLibvirt(const LibvirtSave& save, bool zstd, ByteSource& source,
                 ByteSink& sink) {
  const LibvirtFormat format = save.format == LibvirtFormat::kSparse
                                   ? LibvirtFormat::kSparse
                               : zstd ? LibvirtFormat::kZstd
                                      : LibvirtFormat::kRaw;
  std::array<uint8_t, 4> number;
  if (save.big_endian) {
    StoreBe32(number.data(), static_cast<uint32_t>(format));
  } else {
    StoreLe32(number.data(), static_cast<uint32_t>(format));
  }
  const uint64_t at = save.stream_offset - save.data_bytes -
                      kLibvirtHeaderBytes + kLibvirtFormatOffset;
  if (!Copy(source, at, sink)) return false;
  sink.Write(number);
  source.Skip(number.size());
  return Copy(source, save.stream_offset - at - number.size(), sink);
}

}  // namespace

bool FindBefore(const Inputs& inputs, size_t channels, bool keep_header,
                BeforeStream& before) {
  const bool again = CanBeReadAgain(inputs.file);
  const std::optional<LibvirtSave>& save = inputs.libvirt;
  if (keep_header) {
    const char* problem =
        !save           ? "is not a libvirt save file, whose header could stay"
        : !again        ? "libvirt's header would be read twice, and cannot be"
        : channels != 0 ? "a save file has no channels beside it"
                        : nullptr;
    if (problem != nullptr) {
      PrintError(StrCat(inputs.file, ": ", problem));
      return false;
    }
  }
  const bool sparse = save && save->format == LibvirtFormat::kSparse;
  const bool mapped = inputs.main->offset() != 0 && again && channels == 0 &&
                      (sparse || HasMappedRam(inputs));
  if (keep_header || mapped) {
    before.bytes = save ? save->stream_offset : inputs.main->offset();
    before.names_compression = save && !sparse;
    if (keep_header) return true;
    PrintError(StrCat(inputs.file,
                      ": what stands before the stream is kept, "
                      "as mapped-ram's offsets count from there"));
  } else if (save) {
    PrintError(StrCat(inputs.file,
                      ": libvirt's header and XML are left out; "
                      "--keep-header keeps them"));
  }
  return true;
}

bool WriteBefore(const Inputs& inputs, const BeforeStream& before, bool zstd,
                 ByteSink& sink) {
  if (before.bytes == 0) return true;
  auto file = OpenFile(inputs.file, inputs.options.access);
  if (!file.ok()) {
    PrintError(StrCat(inputs.file, ": ", file.status().message()));
    return false;
  }
  const std::unique_ptr<ByteSource> source =
      Decompressed(*std::move(file), inputs.options.limits);
  if (inputs.libvirt ? CopyLibvirt(*inputs.libvirt, zstd, *source, sink)
                     : Copy(*source, before.bytes, sink)) {
    return true;
  }
  PrintError(
      StrCat(inputs.file, ": ",
             source->failure().empty() ? "is shorter now" : source->failure()));
  return false;
}

}  // namespace migstream
