// Channels as a destination has them: sockets whose other ends stay open and
// may fall silent at any byte.

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <future>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "codec/channels/memory_channels.h"
#include "codec/multifd/channel_receiver.h"
#include "codec/multifd/reassembler.h"
#include "codec/qemu/decode_stream.h"
#include "codec/qemu/stream_decoder.h"
#include "codec/wire/text.h"
#include "gtest/gtest.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

constexpr int kSilenceMs = 20000;  // Nothing that should come takes so long.

class SocketPair {
 public:
  SocketPair() { EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends_), 0); }
  ~SocketPair() {
    Close(0);
    Close(1);
  }
  SocketPair(const SocketPair&) = delete;
  SocketPair& operator=(const SocketPair&) = delete;

  void Send(std::string_view bytes) {
    while (!bytes.empty()) {
      ssize_t sent = send(ends_[0], bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(sent);
    }
  }
  void CloseSender() { Close(0); }

  // What has come, at least a byte; empty at the end, and after a silence that
  // no decoder should wait through.
  std::string Receive() {
    pollfd fd = {ends_[1], POLLIN, 0};
    if (poll(&fd, 1, kSilenceMs) != 1) {
      ADD_FAILURE() << "waits for what will not come";
      return "";
    }
    std::string bytes(64 << 10, '\0');
    ssize_t got = recv(ends_[1], bytes.data(), bytes.size(), 0);
    bytes.resize(std::max<ssize_t>(got, 0));
    return bytes;
  }

 private:
  void Close(int end) {
    if (ends_[end] >= 0) close(ends_[end]);
    ends_[end] = -1;
  }

  int ends_[2] = {-1, -1};
};

// How many events there are, payload aside, and where the last section ended.
struct Seen {
  uint64_t events = 0;
  uint64_t section_end = 0;
};

void Count(const StreamEvent& event, uint64_t offset, Seen& seen) {
  if (event.kind == StreamEvent::kContent) return;
  if (event.kind == StreamEvent::kDevice &&
      event.device.kind == EventKind::kData && !event.device.starts_record) {
    return;
  }
  ++seen.events;
  if (event.kind == StreamEvent::kSectionEnd) seen.section_end = offset;
}

// Decodes what a socket gives until the section has ended that ends at `end`.
Seen DecodeUntil(SocketPair& socket, const KnownLengths& lengths,
                 uint64_t end) {
  StreamDecoder decoder({.content_length = lengths});
  Seen seen;
  std::string held;
  StreamEvent event;
  while (seen.section_end != end) {
    std::string more = socket.Receive();
    if (more.empty()) break;
    held += more;
    ByteSpan input = AsBytes(held);
    while (decoder.Next(input, event) == Step::kEvent) {
      Count(event, decoder.offset(), seen);
    }
    held.erase(0, held.size() - input.size());
  }
  return seen;
}

class LiveCaptureTest : public testing::TestWithParam<testdata::Capture> {};

TEST_P(LiveCaptureTest, UpToADevicesEndEveryEventHasComeAtEachOf200Cuts) {
  const std::string stream = ReadCapture(GetParam());
  const KnownLengths lengths = KnownLengths::Of(stream);
  const uint64_t end = lengths.last_vfio_end();
  if (end == 0) return;  // It was cancelled before.
  const std::string_view sent = std::string_view(stream).substr(0, end);

  SocketPair at_once;
  std::thread writer([&] { at_once.Send(sent); });
  const Seen whole = DecodeUntil(at_once, lengths, end);
  writer.join();
  EXPECT_EQ(whole.section_end, end);

  std::mt19937_64 random(1);
  for (int i = 0; i < 200; ++i) {
    const size_t cut = random() % end;
    SocketPair socket;
    std::thread cutting_writer([&] {
      socket.Send(sent.substr(0, cut));
      std::this_thread::yield();
      socket.Send(sent.substr(cut));
      // And now it waits for the destination.
    });
    const Seen seen = DecodeUntil(socket, lengths, end);
    cutting_writer.join();
    ASSERT_EQ(seen.events, whole.events) << "cut at " << cut;
    ASSERT_EQ(seen.section_end, end) << "cut at " << cut;
  }
}

INSTANTIATE_TEST_SUITE_P(All, LiveCaptureTest, testing::ValuesIn(AllCaptures()),
                         CaptureName());

// What each device's channels hold, in its order.
using Payloads = std::map<std::string, std::string>;

Payloads ReadOffline(const std::vector<std::string>& channels) {
  Payloads payloads;
  MemoryChannels memory(channels);
  ChannelReader reader(memory.given(), {});
  Error error = reader.Read([&](const ReassembledPiece& piece) {
    payloads[std::string(piece.idstr)].append(AsText(piece.data));
  });
  EXPECT_TRUE(error.ok()) << ToString(error);
  return payloads;
}

class LiveChannelsTest : public testing::TestWithParam<testdata::Capture> {};

TEST_P(LiveChannelsTest, OneThatStallsHoldsUpNoOther) {
  const std::vector<std::string> channels = ReadChannels(GetParam());
  const Payloads offline = ReadOffline(channels);
  for (size_t stalled = 0; stalled < channels.size(); ++stalled) {
    std::vector<SocketPair> sockets(channels.size());
    std::mutex mutex;
    Reassembler reassembler;
    Payloads live;
    std::vector<std::promise<Error>> ended(channels.size());
    std::vector<std::thread> senders, receivers;
    for (size_t i = 0; i < channels.size(); ++i) {
      senders.emplace_back([&, i] {
        sockets[i].Send(std::string_view(channels[i])
                            .substr(0, i == stalled ? kMultifdInitBytes
                                                    : std::string::npos));
        if (i != stalled) sockets[i].CloseSender();
      });
      receivers.emplace_back([&, i] {
        ChannelReceiver receiver;
        MultifdEvent event;
        std::string held;
        const std::string name = StrCat("channel ", i);
        Error error;
        for (std::string more; !(more = sockets[i].Receive()).empty();) {
          held += more;
          ByteSpan input = AsBytes(held);
          while (receiver.Next(input, event) == Step::kEvent) {
            if (!receiver.has_packet()) continue;
            std::lock_guard lock(mutex);
            error = reassembler.Take(receiver.device(), receiver.payload());
            for (ReassembledPiece piece; reassembler.Next(piece);) {
              live[std::string(piece.idstr)].append(AsText(piece.data));
            }
          }
          held.erase(0, held.size() - input.size());
        }
        ended[i].set_value(
            error.ok() ? receiver.AtEndOfInput(name, AsBytes(held)) : error);
      });
    }
    std::vector<std::future<Error>> ends;
    for (auto& end : ended) ends.push_back(end.get_future());
    for (size_t i = 0; i < channels.size(); ++i) {
      if (i == stalled) continue;
      EXPECT_TRUE(ends[i].get().ok()) << i << ", while " << stalled;
    }
    {
      std::lock_guard lock(mutex);
      for (const auto& [idstr, payload] : live) {
        EXPECT_TRUE(offline.at(idstr).starts_with(payload)) << idstr;
      }
    }
    for (std::thread& sender : senders) sender.join();
    sockets[stalled].Send(
        std::string_view(channels[stalled]).substr(kMultifdInitBytes));
    sockets[stalled].CloseSender();
    EXPECT_TRUE(ends[stalled].get().ok());
    for (std::thread& receiver : receivers) receiver.join();
    EXPECT_TRUE(reassembler.Finish().ok());
    EXPECT_TRUE(live == offline) << stalled;
  }
}

INSTANTIATE_TEST_SUITE_P(All, LiveChannelsTest,
                         testing::ValuesIn(CapturesWithChannels()),
                         CaptureName());

}  // namespace
}  // namespace migstream
