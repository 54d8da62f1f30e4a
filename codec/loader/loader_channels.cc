#include "codec/loader/loader_channels.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "codec/qemu/configuration.h"

namespace migstream {
namespace {

void Refuse(const Error& error, std::string message, LoadVerdict& verdict) {
  verdict.outcome = LoadVerdict::kRefuses;
  verdict.offset = error.offset;
  verdict.section = error.section;
  verdict.message = std::move(message);
}

// Some channel if the error names none.
const ChannelStats& WhoseByte(const Error& error,
                              const std::vector<ChannelStats>& stats) {
  auto found = std::find_if(
      stats.begin(), stats.end(),
      [&error](const auto& channel) { return channel.file == error.file; });
  return found == stats.end() ? stats.front() : *found;
}

// A destination whose uuid the stream does not say has that of the first
// channel.
std::string OtherVm(const ChannelStats& channel, const VmUuid& expected) {
  return absl::StrCat("multifd: received uuid '", UuidText(channel.uuid),
                      "' and expected uuid '", UuidText(expected),
                      "' for channel ", channel.id);
}

}  // namespace

void LoadChannels(std::vector<ChannelReader::Channel> channels,
                  const ChannelReaderOptions& options, LoadVerdict& verdict) {
  ChannelReader reader(std::move(channels), options);
  Error config_error;
  Error error = reader.Read([&](const ReassembledPiece& piece) {
    if (!piece.config || !config_error.ok()) return;
    config_error = DecodeConfigPiece(piece, [](const Event&) {});
  });
  if (error.ok()) error = config_error;
  if (error.ok()) return;
  verdict.file = error.file;
  const std::vector<ChannelStats> stats = reader.stats();
  const ChannelStats& channel = WhoseByte(error, stats);
  switch (error.code) {
    case ErrorCode::kMultifdOtherVm:
      return Refuse(error,
                    OtherVm(channel, options.uuid.value_or(stats[0].uuid)),
                    verdict);
    case ErrorCode::kMultifdChannelId:
      return Refuse(error,
                    absl::StrCat("multifd: received id '", channel.id,
                                 "' already setup'"),
                    verdict);
    case ErrorCode::kMultifdGap:
    case ErrorCode::kMultifdDuplicate:
    case ErrorCode::kMultifdUnknownDevice:
    case ErrorCode::kMultifdVersion:
    case ErrorCode::kMultifdGapLimit:
    case ErrorCode::kMultifdIndexLimit:
      return Wait(error.offset, error.section, error.reason, verdict);
    case ErrorCode::kReadFailed:
      verdict.outcome = LoadVerdict::kUnreadable;
      verdict.message = error.reason;
      return;
    default:
      return Refuse(error, error.reason, verdict);
  }
}

void Wait(uint64_t offset, std::string section, std::string what,
          LoadVerdict& verdict) {
  verdict.outcome = LoadVerdict::kWaits;
  verdict.offset = offset;
  verdict.section = std::move(section);
  verdict.message = std::move(what);
}

}  // namespace migstream
