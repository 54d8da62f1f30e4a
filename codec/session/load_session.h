// Loads the devices of a set from a migration in QEMU's format: what a VMM's
// destination does. FORMAT.md sections 4, 9 and 13.
//
//   LoadSession session(devices, {.dialect = &dialect});
//   Error error = session.Start();
//   LoadAction action;
//   while (session.Next(input, action) == Step::kEvent) Do(action);
//   Outcome outcome = session.Finish();  // When session.complete().
//   Send(session.Shut());
//   if (outcome.kind == Outcome::kCompleted) error = devices.Run();
//
// A source may still be writing the VMDESCRIPTION, behind EOF; QEMU 7.2 takes a
// SHUT for a failure that comes before it has. So let it have come, when Next()
// gives kDone, or the channel's end, or a while in which nothing came.
//
// Next() gives, in the order of the stream, what the VMM has to do: bytes of
// its own devices and RAM (views into the input), replies for the return path,
// and the devices' config spaces, each when the dialect says that it is due.
// The devices' own data goes straight to them. Nothing waits for bytes to come.
//
// Threads: Next() in one, FeedChannel() in one for each channel, at the same
// time; Start() before them, and Finish() after the last Next(). Channels'
// threads may go on then: a packet that they bring is refused. What channels
// bring waits, within limits.queue_bytes, until SWITCHOVER_START: nothing else
// says that all PARTs were written. No callback is called under a lock.
//
// After an error, or if anything is missing, Finish() resets all devices. Lent,
// and must outlive it: the set, the dialect.

#ifndef MIGSTREAM_CODEC_SESSION_LOAD_SESSION_H_
#define MIGSTREAM_CODEC_SESSION_LOAD_SESSION_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "codec/device/config_layout.h"
#include "codec/device/config_view.h"
#include "codec/device/subsection.h"
#include "codec/multifd/channel_receiver.h"
#include "codec/multifd/limits.h"
#include "codec/multifd/reassembler.h"
#include "codec/qemu/limits.h"
#include "codec/qemu/return_path.h"
#include "codec/qemu/stream_decoder.h"
#include "codec/session/migration_set.h"
#include "codec/session/outcome.h"
#include "codec/wire/bytes.h"
#include "codec/wire/error.h"
#include "codec/wire/step.h"
#include "flags/dialect.h"

namespace migstream {

struct LoadLimits {
  StreamLimits stream = {};
  MultifdLimits multifd = {};
  // Bytes of packets that came before SWITCHOVER_START: FeedChannel() waits.
  uint64_t queue_bytes = 64 << 20;
  // Actions that the VMM did not take; kSessionActionLimit.
  uint32_t actions = 1 << 16;
};

struct LoadOptions {
  // That of the source.
  const Dialect* dialect = &GetDialect(DialectId::kV111);
  LoadLimits limits = {};
  uint32_t channels = 0;       // Multifd's.
  uint32_t page_bytes = 4096;  // Of the target, for the channels' RAM packets.
  bool return_path = true;
  bool switchover_ack = false;
  bool switchover_ack_legacy = false;
  // A config is not due before InterruptsReady().
  bool wait_for_interrupts = false;
  // See StreamDecoderOptions.
  std::optional<bool> footers = std::nullopt;
  std::function<ContentLength(const SectionView&, ByteSpan)> content_length =
      nullptr;
  // Pages of RAM on channels, in the channel's thread; views into its input.
  std::function<void(uint32_t channel, const MultifdEvent&)> channel_ram =
      nullptr;
  // What the VMM knows of its devices' configs, in the order of the set.
  std::vector<ConfigHints> config_hints = {};
};

struct LoadAction {
  enum Kind : uint8_t {
    kStream,          // `event`: all that is not a device of the set.
    kOpenReturnPath,  // The source listens for replies.
    kReply,           // `reply` is to be sent.
    kApplyConfig,     // `config` and `subsections` are device `device`'s.
  };
  Kind kind = kStream;
  StreamEvent event = {};  // Good as long as the input.
  ReturnPathMessage reply = {};
  size_t device = 0;
  // Good until the session ends. What to write to the device: the command
  // register, then interrupts as the config has them.
  ConfigView config = {};
  std::vector<SubsectionView> subsections = {};
};

class LoadSession {
 public:
  LoadSession(MigrationSet& devices, LoadOptions options);
  ~LoadSession();
  LoadSession(const LoadSession&) = delete;
  LoadSession& operator=(const LoadSession&) = delete;

  // All devices that the set has now are fresh, and in RESUMING.
  Error Start();

  // Takes from the front of the main channel's input. kEvent: `action`; kDone
  // and kNeedInput as StreamDecoder's, with bytes_needed(); kError: error().
  Step Next(ByteSpan& input, LoadAction& action);
  size_t bytes_needed() const { return decoder_.bytes_needed(); }
  // See StreamDecoder: content that the VMM moves itself.
  StreamDecoder& decoder() { return decoder_; }

  // All of what one channel has brought; what is left of `input` is to come
  // again with more. Waits while too much waits for SWITCHOVER_START. It may
  // leave Next() something to give, although nothing comes on the main channel.
  Error FeedChannel(uint32_t channel, ByteSpan& input);

  // The guest's interrupt controllers are loaded.
  void InterruptsReady();
  // The source is gone, or the VMM gives up: nobody waits any more, and
  // Finish() resets all.
  void Cancel(Error error);

  // EOF has come on the main channel; what channels bring may be under way.
  bool eof() const { return eof_; }
  // All has come, and all configs were given.
  bool complete();
  // What is not there yet, in words; kNone if complete().
  Error Missing();

  // Complete: the devices' drivers judge what they were given, RESUMING to
  // STOP. kCompleted: they are stopped, and may run. Anything else: they are
  // reset.
  Outcome Finish();
  // The message for the return path, after Finish().
  ReturnPathMessage Shut() const {
    return {.type = ReturnMessage::kShut, .value = completed_ ? 0u : 1u};
  }

  Error error();

 private:
  struct Device;
  struct Channel;
  struct HeldPacket {
    size_t device;
    std::vector<uint8_t> payload;
    PacketPlace place;
  };
  // When a device's config may be given to the VMM.
  enum class Trigger : uint8_t { kAtOnce, kFull, kPacket, kMark };

  static Trigger TriggerOf(const Dialect& dialect);
  std::string WhyNot() const;
  bool RepeatsAcks() const;
  // Whether the event is for the VMM: then it is the action.
  Error OnEvent(const StreamEvent& event, bool* for_vmm, LoadAction& action);
  Error OnCommand(const CommandView& command, bool* for_vmm,
                  LoadAction& action);
  Error OnSection(const SectionView& section);
  Error OnDeviceEvent(const Event& event);
  Error OnTag(Device& device, const Event& event);
  Error OnConfigEvent(Device& device, const Event& event);
  Error OnSectionEnd(SectionType type);
  Error OnInitialDataSent(Device& device);
  Error StartSwitchover();
  Error TakePacket(size_t i, std::vector<uint8_t>& payload,
                   const PacketPlace& place);
  Error TakeConfigPacket(Device& device, ByteSpan data, uint64_t offset);
  Error ReleaseConfig(Device& device);
  Error Push(LoadAction action);
  bool Pop(LoadAction& action);
  Error Fail(Error error);
  Error MissingOf(size_t i);

  MigrationSet& set_;
  const LoadOptions options_;
  const Dialect& dialect_;
  StreamDecoder decoder_;
  std::vector<std::unique_ptr<Device>> devices_;
  std::unordered_map<uint32_t, size_t> section_devices_;  // By section id.
  std::vector<std::unique_ptr<Channel>> channels_;
  std::atomic<uint64_t> held_bytes_ = 0;  // By all reassemblers.
  size_t current_ = 0;                    // The device of the open section.
  uint32_t acks_awaited_ = 0;             // Legacy: INIT_DATA_SENTs to come.
  std::atomic<bool> eof_ = false;
  bool started_ = false;
  bool finished_ = false;
  bool completed_ = false;

  std::mutex mutex_;  // What follows; taken after a device's own, never before.
  std::condition_variable may_queue_;
  std::deque<HeldPacket> queue_;
  uint64_t queue_bytes_ = 0;
  bool giving_queue_ = false;  // The channels wait for it.
  bool switchover_ = false;
  std::deque<LoadAction> actions_;
  Error error_;

  std::atomic<bool> interrupts_ready_ = false;
  std::atomic<bool> failed_ = false;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_SESSION_LOAD_SESSION_H_
