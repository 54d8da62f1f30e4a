#include "inspect/inputs.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "codec/device/pci_config.h"
#include "codec/qemu/file_kind.h"
#include "inspect/progress.h"
#include "inspect/say.h"

namespace migstream {
namespace {

bool IsRegularFile(const std::string& file) {
  struct stat info;
  return file != "-" && stat(file.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

Reopen OpenedOften(const std::string& file, std::unique_ptr<ByteSource>& source,
                   bool quiet) {
  auto first = std::make_shared<std::unique_ptr<ByteSource>>(std::move(source));
  return [file, first, quiet]() -> std::unique_ptr<ByteSource> {
    std::unique_ptr<ByteSource> opened = std::move(*first);
    if (!opened && IsRegularFile(file)) opened = OpenInput(file);
    if (opened) ShowProgress(*opened, quiet);
    return opened;
  };
}

}  // namespace

std::unique_ptr<ByteSource> OpenInput(const std::string& file) {
  if (file == "-" && isatty(STDIN_FILENO)) {
    Complain("standard input is a terminal, not a stream");
    return nullptr;
  }
  auto source = OpenSource(file);
  if (source.ok()) return *std::move(source);
  Complain(absl::StrCat(file, ": ", source.status().message()));
  return nullptr;
}

bool ReadConfigSpace(const std::string& file, std::string& config) {
  std::unique_ptr<ByteSource> source = OpenInput(file);
  if (!source) return false;
  config = std::string(AsText(source->Peek(kPcieConfigBytes + 1)));
  if (config.size() == kPciConfigBytes || config.size() == kPcieConfigBytes) {
    return true;
  }
  Complain(absl::StrCat(file, ": a PCI config space has 256 or 4096 bytes"));
  return false;
}

Inputs OpenInputs(const Arguments& arguments) {
  Inputs inputs;
  Inputs none;
  for (const std::string& file : arguments.files) {
    std::unique_ptr<ByteSource> source = OpenInput(file);
    if (!source) return none;
    FileKind kind = KindOf(source->Peek(8));
    if (kind == FileKind::kMultifd && arguments.files.size() > 1) {
      inputs.channel_files.push_back(file);
      inputs.channels.push_back(std::move(source));
    } else if (kind == FileKind::kReturnPath && arguments.files.size() > 1) {
      continue;  // It holds nothing of the devices.
    } else if (inputs.main) {
      Complain(absl::StrCat(file, ": is a second main channel, beside ",
                            inputs.file));
      return none;
    } else {
      inputs.file = file;
      inputs.main = std::move(source);
    }
  }
  if (!inputs.main) {
    Complain("there is no main channel among the files");
    return none;
  }
  return inputs;
}

std::vector<ChannelReader::Channel> Inputs::Channels() const {
  std::vector<ChannelReader::Channel> all;
  for (size_t i = 0; i < channels.size(); ++i) {
    all.push_back({channel_files[i], channels[i].get()});
  }
  return all;
}

RewriteInput Inputs::Reopenable(bool quiet) {
  RewriteInput input = {OpenedOften(file, main, quiet)};
  for (size_t i = 0; i < channels.size(); ++i) {
    input.channels.push_back(
        {channel_files[i], OpenedOften(channel_files[i], channels[i], quiet)});
  }
  return input;
}

std::string Inputs::Line(const Error& error) const {
  bool of_channel = std::find(channel_files.begin(), channel_files.end(),
                              error.section) != channel_files.end();
  if (!of_channel) return ErrorLine(file, error);
  Error of_file = error;
  of_file.section = "multifd";
  return ErrorLine(error.section, of_file);
}

}  // namespace migstream
