#include "codec/io/open_qcow2.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>
#include <vector>

#include "codec/io/qcow2_image.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

// Reads a file that stays open as long as it is used.
ReadAt ReadAtOf(int fd) {
  auto file = std::shared_ptr<int>(new int(fd), [](int* owned) {
    close(*owned);
    delete owned;
  });
  return [file](uint64_t offset, std::span<uint8_t> to) {
    while (!to.empty()) {
      const ssize_t count =
          pread(*file, to.data(), to.size(), static_cast<off_t>(offset));
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return false;
      offset += static_cast<uint64_t>(count);
      to = to.subspan(static_cast<size_t>(count));
    }
    return true;
  };
}

std::string DateOf(uint32_t seconds) {
  const std::time_t time = seconds;
  std::tm parts = {};
  char text[32] = "";
  if (gmtime_r(&time, &parts) != nullptr) {
    std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts);
  }
  return text;
}

// A name may have 65535 bytes.
std::string Short(const std::string& name) {
  constexpr size_t kMost = 64;
  return name.size() <= kMost ? name : StrCat(name.substr(0, kMost), "...");
}

// ": 'before' (id 1, 1234 bytes, 2026-01-02 03:04:05 UTC)", with commas
// between.
std::string List(const std::vector<Qcow2Snapshot>& snapshots) {
  constexpr size_t kMost = 20;
  std::string text;
  for (size_t i = 0; i < std::min(kMost, snapshots.size()); ++i) {
    const Qcow2Snapshot& one = snapshots[i];
    StrAppend(&text, i == 0 ? ": '" : ", '", Short(one.name), "' (id ",
              Short(one.id), ", ",
              one.state_bytes == 0 ? "the disk alone"
                                   : StrCat(one.state_bytes, " bytes"),
              ", ", DateOf(one.seconds), ")");
  }
  if (snapshots.size() > kMost) {
    StrAppend(&text, " and ", snapshots.size() - kMost, " more");
  }
  return text;
}

// Names come before ids, as with QEMU's loadvm.
const Qcow2Snapshot* Find(const std::vector<Qcow2Snapshot>& snapshots,
                          const std::string& name) {
  for (auto member : {&Qcow2Snapshot::name, &Qcow2Snapshot::id}) {
    for (const Qcow2Snapshot& one : snapshots) {
      if (one.*member == name) return &one;
    }
  }
  return nullptr;
}

// Null, and why, if there is none.
const Qcow2Snapshot* Choose(const std::vector<Qcow2Snapshot>& snapshots,
                            const std::string& name, std::string& why) {
  if (!name.empty()) {
    const Qcow2Snapshot* found = Find(snapshots, name);
    if (found == nullptr) {
      why = StrCat("there is no snapshot '", Short(name), "' in it");
    } else if (found->state_bytes == 0) {
      why = "that snapshot is of the disk alone";
    }
    return why.empty() ? found : nullptr;
  }
  const Qcow2Snapshot* only = nullptr;
  for (const Qcow2Snapshot& one : snapshots) {
    if (one.state_bytes == 0) continue;
    if (only != nullptr) {
      why = "it has several snapshots, and --snapshot=NAME chooses";
      return nullptr;
    }
    only = &one;
  }
  if (only == nullptr) why = "it has no snapshot with a VM state";
  return only;
}

}  // namespace

std::unique_ptr<ByteSource> OpenQcow2(const std::string& path,
                                      const std::string& snapshot,
                                      Error& error) {
  auto fail = [&error](std::string reason) {
    error = {ErrorCode::kReadFailed, 0, "", std::move(reason)};
    return nullptr;
  };
  struct stat info = {};
  if (path != "-" && stat(path.c_str(), &info) != 0) {
    return fail(std::strerror(errno));
  }
  // Not opened: a pipe's other end may be closed, and would be waited for.
  if (!S_ISREG(info.st_mode) && !S_ISBLK(info.st_mode)) {
    return fail("a qcow2 image is read from a file or a disk alone");
  }
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fail(std::strerror(errno));
  const ReadAt read_at = ReadAtOf(fd);
  const off_t bytes = lseek(fd, 0, SEEK_END);
  if (bytes < 0) return fail(std::strerror(errno));
  auto image =
      std::make_shared<Qcow2Image>(read_at, static_cast<uint64_t>(bytes));
  error = image->Open();
  if (!error.ok()) return nullptr;
  std::string why;
  const Qcow2Snapshot* found = Choose(image->snapshots(), snapshot, why);
  if (found == nullptr) {
    return fail(StrCat("a qcow2 image: ", why, List(image->snapshots())));
  }
  return OpenQcow2State(std::move(image), *found);
}

}  // namespace migstream
