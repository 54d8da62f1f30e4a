// A VMM's source for a live QEMU: saves made-up devices over a socket.
//
//   live_save SOCKET MACHINE DIALECT DEVICES BYTES CHANNELS [return-path] [ack]
//
// SOCKET is where the destination listens. Each device gives BYTES bytes, the
// first half while its guest runs; the nth device's are all of value n. Prints
// how it ended.

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "codec/device/config_shape.h"
#include "codec/session/save_session.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

// The device that vfioshim.c makes up, as the kernel would show it.
std::vector<uint8_t> ShimConfig() {
  constexpr struct {
    uint32_t at, value;
  } kRows[] = {{0x000, 0x18898086}, {0x004, 0x00100000}, {0x008, 0x02000002},
               {0x010, 0xe000000c}, {0x01c, 0xe100000c}, {0x02c, 0x00018086},
               {0x034, 0x40},       {0x040, 0x00037001}, {0x044, 0x00000008},
               {0x070, 0x0004a011}, {0x074, 0x00000003}, {0x078, 0x00002003},
               {0x0a0, 0x00020010}, {0x0a4, 0x10008001}, {0x0a8, 0x00002010},
               {0x0ac, 0x00000081}, {0x0b0, 0x00810000}, {0x100, 0x14020001},
               {0x108, 0x00462030}, {0x140, 0x00010003}, {0x144, 0x5af10000},
               {0x148, 0x76666900}};
  std::vector<uint8_t> config(4096);
  for (const auto& row : kRows) StoreLe32(&config[row.at], row.value);
  return config;
}

class MadeUpDevice : public MigrationDevice {
 public:
  MadeUpDevice(uint8_t value, uint64_t bytes) : value_(value), left_(bytes) {
    initial_ = bytes / 2;
  }
  uint64_t flags() const override { return 7; }
  int SetState(DeviceState state, bool* new_session) override {
    *new_session = GivesDataFd(state_, state);
    state_ = state;
    return 0;
  }
  int GetState(DeviceState* state) override {
    *state = state_;
    return 0;
  }
  void DropSession() override {}
  int Reset() override {
    state_ = DeviceState::kRunning;
    return 0;
  }
  IoResult Read(std::span<uint8_t> buffer) override {
    uint64_t& due = IsPreCopy(state_) ? initial_ : left_;
    const size_t bytes = std::min<uint64_t>(due, buffer.size());
    std::memset(buffer.data(), value_, bytes);
    due -= bytes;
    if (IsPreCopy(state_)) left_ -= bytes;
    return {bytes};
  }
  IoResult Write(ByteSpan) override { return {0, EIO}; }
  int WaitForData(bool) override { return 0; }
  int GetPrecopyBytes(PrecopyBytes* bytes) override {
    *bytes = {.initial = initial_};
    return 0;
  }
  int GetStopCopyBytes(uint64_t* bytes) override {
    *bytes = left_;
    return 0;
  }

 private:
  const uint8_t value_;
  uint64_t left_;
  uint64_t initial_;
  DeviceState state_ = DeviceState::kRunning;
};

int Connect(const char* path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    std::perror(path);
    std::exit(2);
  }
  return fd;
}

int Run(int count, char** arguments) {
  if (FindDialect(arguments[3]) == nullptr) {
    std::fprintf(stderr, "no dialect %s\n", arguments[3]);
    return 2;
  }
  const bool return_path = count > 7;
  const bool ack = count > 8;
  const int main_fd = Connect(arguments[1]);
  FdOutput main(main_fd);
  SaveOptions options = {.dialect = FindDialect(arguments[3]),
                         .return_path = return_path,
                         .switchover_ack = ack};
  std::vector<std::unique_ptr<FdOutput>> channels;
  for (int i = 0; i < std::atoi(arguments[6]); ++i) {
    channels.push_back(std::make_unique<FdOutput>(Connect(arguments[1])));
    options.channels.push_back(channels.back().get());
  }
  std::vector<std::unique_ptr<MadeUpDevice>> devices;
  MigrationSet set;
  for (int i = 0; i < std::atoi(arguments[4]); ++i) {
    devices.push_back(std::make_unique<MadeUpDevice>(
        static_cast<uint8_t>(i + 1), std::strtoull(arguments[5], nullptr, 10)));
    set.Add(*devices[i], StrCat("0000:00:0", 5 + i, ".0/vfio"));
  }
  const std::vector<uint8_t> pci =
      ShapeConfig(ShimConfig(), PciPlace::kRootComplex).config;
  // Five fresh vectors, masked, none pending.
  std::vector<uint8_t> msix(5 * 16 + 1);
  for (int vector = 0; vector < 5; ++vector) msix[16 * vector + 12] = 1;
  SavedConfig config;
  config.config.pci_config = pci;
  config.config.msix_table = ByteSpan(msix).first(80);
  config.config.msix_pba = ByteSpan(msix).subspan(80);
  const std::vector<SavedConfig> configs(set.size(), config);

  SaveSession session(set, main, options);
  Error error = session.WriteHead(arguments[2]);
  if (error.ok()) error = session.Start();
  Progress progress;
  std::vector<uint8_t> held;
  // What has come on the return path; false at its end.
  auto read_replies = [&] {
    uint8_t buffer[512];
    const ssize_t got = read(main_fd, buffer, sizeof buffer);
    if (got <= 0) return false;
    held.insert(held.end(), buffer, buffer + got);
    ByteSpan input = held;
    error = session.OnReturnPath(input);
    held.erase(held.begin(), held.end() - std::ssize(input));
    return true;
  };
  while (error.ok() && !(progress.idle && session.SwitchoverAllowed())) {
    error = session.Iterate({}, &progress);
    if (!error.ok() || session.SwitchoverAllowed()) continue;
    if (!read_replies()) {
      error = {ErrorCode::kReadFailed, 0, "", "no ack came"};
    }
  }
  if (error.ok()) error = session.Switchover();
  if (error.ok()) error = session.Complete(configs);
  if (error.ok()) {
    error = session.WriteEof(AsBytes(R"({"page_size": 4096, "devices": []})"));
  }
  while (return_path && error.ok() && !session.shut_received()) {
    if (!read_replies()) break;
  }
  const Outcome outcome = session.Finish();
  constexpr const char* kNames[] = {"completed", "aborted", "unknown"};
  std::printf("%s %s\n", kNames[outcome.kind],
              ToString(error.ok() ? outcome.error : error).c_str());
  return 0;
}

}  // namespace
}  // namespace migstream

int main(int count, char** arguments) {
  std::signal(SIGPIPE, SIG_IGN);
  if (count < 7) return 2;
  return migstream::Run(count, arguments);
}
