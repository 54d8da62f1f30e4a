// Follows all files of a recording on the recorder's thread: names them, says
// what is wrong, and answers the source if nobody else does.

#ifndef MIGSTREAM_CODEC_CAPTURE_RECORDING_WATCH_H_
#define MIGSTREAM_CODEC_CAPTURE_RECORDING_WATCH_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "codec/capture/capture_log.h"
#include "codec/capture/channel_watch.h"
#include "codec/capture/main_watch.h"
#include "codec/capture/recorder.h"
#include "codec/qemu/return_path.h"
#include "codec/wire/bytes.h"
#include "codec/wire/error.h"

namespace migstream {

class RecordingWatch : public RecordingListener {
 public:
  // `answers`: as a destination would. The log must outlive it.
  RecordingWatch(CaptureLog& log, bool answers)
      : log_(log), answers_(answers) {}

  // Before anything is recorded. `return_path` is the file of what is answered;
  // `break_all` closes all connections.
  void Start(Recorder& recorder, std::string return_path,
             std::function<void()> break_all);

  struct Opened {
    int file = 0;  // The recorder's.
    std::string path;
  };
  // A connection, by its first bytes, up to four of them; and what comes back
  // on one whose file is `forward`. On any thread.
  Opened Open(const std::string& name, ByteSpan magic, int fd);
  Opened OpenBack(const std::string& forward);

  // Those that something was written to, the main channel first.
  std::vector<std::string> files(bool* has_main) const;

  void OnRecorded(int file, ByteSpan bytes) override;
  void OnFileEnd(int file) override;
  void OnIdle() override;
  void OnLost(const std::string& why) override;
  void OnTooSlow(uint64_t waiting_bytes) override;

 private:
  enum class Kind { kMain, kChannel, kReturn, kOther };
  struct File {
    Kind kind = Kind::kOther;
    std::string path;
    int fd = -1;  // The main channel's connection, to be answered.
    uint64_t bytes = 0;
    bool ended = false;
    bool told = false;  // What is wrong with it.
    std::unique_ptr<MainWatch> main;
    std::unique_ptr<ChannelWatch> channel;
    ReturnPathDecoder back;
    std::string held;  // Of the return path.
  };

  Opened Add(std::unique_ptr<File> file);
  File& At(int file);
  void Tell(File& file, const Error& error);
  void WatchMain(File& file, ByteSpan bytes);
  void WatchBack(File& file, ByteSpan bytes);
  void OnCommand(const CommandView& command);
  void Answer(const ReturnPathMessage& message);
  bool IsWhole() const;
  bool IsWholeOnDisk() const;
  // As a destination: the source keeps its guest.
  void Refuse(const std::string& why);

  CaptureLog& log_;
  const bool answers_;
  Recorder* recorder_ = nullptr;
  std::function<void()> break_all_;
  std::string return_path_;
  int answer_file_ = -1;

  mutable std::mutex mutex_;  // Of what follows.
  std::deque<std::unique_ptr<File>> files_;
  int mains_ = 0;
  int channels_ = 0;
  int others_ = 0;

  // On the recorder's thread only.
  File* main_ = nullptr;
  PacketCounts counts_;
  bool return_path_open_ = false;
  bool answered_end_ = false;
  bool acked_ = false;
  uint64_t looked_at_ = 0;  // Bytes of main_, by IsWholeOnDisk().
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_CAPTURE_RECORDING_WATCH_H_
