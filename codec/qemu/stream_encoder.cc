#include "codec/qemu/stream_encoder.h"

#include <algorithm>
#include <cassert>

namespace migstream {
namespace {

constexpr uint8_t Byte(SectionType type) { return static_cast<uint8_t>(type); }

}  // namespace

template <typename Write>
Put StreamEncoder::Record(State from, State to, ByteSpan payload, Write write) {
  if (!ok()) return Put::kError;
  if (state_ != from) return Refuse("this may not stand here");
  uint8_t bytes[kMaxSectionHeaderBytes];
  Writer writer(bytes);
  write(writer);
  if (!writer.ok()) return Refuse("a name of more than 255 bytes");
  const ByteSpan head = writer.written();
  if (!gather_.Room(std::ssize(head), 2)) return Put::kFull;
  if (!head.empty()) {
    std::copy(head.begin(), head.end(), gather_.Header(head.size()));
  }
  gather_.Piece(payload);
  state_ = to;
  return Put::kDone;
}

Put StreamEncoder::Header(uint32_t version) {
  return Record(State::kBetween, State::kBetween, {}, [&](Writer& writer) {
    writer.Be32(kStreamMagic);
    writer.Be32(version);
  });
}

Put StreamEncoder::Configuration(std::string_view machine_type) {
  return Record(State::kBetween, State::kBetween, AsBytes(machine_type),
                [&](Writer& writer) {
                  writer.U8(Byte(SectionType::kConfiguration));
                  writer.Be32(static_cast<uint32_t>(machine_type.size()));
                });
}

Put StreamEncoder::ConfigurationSubsection(
    const ConfigurationView::Subsection& subsection) {
  return Record(State::kBetween, State::kBetween, subsection.payload,
                [&](Writer& writer) {
                  writer.U8(Byte(SectionType::kSubsection));
                  writer.Str8(subsection.name);
                  writer.Be32(subsection.version);
                });
}

Put StreamEncoder::Section(const SectionView& section) {
  const State to = section.vfio ? State::kDevice : State::kContent;
  Put put = Record(State::kBetween, to, {}, [&](Writer& writer) {
    writer.U8(Byte(section.type));
    writer.Be32(section.id);
    if (section.type != SectionType::kStart &&
        section.type != SectionType::kFull) {
      return;
    }
    writer.Str8(section.idstr);
    writer.Be32(section.instance_id);
    writer.Be32(section.version_id);
  });
  if (put != Put::kDone) return put;
  section_id_ = section.id;
  if (section.vfio) {
    device_.emplace(section.type, *dialect_, gather_);
    name_[section.idstr.copy(name_, sizeof name_ - 1)] = '\0';
  }
  return put;
}

SectionEncoder& StreamEncoder::device() {
  assert(device_);
  return *device_;
}

Put StreamEncoder::Content(ByteSpan bytes) {
  return Record(State::kContent, State::kContent, bytes, [](Writer&) {});
}

Put StreamEncoder::EndSection(bool footer) {
  if (!ok()) return Put::kError;
  const State from = device_ ? State::kDevice : State::kContent;
  const Gather before = gather_;
  if (device_) gather_ = device_->gather();
  Put put = Record(from, State::kBetween, {}, [&](Writer& writer) {
    if (!footer) return;
    writer.U8(Byte(SectionType::kSectionFooter));
    writer.Be32(section_id_);
  });
  if (put == Put::kDone) {
    device_.reset();
  } else {
    gather_ = before;
  }
  return put;
}

Put StreamEncoder::Command(migstream::Command command, ByteSpan data) {
  if (data.size() > 0xffff) return Refuse("a command of more than 65535 bytes");
  return Record(State::kBetween, State::kBetween, data, [&](Writer& writer) {
    writer.U8(Byte(SectionType::kCommand));
    writer.Be16(static_cast<uint16_t>(command));
    writer.Be16(static_cast<uint16_t>(data.size()));
  });
}

Put StreamEncoder::Eof() {
  return Record(State::kBetween, State::kEof, {},
                [](Writer& writer) { writer.U8(Byte(SectionType::kEof)); });
}

Put StreamEncoder::Description(ByteSpan json) {
  return Record(State::kEof, State::kDone, json, [&](Writer& writer) {
    writer.U8(Byte(SectionType::kVmDescription));
    writer.Be32(static_cast<uint32_t>(json.size()));
  });
}

Put StreamEncoder::Append(const StreamEvent& event) {
  switch (event.kind) {
    case StreamEvent::kHeader:
      return Header(event.version);
    case StreamEvent::kConfiguration:
      return Configuration(event.machine_type);
    case StreamEvent::kConfigurationSubsection:
      return ConfigurationSubsection(event.subsection);
    case StreamEvent::kSection:
      return Section(*event.section);
    case StreamEvent::kDevice:
      return Device(event.device);
    case StreamEvent::kContent:
      // Behind the description's head comes its JSON.
      if (state_ == State::kDone) {
        return Record(State::kDone, State::kDone, event.content,
                      [](Writer&) {});
      }
      [[fallthrough]];
    case StreamEvent::kRamRecord:
    case StreamEvent::kRamBlock:
      return Content(event.content);
    case StreamEvent::kRamBlocks:
    case StreamEvent::kFinding:
      return ok() ? Put::kDone : Put::kError;
    case StreamEvent::kTakenOver:
      return Refuse("content that was taken over");
    case StreamEvent::kSectionEnd:
      return EndSection(event.footer);
    case StreamEvent::kCommand:
      return Command(event.command.command, event.command.data);
    case StreamEvent::kEof:
      return Eof();
    case StreamEvent::kDescription:
      return Record(State::kEof, State::kDone, {}, [&](Writer& writer) {
        writer.U8(Byte(SectionType::kVmDescription));
        writer.Be32(event.description_bytes);
      });
  }
  return Put::kError;
}

Put StreamEncoder::Refuse(const char* what) {
  if (ok()) error_ = {ErrorCode::kNotWritable, 0, "stream", what};
  return Put::kError;
}

Error StreamEncoder::error() const {
  return error_.ok() && device_ ? device_->error(name_) : error_;
}

void StreamEncoder::Clear() {
  gather_.Clear();
  if (device_) device_->Clear();
}

}  // namespace migstream
