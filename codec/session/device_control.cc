#include "codec/session/device_control.h"

#include <cassert>
#include <cerrno>
#include <cstring>
#include <utility>

#include "codec/wire/text.h"

namespace migstream {

using enum DeviceState;

std::string_view ToString(DeviceCall call) {
  switch (call) {
    case DeviceCall::kNone:
      return "no call";
    case DeviceCall::kSetState:
      return "setting its state";
    case DeviceCall::kGetState:
      return "asking for its state";
    case DeviceCall::kReset:
      return "its reset";
    case DeviceCall::kRead:
      return "reading from it";
    case DeviceCall::kWrite:
      return "writing to it";
    case DeviceCall::kWait:
      return "waiting for it";
    case DeviceCall::kPrecopyBytes:
      return "asking what PRE_COPY still has";
    case DeviceCall::kStartReading:
      return "beginning to read a record";
    case DeviceCall::kStartWriting:
      return "beginning to write a record";
  }
  return "";
}

std::string ToString(const DeviceReport& report) {
  std::string text =
      StrCat(report.idstr, ": ", report.lost ? "lost" : ToString(report.is));
  if (report.asked != report.is) {
    StrAppend(&text, ", ", ToString(report.asked), " was asked for");
  }
  if (report.was_reset) StrAppend(&text, ", was reset");
  if (report.failed_call != DeviceCall::kNone) {
    StrAppend(&text, ", ", ToString(report.failed_call), " failed");
    if (report.failed_errno != 0) {
      StrAppend(&text, ": ", std::strerror(report.failed_errno));
    }
  }
  return text;
}

DeviceControl::DeviceControl(MigrationDevice& device, std::string_view idstr,
                             uint32_t instance_id)
    : device_(&device) {
  report_.idstr = idstr;
  report_.instance_id = instance_id;
}

Error DeviceControl::Refuse(std::string reason) const {
  return {ErrorCode::kDeviceRefused, 0, "",
          StrCat(report_.idstr, ": ", reason)};
}

Error DeviceControl::Failed(ErrorCode code, DeviceCall call, int error,
                            std::string reason) {
  if (report_.failed_call == DeviceCall::kNone) {
    report_.failed_call = call;
    report_.failed_errno = error;
  }
  std::string text = StrCat(report_.idstr, ": ", reason);
  if (error != 0) StrAppend(&text, ": ", std::strerror(error));
  return {code, 0, "", std::move(text)};
}

Error DeviceControl::Open() {
  DeviceState state;
  if (int error = device_->GetState(&state); error != 0) {
    return Failed(ErrorCode::kDeviceFailed, DeviceCall::kGetState, error,
                  "its state is not known");
  }
  report_.asked = report_.is = state;
  if (state == kError) return Refuse("it is in ERROR, and needs a reset");
  return {};
}

Error DeviceControl::SetState(DeviceState state) {
  if (report_.is == state && !report_.lost) return {};
  if (report_.is == kResuming) {
    return Refuse(
        "it is being loaded: only the end of that, or a reset, "
        "leads out of RESUMING");
  }
  if (state == kResuming && IsSaving(report_.is)) {
    return Refuse("it is being saved, and cannot be loaded");
  }
  return Ask(state);
}

Error DeviceControl::StartResuming() {
  if (Error error = Reset(); !error.ok()) return error;
  report_.was_reset = false;  // Nothing was in it that its guest misses.
  written_ = 0;
  return Ask(kResuming);
}

Error DeviceControl::FinishResuming() {
  if (report_.is != kResuming || !session_) {
    return Refuse("it is not being loaded");
  }
  if (!has_records()) return Ask(kStop);
  DeviceState state = kError;
  int error = device_->GetState(&state);
  if (error == 0 && state == kResuming) {
    loaded_ = true;
    return {};
  }
  Desync();
  return Failed(
      error == 0 ? ErrorCode::kDeviceDesync : ErrorCode::kDeviceFailed,
      DeviceCall::kGetState, error, "it is not in RESUMING any more");
}

Error DeviceControl::RunLoaded() {
  if (report_.is != kResuming || !loaded_) return Refuse("it is not loaded");
  return Ask(kRunning);
}

Error DeviceControl::Ask(DeviceState state) {
  if (report_.lost) return Refuse("it is lost");
  const DeviceState from = report_.is;
  std::string why = WhyNoWay(from, state, device_->flags());
  if (has_records() && why.empty()) {
    std::optional<uint32_t> bits = V1Bits(state);
    if (!bits || !IsV1Arc(*V1Bits(from), *bits)) {
      why = StrCat("v1 has no way from ", ToString(from), " to ",
                   ToString(state));
    }
  }
  if (!why.empty()) return Refuse(std::move(why));
  report_.asked = state;
  bool new_session = false;
  if (int error = device_->SetState(state, &new_session); error != 0) {
    session_ = false;
    Verify();
    return Failed(ErrorCode::kDeviceFailed, DeviceCall::kSetState, error,
                  StrCat("it does not go from ", ToString(from), " to ",
                         ToString(state)));
  }
  if (new_session != GivesDataFd(from, state)) {
    Desync();
    return Failed(
        ErrorCode::kDeviceDesync, DeviceCall::kSetState, 0,
        StrCat("from ", ToString(from), " to ", ToString(state),
               new_session ? " it began a new session" : " it began no session",
               ": it was reset while it was being moved"));
  }
  report_.is = state;
  session_ = new_session || (session_ && IsSaving(from) && IsSaving(state));
  return {};
}

void DeviceControl::Desync() {
  device_->DropSession();
  session_ = false;
  Verify();
}

void DeviceControl::Verify() {
  DeviceState state = kError;
  int error = device_->GetState(&state);
  if (error == 0 && state != kError) {
    report_.is = state;
    return;
  }
  if (error != 0) {
    Failed(ErrorCode::kDeviceFailed, DeviceCall::kGetState, error, "");
  }
  Reset();
}

Error DeviceControl::Reset() {
  session_ = loaded_ = false;
  report_.asked = kRunning;
  device_->DropSession();
  int error = device_->Reset();
  report_.was_reset = true;
  DeviceState state = kError;
  const int get_error = device_->GetState(&state);
  report_.lost = get_error != 0 || state != kRunning;
  if (!report_.lost) report_.is = kRunning;
  if (error != 0 || get_error != 0) {
    const bool reset = error != 0;
    Error failed = Failed(ErrorCode::kDeviceLost,
                          reset ? DeviceCall::kReset : DeviceCall::kGetState,
                          reset ? error : get_error, "it cannot be reset");
    if (report_.lost) return failed;
  }
  if (!report_.lost) return {};
  return Failed(ErrorCode::kDeviceLost, DeviceCall::kReset, 0,
                "a reset does not bring it back");
}

Error DeviceControl::Recover() {
  if (report_.lost || report_.is == kResuming) return Reset();
  if (SetState(kRunning).ok()) return {};
  if (!report_.lost && report_.is == kRunning) return {};
  return Reset();
}

ReadResult DeviceControl::Read(std::span<uint8_t> buffer) {
  if (!session_ || !IsSaving(report_.is)) {
    return {.error = Refuse("it is not being saved")};
  }
  const bool stopped = report_.is == kStopCopy;
  IoResult got = device_->Read(buffer);
  if (got.error == EAGAIN) return {ReadResult::kWait};
  if (got.error == 0 && got.bytes > buffer.size()) got.error = EPROTO;
  if (got.error == 0 && got.bytes > 0) return {ReadResult::kData, got.bytes};
  // What the rules have for the end, and what drivers give for it.
  if (!stopped && (got.error == 0 || got.error == ENOMSG)) {
    return {ReadResult::kNothingNow};
  }
  if (got.error == 0) return {ReadResult::kEnd};
  if (got.error == ENODEV) {
    Desync();
    return {.error = Failed(ErrorCode::kDeviceDesync, DeviceCall::kRead, ENODEV,
                            "it was reset while it was being saved")};
  }
  if (got.error == ENOMSG || got.error == EPROTO) {
    return {.error = Failed(ErrorCode::kDeviceProtocol, DeviceCall::kRead,
                            got.error, "a read that its rules do not have")};
  }
  return {.error = Failed(ErrorCode::kDeviceFailed, DeviceCall::kRead,
                          got.error, "it cannot be read")};
}

Error DeviceControl::Write(ByteSpan bytes) {
  if (!session_ || report_.is != kResuming) {
    return Refuse("it is not being loaded");
  }
  while (!bytes.empty()) {
    IoResult put = device_->Write(bytes);
    if (put.error == EAGAIN) {
      if (Error error = Wait(/*writing=*/true); !error.ok()) return error;
      continue;
    }
    if (put.error == ENODEV) {
      Desync();
      return Failed(ErrorCode::kDeviceDesync, DeviceCall::kWrite, ENODEV,
                    "it was reset while it was being loaded");
    }
    if (put.error == 0 && (put.bytes == 0 || put.bytes > bytes.size())) {
      return Failed(
          ErrorCode::kDeviceProtocol, DeviceCall::kWrite, 0,
          StrCat("a write of ", bytes.size(), " bytes took ", put.bytes));
    }
    if (put.error == EINVAL || put.error == ENOMEM || put.error == EFAULT) {
      return Failed(ErrorCode::kDeviceRejected, DeviceCall::kWrite, put.error,
                    StrCat("it does not take the data after its first ",
                           written_, " bytes"));
    }
    if (put.error != 0) {
      return Failed(ErrorCode::kDeviceFailed, DeviceCall::kWrite, put.error,
                    "it cannot be written");
    }
    written_ += put.bytes;
    bytes = bytes.subspan(put.bytes);
  }
  return {};
}

Error DeviceControl::Wait(bool writing) {
  int error = device_->WaitForData(writing);
  if (error == 0) return {};
  return Failed(ErrorCode::kDeviceFailed, DeviceCall::kWait, error,
                writing ? "it takes nothing more" : "it gives nothing more");
}

Error DeviceControl::GetPrecopyBytes(PrecopyBytes* bytes) {
  int error = device_->GetPrecopyBytes(bytes);
  if (error == 0) return {};
  const bool gone = error == ENODEV;
  if (gone) Desync();
  return Failed(gone ? ErrorCode::kDeviceDesync : ErrorCode::kDeviceFailed,
                DeviceCall::kPrecopyBytes, error,
                gone ? "it was reset while it was being saved"
                     : "what PRE_COPY still has is not known");
}

Error DeviceControl::StartReading(RecordStart* start) {
  if (!session_ || !IsSaving(report_.is)) {
    return Refuse("it is not being saved");
  }
  int error = device_->StartReading(start);
  if (error == 0) return {};
  if (error == ENODEV) {
    Desync();
    return Failed(ErrorCode::kDeviceDesync, DeviceCall::kStartReading, ENODEV,
                  "it was reset while it was being saved");
  }
  return Failed(
      error == EPROTO ? ErrorCode::kDeviceProtocol : ErrorCode::kDeviceFailed,
      DeviceCall::kStartReading, error, "no record can be read");
}

Error DeviceControl::StartWriting(uint64_t bytes) {
  if (!session_ || report_.is != kResuming) {
    return Refuse("it is not being loaded");
  }
  int error = device_->StartWriting(bytes);
  if (error == 0) return {};
  if (error == EFBIG) {
    return Failed(
        ErrorCode::kDeviceRecordLimit, DeviceCall::kStartWriting, error,
        StrCat("its region has no room for a record of ", bytes, " bytes"));
  }
  return Failed(
      error == EPROTO ? ErrorCode::kDeviceProtocol : ErrorCode::kDeviceFailed,
      DeviceCall::kStartWriting, error, "no record can be written");
}

}  // namespace migstream
