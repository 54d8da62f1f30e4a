#include "codec/rewrite/piece_spool.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace migstream {
namespace {

std::string Folder() {
  const char* folder = std::getenv("TMPDIR");
  return folder != nullptr && *folder != '\0' ? folder : "/var/tmp";
}

Error Problem(int error) {
  return {ErrorCode::kWriteFailed, 0, "multifd",
          absl::StrCat(Folder(), ": ", std::strerror(error))};
}

}  // namespace

PieceSpool::~PieceSpool() {
  if (fd_ >= 0) close(fd_);
}

Error PieceSpool::Open() {
  std::string path = absl::StrCat(Folder(), "/migstream.XXXXXX");
  fd_ = mkostemp(path.data(), O_CLOEXEC);
  if (fd_ < 0) return Problem(errno);
  unlink(path.c_str());
  return {};
}

Error PieceSpool::Add(const ReassembledPiece& piece) {
  Device& device = devices_[{std::string(piece.idstr), piece.instance_id}];
  Place place = {end_, piece.data.size()};
  for (ByteSpan left = piece.data; !left.empty();) {
    ssize_t wrote = pwrite(fd_, left.data(), left.size(), end_);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return Problem(wrote < 0 ? errno : ENOSPC);
    end_ += wrote;
    left.remove_prefix(wrote);
  }
  if (piece.config) {
    device.config = place;
  } else {
    device.data.push_back(place);
  }
  return {};
}

const PieceSpool::Device* PieceSpool::Find(absl::string_view idstr,
                                           uint32_t instance_id) const {
  auto found =
      devices_.find(std::pair<std::string, uint32_t>(idstr, instance_id));
  return found == devices_.end() ? nullptr : &found->second;
}

size_t PieceSpool::DataPieces(absl::string_view idstr,
                              uint32_t instance_id) const {
  const Device* device = Find(idstr, instance_id);
  return device == nullptr ? 0 : device->data.size();
}

Error PieceSpool::ReadData(absl::string_view idstr, uint32_t instance_id,
                           size_t index, ByteSpan& data) {
  return Read(Find(idstr, instance_id)->data[index], data);
}

Error PieceSpool::ReadConfig(absl::string_view idstr, uint32_t instance_id,
                             ByteSpan& config) {
  const Device* device = Find(idstr, instance_id);
  return Read(device == nullptr ? Place() : device->config, config);
}

Error PieceSpool::Read(const Place& place, ByteSpan& bytes) {
  buffer_.resize(place.bytes);
  for (size_t done = 0; done < buffer_.size();) {
    ssize_t got = pread(fd_, buffer_.data() + done, buffer_.size() - done,
                        place.offset + done);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return Problem(got < 0 ? errno : EIO);
    done += got;
  }
  bytes = buffer_;
  return {};
}

}  // namespace migstream
