#include "inspect/inputs.h"

#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "codec/qemu/file_kind.h"
#include "inspect/say.h"

namespace migstream {

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

}  // namespace migstream
