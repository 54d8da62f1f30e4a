// For tests: a migration from one VMM to another, in one thread and in memory,
// with a pretended kernel on both sides.

#ifndef MIGSTREAM_CODEC_SESSION_SESSION_RIG_H_
#define MIGSTREAM_CODEC_SESSION_SESSION_RIG_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "codec/device/config_bytes.h"
#include "codec/session/channel_output.h"
#include "codec/session/fake_vfio.h"
#include "codec/session/kernel_device.h"
#include "codec/session/load_session.h"
#include "codec/session/migration_set.h"
#include "codec/session/region_device.h"
#include "codec/session/save_session.h"

namespace migstream {

class MemoryOutput : public ChannelOutput {
 public:
  int Write(std::span<const iovec> pieces) override {
    ++writes;
    for (const iovec& piece : pieces) {
      std::string_view text(static_cast<const char*>(piece.iov_base),
                            piece.iov_len);
      // What is sent to a peer that is gone may still have arrived in part.
      text = text.substr(0, room);
      bytes += text;
      room -= text.size();
      if (text.size() != piece.iov_len) return EPIPE;
    }
    return 0;
  }

  std::string bytes;
  size_t room = SIZE_MAX;  // Then the peer is gone.
  size_t writes = 0;
};

struct RigOptions {
  DialectId dialect = DialectId::kV111;
  std::vector<FakeDevice> source = {FakeDevice{}};
  // As many; empty: devices with the source's flags that want its data.
  std::vector<FakeDevice> destination = {};
  uint32_t channels = 0;
  bool switchover_ack = false;
  bool switchover_ack_legacy = false;
  bool trust_shut = true;
  bool config_load_ready = false;
  bool skip_empty_parts = false;
  bool wait_for_interrupts = false;
  uint32_t record_bytes = 1 << 20;
  // Called when the guest is about to be stopped.
  std::function<void(FakeVfio&)> before_switchover = nullptr;
  // In pieces of how many bytes all channels arrive.
  size_t piece = SIZE_MAX;
  // Bytes that arrive of the main channel, the last other one and the return
  // path.
  size_t cut = SIZE_MAX;
  size_t last_channel_cut = SIZE_MAX;
  size_t return_cut = SIZE_MAX;
  // What becomes of bytes on their way; channel -1 is the main one.
  std::function<void(int channel, std::string& bytes)> on_the_way = nullptr;
  bool compare_configs = true;                   // With what was sent.
  std::vector<SubsectionView> subsections = {};  // Of each config.
  bool empty_configs = false;                    // Of devices that are not PCI.
};

// One VMM's side.
struct RigSide {
  FakeVfio vfio;
  std::vector<int> fds;
  std::vector<std::unique_ptr<MigrationDevice>> devices;
  MigrationSet set;
  Error opened;

  void Open(const std::vector<FakeDevice>& fakes);
  FakeDevice& fake(size_t i) { return vfio.device(fds[i]); }
};

class Rig {
 public:
  explicit Rig(RigOptions options);

  // The whole of it. Faults are set before.
  void Run();

  RigSide& source() { return source_; }
  RigSide& destination() { return destination_; }
  const Outcome& saved() const { return saved_; }
  const Outcome& loaded() const { return loaded_; }
  const MemoryOutput& main() const { return main_; }
  const MemoryOutput& channel(size_t i) const { return *channels_[i]; }
  // How many configs each device was given, and that they were right.
  const std::vector<uint32_t>& configs() const { return configs_; }
  // What the loader gave, in order: "config 0", "reply PONG 1", …
  const std::vector<std::string>& actions() const { return actions_; }

  // What must hold however it went; says what does not.
  std::string Broken();

 private:
  void Save(SaveSession& save);
  void Deliver();
  void Take(const LoadAction& action);
  Error Sent(Error error);

  RigOptions options_;
  RigSide source_, destination_;
  MemoryOutput main_;
  std::vector<std::unique_ptr<MemoryOutput>> channels_;
  std::vector<size_t> channels_taken_;
  size_t main_taken_ = 0;
  std::vector<std::string> arrived_;  // Of the main channel, then the others.
  std::string return_path_;
  std::unique_ptr<SaveSession> save_;
  std::unique_ptr<LoadSession> load_;
  std::string config_payload_ = ConfigBytes{}.Payload();
  std::vector<uint32_t> configs_;
  std::vector<std::string> actions_;
  Outcome saved_, loaded_;
};

// What a device of that dialect has, and is to be given.
std::string AllOf(const FakeDevice& device);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_SESSION_SESSION_RIG_H_
