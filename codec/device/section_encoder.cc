#include "codec/device/section_encoder.h"

#include <algorithm>
#include <span>
#include <string_view>

#include "codec/device/pci_config.h"
#include "codec/wire/text.h"
#include "codec/wire/writer.h"
#include "flags/section_type.h"
#include "flags/tag.h"
#include "flags/trigger_flags.h"

namespace migstream {
namespace {

// Numbers of a config payload that are not views: at most version, IRQ states,
// and what E5 adds.
constexpr size_t kMaxConfigNumbers = 64;

}  // namespace

SectionEncoder::SectionEncoder(SectionType type, const Dialect& dialect,
                               std::span<uint8_t> headers,
                               std::span<iovec> pieces)
    : SectionEncoder(type, dialect, Gather(headers, pieces)) {}

SectionEncoder::SectionEncoder(SectionType type, const Dialect& dialect,
                               const Gather& gather)
    : dialect_(&dialect),
      grammar_(&dialect.Grammar(type)),
      gather_(gather),
      type_(type) {
  if (!grammar_->Exists()) Fail(ErrorCode::kUnexpectedSection, Element::kNone);
}

Put SectionEncoder::TagAlone(Element element) {
  if (!Allowed(element) || !IsTagAlone(element)) return Refuse(element);
  if (!gather_.Room(kTagBytes, 1)) return Put::kFull;
  StoreBe64(Header(kTagBytes), static_cast<uint64_t>(dialect_->TagOf(element)));
  previous_ = element;
  if (grammar_->After(element).empty()) state_ = State::kDone;
  return Put::kDone;
}

// The hot path of a migration. Where its code straddles cache lines, some CPUs
// take nearly twice as long.
[[gnu::aligned(64)]] Put SectionEncoder::Data(ByteSpan payload) {
  if (PutRecord(payload)) [[likely]]
    return Put::kDone;
  return Allowed(Element::kData) ? Put::kFull : Refuse(Element::kData);
}

// What is the same for all records is looked at once, and the state stays in
// registers.
Put SectionEncoder::DataBatch(std::span<const iovec>& payloads) {
  if (!ok()) return Put::kError;
  if (payloads.empty()) return Put::kDone;
  if (!Allowed(Element::kData)) return Refuse(Element::kData);
  std::span<const iovec> allowed = payloads;
  if (!grammar_->After(Element::kData).Contains(Element::kData)) {
    allowed = allowed.first(1);
  }
  Gather gather = gather_;
  uint64_t bytes = bytes_;
  const iovec* payload = allowed.data();
  const iovec* end = payload + allowed.size();
  // Empty records take one piece less, so there may be room for more then.
  while (size_t count = std::min<size_t>(gather.Rooms(kRecordHeaderBytes, 2),
                                         end - payload)) {
    for (const iovec* last = payload + count; payload != last; ++payload) {
      const auto [base, size] = *payload;
      uint8_t* header = gather.Header(kRecordHeaderBytes);
      StoreBe64(header, static_cast<uint64_t>(Tag::kDevDataState));
      StoreBe64(header + kTagBytes, size);
      gather.Piece(ByteSpan(static_cast<const uint8_t*>(base), size));
      bytes += kRecordHeaderBytes + size;
    }
  }
  gather_ = gather;
  bytes_ = bytes;
  if (payload == allowed.data()) return Put::kFull;
  previous_ = Element::kData;
  payloads = payloads.subspan(payload - payloads.data());
  if (payloads.empty()) return Put::kDone;
  return payload == end ? Refuse(Element::kData) : Put::kFull;
}

Put SectionEncoder::DataHeader(uint64_t bytes) {
  if (!Allowed(Element::kData)) return Refuse(Element::kData);
  if (!gather_.Room(kRecordHeaderBytes, 1)) return Put::kFull;
  uint8_t* header = Header(kRecordHeaderBytes);
  StoreBe64(header, static_cast<uint64_t>(Tag::kDevDataState));
  StoreBe64(header + kTagBytes, bytes);
  payload_left_ = bytes;
  previous_ = Element::kData;
  return Put::kDone;
}

Put SectionEncoder::Payload(ByteSpan piece) {
  if (!ok()) return Put::kError;
  if (piece.size() > payload_left_) {
    return Fail(ErrorCode::kRecordOverrun, Element::kData);
  }
  if (!gather_.Room(0, 1)) return Put::kFull;
  Piece(piece);
  payload_left_ -= piece.size();
  return Put::kDone;
}

Put SectionEncoder::TakeOver(uint64_t bytes) {
  if (!ok()) return Put::kError;
  if (bytes > payload_left_) {
    return Fail(ErrorCode::kRecordOverrun, Element::kData);
  }
  payload_left_ -= bytes;
  bytes_ += bytes;
  return Put::kDone;
}

Put SectionEncoder::Config(const ConfigView& config, uint8_t trigger_flags) {
  const Subflag& subflag = dialect_->subflag;
  uint64_t value = 0;
  if (ok() && subflag.width != 0) {
    const auto* end = subflag.values.begin() + subflag.value_count;
    const auto* entry = std::find_if(
        subflag.values.begin(), end,
        [trigger_flags](const auto& v) { return v.flags == trigger_flags; });
    if (entry == end) return Fail(ErrorCode::kUnknownSubflag, Element::kConfig);
    value = entry->value;
  }
  return ConfigWithSubflag(config, trigger_flags, value);
}

// Whether a loader could read the parts as they are.
bool SectionEncoder::IsWritable(const ConfigView& config) const {
  size_t vectors = config.msix_table.size() / kMsixEntryBytes;
  bool msix_whole = config.msix_table.size() % kMsixEntryBytes == 0 &&
                    config.msix_pba.size() == (vectors + 7) / 8 &&
                    vectors <= kMaxMsixVectors;
  if (!msix_whole) return false;
  if (dialect_->config_layout == ConfigLayoutKind::kE5V7) {
    return config.pci_config.empty() &&
           (vectors == 0 || config.interrupt_type == kInterruptMsix);
  }
  if (config.pci_config.empty()) return vectors == 0;  // Nothing at all.
  bool irq_states_right =
      std::all_of(config.irq_state.begin(), config.irq_state.end(),
                  [](uint32_t state) { return state <= 1; });
  return (config.pci_config.size() == kPciConfigBytes ||
          config.pci_config.size() == kPcieConfigBytes) &&
         config.version <= kNewestConfigVersion && irq_states_right;
}

Put SectionEncoder::ConfigWithSubflag(const ConfigView& config,
                                      uint8_t trigger_flags,
                                      uint64_t subflag_value) {
  if (!Allowed(Element::kConfig)) return Refuse(Element::kConfig);
  const Subflag& subflag = dialect_->subflag;
  bool config_follows =
      subflag.width == 0 || (trigger_flags & kTriggerConfigFollows) != 0;
  if (subflag.width > kTagBytes || (config_follows && !IsWritable(config))) {
    return Fail(ErrorCode::kNotWritable, Element::kConfig);
  }
  if (!gather_.Room(2 * kTagBytes + kMaxConfigNumbers, 6)) return Put::kFull;
  config_has_payload_ = config_follows;

  uint8_t* tag = Header(kTagBytes + subflag.width);
  StoreBe64(tag, static_cast<uint64_t>(Tag::kDevConfigState));
  StoreBe(tag + kTagBytes, subflag_value, subflag.width);
  state_ = State::kConfig;
  previous_ = Element::kConfig;
  if (!config_follows) return Put::kDone;

  uint8_t numbers[kMaxConfigNumbers];
  auto put_numbers = [&](auto write) {
    Writer writer(numbers);
    write(writer);
    ByteSpan written = writer.written();
    std::copy(written.begin(), written.end(), Header(written.size()));
  };
  switch (dialect_->config_layout) {
    case ConfigLayoutKind::kE5V7:
      put_numbers([&](Writer& writer) {
        for (uint32_t bar : config.bars) writer.Be32(bar);
        writer.Be32(config.interrupt_type);
        if (config.interrupt_type == kInterruptMsi) {
          for (uint32_t word : config.msi) writer.Be32(word);
        }
        if (config.interrupt_type == kInterruptMsix) {
          writer.Be16(config.msix_flags);
        }
      });
      Piece(config.msix_table);
      Piece(config.msix_pba);
      put_numbers([&](Writer& writer) { writer.Be16(config.command); });
      return Put::kDone;
    case ConfigLayoutKind::kReleased:
    case ConfigLayoutKind::kE5V26:
      if (config.pci_config.empty()) return Put::kDone;  // Nothing at all.
      put_numbers([&](Writer& writer) { writer.Be32(config.version); });
      Piece(config.pci_config);
      put_numbers([&](Writer& writer) {
        for (uint32_t state : config.irq_state) writer.Be32(state);
        if (dialect_->config_layout == ConfigLayoutKind::kE5V26) {
          writer.Be32(config.vfio_version);
          writer.Be32(config.interrupt_type);
        }
      });
      Piece(config.msix_table);
      Piece(config.msix_pba);
      return Put::kDone;
  }
  return Put::kDone;
}

Put SectionEncoder::Subsection(const SubsectionView& subsection) {
  if (!ok()) return Put::kError;
  bool readable = subsection.name.size() <= 0xff &&
                  subsection.name.size() > kVfioPciVmstate.size() &&
                  subsection.name.starts_with(kVfioPciVmstate) &&
                  (subsection.name != kDisplaySubsection ||
                   subsection.payload.size() == kRamfbBytes);
  if (state_ != State::kConfig || !config_has_payload_ || !readable) {
    return Fail(ErrorCode::kNotWritable, Element::kNone);
  }
  const size_t header_bytes = 2 + subsection.name.size() + 4;
  if (!gather_.Room(static_cast<ptrdiff_t>(header_bytes), 2)) return Put::kFull;
  Writer writer(std::span(Header(header_bytes), header_bytes));
  writer.U8(static_cast<uint8_t>(SectionType::kSubsection));
  writer.Str8(subsection.name);
  writer.Be32(subsection.version);
  Piece(subsection.payload);
  return Put::kDone;
}

Put SectionEncoder::EndConfig() {
  if (!ok()) return Put::kError;
  if (state_ != State::kConfig) {
    return Fail(ErrorCode::kNotWritable, Element::kEndOfState);
  }
  if (!gather_.Room(kTagBytes, 1)) return Put::kFull;
  StoreBe64(Header(kTagBytes), static_cast<uint64_t>(Tag::kEndOfState));
  state_ = grammar_->After(Element::kConfig).empty() ? State::kDone
                                                     : State::kElements;
  return Put::kDone;
}

Put SectionEncoder::Append(const Event& event) {
  switch (event.kind) {
    case EventKind::kTag:
      return TagAlone(event.element);
    case EventKind::kData: {
      if (!event.starts_record) return Payload(event.payload);
      if (!gather_.Room(2 * kTagBytes, 2) && ok()) return Put::kFull;
      Put put = DataHeader(event.record_bytes);
      return put == Put::kDone ? Payload(event.payload) : put;
    }
    case EventKind::kConfig:
      if (ok() && event.layout.total_bytes != 0 &&
          event.layout.kind != dialect_->config_layout) {
        return Fail(ErrorCode::kNotWritable, Element::kConfig);
      }
      return ConfigWithSubflag(ConfigView::Parse(event.payload, event.layout),
                               event.trigger_flags, event.subflag);
    case EventKind::kSubsection:
      return Subsection(event.subsection);
    case EventKind::kConfigEnd:
      return EndConfig();
  }
  return Put::kError;
}

[[gnu::cold]] Put SectionEncoder::Refuse(Element element) {
  if (!ok()) return Put::kError;
  return Fail(
      payload_left_ != 0 ? ErrorCode::kMissingPayload : ErrorCode::kNotWritable,
      element);
}

uint8_t* SectionEncoder::Header(size_t bytes) {
  bytes_ += bytes;
  return gather_.Header(bytes);
}

void SectionEncoder::Piece(ByteSpan bytes) {
  bytes_ += bytes.size();
  gather_.Piece(bytes);
}

[[gnu::cold]] Put SectionEncoder::Fail(ErrorCode code, Element element) {
  state_ = State::kError;
  error_ = code;
  refused_ = element;
  return Put::kError;
}

[[gnu::cold]] Error SectionEncoder::error(std::string_view device) const {
  Error error;
  if (ok()) return error;
  error.code = error_;
  error.offset = bytes_;
  error.section = StrCat(device, " ", ToString(type_));
  switch (error_) {
    case ErrorCode::kUnexpectedSection:
      error.reason = StrCat("dialect ", dialect_->name, " has no ",
                            ToString(type_), " section for a device");
      break;
    case ErrorCode::kRecordOverrun:
      error.reason = "more payload than the record's header says";
      break;
    case ErrorCode::kMissingPayload:
      error.reason = StrCat(ToString(refused_), ", but the record lacks ",
                            payload_left_, " bytes of payload");
      break;
    case ErrorCode::kUnknownSubflag:
      error.reason = "no subflag of the dialect has these trigger flags";
      break;
    default:
      if (grammar_->After(previous_).Contains(refused_)) {
        error.reason = "a config payload that no loader could read";
        break;
      }
      if (refused_ == Element::kNone) {
        error.reason = "a subsection that no loader could read here";
        break;
      }
      error.reason =
          StrCat("dialect ", dialect_->name, " has no ", ToString(refused_),
                 " here, but ", ToString(grammar_->After(previous_)));
      break;
  }
  return error;
}

}  // namespace migstream
