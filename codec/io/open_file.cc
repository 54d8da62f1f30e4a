#include "codec/io/open_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/status/status.h"

namespace migstream {

absl::StatusOr<std::unique_ptr<ByteSource>> OpenFile(const std::string& path,
                                                     FileAccess access) {
  int fd = path == "-" ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                       : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return absl::NotFoundError(std::strerror(errno));
  auto source = std::make_unique<FileSource>(fd, access);
  struct stat info;
  if (fstat(fd, &info) == 0 && S_ISDIR(info.st_mode)) {
    return absl::InvalidArgumentError("is a directory");
  }
  return source;
}

}  // namespace migstream
