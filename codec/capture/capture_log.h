// What a capture says while it runs, from any of its threads.

#ifndef MIGSTREAM_CODEC_CAPTURE_CAPTURE_LOG_H_
#define MIGSTREAM_CODEC_CAPTURE_CAPTURE_LOG_H_

#include <functional>
#include <mutex>
#include <string>

namespace migstream {

class CaptureLog {
 public:
  explicit CaptureLog(const std::function<void(const std::string&)>& say)
      : say_(say) {}

  void Say(const std::string& line) {
    std::lock_guard lock(mutex_);
    if (say_) say_(line);
  }
  // Something of the migration is not captured; the first reason stays.
  void Lose(const std::string& why) {
    std::lock_guard lock(mutex_);
    if (say_) say_(why);
    if (problem_.empty()) problem_ = why;
  }
  std::string problem() const {
    std::lock_guard lock(mutex_);
    return problem_;
  }

 private:
  const std::function<void(const std::string&)>& say_;
  mutable std::mutex mutex_;
  std::string problem_;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_CAPTURE_CAPTURE_LOG_H_
