#include "codec/survey/payload_survey.h"

#include "codec/channels/channel_reader.h"
#include "codec/device/config_view.h"
#include "codec/wire/bytes.h"
#include "flags/tag.h"

namespace migstream {

void PayloadSurvey::OnEvent(size_t device, SectionType type,
                            const Event& event) {
  const bool part = type == SectionType::kPart;
  switch (event.kind) {
    case EventKind::kData: {
      PayloadTally& tally = Tally(device);
      current_ = &tally;
      if (!part) tally.BeginStopCopy();
      uint64_t header = event.starts_record ? kRecordHeaderBytes : 0;
      tally.Add(event.payload, {.stream_offset = event.offset + header});
      return;
    }
    case EventKind::kConfig:
      if (event.layout.total_bytes == 0) return;
      if (auto id =
              IdOf(ConfigView::Parse(event.payload, event.layout).pci_config)) {
        Tally(device).SetId(*id);
      }
      return;
    case EventKind::kTag:
      if (event.Is(Element::kInitDataSent)) {
        Tally(device).InitialDataSent();
      }
      if (event.Is(Element::kEndOfState) && type == SectionType::kEnd) {
        At(device).ended = true;
      }
      return;
    case EventKind::kSubsection:
    case EventKind::kConfigEnd:
      return;
  }
}

void PayloadSurvey::OnRecords(size_t device, SectionType type,
                              const DeviceRecords& records) {
  PayloadTally& tally = Tally(device);
  current_ = &tally;
  if (type != SectionType::kPart) tally.BeginStopCopy();
  records.ForEach([&](uint64_t offset, ByteSpan payload) {
    tally.Add(payload, {.stream_offset = offset + kRecordHeaderBytes});
  });
}

void PayloadSurvey::OnPiece(size_t device, const ReassembledPiece& piece) {
  if (!piece.config) {
    PayloadTally& tally = Tally(device);
    tally.BeginStopCopy();
    tally.Add(piece.data, {.stream_offset = piece.data_offset(),
                           .channel = ChannelOf(piece.place.file)});
    return;
  }
  // What is wrong with it concerns others.
  (void)DecodeConfigPiece(piece, [&](const Event& event) {
    if (event.kind != EventKind::kConfig) return;
    OnEvent(device, SectionType::kFull, event);
  });
}

std::optional<PayloadReport> PayloadSurvey::Finish(size_t device, bool whole) {
  if (device >= devices_.size()) return std::nullopt;
  std::unique_ptr<PayloadTally> tally = std::move(devices_[device].tally);
  if (tally == nullptr || tally->bytes() == 0) return std::nullopt;
  return tally->Finish(whole);
}

PayloadSurvey::Device& PayloadSurvey::At(size_t device) {
  if (device >= devices_.size()) devices_.resize(device + 1);
  return devices_[device];
}

PayloadTally& PayloadSurvey::Tally(size_t device) {
  std::unique_ptr<PayloadTally>& tally = At(device).tally;
  if (tally == nullptr) tally = std::make_unique<PayloadTally>(options_);
  return *tally;
}

uint32_t PayloadSurvey::ChannelOf(std::string_view file) {
  // Packets of one channel come in turns with those of few others.
  for (size_t i = files_.size(); i-- > 0;) {
    if (files_[i] == file) return static_cast<uint32_t>(i + 1);
  }
  files_.emplace_back(file);
  return static_cast<uint32_t>(files_.size());
}

std::optional<PciId> IdOf(ByteSpan pci_config) {
  if (pci_config.size() < 4) return std::nullopt;
  PciId id = {LoadLe16(pci_config.data()), LoadLe16(pci_config.data() + 2)};
  if (id.vendor == 0 || id.vendor == 0xffff) return std::nullopt;
  return id;
}

}  // namespace migstream
