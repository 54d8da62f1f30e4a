// How a release's loader takes COMMANDs, and what they leave it in. FORMAT.md
// section 4, LOADERS.md sections 4 and 7.

#ifndef MIGSTREAM_CODEC_LOADER_LOADER_COMMANDS_H_
#define MIGSTREAM_CODEC_LOADER_LOADER_COMMANDS_H_

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "codec/loader/loader_input.h"
#include "codec/loader/loader_row.h"
#include "flags/command.h"

namespace migstream {

class LoaderCommands {
 public:
  explicit LoaderCommands(const LoaderRow& row) : row_(row) {}

  // One COMMAND behind its section type, which stands at `at`. False if it is
  // refused. `page_bytes` is the size of a target page if that is known.
  // `section` becomes the command's name.
  bool Load(LoaderInput& input, uint64_t at, std::optional<uint64_t> page_bytes,
            std::string& section);

  // The same of a COMMAND of any release that is there already, with all its
  // data. Nothing if the loader takes it.
  std::optional<LoaderRefusal> Judge(uint64_t at, Command command,
                                     ByteSpan data,
                                     std::optional<uint64_t> page_bytes);

  // If the last one was PACKAGED: so many bytes of sections come next.
  std::optional<uint32_t> package_bytes() const { return package_bytes_; }

  bool return_path() const { return return_path_; }
  // The page sizes of a postcopy of RAM; none without.
  std::optional<uint64_t> advised_page_sizes() const {
    return advised_page_sizes_;
  }
  // POSTCOPY_RUN came, which ends a package.
  bool postcopy_running() const { return postcopy_ == kRunning; }
  uint64_t colo_at() const { return colo_at_; }  // ENABLE_COLO; 0: none.

 private:
  enum Postcopy : uint8_t {
    kNone,
    kAdvised,
    kDiscarding,
    kListening,
    kRunning
  };

  // Before its data is looked at.
  std::optional<LoaderRefusal> CheckHead(uint64_t at, Command command,
                                         uint16_t length) const;
  // `data` is short where the input ends.
  std::optional<LoaderRefusal> Obey(uint64_t at, Command command,
                                    uint16_t length, ByteSpan data,
                                    std::optional<uint64_t> page_bytes);
  std::optional<LoaderRefusal> Enter(uint64_t at, std::string_view name,
                                     std::initializer_list<Postcopy> from,
                                     Postcopy to);
  std::optional<LoaderRefusal> Advise(uint64_t at, uint16_t length,
                                      ByteSpan data,
                                      std::optional<uint64_t> page_bytes);
  std::optional<LoaderRefusal> CheckBitmap(uint64_t at, uint16_t length,
                                           ByteSpan data) const;

  const LoaderRow& row_;
  bool return_path_ = false;
  Postcopy postcopy_ = kNone;
  std::optional<uint64_t> advised_page_sizes_;
  std::optional<uint32_t> package_bytes_;
  uint64_t colo_at_ = 0;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_LOADER_LOADER_COMMANDS_H_
