// Saves the devices of a set while the guest runs, in QEMU's format: what a
// VMM's migration source does. FORMAT.md sections 4, 9 and 13.
//
//   SaveSession session(devices, main, {.dialect = &dialect});
//   Error error = session.Start();  // The guest runs on.
//   Progress progress;
//   while (error.ok() && !progress.idle) {
//     error = session.Iterate({.max_bytes = 1 << 20}, &progress);
//   }
//   if (error.ok()) error = session.Switchover();  // The vCPUs are stopped.
//   if (error.ok()) error = session.Complete(configs);
//   if (error.ok()) error = session.WriteEof();
//   if (error.ok()) error = session.OnReturnPath(replies);  // Until SHUT.
//   Outcome outcome = session.Finish();
//
// The main channel is shared: between any two calls the VMM may write sections
// of its own to it, whole ones. Each call writes all it has to write; a record
// costs one read of the device and one write. With channels, what a stopped
// device holds goes there as packets: one after the other on the next channel,
// as QEMU does it; or, if the set has an executor, which then serves all
// channels at the same time, on whichever is free.
//
// After an error all devices run again, or the report says which do not, and
// the session is over: Finish() says what is to be done. One thread at a time.
// Lent, and must outlive it: the set, the outputs, the dialect. It owns one
// buffer of options.record_bytes, and one for each channel that an executor
// serves, as long as it does.

#ifndef MIGSTREAM_CODEC_SESSION_SAVE_SESSION_H_
#define MIGSTREAM_CODEC_SESSION_SAVE_SESSION_H_

#include <sys/uio.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "codec/device/config_view.h"
#include "codec/device/subsection.h"
#include "codec/multifd/packet.h"
#include "codec/qemu/return_path.h"
#include "codec/qemu/stream_encoder.h"
#include "codec/session/channel_output.h"
#include "codec/session/migration_set.h"
#include "codec/session/outcome.h"
#include "codec/wire/bytes.h"
#include "codec/wire/error.h"
#include "flags/dialect.h"

namespace migstream {

struct SaveOptions {
  // A released one, or E1.
  const Dialect* dialect = &GetDialect(DialectId::kV111);
  // Multifd's, for a dialect with device state on channels.
  std::vector<ChannelOutput*> channels = {};
  VmUuid uuid = {};
  // The devices' ids, in the order of the set; empty: 1, 2, 3 … Not 0: QEMU
  // takes a PART of id 0 for any handler that has loaded nothing yet.
  std::vector<uint32_t> section_ids = {};
  bool footers = true;
  bool return_path = true;
  bool switchover_ack = false;
  // One ack in all, not one for each INIT_DATA_SENT: machine types to 11.0.
  bool switchover_ack_legacy = false;
  // V101M and V111M: the FULL is CONFIG_LOAD_READY.
  bool config_load_ready = false;
  // Where there is nothing to write QEMU writes a PART without data.
  bool skip_empty_parts = false;
  // What one DATA record or packet of a v2 device holds at the most.
  uint32_t record_bytes = 1 << 20;
  // SHUT 0 is taken for success with multifd too; see outcome.h.
  bool trust_shut = false;
};

// What one Iterate() may do.
struct Pace {
  uint64_t max_bytes = UINT64_MAX;  // Exceeded by one record at the most.
  std::function<bool()> out_of_time = nullptr;  // Asked before each read.
};
struct Progress {
  uint64_t bytes = 0;  // Of device state that was written.
  bool idle = false;   // No device had any.
};

// What is still to be read, as drivers estimate it.
struct PendingBytes {
  uint64_t initial = 0;
  uint64_t dirty = 0;
  uint64_t stop_copy = 0;  // All that would come if the guest stopped now.
  bool stop_copy_is_guess = false;  // A driver does not say.

  // In milliseconds, at such a speed.
  uint64_t DowntimeMs(uint64_t bytes_per_second) const {
    if (bytes_per_second == 0) return UINT64_MAX;
    // A driver's estimate may be any number.
    const double ms = 1000.0 * static_cast<double>(stop_copy) /
                      static_cast<double>(bytes_per_second);
    return ms < 1e19 ? static_cast<uint64_t>(ms) : UINT64_MAX;
  }
};

// The state that a VMM holds for a device: see config_shape.h.
struct SavedConfig {
  ConfigView config = {};
  std::vector<SubsectionView> subsections = {};
};

class SaveSession {
 public:
  SaveSession(MigrationSet& devices, ChannelOutput& main, SaveOptions options);
  ~SaveSession();
  SaveSession(const SaveSession&) = delete;
  SaveSession& operator=(const SaveSession&) = delete;

  // For a VMM that has no sections before these: header, CONFIGURATION and,
  // with a return path, OPEN_RETURN_PATH. First of all.
  Error WriteHead(std::string_view machine_type);
  // Each channel's first message, and the START of each device that the set has
  // now. PRE_COPY begins.
  Error Start();
  // PARTs: in each round at the most one record of each device.
  Error Iterate(const Pace& pace, Progress* progress);
  // `exact` asks the devices, else what was known is counted down.
  Error GetPending(PendingBytes* pending, bool exact);
  // All initial data was sent and, with switchover-ack, acknowledged.
  bool SwitchoverAllowed() const;
  // What came on the return path; takes whole messages from the front.
  Error OnReturnPath(ByteSpan& input);

  // The vCPUs are stopped, and no guest memory changes but by the devices.
  // kSessionNeedsPreCopy: a device has new initial data; the guest should run
  // on, and the session goes on.
  Error Switchover();
  // SWITCHOVER_START, then END of each device with what is left in it, or its
  // packets, then FULL of each with its config, given in the order of the set.
  Error Complete(std::span<const SavedConfig> configs);
  // A SYNC packet on each channel, where the VMM's RAM section has its flush.
  Error SyncChannels();
  // The stream's end. From here on a broken connection means kUnknown. `json`
  // is the VMDESCRIPTION: a QEMU waits for one, of which it reads nothing, or
  // for the channel's end, before it says SHUT.
  Error WriteEof(ByteSpan json = {});

  // No message will come any more: has it completed? Aborted: the devices run.
  // Unknown: they stay stopped until Decide().
  Outcome Finish();
  // Somebody asked the destination.
  Outcome Decide(bool runs_at_destination);
  // Before EOF: all devices run again. After it, an error.
  Error Cancel();

  const Error& error() const { return error_; }
  // The destination has said that all is well, or not.
  bool shut_received() const { return shut_.has_value(); }

 private:
  enum class Phase : uint8_t { kNew, kPreCopy, kStopped, kSaved, kEof, kOver };

  struct Device {
    PrecopyBytes pending;
    bool in_precopy = false;
    bool initial_sent = false;
    uint32_t ends = 0;
  };
  // An encoder's buffers; one for each thread.
  struct Lane;
  struct Packets;

  SectionView Section(SectionType type, size_t i) const;
  Error Flush();
  Error Put(migstream::Put put);
  Error OpenSection(SectionType type, size_t i);
  Error CloseSection();
  Error SendPart(size_t i, uint64_t* bytes);
  Error SendRecord(size_t i, bool stopped, uint64_t* bytes, bool* pending);
  Error SendEnd(size_t i, const SavedConfig& config);
  Error SendConfig(const SavedConfig& config);
  Error SendFull(size_t i, const SavedConfig& config);
  Error SendChannels(std::span<const SavedConfig> configs);
  Error SendPacket(Lane& lane, std::span<uint8_t> buffer, size_t i,
                   Packets& packets, const SavedConfig& config);
  Error SendConfigPacket(Lane& lane, const DeviceStatePacket& packet,
                         uint32_t index, const SavedConfig& config);
  Error ReadStopped(size_t i, std::span<uint8_t> buffer, size_t* bytes);
  bool WritesInitialDataSent(const Device& device) const;
  bool RepeatsAcks() const;
  Error CheckReinit(size_t i, bool* reinit);
  Error Expect(Phase phase, const char* call) const;
  // The session is over; the devices run, if EOF was not written.
  Error Fail(Error error);
  Outcome MakeOutcome(Outcome::Kind kind, Error error);

  MigrationSet& set_;
  ChannelOutput& main_;
  const SaveOptions options_;
  const Dialect& dialect_;
  Phase phase_ = Phase::kNew;
  Error error_;
  std::vector<Device> devices_;
  std::vector<uint8_t> buffer_;
  size_t next_ = 0;  // Whose turn it is.
  uint8_t headers_[2 * StreamEncoder::kMinHeaderBytes];
  iovec pieces_[2 * StreamEncoder::kMinPieces];
  StreamEncoder encoder_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  uint64_t syncs_ = 0;

  ReturnPathDecoder return_path_;
  uint32_t acks_due_ = 0;
  std::optional<uint32_t> shut_;
  bool eof_begun_ = false;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_SESSION_SAVE_SESSION_H_
