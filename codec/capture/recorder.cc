#include "codec/capture/recorder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "codec/wire/text.h"

namespace migstream {
namespace {

// What is left of a buffer is not worth a call.
constexpr size_t kLeastRoom = 64 << 10;
constexpr auto kMoment = std::chrono::milliseconds(200);

}  // namespace

// Buffers that are used again; it lives as long as one of them.
struct Recorder::Pool {
  std::mutex mutex;
  std::condition_variable returned;
  std::vector<std::unique_ptr<Buffer>> free;
  size_t left = 0;  // That may yet be made.
};

Recorder::Recorder(const Options& options, RecordingListener& listener)
    : options_(options), listener_(listener), pool_(new Pool) {
  pool_->left = options_.buffers;
  thread_ = std::thread([this] { Run(); });
}

Recorder::~Recorder() { Finish(); }

int Recorder::Create(std::string path) {
  {
    // A connection keeps one while it waits for bytes: however many there are,
    // those of the options are left for what waits for the disk.
    std::lock_guard lock(pool_->mutex);
    ++pool_->left;
    pool_->returned.notify_one();
  }
  std::lock_guard lock(mutex_);
  files_.push_back({.path = std::move(path)});
  return static_cast<int>(files_.size()) - 1;
}

std::shared_ptr<Recorder::Buffer> Recorder::TakeBuffer() {
  Pool& pool = *pool_;
  std::unique_ptr<Buffer> buffer;
  std::unique_lock lock(pool.mutex);
  auto there = [&pool] { return !pool.free.empty() || pool.left != 0; };
  if (options_.waits) pool.returned.wait(lock, there);
  if (!there()) return nullptr;
  if (!pool.free.empty()) {
    buffer = std::move(pool.free.back());
    pool.free.pop_back();
  } else {
    --pool.left;
    buffer = std::make_unique_for_overwrite<Buffer>();
  }
  return {buffer.release(), [pool = pool_](Buffer* done) {
            std::lock_guard returning(pool->mutex);
            pool->free.emplace_back(done);
            pool->returned.notify_one();
          }};
}

std::span<uint8_t> Recorder::Room(Slot& slot) {
  {
    std::lock_guard lock(mutex_);
    if (over_) {
      slot.buffer_.reset();
      return {};
    }
  }
  if (slot.buffer_ == nullptr || kBufferBytes - slot.used_ < kLeastRoom) {
    slot.buffer_.reset();
    slot.used_ = 0;
    slot.buffer_ = TakeBuffer();
  }
  if (slot.buffer_ == nullptr) {
    std::unique_lock lock(mutex_);
    if (std::exchange(over_, true)) return {};
    lock.unlock();
    listener_.OnTooSlow(options_.buffers * kBufferBytes);
    return {};
  }
  return std::span(slot.buffer_->bytes).subspan(slot.used_);
}

void Recorder::Put(int file, Slot& slot, size_t bytes) {
  if (bytes == 0) return;
  std::lock_guard lock(mutex_);
  // Many small pieces are one; so the queue is not longer than the buffers are.
  if (!queue_.empty() && queue_.back().file == file &&
      queue_.back().buffer == slot.buffer_ &&
      queue_.back().begin + queue_.back().size == slot.used_) {
    queue_.back().size += bytes;
  } else {
    queue_.push_back({file, slot.buffer_, slot.used_, bytes});
  }
  slot.used_ += bytes;
  changed_.notify_one();
}

void Recorder::WriteNow(int file, ByteSpan bytes) {
  if (!lost_) Write(file, bytes);
}

void Recorder::EndFile(int file) {
  std::lock_guard lock(mutex_);
  Item end;
  end.file = file;
  queue_.push_back(std::move(end));
  changed_.notify_one();
}

void Recorder::Stop() {
  std::lock_guard lock(mutex_);
  over_ = true;
  changed_.notify_one();
}

void Recorder::Finish() {
  if (!thread_.joinable()) return;
  {
    std::lock_guard lock(mutex_);
    finishing_ = true;
    changed_.notify_one();
  }
  thread_.join();
  for (File& file : files_) {
    if (file.fd >= 0) close(file.fd);
    file.fd = -1;
  }
}

void Recorder::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    auto due = [&] { return !queue_.empty() || finishing_; };
    if (!changed_.wait_for(lock, kMoment, due)) {
      lock.unlock();
      listener_.OnIdle();
      lock.lock();
      continue;
    }
    if (queue_.empty()) return;
    Item item = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    if (item.size == 0) {
      listener_.OnFileEnd(item.file);
    } else if (!lost_) {
      Write(item.file, {item.buffer->bytes + item.begin, item.size});
    }
    item.buffer.reset();
    lock.lock();
  }
}

bool Recorder::Open(File& file) {
  if (file.fd >= 0) return true;
  // What is no file, a pipe, is written into.
  struct stat info;
  const bool special = options_.replaces &&
                       stat(file.path.c_str(), &info) == 0 &&
                       !S_ISREG(info.st_mode);
  if (options_.replaces && !special) unlink(file.path.c_str());
  // Guest memory is nobody else's.
  file.fd = open(
      file.path.c_str(),
      special ? O_WRONLY | O_CLOEXEC : O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
      0600);
  return file.fd >= 0;
}

void Recorder::Write(int number, ByteSpan bytes) {
  File* file = nullptr;
  {
    std::lock_guard lock(mutex_);
    file = &files_[static_cast<size_t>(number)];  // A deque's do not move.
  }
  auto lose = [&] {
    Lose(StrCat(file->path, ": ", std::strerror(errno), " at ",
                Hex(file->bytes)));
  };
  if (!Open(*file)) return lose();
  ByteSpan left = bytes;
  while (!left.empty()) {
    const ssize_t count = write(file->fd, left.data(), left.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return lose();
    file->bytes += static_cast<uint64_t>(count);
    left = left.subspan(static_cast<size_t>(count));
  }
  listener_.OnRecorded(number, bytes);
}

void Recorder::Lose(const std::string& why) {
  {
    std::lock_guard lock(mutex_);
    over_ = true;
  }
  lost_ = true;
  listener_.OnLost(why);
}

bool Recorder::Sync() {
  std::lock_guard lock(mutex_);
  return std::all_of(files_.begin(), files_.end(), [](const File& file) {
    // A pipe cannot be.
    return file.fd < 0 || fsync(file.fd) == 0 || errno == EINVAL;
  });
}

}  // namespace migstream
