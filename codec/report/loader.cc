#include "codec/report/loader.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "codec/qemu/configuration.h"
#include "codec/qemu/content_reader.h"
#include "codec/qemu/file_kind.h"
#include "codec/qemu/handler_walkers.h"
#include "codec/qemu/section_guess.h"
#include "codec/qemu/stream_reader.h"
#include "codec/qemu/vm_description.h"
#include "codec/report/loader_device.h"
#include "codec/report/loader_input.h"
#include "codec/report/loader_ram.h"
#include "codec/report/loader_row.h"
#include "codec/report/machine_type.h"
#include "codec/wire/printable.h"

namespace migstream {
namespace {

constexpr uint32_t kRamVersion = 4;
constexpr uint32_t kVfioVersion = 1;
// No handler of any release has come this far.
constexpr uint32_t kNewestVersion = 255;
constexpr uint32_t kFooterBytes = 5;

// What the loader keeps of a handler: one that a START or FULL has named.
struct Handler {
  std::string idstr;
  uint32_t instance_id = 0;
  uint32_t version_id = 0;
  uint32_t section_id = 0;
  bool vfio = false;
  uint64_t described_bytes = 0;  // 0: not described.
};

class Loader {
 public:
  Loader(ByteSource& source, const LoaderRow& row, const LoaderOptions& options)
      : input_(source),
        row_(row),
        options_(options),
        ram_(row, options.limits),
        devices_(row, options.release) {}

  LoadVerdict Load(std::vector<ChannelReader::Channel> channels) {
    multifd_given_ = !channels.empty();
    FindDescriptionAtEnd();
    if (LoadHeader() && LoadConfiguration() && LoadSections(0)) {
      LoadChannels(std::move(channels));
    }
    if (!input_.source().failure().empty()) {
      verdict_.outcome = LoadVerdict::kUnreadable;
      verdict_.message = input_.source().failure();
    } else if (!input_.ok()) {
      verdict_.outcome = LoadVerdict::kRefuses;
      verdict_.offset = input_.refused_at();
      verdict_.section = section_;
      verdict_.message = input_.message();
    }
    SayWhatIsAssumed();
    return std::move(verdict_);
  }

 private:
  void FindDescriptionAtEnd() {
    ByteSource& source = input_.source();
    if (!source.ReachEnd(options_.limits.held_bytes)) return;
    constexpr uint64_t kFirstTailBytes = 256 << 10;
    uint64_t longest = options_.limits.description_bytes + 6;
    for (uint64_t bytes = kFirstTailBytes;; bytes *= 4) {
      bytes = std::min(bytes, longest);
      std::vector<uint8_t> tail = source.Tail(bytes);
      FoundDescription found = FindDescription(tail);
      if (found.found) {
        auto parsed = VmDescription::Parse(
            std::string(AsText(ByteSpan(tail).subspan(found.json_at))),
            {.max_objects = options_.limits.description_objects});
        if (parsed.ok()) description_ = *std::move(parsed);
        return;
      }
      if (!found.longer_tail_needed || bytes == longest ||
          tail.size() < bytes) {
        return;
      }
    }
  }

  bool LoadHeader() {
    section_ = "header";
    uint64_t start = input_.offset();
    if (input_.Be32() != kStreamMagic) {
      return input_.Refuse(start, "Not a migration stream");
    }
    uint32_t version = input_.Be32();
    if (version == kStreamVersionObsolete) {
      return input_.Refuse(start + 4,
                           "SaveVM v2 format is obsolete and don't work "
                           "anymore");
    }
    return version == kStreamVersion ||
           input_.Refuse(start + 4, "Unsupported migration stream version");
  }

  bool LoadConfiguration() {
    uint64_t offset = input_.offset();
    ByteSpan bytes = input_.Peek(1);
    section_ = "CONFIGURATION";
    if (bytes.empty() ||
        bytes[0] != static_cast<uint8_t>(SectionType::kConfiguration)) {
      // A destination that expects one refuses at once.
      bool other_than_a_section =
          !bytes.empty() &&
          bytes[0] > static_cast<uint8_t>(SectionType::kFull) &&
          bytes[0] != static_cast<uint8_t>(SectionType::kCommand);
      if (!options_.machine_type.empty() || other_than_a_section) {
        return input_.Refuse(offset, "Configuration section missing");
      }
      return true;
    }
    ParsedConfiguration parsed;
    for (size_t window = 512;; window *= 2) {
      bytes = input_.Peek(window);
      bool end = bytes.size() < window;
      parsed = ParseConfiguration(bytes, offset, end);
      if (!parsed.incomplete || !parsed.error.ok()) break;
      if (end)
        return input_.Refuse(offset + bytes.size(), "Input/output error");
    }
    if (!parsed.error.ok()) {
      return input_.Refuse(parsed.error.offset, parsed.error.reason);
    }
    has_configuration_ = true;
    machine_type_ = std::string(parsed.view.machine_type);
    uuid_ = FindUuid(parsed.view);
    for (const auto& subsection : parsed.view.subsections) {
      if (subsection.name != kCapabilitiesSubsection) continue;
      for (const std::string& name : ParseCapabilities(subsection.payload)) {
        capabilities_.push_back(name);
        if (name == "mapped-ram" && !row_.mapped_ram) {
          return input_.Refuse(offset,
                               "Received unknown capability mapped-ram");
        }
      }
    }
    if (!IsLocalMachineType()) {
      return input_.Refuse(
          offset + 5,
          absl::StrCat(
              "Machine type received is '", machine_type_, "' and local is '",
              options_.machine_type.empty()
                  ? absl::StrCat("...', since ", ReleaseName(options_.release),
                                 " has no such")
                  : absl::StrCat(options_.machine_type, "'")));
    }
    traits_.ignore_shared = parsed.ignore_shared;
    traits_.mapped_ram = parsed.mapped_ram;
    if (parsed.page_bits != 0) {
      traits_.page_bytes = uint64_t{1} << parsed.page_bits;
    }
    input_.source().Consume(parsed.bytes);
    return true;
  }

  // The loader compares as much as was sent.
  bool IsLocalMachineType() const {
    if (options_.machine_type.empty()) {
      return HasMachineType(row_, options_.release, machine_type_);
    }
    absl::string_view sent = machine_type_;
    return sent == absl::string_view(options_.machine_type)
                       .substr(0, machine_type_.size());
  }

  // All up to EOF, or the end of a package. False if refused.
  bool LoadSections(uint64_t package_end) {
    while (package_end == 0 || input_.offset() < package_end) {
      uint64_t at = input_.offset();
      section_ = "stream";
      uint8_t type = input_.U8();
      if (!input_.CheckEnd()) return false;
      switch (static_cast<SectionType>(type)) {
        case SectionType::kEof:
          return true;
        // The loader makes no difference between these, nor between those.
        case SectionType::kStart:
        case SectionType::kFull:
          if (!LoadNamed(static_cast<SectionType>(type))) return false;
          break;
        case SectionType::kPart:
        case SectionType::kEnd:
          if (!LoadNumbered(static_cast<SectionType>(type))) return false;
          break;
        case SectionType::kCommand:
          if (!LoadCommand(at)) return false;
          if (postcopy_running_) return true;
          break;
        default:
          return input_.Refuse(
              at, absl::StrCat("Unknown ", row_.savevm, "section type ", type));
      }
    }
    return true;
  }

  bool LoadNamed(SectionType type) {
    uint64_t at = input_.offset() - 1;
    Handler handler;
    handler.section_id = input_.Be32();
    handler.idstr = input_.Str8();
    section_ = absl::StrCat(Printable(handler.idstr), " ", ToString(type));
    if (handler.idstr.empty()) {
      return input_.Refuse(at,
                           absl::StrCat("Unable to read ID string for section ",
                                        handler.section_id));
    }
    handler.instance_id = input_.Be32();
    uint32_t version = input_.Be32();
    if (!input_.CheckEnd()) return false;
    std::optional<uint32_t> newest;
    if (!Find(handler, newest)) {
      return input_.Refuse(
          at, absl::StrCat("Unknown ", row_.savevm, "section or instance '",
                           handler.idstr, "' ", handler.instance_id,
                           ". Make sure that your current VM setup matches "
                           "your saved VM setup, including any hotplugged "
                           "devices"));
    }
    if (newest && version > *newest) {
      return input_.Refuse(at,
                           absl::StrCat("savevm: unsupported version ",
                                        static_cast<int32_t>(version), " for '",
                                        handler.idstr, "' v", *newest));
    }
    handler.version_id = version;
    auto known = std::find_if(handlers_.begin(), handlers_.end(),
                              [&handler](const Handler& other) {
                                return other.idstr == handler.idstr &&
                                       other.instance_id == handler.instance_id;
                              });
    if (known == handlers_.end()) {
      if (handlers_.size() == options_.limits.sections) {
        return input_.Refuse(at, "too many sections for this model");
      }
      known = handlers_.insert(known, handler);
    } else {
      *known = handler;
    }
    return LoadContent(handler, type);
  }

  bool LoadNumbered(SectionType type) {
    uint64_t at = input_.offset() - 1;
    uint32_t id = input_.Be32();
    if (!input_.CheckEnd()) return false;
    section_ = absl::StrCat(ToString(type), " section");
    auto known = std::find_if(
        handlers_.begin(), handlers_.end(),
        [id](const Handler& handler) { return handler.section_id == id; });
    if (known == handlers_.end()) {
      return input_.Refuse(at, absl::StrCat("Unknown ", row_.savevm, "section ",
                                            static_cast<int32_t>(id)));
    }
    section_ = absl::StrCat(Printable(known->idstr), " ", ToString(type));
    return LoadContent(Handler(*known), type);
  }

  // Whether the destination has such a handler, and up to which version.
  bool Find(Handler& handler, std::optional<uint32_t>& newest) const {
    handler.vfio = IsVfioIdstr(handler.idstr);
    const DescribedDevice* described =
        description_ ? description_->Find(handler.idstr, handler.instance_id)
                     : nullptr;
    if (described != nullptr) {
      handler.described_bytes = described->bytes;
      if (described->version) newest = *described->version;
    }
    if (handler.idstr == "ram") {
      newest = kRamVersion;
      return handler.instance_id == 0;
    }
    if (handler.vfio) newest = kVfioVersion;
    if (described != nullptr || IsWalked(handler)) return true;
    if (handler.vfio) {
      // QEMU 5.2 describes none.
      return handler.instance_id == 0 && (!description_ || !AnyVfioDescribed());
    }
    // Where nothing is described, what no release has.
    newest = kNewestVersion;
    return !description_ &&
           std::all_of(handler.idstr.begin(), handler.idstr.end(),
                       [](char c) { return c >= ' ' && c <= '~'; });
  }

  bool AnyVfioDescribed() const {
    return std::any_of(
        description_->devices.begin(), description_->devices.end(),
        [](const DescribedDevice& device) { return IsVfioIdstr(device.name); });
  }

  static HandlerWalker WalkerOf(const Handler& handler) {
    HandlerWalker walker =
        FindHandlerWalker(handler.idstr, SectionType::kStart);
    return walker ? walker
                  : FindHandlerWalker(handler.idstr, SectionType::kFull);
  }
  static bool IsWalked(const Handler& handler) {
    return WalkerOf(handler) != nullptr;
  }

  bool LoadContent(const Handler& handler, SectionType type) {
    if (handler.idstr == "ram") {
      if (!ram_.Load(input_, handler.version_id, traits_)) return false;
    } else if (handler.vfio) {
      if (!LoadDevice(handler)) return false;
    } else if (IsWalked(handler)) {
      StreamVisitor nobody;
      ContentReader content(input_.source(), nobody, section_);
      WalkerOf(handler)(content, type);
      if (!content.ok()) {
        return input_.Refuse(content.error().offset, content.error().reason);
      }
    } else if (!LoadOther(handler)) {
      return false;
    }
    return CheckFooter(handler);
  }

  bool LoadDevice(const Handler& handler) {
    auto [found, added] = vfio_.try_emplace(
        {handler.idstr, handler.instance_id}, LoaderDevice{handler.idstr});
    LoaderDevice& device = found->second;
    if (added) {
      constexpr uint64_t kTagsBytes = 16;  // CONFIG, END_OF_STATE
      if (handler.described_bytes > kTagsBytes) {
        device.config_bytes = handler.described_bytes - kTagsBytes;
      }
      if (options_.destination_device.empty() ||
          options_.destination_device == handler.idstr) {
        device.config = options_.destination_config;
      }
      bool ack = options_.switchover_ack == LoaderOptions::kAsNeeded
                     ? return_path_
                     : options_.switchover_ack == LoaderOptions::kOn;
      devices_.SetSwitchoverAck(ack);
    }
    if (!acks_counted_ && CountsAcks()) {
      acks_counted_ = true;
      devices_.SetAwaitedAcks(AwaitedAcks());
    }
    devices_.SetMultifd(multifd_given_ || ram_.multifd());
    return devices_.Load(input_, device);
  }

  bool CountsAcks() const {
    return row_.counts_switchover_acks ||
           (MachineTypeRelease(machine_type_) != 0 &&
            MachineTypeRelease(machine_type_) < 1101);
  }

  uint64_t AwaitedAcks() const {
    if (description_ && AnyVfioDescribed()) {
      return std::count_if(description_->devices.begin(),
                           description_->devices.end(),
                           [](const DescribedDevice& device) {
                             return IsVfioIdstr(device.name);
                           });
    }
    return ~uint64_t{0};
  }

  // A device whose state is not looked at.
  bool LoadOther(const Handler& handler) {
    if (handler.described_bytes != 0 || description_) {
      input_.Skip(handler.described_bytes);
      return input_.CheckEnd();
    }
    GuessContext context;
    context.section_id = handler.section_id;
    context.footers = footers_.value_or(has_configuration_);
    context.known_section = [this,
                             &handler](uint32_t id) -> const std::string* {
      for (const Handler& known : handlers_) {
        if (known.section_id == id && id != handler.section_id) {
          return &known.idstr;
        }
      }
      return nullptr;
    };
    ByteSpan bytes = input_.Peek(options_.limits.guessed_bytes);
    context.end_of_input = bytes.size() < options_.limits.guessed_bytes;
    std::optional<SectionGuess> guess = GuessSectionEnd(bytes, 0, context);
    if (!guess) guess = GuessLast(handler, bytes);
    if (!guess) {
      return input_.Refuse(
          input_.offset(),
          context.end_of_input
              ? "Input/output error"
              : absl::StrCat("Missing section footer for ", handler.idstr));
    }
    guessed_ = true;
    input_.Skip(guess->content_bytes);
    return true;
  }

  // A description that is damaged, or cut short, is no follower that a guess
  // takes; the loader does not look at it.
  std::optional<SectionGuess> GuessLast(const Handler& handler,
                                        ByteSpan bytes) const {
    std::vector<uint8_t> end;
    if (footers_.value_or(true)) {
      end.resize(kFooterBytes);
      end[0] = static_cast<uint8_t>(SectionType::kSectionFooter);
      StoreBe32(&end[1], handler.section_id);
    }
    end.push_back(static_cast<uint8_t>(SectionType::kEof));
    end.push_back(static_cast<uint8_t>(SectionType::kVmDescription));
    constexpr size_t kLengthBytes = 4;
    auto found = bytes.begin();
    while (true) {
      found = std::search(found, bytes.end(), end.begin(), end.end());
      if (found == bytes.end()) return std::nullopt;
      size_t json = found - bytes.begin() + end.size() + kLengthBytes;
      if (json >= bytes.size() || bytes[json] == '{') break;
      ++found;
    }
    return SectionGuess{static_cast<uint64_t>(found - bytes.begin()), true};
  }

  bool CheckFooter(const Handler& handler) {
    uint64_t at = input_.offset();
    ByteSpan bytes = input_.Peek(kFooterBytes);
    if (!footers_) footers_ = LooksLikeFooter(handler, bytes);
    if (!*footers_) return input_.CheckEnd();
    uint8_t mark = input_.U8();
    if (!input_.CheckEnd()) return false;
    if (mark != static_cast<uint8_t>(SectionType::kSectionFooter)) {
      return input_.Refuse(
          at, absl::StrCat("Missing section footer for ", handler.idstr));
    }
    uint32_t id = input_.Be32();
    return id == handler.section_id ||
           input_.Refuse(at + 1,
                         absl::StrCat("Mismatched section id in footer for ",
                                      handler.idstr, " - read ", Hex(id),
                                      " expected ", Hex(handler.section_id)));
  }

  // Whether the destination expects footers is told by the first section: what
  // follows it is one, perhaps damaged, or the next section.
  static bool LooksLikeFooter(const Handler& handler, ByteSpan bytes) {
    if (bytes.empty()) return true;
    if (bytes.size() >= kFooterBytes &&
        LoadBe32(&bytes[1]) == handler.section_id) {
      return true;
    }
    switch (static_cast<SectionType>(bytes[0])) {
      case SectionType::kEof:
      case SectionType::kStart:
      case SectionType::kPart:
      case SectionType::kEnd:
      case SectionType::kFull:
      case SectionType::kCommand:
        return false;
      default:
        return true;
    }
  }

  bool LoadCommand(uint64_t at) {
    section_ = "COMMAND";
    uint16_t number = input_.Be16();
    uint16_t length = input_.Be16();
    if (!input_.CheckEnd()) return false;
    Command command = static_cast<Command>(number);
    section_ = absl::StrCat("COMMAND ", ToString(command));
    if (number == 0 || command > row_.last_command) {
      return input_.Refuse(
          at, absl::StrCat("MIG_CMD ", Hex(number), " unknown (len ",
                           Hex(length), ")"));
    }
    bool any_length = command == Command::kPostcopyAdvise ||
                      command == Command::kPostcopyRamDiscard ||
                      command == Command::kRecvBitmap;
    if (!any_length && !IsCommandLength(command, length)) {
      return input_.Refuse(
          at + 3, absl::StrCat(ToString(command),
                               " received with bad length - expecting ",
                               CommandLengths(command), ", got ", length));
    }
    switch (command) {
      case Command::kOpenReturnPath:
        return_path_ = true;
        return true;
      case Command::kPing: {
        uint32_t value = input_.Be32();
        return return_path_ ||
               input_.Refuse(at, absl::StrCat("CMD_PING (", Hex(value),
                                              ") received with no return "
                                              "path"));
      }
      case Command::kEnableColo:
        if (!row_.colo) {
          return input_.Refuse(
              at, absl::StrCat("MIG_CMD ", Hex(number), " deprecated (len ",
                               Hex(length), ")"));
        }
        colo_at_ = at;
        return true;
      case Command::kPostcopyAdvise:
        return LoadAdvise(at, length);
      case Command::kPostcopyListen:
        if (!CheckPostcopy(at, "LISTEN", {kAdvised, kDiscarding})) return false;
        postcopy_ = kListening;
        return true;
      case Command::kPostcopyRun:
        if (!CheckPostcopy(at, "RUN", {kListening})) return false;
        postcopy_running_ = true;
        return true;
      case Command::kPostcopyRamDiscard:
        input_.Skip(length);
        if (!CheckPostcopy(at, "RAM_DISCARD", {kAdvised, kDiscarding})) {
          return false;
        }
        postcopy_ = kDiscarding;
        return true;
      case Command::kPackaged: {
        uint32_t bytes = input_.Be32();
        return input_.CheckEnd() && LoadSections(input_.offset() + bytes);
      }
      default:
        input_.Skip(length);
        return input_.CheckEnd();
    }
  }

  enum Postcopy : uint8_t { kNone, kAdvised, kDiscarding, kListening };

  bool CheckPostcopy(uint64_t at, absl::string_view name,
                     std::initializer_list<Postcopy> states) {
    return std::find(states.begin(), states.end(), postcopy_) != states.end() ||
           input_.Refuse(at, absl::StrCat("CMD_POSTCOPY_", name,
                                          " in wrong postcopy state (",
                                          int{postcopy_}, ")"));
  }

  bool LoadAdvise(uint64_t at, uint16_t length) {
    if (!CheckPostcopy(at, "ADVISE", {kNone})) return false;
    if (length != 0 && length != 16) {
      return input_.Refuse(at + 3, absl::StrCat("CMD_POSTCOPY_ADVISE invalid "
                                                "length (",
                                                length, ")"));
    }
    postcopy_ = kAdvised;
    if (length == 0) return true;
    traits_.advised_page_sizes = input_.Be64();
    uint64_t page_bytes = input_.Be64();
    if (!input_.CheckEnd()) return false;
    postcopy_ram_ = true;
    return page_bytes == traits_.page_bytes || !has_configuration_ ||
           input_.Refuse(at + 13, "Postcopy needs matching target page sizes");
  }

  // What goes wrong there mostly leaves the loader waiting.
  void LoadChannels(std::vector<ChannelReader::Channel> channels) {
    if (colo_at_ != 0) {
      Wait(colo_at_, "COMMAND ENABLE_COLO",
           "a COLO migration, which never ends");
    }
    ChannelReaderOptions options;
    options.page_bytes = static_cast<uint32_t>(traits_.page_bytes);
    options.only_devices = true;
    options.uuid = uuid_;
    for (const auto& [name, device] : vfio_) {
      if (devices_.configured().count(device.idstr) == 0) {
        options.devices.push_back(name);
      }
    }
    if (channels.empty()) {
      channels_missing_ = ram_.multifd() || !options.devices.empty();
      return;
    }
    std::vector<std::string> files;
    for (const auto& channel : channels) files.push_back(channel.name);
    ChannelReader reader(std::move(channels), options);
    Error config_error;
    Error error = reader.Read([&](const ReassembledPiece& piece) {
      if (!piece.config || !config_error.ok()) return;
      config_error = DecodeConfigPiece(piece, [](const Event&) {});
    });
    if (error.ok() && config_error.ok()) return;
    if (error.ok()) error = config_error;
    verdict_.file = error.file;
    switch (error.code) {
      case ErrorCode::kMultifdOtherVm:
      case ErrorCode::kMultifdChannelId:
        return RefuseChannel(files, reader.stats(), error);
      case ErrorCode::kMultifdGap:
      case ErrorCode::kMultifdDuplicate:
      case ErrorCode::kMultifdUnknownDevice:
      case ErrorCode::kMultifdVersion:
      case ErrorCode::kMultifdGapLimit:
      case ErrorCode::kMultifdIndexLimit:
        return Wait(error.offset, error.section, error.reason);
      default:
        verdict_.outcome = LoadVerdict::kRefuses;
        verdict_.offset = error.offset;
        verdict_.section = error.section;
        verdict_.message = error.reason;
    }
  }

  // What is wrong is in a channel's init message. A destination whose uuid the
  // stream does not say has that of the first channel.
  void RefuseChannel(const std::vector<std::string>& files,
                     const std::vector<ChannelStats>& stats,
                     const Error& error) {
    size_t i =
        std::find(files.begin(), files.end(), error.file) - files.begin();
    const int id = stats[i].id;
    verdict_.outcome = LoadVerdict::kRefuses;
    verdict_.offset = error.offset;
    verdict_.section = error.section;
    verdict_.message =
        error.code == ErrorCode::kMultifdChannelId
            ? absl::StrCat("multifd: received id '", id, "' already setup'")
            : absl::StrCat("multifd: received uuid '", UuidText(stats[i].uuid),
                           "' and expected uuid '",
                           UuidText(uuid_.value_or(stats[0].uuid)),
                           "' for channel ", id);
  }

  void Wait(uint64_t offset, std::string section, std::string what) {
    verdict_.outcome = LoadVerdict::kWaits;
    verdict_.offset = offset;
    verdict_.section = std::move(section);
    verdict_.message = std::move(what);
  }

  void SayWhatIsAssumed() {
    std::vector<std::string>& given = verdict_.given;
    if (!has_configuration_) {
      given.push_back("send-configuration off");
    } else if (options_.machine_type.empty()) {
      given.push_back(absl::StrCat("machine type ", Printable(machine_type_)));
    }
    if (footers_ && !*footers_) given.push_back("send-section-footer off");
    for (const std::string& name : capabilities_) {
      given.push_back(absl::StrCat("capability ", Printable(name)));
    }
    if (uuid_) given.push_back("the stream's UUID");
    if (postcopy_ram_) given.push_back("capability postcopy-ram");
    if (ram_.compressed_pages()) given.push_back("capability compress");
    if (ram_.blocks() != 0) {
      given.push_back(absl::StrCat("the same ", ram_.blocks(),
                                   " RAM blocks, of ", ram_.total_bytes(),
                                   " bytes in all"));
    }
    if (handlers_.size() > vfio_.size() + 1) {
      given.push_back(absl::StrCat("the same ",
                                   handlers_.size() - vfio_.size() - 1,
                                   " other devices, which take their states"));
    }
    if (devices_.init_data_sent() &&
        options_.switchover_ack == LoaderOptions::kAsNeeded) {
      given.push_back(absl::StrCat("capability switchover-ack ",
                                   return_path_ ? "on" : "off"));
    }
    for (const auto& [name, device] : vfio_) {
      if (device.config.empty()) {
        given.push_back(absl::StrCat(Printable(name.first),
                                     ": a device with the stream's ids and "
                                     "capabilities"));
      }
    }
    if (vfio_.size() > 1 && options_.release >= 802) {
      given.push_back("each VFIO device supports P2P");
    }
    if (channels_missing_) {
      given.push_back("multifd channels that hold what is missing here");
    }
    if (guessed_) given.push_back("sections end where it seems they do");
    std::sort(given.begin(), given.end());
  }

  LoaderInput input_;
  const LoaderRow& row_;
  const LoaderOptions& options_;
  LoaderRam ram_;
  LoaderDevices devices_;
  LoadVerdict verdict_;
  std::optional<VmDescription> description_;
  RamTraits traits_;
  std::string section_;
  std::string machine_type_;
  std::vector<std::string> capabilities_;
  std::vector<Handler> handlers_;  // In the order of the stream.
  absl::flat_hash_map<std::pair<std::string, uint32_t>, LoaderDevice> vfio_;
  std::optional<bool> footers_;
  bool has_configuration_ = false;
  std::optional<VmUuid> uuid_;  // If the stream says it.
  bool return_path_ = false;
  bool acks_counted_ = false;
  bool multifd_given_ = false;
  bool guessed_ = false;
  bool channels_missing_ = false;
  Postcopy postcopy_ = kNone;
  bool postcopy_ram_ = false;
  bool postcopy_running_ = false;
  uint64_t colo_at_ = 0;
};

}  // namespace

LoadVerdict PredictLoad(ByteSource& source,
                        std::vector<ChannelReader::Channel> channels,
                        const LoaderOptions& options) {
  const LoaderRow* row = FindLoader(options.release);
  if (row == nullptr) row = FindLoader(LoaderReleases().back());
  return Loader(source, *row, options).Load(std::move(channels));
}

}  // namespace migstream
