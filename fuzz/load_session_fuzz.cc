// A destination of a VMM that is sent anything, on the main channel and on
// multifd's at once, in any order: however each piece is cut, the same becomes
// of it; what is held is bounded; it ends with devices that are all loaded and
// stopped, or all fresh and running, and says which.
//
// The input is the main channel, then the others, then how long those are and
// how the session is called.

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "codec/session/load_session.h"
#include "codec/session/plain_device.h"
#include "codec/wire/text.h"
#include "fuzz/counting_allocator.h"
#include "fuzz/fuzzing.h"

using namespace migstream;  // NOLINT: this file is a program.

namespace {

// As a generated stream names them.
constexpr std::string_view kIdstrs[] = {"0000:00:02.0/vfio",
                                        "0000:00:03.0/vfio"};
constexpr uint32_t kMaxChannels = 3;
constexpr size_t kHeldBytes = 32 << 10;
// What a session needs for itself, for two devices and three channels, and for
// what it remembers of the stream for each byte of it.
constexpr size_t kBookkeeping = 512 << 10;
constexpr size_t kPerByte = 64;

// Takes what it is given, up to `room` bytes in all, and counts.
class TakingDevice : public PlainDevice {
 public:
  TakingDevice(size_t room, bool judges_badly)
      : room_(room), judges_badly_(judges_badly) {}

  int SetState(DeviceState to, bool* new_session) override {
    if (state() == DeviceState::kResuming && judges_badly_) return EINVAL;
    return PlainDevice::SetState(to, new_session);
  }
  IoResult Read(std::span<uint8_t>) override { return {0, EIO}; }
  IoResult Write(ByteSpan bytes) override {
    REQUIRE(state() == DeviceState::kResuming);
    bytes = bytes.first(std::min(bytes.size(), room_ - taken));
    if (bytes.empty()) return {0, ENOMEM};
    for (uint8_t byte : bytes) sum = sum * 31 + byte;
    taken += bytes.size();
    return {bytes.size()};
  }
  int WaitForData(bool) override { return ETIMEDOUT; }

  size_t taken = 0;
  uint64_t sum = 0;

 private:
  const size_t room_;
  const bool judges_badly_;
};

struct Call {
  const Dialect* dialect;
  uint32_t channels;
  bool switchover_ack, legacy, waits_for_interrupts, return_path, bad_judge;
  std::optional<bool> footers;
  size_t room;                  // Of the second device.
  uint8_t turn;                 // Decides whose turn it is, and how much comes.
  std::vector<ByteSpan> bytes;  // Main channel first.
};

Call ParseCall(FuzzInput& input) {
  constexpr size_t kDialects = static_cast<size_t>(DialectId::kE7) + 1;
  Call call = {};
  call.dialect =
      &GetDialect(static_cast<DialectId>(input.Choice() % kDialects));
  const uint8_t flags = input.Choice();
  call.switchover_ack = (flags & 1) != 0;
  call.legacy = (flags & 2) != 0;
  call.waits_for_interrupts = (flags & 4) != 0;
  call.return_path = (flags & 8) == 0;
  call.bad_judge = (flags & 16) != 0;
  if ((flags & 32) != 0) call.footers = (flags & 64) != 0;
  const uint8_t room = input.Choice();
  call.room = room == 0 ? SIZE_MAX : size_t{room} * 8;
  call.turn = input.Choice();
  call.channels =
      call.dialect->multifd_device_state ? 1 + call.turn % kMaxChannels : 0;
  size_t sizes[kMaxChannels];
  for (size_t& size : sizes) {
    size = input.Choice();
    size |= size_t{input.Choice()} << 8;
  }
  ByteSpan rest = input.Rest();
  for (size_t i = call.channels; i-- > 0;) {
    const size_t size = std::min(sizes[i], rest.size());
    call.bytes.insert(call.bytes.begin(), rest.last(size));
    rest = rest.first(rest.size() - size);
  }
  call.bytes.insert(call.bytes.begin(), rest);
  return call;
}

struct Seen {
  Outcome::Kind kind = Outcome::kAborted;
  std::string error;
  std::vector<uint64_t> sums;
  std::vector<std::string> actions;
  friend bool operator==(const Seen&, const Seen&) = default;
};

class Destination {
 public:
  explicit Destination(const Call& call) : call_(call) {
    for (size_t i = 0; i < std::size(kIdstrs); ++i) {
      devices_[i] = std::make_unique<TakingDevice>(
          i == 1 ? call.room : SIZE_MAX, i == 0 && call.bad_judge);
      REQUIRE(set_.Add(*devices_[i], kIdstrs[i]).ok());
    }
    session_ = std::make_unique<LoadSession>(set_, Options());
  }

  // `piece`: the most bytes that come at a time.
  Seen Run(size_t piece) {
    if (session_->Start().ok()) {
      Deliver(piece);
      if (call_.waits_for_interrupts) session_->InterruptsReady();
      Next({}, 0);
    }
    const bool complete = session_->complete();
    const Outcome outcome = session_->Finish();
    seen_.kind = outcome.kind;
    seen_.error = ToString(outcome.error);
    REQUIRE(outcome.kind != Outcome::kUnknown);
    const bool completed = outcome.kind == Outcome::kCompleted;
    REQUIRE(completed == (complete && !call_.bad_judge));
    REQUIRE(completed == outcome.error.ok());
    REQUIRE(session_->Shut().value == (completed ? 0u : 1u));
    for (size_t i = 0; i < std::size(kIdstrs); ++i) {
      REQUIRE(devices_[i]->state() ==
              (completed ? DeviceState::kStop : DeviceState::kRunning));
      if (completed) REQUIRE(configs_[i] != 0);
      seen_.sums.push_back(devices_[i]->sum);
    }
    return seen_;
  }

 private:
  LoadOptions Options() {
    return {.dialect = call_.dialect,
            .limits = {.multifd = {.packet_bytes = 8 << 10,
                                   .ram_packet_bytes = 8 << 10,
                                   .gap = 16,
                                   .held_bytes_per_device = kHeldBytes / 2,
                                   .held_bytes = kHeldBytes,
                                   .window_bytes = 1 << 16},
                       .actions = 64},
            .channels = call_.channels,
            .return_path = call_.return_path,
            .switchover_ack = call_.switchover_ack,
            .switchover_ack_legacy = call_.legacy,
            .wait_for_interrupts = call_.waits_for_interrupts,
            .footers = call_.footers,
            .content_length = [](const SectionView& section, ByteSpan) {
              return ContentLength{ContentLength::kBytes, section.id % 64};
            }};
  }

  // A piece of one channel after the other, as their threads would.
  void Deliver(size_t piece) {
    std::vector<size_t> taken(call_.bytes.size()), come(call_.bytes.size());
    uint32_t random = call_.turn;
    size_t open = call_.bytes.size();
    while (open != 0) {
      random = random * 1103515245 + 12345;
      const size_t i = (random >> 16) % call_.bytes.size();
      const ByteSpan all = call_.bytes[i];
      if (come[i] == all.size() && taken[i] != SIZE_MAX) {
        taken[i] = SIZE_MAX;  // All of it was given.
        --open;
      }
      if (taken[i] == SIZE_MAX) continue;
      const size_t end = std::min<size_t>(
          all.size(),
          come[i] + 1 + (random >> 20) % (1 + 16 * (call_.turn & 31)));
      while (come[i] < end) {
        come[i] += std::min(piece, end - come[i]);
        ByteSpan input = all.subspan(taken[i], come[i] - taken[i]);
        const size_t before = input.size();
        if (i == 0) {
          Next(input, taken[0]);
          input = left_;
        } else if (!session_->FeedChannel(static_cast<uint32_t>(i - 1), input)
                        .ok()) {
          return;
        }
        REQUIRE(input.size() <= before);
        taken[i] += before - input.size();
        if (!session_->error().ok()) return;
      }
      if (i != 0) Next({}, 0);
    }
  }

  void Next(ByteSpan input, uint64_t offset) {
    LoadAction action;
    Step step;
    const size_t all = input.size();
    while ((step = session_->Next(input, action)) == Step::kEvent) {
      REQUIRE(session_->decoder().offset() >= offset);
      Take(action);
    }
    if (step == Step::kNeedInput && all != 0) {
      REQUIRE(session_->bytes_needed() > input.size());
    }
    left_ = input;
  }

  void Take(const LoadAction& action) {
    switch (action.kind) {
      case LoadAction::kStream:
        return;  // Its payload comes in other pieces.
      case LoadAction::kOpenReturnPath:
        seen_.actions.push_back("open");
        return;
      case LoadAction::kReply:
        seen_.actions.push_back(ToString(action.reply));
        return;
      case LoadAction::kApplyConfig:
        REQUIRE(action.device < std::size(kIdstrs));
        ++configs_[action.device];
        for (const SubsectionView& each : action.subsections) {
          REQUIRE(each.name.size() < 256);
        }
        seen_.actions.push_back(StrCat("config ", action.device, " ",
                                       action.config.pci_config.size(), " ",
                                       action.config.msix_table.size()));
        return;
    }
  }

  const Call& call_;
  std::unique_ptr<TakingDevice> devices_[std::size(kIdstrs)];
  MigrationSet set_;
  std::unique_ptr<LoadSession> session_;
  ByteSpan left_;
  uint32_t configs_[std::size(kIdstrs)] = {};
  Seen seen_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzInput input(data, std::min<size_t>(size, 16 << 10));
  const Call call = ParseCall(input);
  const size_t before = AllocatedBytes();
  ResetPeak();
  const Seen seen = Destination(call).Run(SIZE_MAX);
  REQUIRE(PeakBytes() - before <=
          2 * kHeldBytes + kBookkeeping + kPerByte * size);
  REQUIRE(Destination(call).Run(1) == seen);
  return 0;
}
