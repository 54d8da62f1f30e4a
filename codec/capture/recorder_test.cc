#include "codec/capture/recorder.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <fstream>
#include <iterator>
#include <string>

#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

using testing::HasSubstr;

class Heard : public RecordingListener {
 public:
  void OnRecorded(int, ByteSpan bytes) override { recorded += bytes.size(); }
  void OnFileEnd(int) override { ++ends; }
  void OnIdle() override {}
  void OnLost(const std::string& why) override { lost = why; }
  void OnTooSlow(uint64_t bytes) override { waiting = bytes; }

  uint64_t recorded = 0;
  int ends = 0;
  std::string lost;
  uint64_t waiting = 0;
};

std::string Path(const std::string& name) {
  return StrCat(testing::TempDir(), "/", name, getpid());
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// False if there is no room for it any more.
bool Record(Recorder& recorder, int file, Recorder::Slot& slot,
            const std::string& bytes) {
  const std::span<uint8_t> room = recorder.Room(slot);
  if (room.size() < bytes.size()) return false;
  std::copy(bytes.begin(), bytes.end(), room.begin());
  recorder.Put(file, slot, bytes.size());
  return true;
}

TEST(RecorderTest, EachFileHasItsBytesInOrder) {
  const std::string paths[] = {Path("one"), Path("two")};
  std::string wanted[2];
  Heard heard;
  {
    Recorder recorder({.replaces = true}, heard);
    Recorder::Slot slots[2];
    const int files[] = {recorder.Create(paths[0]), recorder.Create(paths[1])};
    for (int i = 0; i < 1000; ++i) {
      const std::string piece(static_cast<size_t>(i * 7 % 5000 + 1),
                              static_cast<char>(i));
      ASSERT_TRUE(Record(recorder, files[i % 2], slots[i % 2], piece));
      wanted[i % 2] += piece;
    }
    recorder.EndFile(files[0]);
    recorder.EndFile(files[1]);
  }
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(ReadFile(paths[i]) == wanted[i]);
    unlink(paths[i].c_str());
  }
  EXPECT_EQ(heard.recorded, wanted[0].size() + wanted[1].size());
  EXPECT_EQ(heard.ends, 2);
  EXPECT_EQ(heard.lost, "");
}

TEST(RecorderTest, AFileThatNothingCameForIsNotThere) {
  Heard heard;
  const std::string path = Path("nothing");
  { Recorder({}, heard).Create(path); }
  EXPECT_NE(access(path.c_str(), F_OK), 0);
}

TEST(RecorderTest, NoFileIsReplacedUnasked) {
  const std::string path = Path("mine");
  std::ofstream(path) << "mine";
  Heard heard;
  {
    Recorder recorder({}, heard);
    Recorder::Slot slot;
    Record(recorder, recorder.Create(path), slot, "other");
  }
  EXPECT_THAT(heard.lost, HasSubstr("File exists"));
  EXPECT_EQ(ReadFile(path), "mine");
  unlink(path.c_str());
}

TEST(RecorderTest, OnlyItsOwnerReadsGuestMemory) {
  const std::string path = Path("secret");
  Heard heard;
  {
    Recorder recorder({.replaces = true}, heard);
    Recorder::Slot slot;
    Record(recorder, recorder.Create(path), slot, "memory");
  }
  struct stat info;
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  unlink(path.c_str());
}

// A pipe that nobody reads is a disk that does not answer.
TEST(RecorderTest, AStalledDiskEndsTheRecordingAndHoldsUpNobody) {
  const std::string path = Path("stalled");
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  const int reader = open(path.c_str(), O_RDONLY | O_NONBLOCK);
  constexpr size_t kBuffers = 4;
  Heard heard;
  {
    Recorder recorder({.buffers = kBuffers, .replaces = true}, heard);
    Recorder::Slot slot;
    const int file = recorder.Create(path);
    const std::string piece(60000, 'x');
    uint64_t taken = 0;
    while (Record(recorder, file, slot, piece)) taken += piece.size();
    EXPECT_LE(taken, (kBuffers + 1) * Recorder::kBufferBytes);
    EXPECT_TRUE(recorder.Room(slot).empty());
    EXPECT_EQ(heard.waiting, kBuffers * Recorder::kBufferBytes);
    // It has been opened by now, and what is written from here on fails.
    pollfd readable = {reader, POLLIN, 0};
    EXPECT_EQ(poll(&readable, 1, -1), 1);
    close(reader);
  }
  unlink(path.c_str());
}

// As those of a migration do that has as many channels as there are buffers.
TEST(RecorderTest, WhoeverWaitsForBytesTakesNoRoomFromTheOthers) {
  constexpr size_t kBuffers = 2;
  Heard heard;
  {
    Recorder recorder({.buffers = kBuffers, .waits = true}, heard);
    std::array<Recorder::Slot, 8> slots;
    for (Recorder::Slot& slot : slots) {
      recorder.Create(Path("never"));
      EXPECT_FALSE(recorder.Room(slot).empty());
    }
  }
  EXPECT_EQ(heard.waiting, 0U);
}

// Whoever is told of bytes may write in turn, although others have all room.
TEST(RecorderTest, TheListenerWritesWithoutRoom) {
  const std::string paths[] = {Path("asked"), Path("answered")};
  class Answers : public Heard {
   public:
    void OnRecorded(int file, ByteSpan bytes) override {
      Heard::OnRecorded(file, bytes);
      if (file == 0) recorder->WriteNow(1, AsBytes("answer"));
    }
    Recorder* recorder = nullptr;
  };
  Answers heard;
  Recorder recorder({.buffers = 0, .waits = true, .replaces = true}, heard);
  heard.recorder = &recorder;
  Recorder::Slot slot;
  const int file = recorder.Create(paths[0]);
  recorder.Create(paths[1]);
  Recorder::Slot other;
  EXPECT_FALSE(recorder.Room(other).empty());
  ASSERT_TRUE(Record(recorder, file, slot, "question"));
  recorder.Finish();
  EXPECT_EQ(ReadFile(paths[1]), "answer");
  for (const std::string& path : paths) unlink(path.c_str());
}

TEST(RecorderTest, AFullDiskEndsTheRecording) {
  Heard heard;
  {
    Recorder recorder({.replaces = true}, heard);
    Recorder::Slot slot;
    const int file = recorder.Create("/dev/full");
    // Until it has been seen.
    while (Record(recorder, file, slot, "bytes")) {
    }
  }
  EXPECT_THAT(heard.lost, HasSubstr("/dev/full: No space left on device"));
}

}  // namespace

}  // namespace migstream

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
