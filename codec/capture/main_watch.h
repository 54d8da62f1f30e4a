// Follows a main channel while it comes: what it asks of a destination, what is
// wrong with it, and when it is over. FORMAT.md sections 2, 4 and 9.
//
// Where other devices' FULLs end is only guessed: the description that tells
// comes last. So an error behind a guess may be the guess's.

#ifndef MIGSTREAM_CODEC_CAPTURE_MAIN_WATCH_H_
#define MIGSTREAM_CODEC_CAPTURE_MAIN_WATCH_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "codec/qemu/section_guess.h"
#include "codec/qemu/stream_decoder.h"
#include "codec/wire/bytes.h"
#include "codec/wire/error.h"

namespace migstream {

class MainWatch {
 public:
  struct Listener {
    std::function<void(const CommandView&)> on_command;
    // INIT_DATA_SENT; `all`: each device that sent any data has said so now.
    std::function<void(uint64_t offset, bool all)> on_init_data_sent;
    std::function<void(const Finding&)> on_finding;
    std::function<void(uint64_t offset)> on_stopped;
  };
  // What was seen of a VFIO device.
  struct Device {
    bool sent_data = false;
    bool init_data_sent = false;
    bool in_channels = false;  // Its FULL came, and has no CONFIG.
  };

  explicit MainWatch(Listener listener);

  void Feed(ByteSpan bytes);
  // Nothing came for a moment: what is there may be all.
  void Quiet();

  // The stream's end was seen.
  bool is_done() const { return done_; }
  // It is not followed any further; why, and whether a guess may be.
  const Error& error() const { return error_; }
  bool has_guessed() const { return guessed_; }

  const std::string& machine_type() const { return machine_type_; }
  uint64_t page_bytes() const { return decoder_.page_bytes(); }
  // By idstr.
  const std::map<std::string, Device>& devices() const { return devices_; }

 private:
  void DecodeHeld();
  // What is left of it.
  ByteSpan Decode(ByteSpan input);
  void Take(const StreamEvent& event);
  void TakeDevice(const StreamEvent& event);
  ContentLength LengthOf(const SectionView& section, ByteSpan input);

  const Listener listener_;
  StreamDecoder decoder_;
  std::string held_;  // Not decoded yet.
  bool quiet_ = false;
  bool done_ = false;
  bool eof_ = false;
  bool stopped_ = false;
  bool guessed_ = false;
  bool config_ = false;  // In the section that is read.
  uint64_t guess_at_ = 0;
  size_t searched_ = 0;
  std::string machine_type_;
  std::map<std::string, Device> devices_;
  Error error_;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_CAPTURE_MAIN_WATCH_H_
