// Jobs that threads do side by side, taken in the order in which they were
// added.
//
//   OrderedWork<Frame> work(threads, [] {
//     auto decoder = std::make_shared<Decoder>();  // One for each thread.
//     return [decoder](Frame& frame) { decoder->Decode(frame); };
//   });
//   work.Add(std::move(frame));
//   Frame done = work.Take();  // Waits for it.
//
// How many are in it at a time is the caller's to bound: their memory is. Jobs
// that were not taken are dropped with the object. One thread of the caller's
// adds and takes.

#ifndef MIGSTREAM_CODEC_IO_ORDERED_WORK_H_
#define MIGSTREAM_CODEC_IO_ORDERED_WORK_H_

#include <pthread.h>

#include <cassert>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace migstream {

template <typename Job>
class OrderedWork {
 public:
  using Do = std::function<void(Job&)>;

  // `make` is called once by each thread, and what it gives does the thread's
  // jobs. Where the system gives no thread, the caller does them in Take().
  OrderedWork(int threads, std::function<Do()> make) : make_(std::move(make)) {
    for (int i = 0; i < threads; ++i) {
      pthread_t thread;
      if (pthread_create(&thread, nullptr, &Main, this) != 0) break;
      threads_.push_back(thread);
    }
  }

  ~OrderedWork() {
    {
      std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    added_.notify_all();
    for (pthread_t thread : threads_) pthread_join(thread, nullptr);
  }

  OrderedWork(const OrderedWork&) = delete;
  OrderedWork& operator=(const OrderedWork&) = delete;

  // Jobs that were added and not taken.
  size_t size() const { return entries_.size(); }

  void Add(Job job) {
    {
      std::lock_guard lock(mutex_);
      entries_.push_back({std::move(job)});
      waiting_.push_back(&entries_.back());
    }
    added_.notify_one();
  }

  // The oldest. There must be one.
  Job Take() {
    assert(!entries_.empty());
    std::unique_lock lock(mutex_);
    Entry& oldest = entries_.front();
    if (threads_.empty()) {
      waiting_.pop_front();
      if (!here_) here_ = make_();
      here_(oldest.job);
    } else {
      done_.wait(lock, [&oldest] { return oldest.done; });
    }
    Job job = std::move(oldest.job);
    entries_.pop_front();
    return job;
  }

 private:
  struct Entry {
    Job job;
    bool done = false;
  };

  static void* Main(void* self) {
    static_cast<OrderedWork*>(self)->Work();
    return nullptr;
  }

  void Work() {
    const Do work = make_();
    std::unique_lock lock(mutex_);
    while (true) {
      added_.wait(lock, [this] { return stopped_ || !waiting_.empty(); });
      if (stopped_) return;
      Entry& entry = *waiting_.front();
      waiting_.pop_front();
      lock.unlock();
      work(entry.job);
      lock.lock();
      entry.done = true;
      done_.notify_one();
    }
  }

  const std::function<Do()> make_;
  std::mutex mutex_;
  std::condition_variable added_;
  std::condition_variable done_;
  std::deque<Entry> entries_;   // In order; a deque moves none of them.
  std::deque<Entry*> waiting_;  // Those that no thread has begun.
  bool stopped_ = false;
  std::vector<pthread_t> threads_;
  Do here_;  // The caller's own.
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_IO_ORDERED_WORK_H_
