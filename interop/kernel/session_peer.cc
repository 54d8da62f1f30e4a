// In the guest: what `//codec/session` says of real VFIO devices, and what the
// kernel does.
//
//   session_peer DEVICE DEVICE
//
// Two of a kind, as LivePeer::Open() takes them. A line for each claim: "ok",
// or "failed" and why. Exit status 1 if one failed.

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "codec/device/section_decoder.h"
#include "codec/session/kernel_device.h"
#include "codec/session/load_session.h"
#include "codec/session/save_session.h"
#include "codec/session/vfio_uapi.h"
#include "codec/wire/text.h"
#include "interop/live_peer.h"

namespace migstream {
namespace {

bool failed = false;

void Say(std::string_view claim, const std::string& why) {
  failed |= !why.empty();
  std::printf("%s: %s%s%s\n", why.empty() ? "ok" : "failed",
              std::string(claim).c_str(), why.empty() ? "" : ": ", why.c_str());
}

// A device without any library between.
class RawDevice {
 public:
  explicit RawDevice(int fd) : fd_(fd) {}
  ~RawDevice() { Reset(); }  // mtty stumbles over one that is left in RESUMING.

  // errno; whether a data fd came.
  int Set(uint32_t state, bool* data_fd) {
    uapi::DeviceStateFeature feature;
    feature.header = {sizeof feature,
                      uapi::kFeatureMigDeviceState | uapi::kFeatureSet};
    feature.state = state;
    const int result = ioctl(fd_, uapi::kDeviceFeature, &feature);
    const int error = result < 0 ? errno : 0;
    *data_fd = error == 0 && feature.data_fd >= 0;
    if (*data_fd) Keep(feature.data_fd);
    return error;
  }
  uint32_t Get() {
    uapi::DeviceStateFeature feature;
    feature.header = {sizeof feature,
                      uapi::kFeatureMigDeviceState | uapi::kFeatureGet};
    return ioctl(fd_, uapi::kDeviceFeature, &feature) == 0 ? feature.state
                                                           : ~0u;
  }
  int Reset() {
    Keep(-1);
    return ioctl(fd_, uapi::kDeviceReset);
  }
  // What the data fd still has.
  std::string ReadAll() {
    std::string data;
    char buffer[4096];
    for (ssize_t got; (got = read(data_fd_, buffer, sizeof buffer)) > 0;) {
      data.append(buffer, static_cast<size_t>(got));
    }
    return data;
  }
  bool Write(const std::string& data) {
    return write(data_fd_, data.data(), data.size()) ==
           static_cast<ssize_t>(data.size());
  }

 private:
  void Keep(int data_fd) {
    if (data_fd_ >= 0) close(data_fd_);
    data_fd_ = data_fd;
  }

  const int fd_;
  int data_fd_ = -1;
};

// Linux 6.12.95 goes round in these for ever, instead of refusing them;
// 6.12.117 does not. The library never asks for them.
bool MayHang(DeviceState from, uint32_t to) {
  return from == DeviceState::kStopCopy &&
         IsPreCopy(static_cast<DeviceState>(to));
}

// Every pair of states, those that there are not, too.
void CheckTransitions(int fd, uint64_t flags) {
  RawDevice device(fd);
  bool data_fd;
  device.Reset();
  device.Set(static_cast<uint32_t>(DeviceState::kStopCopy), &data_fd);
  const std::string whole = device.ReadAll();
  std::string wrong;
  int tried = 0;
  auto try_one = [&](DeviceState from, uint32_t asked, bool loaded) {
    const auto to = static_cast<DeviceState>(asked);
    device.Reset();
    device.Set(static_cast<uint32_t>(from), &data_fd);
    if (loaded && !device.Write(whole)) StrAppend(&wrong, "; no data taken");
    const bool way = NextState(from, to, flags).has_value() &&
                     (from != DeviceState::kResuming || loaded || from == to);
    const int error = device.Set(asked, &data_fd);
    const uint32_t is = device.Get();
    ++tried;
    if (error == (way ? 0 : EINVAL) &&
        is == (way ? asked : static_cast<uint32_t>(from)) &&
        data_fd == (way && GivesDataFd(from, to))) {
      return;
    }
    StrAppend(&wrong, "; ", ToString(from), " to ", ToString(to), " gave ",
              std::strerror(error), ", ", data_fd ? "a" : "no", " data fd, ",
              ToString(static_cast<DeviceState>(is)));
  };
  for (uint32_t from = 1; from < kDeviceStates; ++from) {
    for (uint32_t to = 0; to <= kDeviceStates; ++to) {
      const auto state = static_cast<DeviceState>(from);
      if (MayHang(state, to)) continue;
      try_one(state, to, false);
      if (state == DeviceState::kResuming) try_one(state, to, true);
    }
  }
  Say(StrCat(tried, " transitions are as foretold"), wrong);
}

class StringOutput : public ChannelOutput {
 public:
  int Write(std::span<const iovec> pieces) override {
    for (const iovec& piece : pieces) {
      bytes.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
    }
    return 0;
  }
  std::string bytes;
};

// All of a device's migration; `meanwhile` happens in PRE_COPY.
template <typename Meanwhile>
Outcome Save(LivePeer& peer, StringOutput& output, Meanwhile meanwhile,
             Error* first) {
  SaveSession session(peer.set(), output, {.return_path = false});
  Error error = session.WriteHead("pc-q35-11.1");
  if (error.ok()) error = session.Start();
  meanwhile();
  Progress progress;
  while (error.ok() && !progress.idle) error = session.Iterate({}, &progress);
  if (error.ok()) error = session.Switchover();
  if (error.ok()) error = session.Complete(peer.configs());
  if (error.ok()) error = session.WriteEof();
  *first = error;
  return error.ok() ? session.Decide(/*runs_at_destination=*/true)
                    : session.Finish();
}

Outcome Load(LivePeer& peer, const std::string& stream, uint32_t* shut) {
  LoadSession session(peer.set(), {});
  Error error = session.Start();
  ByteSpan input = AsBytes(stream);
  LoadAction action;
  while (session.Next(input, action) == Step::kEvent) continue;
  Outcome outcome = session.Finish();
  *shut = session.Shut().value;
  return outcome;
}

// The payload of all DATA records.
std::string DataOf(const std::string& stream, size_t* last_at,
                   size_t* last_bytes) {
  StreamDecoder decoder({.dialect = &GetDialect(DialectId::kV111)});
  ByteSpan input = AsBytes(stream);
  std::string data;
  for (StreamEvent event; decoder.Next(input, event) == Step::kEvent;) {
    if (event.kind != StreamEvent::kDevice ||
        event.device.kind != EventKind::kData) {
      continue;
    }
    data += AsText(event.device.payload);
    *last_at = event.device.offset;
    *last_bytes = event.device.payload.size();
  }
  return data;
}

int Run(std::string_view from, std::string_view to) {
  LivePeer source, destination;
  if (Error error = source.Open({from}); !error.ok()) {
    Say("the first device opens", ToString(error));
    return 1;
  }
  if (Error error = destination.Open({to}); !error.ok()) {
    Say("the second device opens", ToString(error));
    return 1;
  }
  CheckTransitions(source.fd(0), source.set().device(0).device().flags());
  CheckTransitions(destination.fd(0),
                   destination.set().device(0).device().flags());

  Error error;
  StringOutput sent, again;
  Outcome outcome = Save(
      source, sent, [] {}, &error);
  Say("a device is saved", ToString(outcome.error));
  uint32_t shut = 0;
  outcome = Load(destination, sent.bytes, &shut);
  Say("another is loaded", ToString(outcome.error));
  Say("it runs", ToString(destination.set().Run()));
  Save(
      destination, again, [] {}, &error);
  size_t at = 0, bytes = 0;
  const std::string data = DataOf(again.bytes, &at, &bytes);
  const bool same = DataOf(sent.bytes, &at, &bytes) == data && !data.empty();
  Say(StrCat("it has the same ", data.size(), " bytes"),
      same ? "" : "it has others");

  source.set().ResetAll();
  StringOutput ignored;
  outcome = Save(
      source, ignored, [&] { ioctl(source.fd(0), uapi::kDeviceReset); },
      &error);
  const bool found = error.code == ErrorCode::kDeviceDesync &&
                     outcome.kind == Outcome::kAborted &&
                     outcome.devices[0].is == DeviceState::kRunning;
  Say("a reset in PRE_COPY is found",
      found ? "" : StrCat(ToString(error), ", ", ToString(outcome.devices[0])));

  // The last record loses a byte: its size, and the byte itself.
  std::string cut = sent.bytes;
  cut.erase(at + 16 + bytes - 1, 1);
  StoreBe64(reinterpret_cast<uint8_t*>(&cut[at + 8]), bytes - 1);
  outcome = Load(destination, cut, &shut);
  const DeviceReport& report = outcome.devices[0];
  const bool judged = outcome.kind == Outcome::kAborted && shut == 1 &&
                      report.failed_call == DeviceCall::kSetState &&
                      report.failed_errno == EINVAL && report.was_reset &&
                      report.is == DeviceState::kRunning;
  Say("data that lack a byte are refused, and the device is reset",
      judged ? "" : StrCat(ToString(outcome.error), ", ", ToString(report)));
  return failed ? 1 : 0;
}

}  // namespace
}  // namespace migstream

int main(int count, char** arguments) {
  if (count != 3) return 2;
  return migstream::Run(arguments[1], arguments[2]);
}
