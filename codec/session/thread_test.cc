// Migrations over sockets, with a thread for each channel on both sides.

#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "codec/session/session_rig.h"
#include "codec/wire/text.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

struct Pair {
  Pair() { EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0); }
  ~Pair() {
    Close(0);
    Close(1);
  }
  void Close(int end) {
    if (ends[end] >= 0) close(ends[end]);
    ends[end] = -1;
  }
  int ends[2];
};

void RunInThreads(size_t count, const std::function<void(size_t)>& run) {
  std::vector<std::thread> threads;
  for (size_t i = 0; i < count; ++i) threads.emplace_back(run, i);
  for (std::thread& thread : threads) thread.join();
}

// Reads until the other end closes; false from `use` ends it too.
template <typename Use>
void ReadAll(int fd, Use use) {
  std::string held;
  std::vector<char> buffer(64 << 10);
  for (ssize_t got; (got = read(fd, buffer.data(), buffer.size())) > 0;) {
    held.append(buffer.data(), got);
    ByteSpan input = AsBytes(held);
    if (!use(input)) return;
    held.erase(0, held.size() - input.size());
  }
}

std::string Pattern(size_t bytes, int seed) {
  std::string text(bytes, '\0');
  for (size_t i = 0; i < bytes; ++i) {
    text[i] = static_cast<char>((i * 7 + i / 251 + seed) & 0xff);
  }
  return text;
}

struct Side {
  FakeVfio vfio;
  std::vector<int> fds;
  std::vector<std::unique_ptr<KernelDevice>> devices;
  MigrationSet set{RunInThreads};

  void Add(FakeDevice fake) {
    fds.push_back(vfio.Add(std::move(fake)));
    devices.emplace_back();
    EXPECT_TRUE(
        KernelDevice::Open(fds.back(), &devices.back(), {.calls = &vfio}).ok());
    EXPECT_TRUE(
        set.Add(*devices.back(), StrCat("dev", fds.size(), "/vfio")).ok());
  }
};

SavedConfig Config(const std::string& payload) {
  SavedConfig config;
  config.config.pci_config = AsBytes(payload).subspan(4, 4096);
  config.config.msix_table = AsBytes(payload).subspan(4 + 4096 + 16, 5 * 16);
  config.config.msix_pba = AsBytes(payload).subspan(4 + 4096 + 16 + 5 * 16, 1);
  return config;
}

// One migration, whose channels all have a thread; `silent`: this channel never
// sends anything to the loader.
struct Migration {
  static constexpr uint32_t kChannels = 3;

  explicit Migration(size_t device_count, int silent_channel = -1)
      : devices(device_count), silent(silent_channel) {
    for (size_t i = 0; i < devices; ++i) {
      FakeDevice fake = {.initial = Pattern(1000, 1),
                         .stop = Pattern(300000 + 1000 * i, 2),
                         .read_limit = 10000};
      destination.Add({.expected = AllOf(fake)});
      source.Add(std::move(fake));
    }
  }

  void Save() {
    FdOutput output(main.ends[0]);
    std::vector<FdOutput> outputs;
    for (Pair& channel : channels) outputs.emplace_back(channel.ends[0]);
    SaveOptions options = {.dialect = &GetDialect(DialectId::kV111M),
                           .switchover_ack = true,
                           .config_load_ready = true,
                           .trust_shut = true};
    for (FdOutput& channel : outputs) options.channels.push_back(&channel);
    SaveSession session(source.set, output, options);
    const std::string config = ConfigBytes{}.Payload();
    const std::vector<SavedConfig> configs(devices, Config(config));
    Error error = session.WriteHead("pc-q35-11.1");
    if (error.ok()) error = session.Start();
    if (error.ok()) error = session.SyncChannels();
    bool written = false;
    ReadAll(back.ends[0], [&](ByteSpan& input) {
      if (error.ok()) error = session.OnReturnPath(input);
      Progress progress;
      if (error.ok() && !written) error = session.Iterate({}, &progress);
      if (error.ok() && !written && session.SwitchoverAllowed()) {
        written = true;
        error = session.Switchover();
        if (error.ok()) error = session.Complete(configs);
        if (error.ok()) error = session.WriteEof();
      }
      return error.ok() && !session.shut_received();
    });
    saved = session.Finish();
    main.Close(0);
    for (Pair& channel : channels) channel.Close(0);
  }

  void Load() {
    FdOutput replies(back.ends[1]);
    LoadSession session(destination.set,
                        {.dialect = &GetDialect(DialectId::kV111M),
                         .channels = kChannels,
                         .switchover_ack = true});
    EXPECT_TRUE(session.Start().ok());
    std::atomic<size_t> configs = 0;
    std::mutex mutex;  // Of Next(): whoever has something calls it.
    std::string held;
    auto send = [&](const ReturnPathMessage& message) {
      uint8_t headers[ReturnPathEncoder::kMinHeaderBytes];
      iovec pieces[ReturnPathEncoder::kMinPieces];
      ReturnPathEncoder encoder(headers, pieces);
      encoder.Send(message);
      replies.Write(encoder.pieces());
    };
    bool finished = false;
    auto next = [&](ByteSpan& input) {
      std::lock_guard lock(mutex);
      LoadAction action;
      Step step;
      while ((step = session.Next(input, action)) == Step::kEvent) {
        if (action.kind == LoadAction::kReply) send(action.reply);
        if (action.kind == LoadAction::kApplyConfig) ++configs;
      }
      if (finished || (step != Step::kError && !session.complete())) return;
      finished = true;
      loaded = session.Finish();
      send(session.Shut());
    };
    std::vector<std::thread> threads;
    for (uint32_t i = 0; i < kChannels; ++i) {
      threads.emplace_back([&, i] {
        ReadAll(channels[i].ends[1], [&](ByteSpan& input) {
          if (static_cast<int>(i) == silent) {
            input = {};
            return true;
          }
          // What comes after Finish() is refused.
          EXPECT_TRUE(session.FeedChannel(i, input).ok() || silent >= 0);
          ByteSpan nothing;
          next(nothing);
          return true;
        });
      });
    }
    ReadAll(main.ends[1], [&](ByteSpan& input) {
      next(input);
      // Without one channel nothing more will come.
      return silent < 0 || !session.eof();
    });
    if (!finished && silent >= 0) {
      missing = session.Missing();
      loaded = session.Finish();
      send(session.Shut());
    }
    back.Close(1);
    for (std::thread& thread : threads) thread.join();
    if (silent < 0) {
      EXPECT_EQ(configs, devices);
    }
  }

  void Run() {
    std::thread saver([this] { Save(); });
    Load();
    saver.join();
  }

  const size_t devices;
  const int silent;
  Side source, destination;
  Pair main, back;
  Pair channels[kChannels];
  Outcome saved, loaded;
  Error missing;
};

TEST(ThreadTest, TwoMigrationsAtOnceWithAThreadAChannel) {
  // More devices than channels, and more channels than devices.
  Migration migrations[] = {Migration(6), Migration(1)};
  std::thread other([&] { migrations[1].Run(); });
  migrations[0].Run();
  other.join();
  for (Migration& migration : migrations) {
    EXPECT_EQ(migration.saved.kind, Outcome::kCompleted)
        << ToString(migration.saved.error);
    EXPECT_EQ(migration.loaded.kind, Outcome::kCompleted)
        << ToString(migration.loaded.error);
    for (size_t i = 0; i < migration.devices; ++i) {
      Side& from = migration.source;
      Side& to = migration.destination;
      EXPECT_TRUE(to.vfio.device(to.fds[i]).loaded ==
                  AllOf(from.vfio.device(from.fds[i])));
    }
  }
}

TEST(ThreadTest, AChannelThatNeverSendsIsNamedAndHoldsUpNobody) {
  Migration migration(/*device_count=*/6, /*silent_channel=*/2);
  migration.Run();
  EXPECT_EQ(ToString(migration.missing), "channel 2 has sent nothing");
  EXPECT_EQ(migration.loaded.kind, Outcome::kAborted);
  EXPECT_EQ(migration.saved.kind, Outcome::kAborted);
}

}  // namespace
}  // namespace migstream
