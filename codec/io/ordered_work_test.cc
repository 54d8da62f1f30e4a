#include "codec/io/ordered_work.h"

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace migstream {
namespace {

struct Square {
  int number = 0;
  int result = 0;
};

OrderedWork<Square>::Do Squaring() {
  return [](Square& job) {
    // The later a job, the sooner it is done.
    if (job.number % 4 == 0) std::this_thread::yield();
    job.result = job.number * job.number;
  };
}

TEST(OrderedWorkTest, JobsComeInTheOrderInWhichTheyWereAdded) {
  for (int threads : {0, 1, 2, 8}) {
    OrderedWork<Square> work(threads, Squaring);
    int taken = 0;
    for (int i = 0; i < 1000; ++i) {
      work.Add({i});
      if (work.size() < 5) continue;
      const Square job = work.Take();
      EXPECT_EQ(job.number, taken++);
      EXPECT_EQ(job.result, job.number * job.number);
    }
    for (; work.size() != 0; ++taken) EXPECT_EQ(work.Take().number, taken);
    EXPECT_EQ(taken, 1000) << threads;
  }
}

TEST(OrderedWorkTest, EachThreadHasAWorkerOfItsOwn) {
  std::atomic<int> workers = 0;
  struct Count {
    int* worker = nullptr;
  };
  {
    OrderedWork<Count> work(3, [&workers] {
      ++workers;
      auto jobs = std::make_shared<int>(0);
      return [jobs](Count& job) {
        ++*jobs;  // No other thread does.
        job.worker = jobs.get();
      };
    });
    for (int i = 0; i < 100; ++i) work.Add({});
    for (int i = 0; i < 100; ++i) EXPECT_NE(work.Take().worker, nullptr);
  }
  EXPECT_EQ(workers, 3);
}

TEST(OrderedWorkTest, WhatIsNotTakenIsDropped) {
  const auto token = std::make_shared<int>(0);
  {
    OrderedWork<std::shared_ptr<int>> work(
        2, [] { return [](std::shared_ptr<int>&) {}; });
    for (int i = 0; i < 50; ++i) work.Add(token);
    work.Take();
  }
  EXPECT_EQ(token.use_count(), 1);
}

}  // namespace
}  // namespace migstream
