// Two virtual machine monitors in two processes: a device moves from one to the
// other over a socket while its guest goes on writing to it.
//
//   example_vmm                               A pretended device.
//   example_vmm GROUP NAME GROUP NAME         Real ones: the source's and the
//                                             destination's, as /dev/vfio/12
//                                             and 0000:3b:00.1.

#include <fcntl.h>
#include <linux/vfio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <bitset>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "codec/device/config_shape.h"
#include "codec/device/pci_config.h"
#include "codec/session/kernel_device.h"
#include "codec/session/load_session.h"
#include "codec/session/save_session.h"

namespace ms = migstream;

namespace {

constexpr char kIdstr[] = "0000:00:05.0/vfio";
constexpr ms::PciPlace kPlace = ms::PciPlace::kRootComplex;
constexpr ms::DialectId kDialect = ms::DialectId::kV111;

// 64 pages. Its state travels as records of a page's number and its bytes; in
// PRE_COPY those that were written since they were read last.
class PagesDevice : public ms::MigrationDevice {
 public:
  static constexpr size_t kPages = 64, kPageBytes = 4096;
  static constexpr size_t kRecordBytes = 1 + kPageBytes;

  PagesDevice() : memory_(kPages * kPageBytes) {}

  // What the guest does.
  void WritePage(size_t page, uint8_t value) {
    std::fill_n(&memory_[page * kPageBytes], kPageBytes, value);
    dirty_.set(page);
  }
  uint32_t Sum() const {
    uint32_t sum = 0;
    for (uint8_t byte : memory_) sum = sum * 31 + byte;
    return sum;
  }

  uint64_t flags() const override {
    return ms::kMigrationStopCopy | ms::kMigrationPreCopy;
  }
  int SetState(ms::DeviceState state, bool* new_session) override {
    *new_session = ms::GivesDataFd(state_, state);
    if (*new_session && ms::IsSaving(state)) dirty_.set();
    if (state_ == ms::DeviceState::kResuming && !part_.empty()) return EINVAL;
    state_ = state;
    return 0;
  }
  int GetState(ms::DeviceState* state) override {
    *state = state_;
    return 0;
  }
  void DropSession() override { part_.clear(); }
  int Reset() override {
    std::fill(memory_.begin(), memory_.end(), 0);
    part_.clear();
    state_ = ms::DeviceState::kRunning;
    return 0;
  }
  ms::IoResult Read(std::span<uint8_t> buffer) override {
    size_t bytes = 0;
    for (size_t page = 0; page < kPages; ++page) {
      if (!dirty_[page] || bytes + kRecordBytes > buffer.size()) continue;
      buffer[bytes] = static_cast<uint8_t>(page);
      std::copy_n(&memory_[page * kPageBytes], kPageBytes, &buffer[bytes + 1]);
      bytes += kRecordBytes;
      dirty_.reset(page);
    }
    return {bytes};
  }
  ms::IoResult Write(ms::ByteSpan bytes) override {
    part_.insert(part_.end(), bytes.begin(), bytes.end());
    size_t at = 0;
    for (; part_.size() - at >= kRecordBytes; at += kRecordBytes) {
      if (part_[at] >= kPages) return {0, EINVAL};
      std::copy_n(&part_[at + 1], kPageBytes, &memory_[part_[at] * kPageBytes]);
    }
    part_.erase(part_.begin(), part_.begin() + static_cast<ptrdiff_t>(at));
    return {bytes.size()};
  }
  int WaitForData(bool) override { return 0; }
  int GetPrecopyBytes(ms::PrecopyBytes* bytes) override {
    return GetStopCopyBytes(&bytes->dirty);
  }
  int GetStopCopyBytes(uint64_t* bytes) override {
    *bytes = dirty_.count() * kRecordBytes;
    return 0;
  }

 private:
  ms::DeviceState state_ = ms::DeviceState::kRunning;
  std::vector<uint8_t> memory_;
  std::bitset<kPages> dirty_;
  std::vector<uint8_t> part_;  // Of a record.
};

int Fail(const char* who, const ms::Error& error) {
  std::printf("%s: %s\n", who, ms::ToString(error).c_str());
  return 1;
}

// A device of a VFIO group, alone in a container of its own; -1 if it cannot
// be had.
int OpenVfio(const char* group_path, const char* name) {
  int container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
  int group = open(group_path, O_RDWR | O_CLOEXEC);
  if (container < 0 || group < 0 ||
      ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) != 0 ||
      ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) != 0) {
    return -1;
  }
  return ioctl(group, VFIO_GROUP_GET_DEVICE_FD, name);
}

// One side's device: the pretended one, or that of the command line.
struct Vmm {
  PagesDevice pages;
  std::unique_ptr<ms::KernelDevice> real;
  std::vector<uint8_t> config = std::vector<uint8_t>(ms::kPcieConfigBytes);
  ms::MigrationSet devices;

  ms::Error Open(char** arguments) {
    config[0] = 0x86, config[1] = 0x80;  // Without any capability.
    if (arguments != nullptr) {
      int fd = OpenVfio(arguments[0], arguments[1]);
      if (ms::Error error = ms::KernelDevice::Open(fd, &real); !error.ok()) {
        return error;
      }
      vfio_region_info region = {};
      region.argsz = sizeof region;
      region.index = VFIO_PCI_CONFIG_REGION_INDEX;
      if (ioctl(fd, VFIO_DEVICE_GET_REGION_INFO, &region) == 0) {
        config.resize(region.size);
        pread(fd, config.data(), config.size(),
              static_cast<off_t>(region.offset));
      }
    }
    config = ms::ShapeConfig(config, kPlace).config;
    return real ? devices.Add(*real, kIdstr) : devices.Add(pages, kIdstr);
  }
};

int RunSource(int socket, int return_path, char** arguments) {
  Vmm vmm;
  if (ms::Error error = vmm.Open(arguments); !error.ok()) {
    return Fail("source", error);
  }
  for (size_t page = 0; page < PagesDevice::kPages; ++page) {
    vmm.pages.WritePage(page, static_cast<uint8_t>(page));
  }
  ms::FdOutput output(socket);
  ms::SaveSession session(
      vmm.devices, output,
      {.dialect = &ms::GetDialect(kDialect), .record_bytes = 64 << 10});
  ms::Error error = session.WriteHead("pc-q35-11.1");
  if (error.ok()) error = session.Start();
  ms::PendingBytes pending = {.stop_copy = UINT64_MAX};
  for (int round = 1; error.ok() && round <= 4; ++round) {
    ms::Progress progress;
    error = session.Iterate({.max_bytes = 100000}, &progress);
    // The guest runs on, in ever fewer pages.
    for (int page = 0; page < 16 >> round; ++page) {
      vmm.pages.WritePage(page, static_cast<uint8_t>(100 * round + page));
    }
    if (error.ok()) error = session.GetPending(&pending, /*exact=*/true);
    std::printf("source: round %d sent %ju bytes, %ju are left\n", round,
                static_cast<uintmax_t>(progress.bytes),
                static_cast<uintmax_t>(pending.stop_copy));
  }
  std::puts("source: the guest is stopped");
  if (error.ok()) error = session.Switchover();
  ms::SavedConfig config;
  config.config.pci_config = vmm.config;
  if (error.ok()) error = session.Complete({&config, 1});
  if (error.ok()) error = session.WriteEof();
  shutdown(socket, SHUT_WR);
  std::vector<uint8_t> held;
  uint8_t buffer[512];
  for (ssize_t got; (got = read(return_path, buffer, sizeof buffer)) > 0;) {
    held.insert(held.end(), buffer, buffer + got);
    ms::ByteSpan input = held;
    if (!session.OnReturnPath(input).ok()) break;
    held.erase(held.begin(), held.end() - std::ssize(input));
  }
  ms::Outcome outcome = session.Finish();
  if (outcome.kind != ms::Outcome::kCompleted) {
    return Fail("source", outcome.error);
  }
  std::printf("source: completed, %s, sum %08x\n",
              ms::ToString(outcome.devices[0]).c_str(), vmm.pages.Sum());
  return 0;
}

int RunDestination(int socket, int return_path, char** arguments) {
  Vmm vmm;
  if (ms::Error error = vmm.Open(arguments); !error.ok()) {
    return Fail("destination", error);
  }
  ms::FdOutput replies(return_path);
  auto send = [&](const ms::ReturnPathMessage& message) {
    uint8_t headers[ms::ReturnPathEncoder::kMinHeaderBytes];
    iovec pieces[ms::ReturnPathEncoder::kMinPieces];
    ms::ReturnPathEncoder encoder(headers, pieces);
    encoder.Send(message);
    replies.Write(encoder.pieces());
  };
  ms::LoadSession session(vmm.devices, {.dialect = &ms::GetDialect(kDialect)});
  if (ms::Error error = session.Start(); !error.ok()) {
    return Fail("destination", error);
  }
  std::vector<uint8_t> held;
  uint8_t buffer[64 << 10];
  for (ssize_t got;
       !session.eof() && (got = read(socket, buffer, sizeof buffer)) > 0;) {
    held.insert(held.end(), buffer, buffer + got);
    ms::ByteSpan input = held;
    ms::LoadAction action;
    while (session.Next(input, action) == ms::Step::kEvent) {
      if (action.kind == ms::LoadAction::kReply) send(action.reply);
      if (action.kind != ms::LoadAction::kApplyConfig) continue;
      // Here a VMM writes the command register, and sets up interrupts.
      std::string why = ms::WhyConfigRefused(action.config.pci_config,
                                             vmm.config, kPlace, 1101);
      std::printf("destination: config space %s\n",
                  why.empty() ? "applied" : why.c_str());
      if (why.empty()) continue;
      session.Cancel({ms::ErrorCode::kConfigSize, 0, "", why});
    }
    held.erase(held.begin(), held.end() - std::ssize(input));
    if (!session.error().ok()) break;  // The source is told at once.
  }
  ms::Outcome outcome = session.Finish();
  const bool completed = outcome.kind == ms::Outcome::kCompleted;
  if (completed) {
    if (ms::Error error = vmm.devices.Run(); !error.ok()) {
      return Fail("destination", error);  // The source cannot know.
    }
    std::printf("destination: completed, %s, sum %08x\n",
                ms::ToString(vmm.devices.report()[0]).c_str(), vmm.pages.Sum());
  }
  std::fflush(stdout);
  send(session.Shut());
  return completed ? 0 : Fail("destination", outcome.error);
}

}  // namespace

int main(int count, char** arguments) {
  int main_channel[2], return_path[2];
  if ((count != 1 && count != 5) ||
      socketpair(AF_UNIX, SOCK_STREAM, 0, main_channel) != 0 ||
      socketpair(AF_UNIX, SOCK_STREAM, 0, return_path) != 0) {
    std::fprintf(stderr, "usage: example_vmm [GROUP NAME GROUP NAME]\n");
    return 2;
  }
  setvbuf(stdout, nullptr, _IOLBF, 0);
  std::signal(SIGPIPE, SIG_IGN);  // A write says that the other end is gone.
  pid_t child = fork();
  const bool is_source = child != 0;
  close(main_channel[is_source ? 1 : 0]);
  close(return_path[is_source ? 1 : 0]);
  if (!is_source) {
    return RunDestination(main_channel[1], return_path[1],
                          count == 5 ? arguments + 3 : nullptr);
  }
  int result = RunSource(main_channel[0], return_path[0],
                         count == 5 ? arguments + 1 : nullptr);
  // So that the destination does not wait for what will not come.
  close(main_channel[0]);
  close(return_path[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return result != 0 || status != 0 ? 1 : 0;
}
