#include "codec/loader/loader_channels.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include "codec/device/config_view.h"
#include "codec/loader/loader_config.h"
#include "codec/qemu/configuration.h"
#include "codec/wire/text.h"

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
  return StrCat("multifd: received uuid '", UuidText(channel.uuid),
                "' and expected uuid '", UuidText(expected), "' for channel ",
                channel.id);
}

// What is said to a RAM packet that is longer than the loader's room for it.
std::string PacketTooLong(const ChannelStats& channel, const Error& error,
                          uint32_t room) {
  // The claim is the only number in the reason.
  std::string claim;
  std::copy_if(error.reason.begin(), error.reason.end(),
               std::back_inserter(claim),
               [](char c) { return c >= '0' && c <= '9'; });
  return StrCat("multifd ", channel.id, ": next_packet_size ", claim,
                " exceeds allocated ", room);
}

}  // namespace

void LoadChannels(
    std::vector<ChannelReader::Channel> channels,
    const ChannelReaderOptions& options, const LoaderRow& row,
    const std::function<ByteSpan(std::string_view idstr)>& destination_config,
    const std::function<void(const ReassembledPiece&)>& on_piece,
    LoadVerdict& verdict) {
  ChannelReader reader(std::move(channels), options);
  Error config_error;
  std::optional<ConfigRefusal> refusal;
  Error error = reader.Read([&](const ReassembledPiece& piece) {
    on_piece(piece);
    if (!piece.config || !config_error.ok()) return;
    const ByteSpan destination = destination_config(piece.idstr);
    if (!destination.empty()) ++verdict.configs_compared;
    config_error = DecodeConfigPiece(piece, [&](const Event& event) {
      if (event.kind != EventKind::kConfig || destination.empty() || refusal)
        return;
      const ConfigView view = ConfigView::Parse(event.payload, event.layout);
      refusal = CompareWithDestination(view.pci_config, destination, row);
      if (!refusal) return;
      verdict.file = std::string(piece.place.file);
      verdict.offset = event.offset + kBeforePciConfig + refusal->offset;
    });
  });
  if (error.ok()) error = config_error;
  if (error.ok() && refusal) {
    verdict.outcome = LoadVerdict::kRefuses;
    verdict.section = kMultifdSection;
    verdict.message = refusal->message;
  }
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
      return Refuse(
          error,
          StrCat("multifd: received id '", channel.id, "' already setup'"),
          verdict);
    case ErrorCode::kMultifdPacketLimit:
      return Refuse(
          error, PacketTooLong(channel, error, options.limits.ram_packet_bytes),
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
