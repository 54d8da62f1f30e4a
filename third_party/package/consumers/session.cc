// The same in C++20, with the headers and the archive that are installed.

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <string>
#include <vector>

#include "codec/session/load_session.h"
#include "codec/session/save_session.h"

using namespace migstream;

namespace {

class MemoryDevice : public MigrationDevice {
 public:
  explicit MemoryDevice(std::string state) : bytes(std::move(state)) {}

  uint64_t flags() const override { return kMigrationStopCopy; }
  int SetState(DeviceState state, bool* new_session) override {
    *new_session =
        state == DeviceState::kStopCopy || state == DeviceState::kResuming;
    if (state == DeviceState::kResuming) bytes.clear();
    is = state;
    return 0;
  }
  int GetState(DeviceState* state) override {
    *state = is;
    return 0;
  }
  void DropSession() override {}
  int Reset() override {
    is = DeviceState::kRunning;
    return 0;
  }
  IoResult Read(std::span<uint8_t> buffer) override {
    const size_t count = std::min(buffer.size(), bytes.size() - given_);
    std::copy_n(bytes.begin() + given_, count, buffer.begin());
    given_ += count;
    return {.bytes = count};
  }
  IoResult Write(ByteSpan data) override {
    bytes.append(data.begin(), data.end());
    return {.bytes = data.size()};
  }
  int WaitForData(bool) override { return ETIMEDOUT; }
  int GetPrecopyBytes(PrecopyBytes*) override { return ENOTSUP; }
  int GetStopCopyBytes(uint64_t* left) override {
    *left = bytes.size() - given_;
    return 0;
  }

  DeviceState is = DeviceState::kRunning;
  std::string bytes;

 private:
  size_t given_ = 0;
};

class StringOutput : public ChannelOutput {
 public:
  int Write(std::span<const iovec> pieces) override {
    for (const iovec& piece : pieces) {
      bytes.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
    }
    return 0;
  }
  std::string bytes;
};

constexpr char kIdstr[] = "0000:00:05.0/vfio";

Error Save(MemoryDevice& device, StringOutput& output) {
  MigrationSet set;
  if (Error e = set.Add(device, kIdstr); !e.ok()) return e;
  SaveSession session(set, output, {.return_path = false});
  if (Error e = session.WriteHead("pc-q35-11.1"); !e.ok()) return e;
  if (Error e = session.Start(); !e.ok()) return e;
  for (Progress progress; !progress.idle;) {
    if (Error e = session.Iterate({}, &progress); !e.ok()) return e;
  }
  if (Error e = session.Switchover(); !e.ok()) return e;
  const std::vector<uint8_t> pci_config(256);
  SavedConfig config;
  config.config.pci_config = pci_config;
  if (Error e = session.Complete(std::span(&config, 1)); !e.ok()) return e;
  if (Error e = session.WriteEof(); !e.ok()) return e;
  session.Finish();
  return {};
}

Error Load(MemoryDevice& device, const std::string& stream) {
  MigrationSet set;
  if (Error e = set.Add(device, kIdstr); !e.ok()) return e;
  LoadSession session(
      set, {.config_hints = {{.pci_config_bytes = 256, .msix_vectors = 0}}});
  if (Error e = session.Start(); !e.ok()) return e;
  ByteSpan input = AsBytes(stream);
  LoadAction action;
  while (session.Next(input, action) == Step::kEvent) {
  }
  const Outcome outcome = session.Finish();
  return outcome.kind == Outcome::kCompleted ? set.Run() : outcome.error;
}

}  // namespace

int main() {
  MemoryDevice source("the device's state");
  StringOutput output;
  MemoryDevice destination("");
  Error error = Save(source, output);
  if (error.ok()) error = Load(destination, output.bytes);
  if (!error.ok()) std::fprintf(stderr, "%s\n", ToString(error).c_str());
  return error.ok() && destination.bytes == source.bytes &&
                 destination.is == DeviceState::kRunning
             ? 0
             : 1;
}
