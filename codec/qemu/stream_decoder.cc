#include "codec/qemu/stream_decoder.h"

#include <algorithm>
#include <utility>

#include "codec/wire/guessed.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "flags/command.h"
#include "flags/ram_flags.h"
#include "flags/tag.h"

namespace migstream {
namespace {

constexpr size_t kHeaderBytes = 8;
constexpr size_t kCommandHeadBytes = 5;      // Type, number, length.
constexpr size_t kDescriptionHeadBytes = 5;  // Type, length.

constexpr uint64_t kDataTag = static_cast<uint64_t>(Tag::kDevDataState);
constexpr uint64_t kEndOfStateTag = static_cast<uint64_t>(Tag::kEndOfState);

constexpr uint8_t Byte(SectionType type) { return static_cast<uint8_t>(type); }

// Whether END_OF_STATE stands behind `previous` in a PART, and ends it.
bool EndsPart(const Dialect& dialect, Element previous) {
  const SectionGrammar& grammar = dialect.Grammar(SectionType::kPart);
  return dialect.Meaning(kEndOfStateTag) == Element::kEndOfState &&
         grammar.After(previous).Contains(Element::kEndOfState) &&
         grammar.After(Element::kEndOfState).empty();
}

}  // namespace

bool IsVfioIdstr(std::string_view idstr) {
  return idstr == "vfio" || idstr.ends_with("/vfio");
}

[[gnu::cold]] StreamDecoder::StreamDecoder(const StreamDecoderOptions& options)
    : options_(options), ram_(options_.limits), footers_(options_.footers) {
  walk_.offset = options_.offset;
  if (options_.page_bytes != 0) SetPageBytes(options_.page_bytes);
}

Step StreamDecoder::Next(ByteSpan& input, StreamEvent& event) {
  event.section = &section_;
  Step step;
  if (walk_.findings.empty() && package_end_ == 0) [[likely]] {
    step = Advance(input, event);
  } else {
    if (findings_given_ < walk_.findings.size()) return GiveFinding(event);
    walk_.findings.clear();
    findings_given_ = 0;
    step = package_end_ == 0 ? Advance(input, event) : InPackage(input, event);
  }
  // What was noted on the way to an error comes before it.
  return step == Step::kEvent || walk_.findings.empty() ? step
                                                        : GiveFinding(event);
}

[[gnu::cold]] Step StreamDecoder::GiveFinding(StreamEvent& event) {
  Finding& finding = walk_.findings[findings_given_++];
  if (finding.section.empty()) finding.section = SectionName();
  event.kind = StreamEvent::kFinding;
  event.offset = finding.offset;
  event.content = {};
  event.finding = &finding;
  return Step::kEvent;
}

// A package is a child of the stream: nothing in it sees what is behind its
// end, and nothing goes on past that.
Step StreamDecoder::InPackage(ByteSpan& input, StreamEvent& event) {
  if (state_ == State::kError) return Step::kError;
  if (state_ == State::kBetween && walk_.offset == package_end_) {
    package_end_ = 0;
    return Advance(input, event);
  }
  auto fail = [&] {
    return Fail(ErrorCode::kOutOfStep, package_end_, "PACKAGED",
                "a section goes on past the package's end");
  };
  // A payload may have been announced, or taken over.
  if (offset() > package_end_ || payload_left() > package_left()) return fail();
  ByteSpan inside =
      input.first(std::min<uint64_t>(input.size(), package_left()));
  const bool whole = inside.size() == package_left();
  const bool end_of_input =
      std::exchange(walk_.end_of_input, walk_.end_of_input || whole);
  const size_t before = inside.size();
  Step step = Advance(inside, event);
  if (step == Step::kNeedInput && whole && !AtEndOfInput(inside)) {
    step = Advance(inside, event);
  }
  walk_.end_of_input = end_of_input;
  input = input.subspan(before - inside.size());
  return step == Step::kNeedInput && whole ? fail() : step;
}

Step StreamDecoder::Advance(ByteSpan& input, StreamEvent& event) {
  if (walk_.payload_left != 0) return walk_.Piece(input, event);
  switch (state_) {
    case State::kRam:
      return ContentStep(ram_.Next(input, traits_, walk_, event), input, event);
    case State::kDevice:
      return DeviceContent(input, event);
    case State::kHandler:
      return ContentStep(handler_->Next(input, walk_, event), input, event);
    case State::kBetween:
      return Between(input, event);
    case State::kContent:
      if (Step step = Content(input); step != Step::kEvent) return step;
      if (state_ != State::kTakenOver) return Advance(input, event);
      return walk_.Take(input, 0, StreamEvent::kTakenOver, event);
    case State::kPassing:
      state_ = State::kSectionOver;
      return Footer(input, event);
    case State::kSectionOver:
      return Footer(input, event);
    case State::kTakenOver:
      return Fail(ErrorCode::kNotWritable, walk_.offset, SectionName(),
                  "Next() before EndContent()");
    case State::kHeader:
      return Header(input, event);
    case State::kConfiguration:
      return Configuration(input, event);
    case State::kSubsections:
      return ConfigurationSubsection(input, event);
    case State::kAfterEof:
      return Description(input, event);
    case State::kDescription:
      state_ = State::kDone;
      return Step::kDone;
    case State::kDone:
      return Step::kDone;
    case State::kError:
      break;
  }
  return Step::kError;
}

[[gnu::cold]] Step StreamDecoder::Header(ByteSpan& input, StreamEvent& event) {
  if (input.size() < kHeaderBytes) return walk_.Need(kHeaderBytes);
  const uint32_t magic = LoadBe32(input.data());
  if (magic != kStreamMagic) {
    return Fail(ErrorCode::kNotAStream, walk_.offset, "header",
                StrCat("not a migration stream: begins with ", Hex(magic),
                       ", expected ", Hex(kStreamMagic), " (QEVM)"));
  }
  event.version = LoadBe32(&input[4]);
  if (event.version != kStreamVersion) {
    return Fail(ErrorCode::kUnknownVersion, walk_.offset + 4, "header",
                event.version == kStreamVersionObsolete
                    ? "stream version 2, which is obsolete"
                    : StrCat("stream version ", event.version, ", expected 3"));
  }
  state_ = State::kConfiguration;
  return walk_.Take(input, kHeaderBytes, StreamEvent::kHeader, event);
}

[[gnu::cold]] Step StreamDecoder::Configuration(ByteSpan& input,
                                                StreamEvent& event) {
  if (!input.empty() && input[0] != Byte(SectionType::kConfiguration)) {
    state_ = State::kBetween;
    return Between(input, event);
  }
  RecordCursor cursor(input, walk_.offset);
  event.machine_type = ParseMachineType(cursor);
  if (!cursor.ok()) {
    return cursor.error().ok() ? walk_.Stop(cursor) : Fail(cursor.error());
  }
  has_configuration_ = true;
  state_ = State::kSubsections;
  return walk_.Take(input, cursor.bytes(), StreamEvent::kConfiguration, event);
}

[[gnu::cold]] Step StreamDecoder::ConfigurationSubsection(ByteSpan& input,
                                                          StreamEvent& event) {
  switch (StartsConfigurationSubsection(input)) {
    case SubsectionStart::kMore:
      if (!input.empty() || !walk_.end_of_input) {
        return walk_.Need(input.size() + 1);
      }
      [[fallthrough]];
    case SubsectionStart::kNo:
      state_ = State::kBetween;
      return Between(input, event);
    case SubsectionStart::kYes:
      break;
  }
  RecordCursor cursor(input, walk_.offset);
  event.subsection = ParseConfigurationSubsection(cursor, configuration_);
  if (!cursor.ok()) {
    return cursor.error().ok() ? walk_.Stop(cursor) : Fail(cursor.error());
  }
  traits_.ignore_shared = configuration_.ignore_shared;
  traits_.mapped_ram = configuration_.mapped_ram;
  if (configuration_.page_bits != 0) {
    SetPageBytes(uint64_t{1} << configuration_.page_bits);
  }
  return walk_.Take(input, cursor.bytes(),
                    StreamEvent::kConfigurationSubsection, event);
}

Step StreamDecoder::Between(ByteSpan& input, StreamEvent& event) {
  if (input.empty()) return walk_.Need(1);
  const SectionType type = static_cast<SectionType>(input[0]);
  switch (type) {
    case SectionType::kEof:
      if (package_end_ != 0) {
        return Fail(ErrorCode::kOutOfStep, walk_.offset, "PACKAGED",
                    StrCat("EOF in a package that claims to end at ",
                           Hex(package_end_)));
      }
      state_ = State::kAfterEof;
      return walk_.Take(input, 1, StreamEvent::kEof, event);
    case SectionType::kStart:
    case SectionType::kFull:
      return NamedSection(type, input, event);
    case SectionType::kPart:
    case SectionType::kEnd:
      return NumberedSection(type, input, event);
    case SectionType::kCommand:
      return CommandRecord(input, event);
    case SectionType::kSubsection:
    case SectionType::kVmDescription:
    case SectionType::kConfiguration:
    case SectionType::kSectionFooter:
      break;
  }
  std::string last = LastName();
  return Fail(ErrorCode::kUnknownSectionType, walk_.offset, "stream",
              StrCat("unknown section type ", Hex(input[0]),
                     last.empty() ? "" : " after ", last));
}

[[gnu::cold]] Step StreamDecoder::CommandRecord(ByteSpan& input,
                                                StreamEvent& event) {
  if (input.size() < kCommandHeadBytes) return walk_.Need(kCommandHeadBytes);
  const uint64_t at = walk_.offset;
  const Command command = static_cast<Command>(LoadBe16(&input[1]));
  const uint16_t length = LoadBe16(&input[3]);
  const bool known =
      command >= Command::kOpenReturnPath && command <= kLastCommand;
  auto section = [&] { return StrCat("COMMAND ", ToString(command)); };
  // A length that is wrong is not waited for.
  if (known && !IsCommandLength(command, length)) {
    return Fail(
        ErrorCode::kBadCommand, at + 3, section(),
        StrCat(length, " bytes of data, expected ", CommandLengths(command)));
  }
  if (command == Command::kPackaged && package_end_ != 0) {
    return Fail(ErrorCode::kBadCommand, at, section(),
                "a package within a package");
  }
  if (input.size() < kCommandHeadBytes + length) {
    return walk_.Need(kCommandHeadBytes + length);
  }
  const ByteSpan data = input.subspan(kCommandHeadBytes, length);
  if (!known) {
    Note(Severity::kError, "unknown-command", at, section(),
         "unknown command; a loader refuses it");
  }
  if (command == Command::kPostcopyAdvise && length == 16) {
    traits_.advised_page_sizes = LoadBe64(&data[0]);
    const uint64_t page_bytes = LoadBe64(&data[8]);
    if (!IsPageSize(page_bytes) || page_bytes > options_.limits.page_bytes) {
      return Fail(ErrorCode::kBadCommand, at + 13, section(),
                  StrCat("target page size ", page_bytes));
    }
    if (configuration_.page_bits != 0 && page_bytes != traits_.page_bytes) {
      Note(Severity::kWarning, "page-size", at, section(),
           StrCat("page size ", page_bytes, ", CONFIGURATION says ",
                  traits_.page_bytes));
    }
    SetPageBytes(page_bytes);
  }
  if (command == Command::kPackaged) {
    const uint32_t bytes = LoadBe32(data.data());
    if (bytes != 0) package_end_ = at + kCommandHeadBytes + length + bytes;
  }
  last_command_ = command;
  event.command = {.offset = at, .command = command, .data = data};
  return walk_.Take(input, kCommandHeadBytes + length, StreamEvent::kCommand,
                    event);
}

[[gnu::cold]] Step StreamDecoder::NamedSection(SectionType type,
                                               ByteSpan& input,
                                               StreamEvent& event) {
  RecordCursor cursor(input, walk_.offset);
  cursor.U8();
  const uint32_t id = cursor.Be32();
  const std::string_view idstr = cursor.Str8();
  const uint32_t instance_id = cursor.Be32();
  const uint32_t version_id = cursor.Be32();
  if (!cursor.ok()) return walk_.Stop(cursor);
  auto [entry, added] = sections_.try_emplace(id);
  KnownSection& known = entry->second;
  if (added) section_names_ += SectionsOfName(idstr.size());
  if (section_names_ > options_.limits.sections) {
    return Fail(ErrorCode::kSectionLimit, walk_.offset, UnknownName(idstr),
                StrCat("more than ", options_.limits.sections,
                       " different sections; 32 bytes of a name count as one"));
  }
  if (!added && (known.idstr != idstr || known.instance_id != instance_id)) {
    return Fail(ErrorCode::kOutOfStep, walk_.offset, UnknownName(idstr),
                StrCat("section id ", Hex(id), " is that of ", known.idstr));
  }
  if (added) known.idstr = std::string(idstr);
  known.started |= type == SectionType::kStart;
  known.instance_id = instance_id;
  known.version_id = version_id;
  section_ = {type,
              walk_.offset,
              id,
              known.idstr,
              instance_id,
              version_id,
              IsVfioIdstr(known.idstr)};
  if (section_.vfio && added && ++devices_ > options_.limits.devices) {
    return Fail(ErrorCode::kDeviceLimit, walk_.offset, std::string(idstr),
                StrCat("more than ", options_.limits.devices, " VFIO devices"));
  }
  if (section_.vfio && version_id > kVfioVersion) {
    Note(Severity::kError, "section-version", walk_.offset, SectionName(),
         StrCat("section version ", version_id, ", loaders know up to ",
                kVfioVersion));
  }
  return StartSection(input, cursor.bytes(), event);
}

Step StreamDecoder::NumberedSection(SectionType type, ByteSpan& input,
                                    StreamEvent& event) {
  if (input.size() < kNumberedBytes) return walk_.Need(kNumberedBytes);
  const uint32_t id = LoadBe32(&input[1]);
  // Most come again and again.
  if (section_.id != id || section_.type == SectionType::kFull) {
    auto known = sections_.find(id);
    if (known == sections_.end() || !known->second.started) {
      return Fail(ErrorCode::kUnknownSection, walk_.offset,
                  StrCat(ToString(type), " section"),
                  StrCat("section id ", Hex(id), " was never started"));
    }
    section_.id = id;
    section_.idstr = known->second.idstr;
    section_.instance_id = known->second.instance_id;
    section_.version_id = known->second.version_id;
    section_.vfio = IsVfioIdstr(section_.idstr);
  }
  section_.type = type;
  section_.offset = walk_.offset;
  return StartSection(input, kNumberedBytes, event);
}

// A PART of it; false if none may come.
bool StreamDecoder::FindStarted(uint32_t id, SectionView& section) const {
  const auto known = sections_.find(id);
  if (known == sections_.end() || !known->second.started) return false;
  const auto& [idstr, instance_id, version_id, started] = known->second;
  section = {SectionType::kPart, 0, id, idstr, instance_id, version_id,
             IsVfioIdstr(idstr)};
  return true;
}

// False: no PART with this id comes empty, or none may come at all.
bool StreamDecoder::BeginEmptyParts(uint32_t id, EmptyParts& parts) const {
  parts.count = 0;
  if (!FindStarted(id, parts.section)) return false;
  return parts.section.vfio ? EndsPart(*options_.dialect, Element::kNone)
                            : parts.section.idstr == "ram";
}

size_t StreamDecoder::NextEmptyParts(ByteSpan& input,
                                     std::span<EmptyParts> parts) {
  if (next_run() != Run::kParts) return 0;
  const size_t footer_bytes = *footers_ ? kFooterBytes : 0;
  constexpr size_t kFooterAt = kNumberedBytes + EmptyParts::kContentBytes;
  const size_t section_bytes = kFooterAt + footer_bytes;
  const uint8_t* at = input.data();
  size_t left = input.size();
  uint64_t offset = walk_.offset;
  size_t rows = 0;
  size_t row = 0;
  for (; left >= section_bytes && at[0] == Byte(SectionType::kPart);
       at += section_bytes, left -= section_bytes, offset += section_bytes) {
    const uint32_t id = LoadBe32(at + 1);
    if (footer_bytes != 0 &&
        (at[kFooterAt] != Byte(SectionType::kSectionFooter) ||
         LoadBe32(at + kFooterAt + 1) != id)) {
      break;
    }
    // Handlers take turns.
    if (++row >= rows) row = 0;
    if (rows == 0 || parts[row].section.id != id) {
      row = 0;
      while (row < rows && parts[row].section.id != id) ++row;
    }
    const bool added = row == rows;
    if (added && (row == parts.size() || !BeginEmptyParts(id, parts[row]))) {
      break;
    }
    EmptyParts& of_id = parts[row];
    if (LoadBe64(at + kNumberedBytes) !=
        (of_id.section.vfio ? kEndOfStateTag : kRamEos)) {
      break;
    }
    if (added) {
      of_id.section.offset = offset;
      of_id.footer = *footers_;
      ++rows;
    }
    ++of_id.count;
    of_id.last_offset = offset;
  }
  if (rows == 0) return 0;
  input = input.subspan(input.size() - left);
  walk_.offset = offset;
  const auto newest = std::max_element(
      parts.begin(), parts.begin() + static_cast<ptrdiff_t>(rows),
      [](const EmptyParts& a, const EmptyParts& b) {
        return a.last_offset < b.last_offset;
      });
  EndPart(newest->section, newest->last_offset);
  return rows;
}

size_t StreamDecoder::NextDataParts(ByteSpan& input, std::span<iovec> payloads,
                                    DataParts& parts) {
  constexpr size_t kBefore = kNumberedBytes + kRecordHeaderBytes;
  if (next_run() != Run::kParts || input.size() < kBefore ||
      input[0] != Byte(SectionType::kPart) ||
      LoadBe64(&input[kNumberedBytes]) != kDataTag) {
    return 0;
  }
  const uint32_t id = LoadBe32(&input[1]);
  const Dialect& dialect = *options_.dialect;
  if (!FindStarted(id, parts.section) || !parts.section.vfio ||
      dialect.Meaning(kDataTag) != Element::kData ||
      !dialect.Grammar(SectionType::kPart)
           .After(Element::kNone)
           .Contains(Element::kData) ||
      !EndsPart(dialect, Element::kData)) {
    return 0;
  }
  parts.footer = *footers_;
  const size_t behind = kTagBytes + (parts.footer ? kFooterBytes : 0);
  const uint64_t limit = options_.limits.device.record_bytes;
  const uint8_t* at = input.data();
  size_t left = input.size();
  size_t count = 0;
  uint64_t last_bytes = 0;  // Of the last section.
  uint64_t last_payload = 0;
  for (; count < payloads.size() && left >= kBefore + behind; ++count) {
    if (at[0] != Byte(SectionType::kPart) || LoadBe32(at + 1) != id ||
        LoadBe64(at + kNumberedBytes) != kDataTag) {
      break;
    }
    const uint64_t bytes =
        Guessed(LoadBe64(at + kNumberedBytes + kTagBytes), last_payload);
    last_payload = bytes;
    if (bytes > limit || bytes > left - kBefore - behind) break;
    const uint8_t* end = at + kBefore + bytes;
    if (LoadBe64(end) != kEndOfStateTag ||
        (parts.footer && (end[kTagBytes] != Byte(SectionType::kSectionFooter) ||
                          LoadBe32(end + kTagBytes + 1) != id))) {
      break;
    }
    payloads[count] = {const_cast<uint8_t*>(at + kBefore), bytes};
    last_bytes = kBefore + bytes + behind;
    at += last_bytes;
    left -= last_bytes;
  }
  if (count == 0) return 0;
  parts.section.offset = walk_.offset;
  parts.records = {.offset = walk_.offset + kNumberedBytes,
                   .payloads = payloads.first(count),
                   .between = static_cast<uint8_t>(behind + kNumberedBytes)};
  walk_.offset += input.size() - left;
  input = input.subspan(input.size() - left);
  parts.last_offset = walk_.offset - last_bytes;
  EndPart(parts.section, parts.last_offset);
  return count;
}

// As Next() leaves it behind a PART.
void StreamDecoder::EndPart(const SectionView& section, uint64_t offset) {
  section_ = section;
  section_.offset = offset;
  content_start_ = offset + kNumberedBytes;
  last_command_.reset();
}

Step StreamDecoder::StartSection(ByteSpan& input, size_t header_bytes,
                                 StreamEvent& event) {
  last_command_.reset();
  state_ = State::kContent;
  walk_.Take(input, header_bytes, StreamEvent::kSection, event);
  content_start_ = walk_.offset;
  return Step::kEvent;
}

// Settles who decodes the section's content. kEvent: that is settled.
Step StreamDecoder::Content(ByteSpan input) {
  if (section_.vfio) return StartDevice();
  const bool full = section_.type == SectionType::kFull;
  if (section_.idstr == "ram" && !full) {
    ram_.Start();
    state_ = State::kRam;
    return Step::kEvent;
  }
  if (HandlerParser parser = FindHandlerParser(section_.idstr, section_.type)) {
    handler_.emplace(parser, section_.type);
    state_ = State::kHandler;
    return Step::kEvent;
  }
  ContentLength length;
  if (full && options_.content_length != nullptr) {
    length = options_.content_length(section_, input);
  }
  switch (length.kind) {
    case ContentLength::kBytes:
      walk_.Await(length.bytes, "device state");
      state_ = State::kPassing;
      return Step::kEvent;
    case ContentLength::kNeedInput:
      return walk_.Need(input.size() + 1);
    case ContentLength::kTakenOver:
      state_ = State::kTakenOver;
      return Step::kEvent;
    case ContentLength::kUnknown:
      break;
  }
  return Unwalkable(std::move(length.error));
}

[[gnu::cold]] Step StreamDecoder::Unwalkable(Error error) {
  if (!error.ok()) return Fail(std::move(error));
  const bool full = section_.type == SectionType::kFull;
  return Fail(ErrorCode::kUnwalkable, section_.offset,
              StrCat(UnknownName(section_.idstr), " ", ToString(section_.type)),
              StrCat("cannot walk past ", UnknownName(section_.idstr), " at ",
                     Hex(section_.offset),
                     full ? ": nothing tells how long its state is"
                          : ": nothing tells how long its sections are"));
}

Step StreamDecoder::StartDevice() {
  DecoderOptions options;
  options.offset = walk_.offset;
  options.limits = options_.limits.device;
  options.switchover_ack_off = options_.switchover_ack_off;
  if (section_.type == SectionType::kFull) {
    if (options_.config_hints != nullptr) {
      options.config = options_.config_hints(section_);
    }
    options.config.footer_expected = footers_.value_or(false);
    options.config.footer_section_id = section_.id;
  }
  described_bytes_ = options.config.content_bytes;
  device_.emplace(section_.type, *options_.dialect, options);
  state_ = State::kDevice;
  return Step::kEvent;
}

Step StreamDecoder::DeviceContent(ByteSpan& input, StreamEvent& event) {
  if (walk_.end_of_input) device_->SetEndOfInput();
  Step step = device_->Next(input, event.device);
  if (step == Step::kEvent) [[likely]] {
    event.kind = StreamEvent::kDevice;
    event.offset = event.device.offset;
    event.content = {};
    if (event.device.kind == EventKind::kConfig &&
        event.device.layout.other_pci_config_bytes != 0) {
      const ConfigLayout& layout = event.device.layout;
      Note(Severity::kWarning, "config-size", event.offset, SectionName(),
           StrCat("config payload fits ", layout.pci_config_bytes, " and ",
                  layout.other_pci_config_bytes,
                  " bytes of PCI config; taken as ", layout.pci_config_bytes));
    }
    return step;
  }
  if (step == Step::kNeedInput) return step;
  walk_.offset = device_->offset();
  if (step == Step::kError) {
    Error error = device_->error(section_.idstr);
    if (!ExplainEarlyFooter(input, error)) return Fail(std::move(error));
  } else if (described_bytes_ != 0 &&
             described_bytes_ != walk_.offset - content_start_) {
    return Fail(
        ErrorCode::kOutOfStep, walk_.offset, SectionName(),
        StrCat("has ", walk_.offset - content_start_,
               " bytes of content, the description says ", described_bytes_));
  }
  state_ = State::kSectionOver;
  return Footer(input, event);
}

// A handler that failed leaves its section as it is, and the footer follows:
// true if so, and the stream goes on behind it.
[[gnu::cold]] bool StreamDecoder::ExplainEarlyFooter(ByteSpan input,
                                                     Error& error) {
  auto footer_at = [&](size_t from) {
    return input.size() >= from + kFooterBytes &&
           input[from] == Byte(SectionType::kSectionFooter) &&
           LoadBe32(&input[from + 1]) == section_.id;
  };
  if (error.code == ErrorCode::kRecordLimit && footer_at(kTagBytes)) {
    error.reason =
        "DATA without a size, then the section's footer: the source's "
        "handler failed here";
    return false;
  }
  // Near the input's end a footer is shorter than the tag that was expected.
  const bool tag_expected = error.code == ErrorCode::kTruncated ||
                            (error.offset == walk_.offset &&
                             (error.code == ErrorCode::kUnknownTag ||
                              error.code == ErrorCode::kSetupNotEnded));
  if (!tag_expected || !footer_at(0)) return false;
  Note(Severity::kError, "cut-section", walk_.offset, SectionName(),
       "ends without END_OF_STATE: the source's handler failed here");
  return true;
}

// After a step of a section's own decoder.
Step StreamDecoder::ContentStep(Step step, ByteSpan& input,
                                StreamEvent& event) {
  if (step == Step::kEvent || step == Step::kNeedInput) return step;
  if (step == Step::kError) return Fail(std::move(walk_.error));
  state_ = State::kSectionOver;
  return Footer(input, event);
}

Step StreamDecoder::Footer(ByteSpan& input, StreamEvent& event) {
  if (!footers_ && (!input.empty() || walk_.offset == package_end_)) {
    footers_ = !input.empty() && input[0] == Byte(SectionType::kSectionFooter);
  }
  if (!footers_ && !walk_.end_of_input) return walk_.Need(1);
  size_t bytes = 0;
  if (footers_.value_or(true)) {
    if (!input.empty() && input[0] != Byte(SectionType::kSectionFooter)) {
      return Fail(ErrorCode::kMissingFooter, walk_.offset, SectionName(),
                  StrCat("missing section footer, found byte ", Hex(input[0])));
    }
    bytes = kFooterBytes;
    if (input.size() < bytes) return walk_.Need(input.empty() ? 1 : bytes);
    const uint32_t id = LoadBe32(&input[1]);
    if (id != section_.id) {
      return Fail(ErrorCode::kMismatchedFooter, walk_.offset + 1, SectionName(),
                  StrCat("mismatched section id in footer: read ", Hex(id),
                         ", expected ", Hex(section_.id)));
    }
  }
  if (!traits_.page_bytes_known && ram_.mapped_page_bytes() != 0) {
    SetPageBytes(ram_.mapped_page_bytes());
  }
  event.content_bytes = walk_.offset - content_start_;
  event.footer = bytes != 0;
  state_ = State::kBetween;
  return walk_.Take(input, bytes, StreamEvent::kSectionEnd, event);
}

[[gnu::cold]] Step StreamDecoder::Description(ByteSpan& input,
                                              StreamEvent& event) {
  if (input.empty()) return walk_.Need(1);
  if (input[0] != Byte(SectionType::kVmDescription)) {
    state_ = State::kDone;
    return Step::kDone;
  }
  if (input.size() < kDescriptionHeadBytes) {
    return walk_.Need(kDescriptionHeadBytes);
  }
  event.description_bytes = LoadBe32(&input[1]);
  if (event.description_bytes > options_.limits.description_bytes) {
    return Fail(
        ErrorCode::kDescriptionLimit, walk_.offset + 1, "VMDESCRIPTION",
        StrCat("claims ", event.description_bytes, " bytes, the limit is ",
               options_.limits.description_bytes));
  }
  state_ = State::kDescription;
  walk_.Await(event.description_bytes, "");
  return walk_.Take(input, kDescriptionHeadBytes, StreamEvent::kDescription,
                    event);
}

Step StreamDecoder::TakeOver(uint64_t bytes) {
  if (state_ == State::kError) return Step::kError;
  if (state_ == State::kDevice) {
    Step step = device_->TakeOver(bytes);
    return step == Step::kError ? Fail(device_->error(section_.idstr)) : step;
  }
  if (state_ == State::kTakenOver) {
    walk_.offset += bytes;
    return Step::kEvent;
  }
  if (bytes > walk_.payload_left) {
    return Fail(ErrorCode::kRecordOverrun, walk_.offset, SectionName(),
                StrCat(bytes, " bytes taken over, of which ",
                       walk_.payload_left, " are due"));
  }
  walk_.Passed(bytes);
  return Step::kEvent;
}

Step StreamDecoder::EndContent() {
  if (state_ != State::kTakenOver) {
    return Fail(ErrorCode::kNotWritable, walk_.offset, SectionName(),
                "EndContent() without content that was taken over");
  }
  state_ = State::kSectionOver;
  return Step::kEvent;
}

[[gnu::cold]] std::optional<Error> StreamDecoder::AtEndOfInput(ByteSpan left) {
  walk_.end_of_input = true;
  auto cut = [&](std::string section, std::string reason) {
    return Error{ErrorCode::kTruncated, offset() + left.size(),
                 std::move(section), std::move(reason)};
  };
  switch (state_) {
    case State::kHeader:
      return cut("header", "input ends in the header");
    case State::kConfiguration:
      if (left.empty()) break;
      [[fallthrough]];
    case State::kSubsections:
      return cut("CONFIGURATION", "input ends in the configuration");
    case State::kBetween:
      break;
    case State::kDevice: {
      walk_.offset = device_->offset();
      Error error = device_->Truncated(section_.idstr, left);
      if (!ExplainEarlyFooter(left, error)) return error;
      state_ = State::kSectionOver;
      return std::nullopt;
    }
    case State::kContent:
    case State::kTakenOver:
      return cut(SectionName(), "input ends in the state of a device");
    case State::kRam:
    case State::kHandler:
    case State::kPassing: {
      Error error = walk_.Truncated(left.size());
      error.section = SectionName();
      return error;
    }
    case State::kSectionOver:
      return cut(SectionName(), left.empty()
                                    ? "input ends before the section's footer"
                                    : "input ends in the section's footer");
    case State::kAfterEof:
      if (left.empty()) return Error{};
      return cut("VMDESCRIPTION", "input ends in the length");
    case State::kDescription:
      return cut("VMDESCRIPTION",
                 StrCat("input ends in ", walk_.payload_bytes, " bytes, ",
                        walk_.payload_left - left.size(), " of them missing"));
    case State::kDone:
    case State::kError:
      return walk_.error;
  }
  if (left.empty()) {
    return cut("stream", "input ends between two sections, without EOF");
  }
  const SectionType type = static_cast<SectionType>(left[0]);
  return type == SectionType::kCommand
             ? cut("COMMAND", "input ends in a command")
             : cut(StrCat(ToString(type), " section"),
                   "input ends in a section header");
}

[[gnu::cold]] void StreamDecoder::Resume(uint64_t offset) {
  const bool anything = !section_.idstr.empty() || last_command_.has_value();
  walk_ = ContentWalk();
  walk_.offset = offset;
  findings_given_ = 0;
  package_end_ = 0;
  ram_.Abandon();
  state_ =
      anything || has_configuration_ ? State::kBetween : State::kConfiguration;
}

[[gnu::cold]] void StreamDecoder::Learn(uint32_t id, std::string_view idstr,
                                        uint32_t instance_id,
                                        uint32_t version_id) {
  sections_[id] = {std::string(idstr), instance_id, version_id, true};
}

const std::string* StreamDecoder::FindSection(uint32_t id) const {
  auto known = sections_.find(id);
  return known == sections_.end() ? nullptr : &known->second.idstr;
}

[[gnu::cold]] std::string StreamDecoder::SectionName() const {
  return StrCat(section_.idstr, " ", ToString(section_.type));
}

[[gnu::cold]] std::string StreamDecoder::LastName() const {
  if (last_command_) return StrCat("COMMAND ", ToString(*last_command_));
  return section_.idstr.empty() ? "" : SectionName();
}

[[gnu::cold]] void StreamDecoder::Note(Severity severity, const char* id,
                                       uint64_t at, std::string section,
                                       std::string message) {
  walk_.Note(severity, id, at, std::move(message), std::move(section));
}

[[gnu::cold]] Step StreamDecoder::Fail(ErrorCode code, uint64_t at,
                                       std::string section,
                                       std::string reason) {
  return Fail({code, at, std::move(section), std::move(reason)});
}

[[gnu::cold]] Step StreamDecoder::Fail(Error error) {
  if (error.section.empty()) {
    error.section =
        state_ == State::kConfiguration || state_ == State::kSubsections
            ? "CONFIGURATION"
            : SectionName();
  }
  walk_.offset = offset();
  walk_.error = std::move(error);
  state_ = State::kError;
  return Step::kError;
}

}  // namespace migstream
