#include "codec/qemu/stream_recording.h"

#include <algorithm>
#include <cstring>

#include "codec/wire/text.h"

namespace migstream {
namespace {

uint64_t Hash(uint64_t hash, ByteSpan bytes) {
  for (uint8_t byte : bytes) hash = (hash ^ byte) * 0x100000001b3;
  return hash;
}

}  // namespace

void StreamRecording::Flush() {
  if (content_bytes_ == 0) return;
  lines_.push_back(
      StrCat("  ", content_bytes_, " bytes, hash ", content_hash_));
  content_bytes_ = 0;
  content_hash_ = 0;
}

void StreamRecording::OnHeader(uint32_t version) {
  lines_.push_back(StrCat("header ", version));
}

void StreamRecording::OnConfiguration(const ConfigurationView& configuration) {
  lines_.push_back(StrCat("configuration ", configuration.machine_type));
  for (const auto& subsection : configuration.subsections) {
    lines_.push_back(
        StrCat("  ", subsection.name, " ", subsection.payload.size()));
  }
}

void StreamRecording::OnSection(const SectionView& section) {
  lines_.push_back(StrCat(Hex(section.offset), " ", ToString(section.type), " ",
                          section.id, " ", section.idstr, " ",
                          section.instance_id, " ", section.version_id));
}

void StreamRecording::OnDeviceEvent(const SectionView& section,
                                    const Event& event) {
  Device& device = devices[std::string(section.idstr)];
  if (event.kind != EventKind::kData || event.starts_record) {
    Flush();
    lines_.push_back(StrCat("  ", Hex(event.offset), " ", ToString(event), " ",
                            event.kind == EventKind::kData
                                ? event.record_bytes
                                : event.payload.size()));
  }
  content_bytes_ += event.payload.size();
  content_hash_ = Hash(content_hash_, event.payload);
  switch (event.kind) {
    case EventKind::kData:
      if (event.starts_record) device.records.push_back(event.record_bytes);
      device.payload.append(AsText(event.payload).data(), event.payload.size());
      break;
    case EventKind::kConfig:
      device.pci_config_bytes.push_back(event.layout.pci_config_bytes);
      device.msix_vectors.push_back(event.layout.msix_vectors);
      break;
    case EventKind::kConfigEnd:
      ++device.config_ends;
      break;
    case EventKind::kTag:
      device.init_data_sent += event.Is(Element::kInitDataSent);
      break;
    case EventKind::kSubsection:
      break;
  }
}

void StreamRecording::OnContent(ByteSpan bytes) {
  content_bytes_ += bytes.size();
  content_hash_ = Hash(content_hash_, bytes);
}

void StreamRecording::OnSectionEnd(const SectionView& section,
                                   uint64_t content_bytes, bool footer) {
  Flush();
  if (section.type == SectionType::kFull) {
    full_sections.push_back(
        StrCat(section.idstr, " ", section.instance_id, ": ", content_bytes));
  }
  lines_.push_back(StrCat("end ", content_bytes, " ", footer));
}

void StreamRecording::OnCommand(const CommandView& command) {
  lines_.push_back(StrCat(Hex(command.offset), " ", ToString(command.command)));
}

void StreamRecording::OnEof(uint64_t offset) {
  lines_.push_back(StrCat(Hex(offset), " EOF"));
}

void StreamRecording::OnDescription(uint64_t offset, ByteSpan json) {
  lines_.push_back(StrCat(Hex(offset), " description ", json.size()));
}

void StreamRecording::OnFinding(const Finding& finding) {
  findings.push_back(finding);
  lines_.push_back(StrCat(Hex(finding.offset), " ", finding.message));
}

void StreamRecording::OnRest(ByteSpan bytes) { OnContent(bytes); }

std::string StreamRecording::Text() const {
  return StrCat(StrJoin(lines_, "\n"), "\n", content_bytes_, " ",
                content_hash_);
}

size_t ShortReadSource::Read(uint8_t* to, size_t count) {
  size_t size = std::min({count, rest_.size(), 1 + random_() % longest_});
  if (size != 0) std::memcpy(to, rest_.data(), size);
  rest_ = rest_.subspan(size);
  return size;
}

size_t FailingSource::Read(uint8_t* to, size_t count) {
  size_t size = std::min(count, bytes_.size());
  if (size == 0) {
    Fail("out of luck");
    return 0;
  }
  std::memcpy(to, bytes_.data(), size);
  bytes_.erase(0, size);
  return size;
}

Recorded Record(ByteSource& source, const ReaderOptions& options) {
  Recorded recorded;
  StreamReader reader(source, recorded.recording, options);
  recorded.error = reader.Read();
  recorded.trailing_bytes = reader.trailing_bytes();
  return recorded;
}

}  // namespace migstream
