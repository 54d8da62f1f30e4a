#include "codec/qemu/stream_reader.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_format.h"
#include "codec/io/file_kind.h"
#include "codec/qemu/configuration.h"
#include "codec/qemu/content_reader.h"
#include "codec/qemu/description_loader.h"
#include "codec/qemu/device_content.h"
#include "codec/qemu/handler_walkers.h"
#include "codec/qemu/section_guess.h"
#include "codec/wire/cursor.h"
#include "codec/wire/text.h"
#include "flags/command.h"
#include "flags/ram_flags.h"
#include "flags/section_type.h"
#include "flags/tag.h"

namespace migstream {
namespace {}  // namespace

bool IsVfioIdstr(std::string_view idstr) {
  return idstr == "vfio" || idstr.ends_with("/vfio");
}

class StreamReader::Impl {
 public:
  Impl(ByteSource& source, StreamVisitor& visitor, const ReaderOptions& options)
      : source_(source),
        visitor_(visitor),
        options_(options),
        ram_(options_.limits),
        description_(visitor, options_.limits) {}

  Error Read() {
    ReadAll();
    if (!source_.failure().empty()) {
      if (error_.ok()) {
        Fail(ErrorCode::kReadFailed, source_.offset(), "stream",
             source_.failure());
      } else if (error_.code == ErrorCode::kTruncated) {
        Fail(ErrorCode::kReadFailed, error_.offset, error_.section,
             source_.failure());
      }
    }
    if (error_.code == ErrorCode::kTruncated) {
      // Nothing is lost of what is there.
      for (ByteSpan rest = source_.Peek(1); !rest.empty();
           rest = source_.Peek(1)) {
        visitor_.OnRest(rest);
        source_.Consume(rest.size());
      }
    }
    complete_ = error_.ok();
    return error_;
  }

  const RamStats& ram() const { return ram_.stats(); }
  uint64_t page_bytes() const { return traits_.page_bytes; }
  std::optional<VmUuid> uuid() const { return uuid_; }
  const VmDescription* description() const {
    return description_.description();
  }
  const std::vector<DeviceInChannels>& in_channels() const {
    return in_channels_;
  }
  bool complete() const { return complete_; }
  int footers() const { return footers_ ? *footers_ : -1; }

 private:
  struct KnownSection {
    std::string idstr;
    uint32_t instance_id = 0;
    uint32_t version_id = 0;
    bool started = false;  // By a START: PART and END may come.
  };

  void ReadAll() {
    // Where pages may follow that need not be read, nothing is read ahead.
    source_.SetReadAhead(false);
    if (!ReadHeader()) return;
    ReadConfiguration();
    source_.SetReadAhead(!traits_.mapped_ram || visitor_.wants_content());
    while (error_.ok() && ReadRecord()) {
    }
  }

  bool ReadHeader() {
    const uint64_t start = source_.offset();
    ByteSpan bytes = source_.Peek(8);
    if (bytes.size() < 8 &&
        (!source_.failure().empty() ||
         (bytes.size() >= 4 && LoadBe32(bytes.data()) == kStreamMagic))) {
      return Fail(ErrorCode::kTruncated, start + bytes.size(), "header",
                  "input ends in the header");
    }
    if (std::string problem = NotAStream(bytes); !problem.empty()) {
      return Fail(ErrorCode::kNotAStream, start, "header", problem);
    }
    uint32_t version = LoadBe32(&bytes[4]);
    if (version != kStreamVersion) {
      return Fail(ErrorCode::kUnknownVersion, start + 4, "header",
                  version == kStreamVersionObsolete
                      ? "stream version 2, which is obsolete"
                      : StrCat("stream version ", version, ", expected 3"));
    }
    source_.Consume(8);
    visitor_.OnHeader(version);
    return true;
  }

  void ReadConfiguration() {
    uint64_t offset = source_.offset();
    ByteSpan bytes = source_.Peek(1);
    if (bytes.empty() ||
        bytes[0] != static_cast<uint8_t>(SectionType::kConfiguration)) {
      return;
    }
    ParsedConfiguration parsed;
    for (size_t window = 512;; window *= 2) {
      bytes = source_.Peek(window);
      bool end_of_input = bytes.size() < window;
      parsed = ParseConfiguration(bytes, offset, end_of_input);
      if (!parsed.incomplete || !parsed.error.ok()) break;
      if (end_of_input) {
        Fail(ErrorCode::kTruncated, offset + bytes.size(), "CONFIGURATION",
             "input ends in the configuration");
        return;
      }
    }
    if (!parsed.error.ok()) {
      error_ = parsed.error;
      return;
    }
    traits_.ignore_shared = parsed.ignore_shared;
    traits_.mapped_ram = parsed.mapped_ram;
    page_bits_said_ = parsed.page_bits != 0;
    if (parsed.page_bits != 0)
      traits_.page_bytes = uint64_t{1} << parsed.page_bits;
    has_configuration_ = true;
    uuid_ = FindUuid(parsed.view);
    visitor_.OnConfiguration(parsed.view);
    source_.Consume(parsed.bytes);
  }

  // One record of the stream; false at its end.
  bool ReadRecord() {
    uint64_t offset = source_.offset();
    if (package_end_ != 0 && offset >= package_end_) {
      if (offset > package_end_) {
        return Fail(ErrorCode::kOutOfStep, package_end_, "PACKAGED",
                    "a section goes on past the package's end");
      }
      package_end_ = 0;
    }
    ByteSpan bytes = source_.Peek(1);
    if (bytes.empty()) {
      return Fail(ErrorCode::kTruncated, offset, "stream",
                  "input ends between two sections, without EOF");
    }
    SectionType type = static_cast<SectionType>(bytes[0]);
    switch (type) {
      case SectionType::kEof:
        if (package_end_ != 0) {
          return Fail(ErrorCode::kOutOfStep, offset, "PACKAGED",
                      StrCat("EOF in a package that claims to end at ",
                             Hex(package_end_)));
        }
        return ReadEnd();
      case SectionType::kStart:
      case SectionType::kFull:
        return ReadNamedSection(type);
      case SectionType::kPart:
      case SectionType::kEnd:
        return ReadNumberedSection(type);
      case SectionType::kCommand:
        return ReadCommand();
      default:
        return Fail(
            ErrorCode::kUnknownSectionType, offset, "stream",
            StrCat("unknown section type ", Hex(static_cast<uint8_t>(type)),
                   last_section_.empty() ? "" : " after ", last_section_));
    }
  }

  bool ReadEnd() {
    uint64_t offset = source_.offset();
    source_.Consume(1);
    visitor_.OnEof(offset);
    ByteSpan bytes = source_.Peek(5);
    if (bytes.empty()) return false;
    offset = source_.offset();
    if (bytes[0] != static_cast<uint8_t>(SectionType::kVmDescription)) {
      return Fail(ErrorCode::kTrailingBytes, offset, "stream",
                  "bytes after EOF that are no VMDESCRIPTION");
    }
    if (bytes.size() < 5) {
      return Fail(ErrorCode::kTruncated, offset + bytes.size(), "VMDESCRIPTION",
                  "input ends in the length");
    }
    uint32_t length = LoadBe32(&bytes[1]);
    if (length > options_.limits.description_bytes) {
      return Fail(ErrorCode::kDescriptionLimit, offset + 1, "VMDESCRIPTION",
                  StrCat("claims ", length, " bytes, the limit is ",
                         options_.limits.description_bytes));
    }
    bytes = source_.Peek(5 + size_t{length});
    if (bytes.size() < 5 + size_t{length}) {
      return Fail(
          ErrorCode::kTruncated, offset + bytes.size(), "VMDESCRIPTION",
          StrCat("input ends in ", length, " bytes, ",
                 5 + size_t{length} - bytes.size(), " of them missing"));
    }
    ByteSpan json = bytes.subspan(5, length);
    if (error_ = description_.Take(offset, json); !error_.ok()) return false;
    if (description()->page_bytes != 0 &&
        description()->page_bytes != traits_.page_bytes) {
      Note(Severity::kWarning, "page-size", offset, "VMDESCRIPTION",
           StrCat("page size ", description()->page_bytes, ", but ",
                  traits_.page_bytes, " was used"));
    }
    for (const Guessed& guess : guessed_) {
      const DescribedDevice* device =
          description()->Find(guess.idstr, guess.instance_id);
      if (device != nullptr && device->bytes == guess.bytes) continue;
      return Fail(ErrorCode::kOutOfStep, guess.offset,
                  StrCat(guess.idstr, " FULL"),
                  StrCat("was guessed to have ", guess.bytes,
                         " bytes, and the description says otherwise"));
    }
    visitor_.OnDescription(offset, json);
    source_.Consume(5 + size_t{length});
    if (!source_.Peek(1).empty()) {
      return Fail(ErrorCode::kTrailingBytes, source_.offset(), "stream",
                  "bytes after the VMDESCRIPTION, which is the last thing");
    }
    return false;
  }

  bool ReadCommand() {
    uint64_t offset = source_.offset();
    ByteSpan bytes = source_.Peek(5);
    if (bytes.size() >= 5) bytes = source_.Peek(5 + LoadBe16(&bytes[3]));
    if (bytes.size() < 5 || bytes.size() < 5u + LoadBe16(&bytes[3])) {
      return Fail(ErrorCode::kTruncated, offset + bytes.size(), "COMMAND",
                  "input ends in a command");
    }
    CommandView command;
    command.offset = offset;
    command.command = static_cast<Command>(LoadBe16(&bytes[1]));
    command.data = bytes.subspan(5, LoadBe16(&bytes[3]));
    std::string section = StrCat("COMMAND ", ToString(command.command));
    if (command.command < Command::kOpenReturnPath ||
        command.command > kLastCommand) {
      Note(Severity::kError, "unknown-command", offset, section,
           "unknown command; a loader refuses it");
    } else if (!IsCommandLength(command.command,
                                static_cast<uint16_t>(command.data.size()))) {
      return Fail(ErrorCode::kBadCommand, offset + 3, section,
                  StrCat(command.data.size(), " bytes of data, expected ",
                         CommandLengths(command.command)));
    }
    if (command.command == Command::kPostcopyAdvise) {
      if (command.data.size() == 16) {
        traits_.advised_page_sizes = LoadBe64(&command.data[0]);
        uint64_t page_bytes = LoadBe64(&command.data[8]);
        if (!IsPageSize(page_bytes)) {
          return Fail(ErrorCode::kBadCommand, offset + 13, section,
                      StrCat("target page size ", page_bytes));
        }
        if (has_configuration_ && page_bits_said_ &&
            page_bytes != traits_.page_bytes) {
          Note(Severity::kWarning, "page-size", offset, section,
               StrCat("page size ", page_bytes, ", CONFIGURATION says ",
                      traits_.page_bytes));
        }
        traits_.page_bytes = page_bytes;
      }
    }
    uint64_t package_bytes = 0;
    if (command.command == Command::kPackaged) {
      package_bytes = LoadBe32(command.data.data());
      if (package_end_ != 0) {
        return Fail(ErrorCode::kBadCommand, offset, section,
                    "a package within a package");
      }
    }
    visitor_.OnCommand(command);
    source_.Consume(5 + command.data.size());
    if (package_bytes != 0) package_end_ = source_.offset() + package_bytes;
    last_section_ = section;
    return true;
  }

  bool IsPageSize(uint64_t bytes) const {
    return bytes >= uint64_t{1} << kMinPageBits &&
           bytes <= options_.limits.page_bytes && (bytes & (bytes - 1)) == 0;
  }

  bool ReadNamedSection(SectionType type) {
    SectionView section;
    section.type = type;
    section.offset = source_.offset();
    Cursor cursor(source_.Peek(kMaxSectionHeaderBytes), section.offset);
    cursor.U8();
    section.id = cursor.Be32();
    std::string idstr(cursor.Str8());
    section.instance_id = cursor.Be32();
    section.version_id = cursor.Be32();
    if (!cursor.ok()) {
      return Fail(
          ErrorCode::kTruncated, section.offset + source_.Peek(1).size(),
          StrCat(ToString(type), " section"), "input ends in a section header");
    }
    auto [known, added] = sections_.try_emplace(section.id);
    if (added && sections_.size() > options_.limits.sections) {
      return Fail(ErrorCode::kSectionLimit, section.offset, idstr,
                  StrCat("more than ", options_.limits.sections,
                         " different sections"));
    }
    if (!added && (known->second.idstr != idstr ||
                   known->second.instance_id != section.instance_id)) {
      return Fail(ErrorCode::kOutOfStep, section.offset, idstr,
                  StrCat("section id ", Hex(section.id), " is that of ",
                         known->second.idstr));
    }
    known->second.started |= type == SectionType::kStart;
    known->second.idstr = idstr;
    known->second.instance_id = section.instance_id;
    known->second.version_id = section.version_id;
    source_.Consume(cursor.offset() - section.offset);
    section.idstr = idstr;
    return ReadSection(section);
  }

  bool ReadNumberedSection(SectionType type) {
    SectionView section;
    section.type = type;
    section.offset = source_.offset();
    ByteSpan bytes = source_.Peek(5);
    if (bytes.size() < 5) {
      return Fail(ErrorCode::kTruncated, section.offset + bytes.size(),
                  StrCat(ToString(type), " section"),
                  "input ends in a section header");
    }
    section.id = LoadBe32(&bytes[1]);
    auto known = sections_.find(section.id);
    if (known == sections_.end() || !known->second.started) {
      return Fail(ErrorCode::kUnknownSection, section.offset,
                  StrCat(ToString(type), " section"),
                  StrCat("section id ", Hex(section.id), " was never started"));
    }
    std::string idstr = known->second.idstr;
    section.idstr = idstr;
    section.instance_id = known->second.instance_id;
    section.version_id = known->second.version_id;
    source_.Consume(5);
    return ReadSection(section);
  }

  bool ReadSection(SectionView& section) {
    section.vfio = IsVfioIdstr(section.idstr);
    if (!CheckDevice(section)) return false;
    section_name_ = StrCat(section.idstr, " ", ToString(section.type));
    visitor_.OnSection(section);
    uint64_t content = source_.offset();
    ReadContent(section);
    if (!error_.ok()) return false;
    uint64_t content_bytes = source_.offset() - content;
    if (section.vfio) LeaveToChannels(section, content_bytes);
    if (!ReadFooter(section)) return false;
    visitor_.OnSectionEnd(section, content_bytes, *footers_);
    last_section_ = section_name_;
    return true;
  }

  // What a section says of where its device's state is. Two tags hold no
  // record, and one no CONFIG.
  void LeaveToChannels(const SectionView& section, uint64_t content_bytes) {
    const bool end_with_data =
        section.type == SectionType::kEnd && content_bytes > 2 * kTagBytes;
    const bool full_without_config =
        section.type == SectionType::kFull && content_bytes == kTagBytes;
    if (!end_with_data && !full_without_config) return;
    std::pair<std::string, uint32_t> name(section.idstr, section.instance_id);
    if (!settled_.insert(name).second || end_with_data) return;
    in_channels_.push_back({name.first, name.second, section.offset});
  }

  // What a loader asks of a device's section before it reads the content.
  bool CheckDevice(const SectionView& section) {
    bool named = section.type == SectionType::kStart ||
                 section.type == SectionType::kFull;
    if (!section.vfio || !named) return true;
    if (section.version_id > kVfioVersion) {
      Note(Severity::kError, "section-version", section.offset,
           StrCat(section.idstr, " ", ToString(section.type)),
           StrCat("section version ", section.version_id,
                  ", loaders know up to ", kVfioVersion));
    }
    if (section.type == SectionType::kStart &&
        ++devices_ > options_.limits.devices) {
      return Fail(
          ErrorCode::kDeviceLimit, section.offset, section.idstr,
          StrCat("more than ", options_.limits.devices, " VFIO devices"));
    }
    return true;
  }

  void ReadContent(const SectionView& section) {
    if (section.vfio) return ReadDevice(section);
    if (section.type == SectionType::kFull && visitor_.wants_fields()) {
      LoadDescription();
      visitor_.OnDescribed(section, description(), Describe(section));
    }
    ContentReader content(source_, visitor_, section_name_);
    if (section.idstr == "ram" && section.type != SectionType::kFull) {
      ram_.Walk(content, traits_);
      // The blocks, and with them all pages, are over with the START.
      source_.SetReadAhead(true);
    } else if (HandlerWalker walk =
                   FindHandlerWalker(section.idstr, section.type)) {
      walk(content, section.type);
    } else if (section.type != SectionType::kFull) {
      Fail(ErrorCode::kUnwalkable, section.offset, section_name_,
           StrCat("cannot walk past ", section.idstr, " at ",
                  Hex(section.offset),
                  ": nothing tells how long its sections are"));
    } else {
      ReadOtherDevice(section, content);
    }
    if (error_.ok() && !content.ok()) error_ = content.error();
  }

  void ReadDevice(const SectionView& section) {
    uint64_t content = source_.offset();
    DecoderOptions options;
    options.offset = content;
    options.limits = options_.limits.device;
    options.switchover_ack_off = options_.switchover_ack_off;
    if (section.type == SectionType::kFull) {
      LoadDescription();
      if (const DescribedDevice* device = Describe(section)) {
        options.config.content_bytes = device->bytes;
      }
      options.config.footer_expected = footers_.value_or(false);
      options.config.footer_section_id = section.id;
    }
    error_ = ReadDeviceContent(source_, visitor_, section, *options_.dialect,
                               options);
    uint64_t described = options.config.content_bytes;
    if (error_.ok() && described != 0 &&
        described != source_.offset() - content) {
      Fail(ErrorCode::kOutOfStep, source_.offset(), section_name_,
           StrCat("has ", source_.offset() - content,
                  " bytes of content, the description says ", described));
    }
  }

  // The FULL section of a device that is none of ours.
  void ReadOtherDevice(const SectionView& section, ContentReader& content) {
    LoadDescription();
    if (!error_.ok()) return;
    if (description() != nullptr) {
      const DescribedDevice* device = Describe(section);
      if (device == nullptr) {
        Fail(ErrorCode::kOutOfStep, section.offset, section_name_,
             "the description does not name this section");
        return;
      }
      uint64_t at = source_.offset();
      content.Pass(device->bytes, "device state");
      if (!content.ok()) {
        Fail(ErrorCode::kOutOfStep, at, section_name_,
             StrCat("the description gives it ", device->bytes,
                    " bytes, and the input has fewer"));
      }
      return;
    }
    std::optional<SectionGuess> guess = Guess(section);
    if (!guess && source_.Peek(options_.limits.guessed_bytes).size() <
                      options_.limits.guessed_bytes) {
      Fail(ErrorCode::kTruncated, source_.offset() + source_.Peek(1).size(),
           section_name_,
           StrCat("cannot walk past ", section.idstr, " at ",
                  Hex(section.offset),
                  ": the input ends, and nothing describes its state"));
      return;
    }
    if (!guess) {
      Fail(ErrorCode::kUnwalkable, section.offset, section_name_,
           StrCat("cannot walk past ", section.idstr, " at ",
                  Hex(section.offset),
                  description_.is_too_long()
                      ? StrCat(": the description has more than ",
                               options_.limits.description_bytes, " bytes")
                      : ": there is no description of its state"));
      return;
    }
    if (!description_.is_absent()) {
      if (guessed_.size() >= options_.limits.guesses) {
        Fail(ErrorCode::kHoldLimit, section.offset, section_name_,
             StrCat("more than ", options_.limits.guesses,
                    " sections whose description is out of reach"));
        return;
      }
      guessed_.push_back({std::string(section.idstr), section.instance_id,
                          section.offset, guess->content_bytes});
    }
    Note(Severity::kNote, "guessed-end", source_.offset(), section_name_,
         StrCat("no description; its end at ",
                Hex(source_.offset() + guess->content_bytes), " is a guess by ",
                guess->by_footer ? "its footer" : "what seems to follow"));
    content.Pass(guess->content_bytes, "device state");
  }

  std::optional<SectionGuess> Guess(const SectionView& section) {
    GuessContext context;
    context.section_id = section.id;
    context.footers = footers_.value_or(true);
    context.known_section = [this,
                             &section](uint32_t id) -> const std::string* {
      auto known = sections_.find(id);
      return known == sections_.end() || id == section.id
                 ? nullptr
                 : &known->second.idstr;
    };
    if (package_end_ != 0) {
      context.package_left = package_end_ - source_.offset();
    }
    std::optional<SectionGuess> guess =
        GuessSectionEnd(source_, options_.limits.guessed_bytes, context);
    // Machine types that write a configuration write footers as well.
    if (!guess && !footers_ && !has_configuration_) {
      context.footers = false;
      guess = GuessSectionEnd(source_, options_.limits.guessed_bytes, context);
    }
    return guess;
  }

  void LoadDescription() {
    if (description_.Load(source_) != DescriptionLoader::Outcome::kOutOfReach ||
        std::exchange(hold_noted_, true)) {
      return;
    }
    Note(Severity::kNote, "hold-limit", source_.offset(), section_name_,
         StrCat("the description is more than ", options_.limits.held_bytes,
                " bytes ahead in an input that cannot seek"));
  }

  const DescribedDevice* Describe(const SectionView& section) {
    if (description() == nullptr) return nullptr;
    return description()->Find(section.idstr, section.instance_id);
  }

  bool ReadFooter(const SectionView& section) {
    uint64_t offset = source_.offset();
    ByteSpan bytes = source_.Peek(kFooterBytes);
    bool is_footer =
        !bytes.empty() &&
        bytes[0] == static_cast<uint8_t>(SectionType::kSectionFooter);
    if (!footers_ && !bytes.empty()) footers_ = is_footer;
    if (bytes.empty() && footers_.value_or(true)) {
      return Fail(ErrorCode::kTruncated, offset, section_name_,
                  "input ends before the section's footer");
    }
    if (!footers_.value_or(true)) return true;
    if (!is_footer) {
      return Fail(ErrorCode::kMissingFooter, offset, section_name_,
                  StrCat("missing section footer, found byte ", Hex(bytes[0])));
    }
    if (bytes.size() < kFooterBytes) {
      return Fail(ErrorCode::kTruncated, offset + bytes.size(), section_name_,
                  "input ends in the section's footer");
    }
    uint32_t id = LoadBe32(&bytes[1]);
    if (id != section.id) {
      return Fail(ErrorCode::kMismatchedFooter, offset + 1, section_name_,
                  StrCat("mismatched section id in footer: read ", Hex(id),
                         ", expected ", Hex(section.id)));
    }
    source_.Consume(kFooterBytes);
    return true;
  }

  void Note(Severity severity, std::string_view id, uint64_t offset,
            std::string_view section, std::string message) {
    visitor_.OnFinding({severity, std::string(id), offset, std::string(section),
                        std::move(message)});
  }

  bool Fail(ErrorCode code, uint64_t offset, std::string_view section,
            std::string reason) {
    error_ = {code, offset, std::string(section), std::move(reason)};
    return false;
  }

  ByteSource& source_;
  StreamVisitor& visitor_;
  const ReaderOptions options_;
  RamWalker ram_;
  RamTraits traits_;
  Error error_;
  absl::flat_hash_map<uint32_t, KnownSection> sections_;
  std::optional<bool> footers_;
  std::vector<DeviceInChannels> in_channels_;
  // Devices of in_channels_, and those that cannot come to be there.
  absl::flat_hash_set<std::pair<std::string, uint32_t>> settled_;
  bool complete_ = false;
  DescriptionLoader description_;
  bool hold_noted_ = false;
  uint32_t devices_ = 0;
  // Ends that were guessed before the description was seen.
  struct Guessed {
    std::string idstr;
    uint32_t instance_id;
    uint64_t offset;
    uint64_t bytes;
  };
  std::vector<Guessed> guessed_;
  bool has_configuration_ = false;
  std::optional<VmUuid> uuid_;
  bool page_bits_said_ = false;
  uint64_t package_end_ = 0;  // 0: in no package.
  std::string section_name_;
  std::string last_section_;
};

StreamReader::StreamReader(ByteSource& source, StreamVisitor& visitor,
                           const ReaderOptions& options)
    : impl_(std::make_unique<Impl>(source, visitor, options)) {}

StreamReader::~StreamReader() = default;

Error StreamReader::Read() { return impl_->Read(); }
const RamStats& StreamReader::ram() const { return impl_->ram(); }
uint64_t StreamReader::page_bytes() const { return impl_->page_bytes(); }
std::optional<VmUuid> StreamReader::uuid() const { return impl_->uuid(); }
const std::vector<DeviceInChannels>& StreamReader::in_channels() const {
  return impl_->in_channels();
}
bool StreamReader::complete() const { return impl_->complete(); }
const VmDescription* StreamReader::description() const {
  return impl_->description();
}
int StreamReader::footers() const { return impl_->footers(); }

}  // namespace migstream
