#include "interop/live_peer.h"

#include <fcntl.h>
#include <linux/vfio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "codec/device/config_layout.h"
#include "codec/device/config_shape.h"
#include "codec/device/pci_config.h"
#include "codec/qemu/return_path.h"
#include "codec/session/kernel_device.h"
#include "codec/session/region_device.h"
#include "codec/wire/bytes.h"
#include "codec/wire/text.h"
#include "flags/section_type.h"

namespace migstream {
namespace {

// A device of a group that is alone in a container; -1 if it cannot be had.
int OpenVfio(const std::string& group_path, const std::string& name) {
  int container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
  int group = open(group_path.c_str(), O_RDWR | O_CLOEXEC);
  if (container < 0 || group < 0 ||
      ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) != 0 ||
      ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) != 0) {
    return -1;
  }
  return ioctl(group, VFIO_GROUP_GET_DEVICE_FD, name.c_str());
}

std::vector<uint8_t> ReadConfig(int fd) {
  vfio_region_info region = {};
  region.argsz = sizeof region;
  region.index = VFIO_PCI_CONFIG_REGION_INDEX;
  std::vector<uint8_t> config;
  if (ioctl(fd, VFIO_DEVICE_GET_REGION_INFO, &region) != 0) return config;
  config.resize(region.size);
  const ssize_t got = pread(fd, config.data(), config.size(),
                            static_cast<off_t>(region.offset));
  config.resize(got > 0 ? static_cast<size_t>(got) : 0);
  return config;
}

sockaddr_un Address(const char* path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  return address;
}

[[noreturn]] void Die(const char* path) {
  std::perror(path);
  std::exit(2);
}

}  // namespace

Error LivePeer::Open(const std::vector<std::string_view>& names) {
  for (std::string_view name : names) {
    const size_t colon = name.find(':');
    const int fd = OpenVfio(std::string(name.substr(0, colon)),
                            std::string(name.substr(colon + 1)));
    if (fd < 0) {
      return {ErrorCode::kDeviceFailed, 0, "",
              StrCat(name, " cannot be opened: ", std::strerror(errno))};
    }
    fds_.push_back(fd);
    std::unique_ptr<KernelDevice> device;
    if (Error error = KernelDevice::Open(fd, &device); error.ok()) {
      devices_.push_back(std::move(device));
    } else {
      MigrationRegion region;
      if (!FindMigrationRegion(fd, &region).ok()) return error;
      devices_.push_back(std::make_unique<RegionDevice>(fd, region));
    }
    configs_.push_back(std::make_unique<Config>());
    Config& config = *configs_.back();
    config.device = ReadConfig(fd);
    if (config.device.size() < 64) {
      return {ErrorCode::kDeviceFailed, 0, "",
              StrCat(name, " does not show its configuration space")};
    }
    config.shaped = ShapeConfig(config.device, PciPlace::kRootComplex).config;
    const PciMsix msix = PciConfig::Parse(config.shaped).msix;
    config.msix_table.resize(size_t{msix.vectors} * kMsixEntryBytes);
    for (uint32_t i = 0; i < msix.vectors; ++i) {
      config.msix_table[i * kMsixEntryBytes + 12] = 1;  // Masked.
    }
    config.msix_pba.resize((msix.vectors + 7) / 8);
    if (Error error =
            set_.Add(*devices_.back(),
                     StrCat("0000:00:0", 4 + devices_.size(), ".0/vfio"));
        !error.ok()) {
      return error;
    }
  }
  return {};
}

std::vector<SavedConfig> LivePeer::configs() const {
  std::vector<SavedConfig> saved(configs_.size());
  for (size_t i = 0; i < saved.size(); ++i) {
    saved[i].config.pci_config = configs_[i]->shaped;
    saved[i].config.msix_table = configs_[i]->msix_table;
    saved[i].config.msix_pba = configs_[i]->msix_pba;
  }
  return saved;
}

ContentLengths::ContentLengths(const char* path) {
  std::ifstream file(path);
  std::string idstr;
  uint32_t instance;
  uint64_t bytes;
  while (std::getline(file, idstr, '\t') && file >> instance >> bytes) {
    bytes_[{idstr, instance}] = bytes;
    file.ignore();
  }
}

ContentLength ContentLengths::operator()(const SectionView& section) const {
  auto found = bytes_.find({std::string(section.idstr), section.instance_id});
  if (found == bytes_.end()) return {};
  return {ContentLength::kBytes, found->second};
}

int ConnectTo(const char* path) {
  const sockaddr_un address = Address(path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address),
              sizeof address) != 0) {
    Die(path);
  }
  return fd;
}

int ListenAt(const char* path) {
  const sockaddr_un address = Address(path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) !=
          0 ||
      listen(fd, 64) != 0) {
    Die(path);
  }
  return fd;
}

std::optional<bool> IsMainChannel(int fd) {
  uint8_t magic[4];
  if (recv(fd, magic, sizeof magic, MSG_PEEK | MSG_WAITALL) != sizeof magic) {
    return std::nullopt;
  }
  return LoadBe32(magic) == kStreamMagic;
}

const char* ToString(Outcome::Kind kind) {
  switch (kind) {
    case Outcome::kCompleted:
      return "completed";
    case Outcome::kAborted:
      return "aborted";
    case Outcome::kUnknown:
      return "unknown";
  }
  return "";
}

int Reply(ChannelOutput& to, const ReturnPathMessage& message) {
  uint8_t headers[ReturnPathEncoder::kMinHeaderBytes];
  iovec pieces[ReturnPathEncoder::kMinPieces];
  ReturnPathEncoder encoder(headers, pieces);
  encoder.Send(message);
  return to.Write(encoder.pieces());
}

}  // namespace migstream
