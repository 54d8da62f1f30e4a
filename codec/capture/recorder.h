// Writes what several connections receive into files, on a thread of its own,
// so that no connection waits for the disk.
//
//   Recorder recorder(options, listener);
//   int file = recorder.Create("vm.qvm");
//   Recorder::Slot slot;                      // One a connection's direction.
//   std::span<uint8_t> room = recorder.Room(slot);
//   recorder.Put(file, slot, recv(fd, room.data(), room.size(), 0));
//
// Memory is that of options.buffers and one more for each file, whatever the
// disk does: where it is too slow, or full, the recording ends and Room() has
// none from then on; or, if the options say so, Room() waits.

#ifndef MIGSTREAM_CODEC_CAPTURE_RECORDER_H_
#define MIGSTREAM_CODEC_CAPTURE_RECORDER_H_

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "codec/wire/bytes.h"

namespace migstream {

// What a recording tells, on its own thread but for OnTooSlow().
class RecordingListener {
 public:
  virtual ~RecordingListener() = default;
  // Bytes that are in the file now.
  virtual void OnRecorded(int file, ByteSpan bytes) = 0;
  // Nothing more will come for the file.
  virtual void OnFileEnd(int file) = 0;
  // All that came is in the files, and nothing new came for a moment.
  virtual void OnIdle() = 0;
  // The recording is over before its end; `why` names the file.
  virtual void OnLost(const std::string& why) = 0;
  // The same, as the disk does not answer; on the thread that has no room.
  virtual void OnTooSlow(uint64_t waiting_bytes) = 0;
};

class Recorder {
 public:
  static constexpr size_t kBufferBytes = 256 << 10;
  struct Options {
    size_t buffers = 256;   // Of kBufferBytes, made as they are needed.
    bool waits = false;     // For the disk, instead of ending.
    bool replaces = false;  // Files that exist.
  };

  // The listener must outlive the recorder.
  Recorder(const Options& options, RecordingListener& listener);
  // Waits until all is written.
  ~Recorder();

  // Its file is created once something is put into it.
  int Create(std::string path);

  // Where a connection receives its bytes. It keeps what Room() gave until
  // Put() has taken from it.
  class Slot;
  std::span<uint8_t> Room(Slot& slot);
  void Put(int file, Slot& slot, size_t bytes);
  // Few bytes that are somewhere else; on the listener's thread only, which
  // must not wait for room.
  void WriteNow(int file, ByteSpan bytes);
  void EndFile(int file);

  // Ends the recording; what came by then is still written.
  void Stop();
  // Waits until all that came is written, and ends the thread.
  void Finish();
  // Writes the files through to the disk; on the listener's thread only.
  // Whether that worked.
  bool Sync();

 private:
  struct Buffer {
    uint8_t bytes[kBufferBytes];
  };
  struct Pool;
  struct Item {
    int file = 0;
    std::shared_ptr<Buffer> buffer;
    size_t begin = 0;
    size_t size = 0;  // 0: the file's end.
  };
  struct File {
    std::string path;
    int fd = -1;
    uint64_t bytes = 0;
  };

  std::shared_ptr<Buffer> TakeBuffer();
  void Run();
  void Write(int number, ByteSpan bytes);
  bool Open(File& file);
  void Lose(const std::string& why);

  const Options options_;
  RecordingListener& listener_;
  std::shared_ptr<Pool> pool_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Item> queue_;
  std::deque<File> files_;
  bool over_ = false;  // Nothing more is taken.
  bool lost_ = false;  // Nothing more is written.
  bool finishing_ = false;
  std::thread thread_;

 public:
  class Slot {
   private:
    friend class Recorder;
    std::shared_ptr<Buffer> buffer_;
    size_t used_ = 0;
  };
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_CAPTURE_RECORDER_H_
