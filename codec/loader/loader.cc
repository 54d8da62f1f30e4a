#include "codec/loader/loader.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>

#include "codec/io/file_kind.h"
#include "codec/loader/loader_channels.h"
#include "codec/loader/loader_commands.h"
#include "codec/loader/loader_configuration.h"
#include "codec/loader/loader_device.h"
#include "codec/loader/loader_handlers.h"
#include "codec/loader/loader_input.h"
#include "codec/loader/loader_other.h"
#include "codec/loader/loader_ram.h"
#include "codec/loader/loader_row.h"
#include "codec/loader/loader_vmstate.h"
#include "codec/multifd/packet.h"
#include "codec/payload/payload_verdict.h"
#include "codec/qemu/description_loader.h"
#include "codec/qemu/loader_words.h"
#include "codec/qemu/section_guess.h"
#include "codec/qemu/stream_decoder.h"
#include "codec/qemu/stream_visitor.h"
#include "codec/survey/payload_survey.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "flags/machine_type.h"
#include "flags/qemu_version.h"
#include "flags/ram_flags.h"
#include "flags/release.h"

namespace migstream {
namespace {

// What of the device's driver the load depends on, as far as the payload says.
std::string AssumedDriver(const PayloadReport& payload) {
  const payload::Format& format = *payload.format;
  if (format.readers.empty()) return {};
  const payload::Generation& generation =
      format.generations[payload.generation];
  std::string text =
      StrCat("a driver that takes its payload, ", generation.needs);
  std::string also = PayloadAlso(payload);
  if (!also.empty()) StrAppend(&text, " with ", also);
  PayloadVerdict verdict = Judge(payload, kNewestKernel);
  if (verdict.fate == PayloadFate::kRefused) {
    StrAppend(&text, "; ", verdict.text);
  }
  return text;
}

class Loader {
 public:
  Loader(ByteSource& source, const LoaderRow& row, const LoaderOptions& options)
      : input_(source),
        row_(row),
        options_(options),
        commands_(row),
        description_(nobody_, options.limits),
        ram_(row, options.limits),
        devices_(row, options.release) {}

  LoadVerdict Load(std::vector<ChannelReader::Channel> channels) {
    multifd_given_ = !channels.empty();
    if (options_.page_bytes != 0) {
      traits_.page_bytes = options_.page_bytes;
      traits_.page_bytes_known = true;
    }
    description_.Load(input_.source());
    Describe();
    if (LoadHeader() && LoadConfiguration() && LoadSections()) {
      if (commands_.colo_at() != 0) {
        Wait(commands_.colo_at(), "COMMAND ENABLE_COLO",
             "a COLO migration, which never ends", verdict_);
      }
      LoadGivenChannels(std::move(channels));
    }
    if (ram_.has_conflict()) {
      section_ = "ram START";
      ram_.RefuseConflict(input_);
    }
    if (!input_.source().failure().empty()) {
      verdict_.outcome = LoadVerdict::kUnreadable;
      verdict_.message = input_.source().failure();
    } else if (!input_.ok()) {
      const bool spins = devices_.spins() || ram_.loops();
      verdict_.outcome = spins && !ram_.has_conflict() ? LoadVerdict::kWaits
                                                       : LoadVerdict::kRefuses;
      verdict_.offset = input_.refused_at();
      verdict_.section = section_;
      verdict_.message = input_.message();
    }
    if (section_ != "header") SayWhatIsAssumed();
    return std::move(verdict_);
  }

 private:
  std::string_view Savevm() const { return row_.savevm_words ? "savevm " : ""; }

  // A section may have shown that another description is the stream's. The one
  // before lasts until the next section that may.
  void Describe() {
    const VmDescription* description = description_.description().get();
    if (handlers_.description() != description) handlers_.Describe(description);
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
                           StrCat("SaveVM v2 format is obsolete and ",
                                  row_.savevm_words ? "don't work anymore"
                                                    : "no longer supported"));
    }
    return version == kStreamVersion ||
           input_.Refuse(start + 4, "Unsupported migration stream version");
  }

  bool LoadConfiguration() {
    section_ = "CONFIGURATION";
    const LocalMachine local = {options_.machine_type,
                                options_.any_machine_type};
    return migstream::LoadConfiguration(input_, row_, local, configuration_,
                                        traits_);
  }

  // All up to EOF, or to what ends a package. False if refused.
  bool LoadSections() {
    while (true) {
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
          continue;
        case SectionType::kPart:
        case SectionType::kEnd:
          if (!LoadNumbered(static_cast<SectionType>(type))) return false;
          continue;
        case SectionType::kCommand:
          if (!LoadCommand(at)) return false;
          if (in_package_ && commands_.postcopy_running()) return true;
          continue;
        case SectionType::kSectionFooter:
          // It is the first section's that is gone.
          if (!footers_.value_or(true)) return RefuseFirstFooter();
          break;
        case SectionType::kSubsection:
        case SectionType::kVmDescription:
        case SectionType::kConfiguration:
          break;
      }
      return input_.Refuse(at,
                           StrCat("Unknown ", Savevm(), "section type ", type));
    }
  }

  bool LoadNamed(SectionType type) {
    Describe();
    uint64_t at = input_.offset() - 1;
    LoaderHandler handler;
    handler.section_id = input_.Be32();
    const ByteSpan length = input_.Peek(1);
    const size_t bytes = length.empty() ? 0 : length[0];
    handler.idstr = input_.Str8();
    handler.ends_early = handler.idstr.size() < bytes;
    section_ = StrCat(Printable(handler.idstr), " ", ToString(type));
    if (bytes == 0 || input_.ended()) {
      return input_.Refuse(at, StrCat("Unable to read ID string for section ",
                                      handler.section_id));
    }
    handler.instance_id = input_.Be32();
    handler.version_id = input_.Be32();
    if (!input_.CheckEnd()) return false;
    LoaderVersions versions;
    if (!handlers_.Exists(handler, type, versions)) {
      const std::string shown = handlers_.Shown(handler.idstr);
      section_ = StrCat(Printable(shown), " ", ToString(type));
      return input_.Refuse(
          at, UnknownSection(row_.savevm_words, shown, handler.instance_id));
    }
    if (auto refusal = CheckVersion(handler, versions, at, row_)) {
      return input_.Refuse(*std::move(refusal));
    }
    if (!handlers_.Name(handler, options_.limits.sections)) {
      return input_.Refuse(at, "too many sections for this model");
    }
    return LoadContent(handler, type);
  }

  bool LoadNumbered(SectionType type) {
    uint64_t at = input_.offset() - 1;
    uint32_t id = input_.Be32();
    if (!input_.CheckEnd()) return false;
    section_ = StrCat(ToString(type), " section");
    const LoaderHandler* handler = handlers_.Find(id);
    if (handler == nullptr) return RefuseNumber(at, id);
    section_ = StrCat(Printable(handler->idstr), " ", ToString(type));
    return LoadContent(*handler, type);
  }

  // Whoever was not named yet has id 0, and version 0.
  bool RefuseNumber(uint64_t at, uint32_t id) {
    const DescribedDevice* device =
        id == 0 ? handlers_.FirstUnnamed() : nullptr;
    if (device != nullptr && !IsVfioIdstr(device->name)) {
      return input_.Refuse(
          at, OldVersion(VmstateName(device->name), 0, "...", row_));
    }
    return input_.Refuse(
        at, StrCat("Unknown ", Savevm(), "section ", static_cast<int32_t>(id)));
  }

  bool LoadContent(const LoaderHandler& handler, SectionType type) {
    if (handler.idstr == "ram") {
      FindPageSize(type);
      if (!ram_.Load(input_, handler.version_id, traits_)) return false;
    } else if (handler.vfio) {
      if (!LoadDevice(handler)) return false;
    } else if (HandlerParser parser = ParserOf(handler)) {
      Error error = PassHandlerContent(input_.source(), parser, type);
      if (!input_.CheckBound()) return false;
      if (!error.ok()) {
        return input_.Refuse(error.offset, error.code == ErrorCode::kTruncated
                                               ? "Input/output error"
                                               : error.reason);
      }
    } else if (handler.reads_less && footers_.value_or(true)) {
      return RefuseFooter(handler, input_.offset());
    } else if (!LoadOther(input_, handler, handlers_, description_, footers_,
                          configuration_.present, options_.limits, guesses_)) {
      section_ = StrCat(UnknownName(handler.idstr), " ", ToString(type));
      return false;
    }
    return CheckFooter(handler);
  }

  // The destination's target has the source's pages.
  void FindPageSize(SectionType type) {
    if (traits_.page_bytes_known) return;
    const VmDescription* description = description_.description().get();
    if (type == SectionType::kStart) {
      if (description != nullptr && IsPageSize(description->page_bytes)) {
        traits_.page_bytes = description->page_bytes;
      }
      return;
    }
    const PageSizeGuess guess = ram_.GuessPages(input_, traits_.page_bytes);
    if (guess.page_bytes == 0) return;
    traits_.page_bytes = guess.page_bytes;
    traits_.page_bytes_known = guess.proved;
  }

  bool LoadDevice(const LoaderHandler& handler) {
    auto [found, added] =
        vfio_.try_emplace({handler.idstr, handler.instance_id},
                          LoaderDevice{handler.idstr, handler.instance_id});
    LoaderDevice& device = found->second;
    if (added) {
      device.payload = &payloads_.Tally(vfio_.size() - 1);
      numbers_[found->first] = vfio_.size() - 1;
      constexpr uint64_t kTagsBytes = 16;  // CONFIG, END_OF_STATE
      if (handler.described_bytes > kTagsBytes) {
        device.config_bytes = handler.described_bytes - kTagsBytes;
      }
      device.config = DestinationConfig(handler.idstr);
      bool ack = options_.switchover_ack == LoaderOptions::kAsNeeded
                     ? commands_.return_path()
                     : options_.switchover_ack == LoaderOptions::kOn;
      devices_.SetSwitchoverAck(ack);
    }
    // Each device is named before any sends INIT_DATA_SENT.
    if (row_.counts_switchover_acks ||
        HasSwitchoverAckLegacy(configuration_.machine_type)) {
      devices_.SetAwaitedAcks(
          std::max<uint64_t>(handlers_.described_vfio(), vfio_.size()));
    }
    auto set = [](LoaderOptions::Setting setting) -> std::optional<bool> {
      if (setting == LoaderOptions::kAsNeeded) return std::nullopt;
      return setting == LoaderOptions::kOn;
    };
    devices_.SetTransfer(set(options_.multifd_transfer),
                         set(options_.load_config_after_iter));
    devices_.SetMultifd(multifd_given_ || ram_.multifd());
    return devices_.Load(input_, device);
  }

  // Empty if nothing is known of the destination's device.
  const std::string& DestinationConfig(std::string_view idstr) const {
    static const std::string kUnknown;
    bool meant = options_.destination_device.empty() ||
                 IsNamed(idstr, options_.destination_device);
    return meant ? options_.destination_config : kUnknown;
  }

  bool CheckFooter(const LoaderHandler& handler) {
    uint64_t at = input_.offset();
    if (!footers_) {
      footers_ = LooksLikeFooter(handler, input_.Peek(kFooterBytes));
      if (!*footers_) first_end_ = {at, section_, handler.idstr};
    }
    if (!*footers_) return input_.CheckEnd();
    uint8_t mark = input_.U8();
    if (input_.ended()) {
      return input_.Refuse(at, "Read section footer failed: -5");
    }
    if (mark != static_cast<uint8_t>(SectionType::kSectionFooter)) {
      return RefuseFooter(handler, at);
    }
    uint32_t id = input_.Be32();
    return id == handler.section_id ||
           input_.Refuse(at + 1, StrCat("Mismatched section id in footer for ",
                                        handler.idstr, " - read ", Hex(id),
                                        " expected ", Hex(handler.section_id)));
  }

  bool RefuseFooter(const LoaderHandler& handler, uint64_t at) {
    return input_.Refuse(at,
                         StrCat("Missing section footer for ", handler.idstr));
  }

  bool RefuseFirstFooter() {
    footers_ = true;
    section_ = first_end_.section;
    return input_.Refuse(
        first_end_.offset,
        StrCat("Missing section footer for ", first_end_.idstr));
  }

  // The first section shows whether the destination expects footers: what
  // follows it is a footer, perhaps damaged, or the next section.
  static bool LooksLikeFooter(const LoaderHandler& handler, ByteSpan bytes) {
    if (bytes.empty()) return true;
    const auto type = static_cast<SectionType>(bytes[0]);
    // Where one section is all there is, at most a description follows.
    if (type == SectionType::kEof && bytes.size() > 1 &&
        static_cast<SectionType>(bytes[1]) != SectionType::kVmDescription) {
      return true;
    }
    if (FollowsSection(bytes[0])) return false;
    if (type == SectionType::kSectionFooter) return true;
    // Either is damaged; a footer has the section's id behind it.
    return bytes.size() < kFooterBytes ||
           LoadBe32(&bytes[1]) == handler.section_id;
  }

  bool LoadCommand(uint64_t at) {
    std::optional<uint64_t> page_bytes;
    if (traits_.page_bytes_known) page_bytes = traits_.page_bytes;
    if (!commands_.Load(input_, at, page_bytes, section_)) return false;
    traits_.advised_page_sizes = commands_.advised_page_sizes().value_or(0);
    return !commands_.package_bytes() ||
           LoadPackage(at, *commands_.package_bytes());
  }

  // The loader has all of a package before it looks at any of it.
  bool LoadPackage(uint64_t at, uint32_t bytes) {
    if (in_package_) {
      return input_.Refuse(at, "a package in a package, not in this model");
    }
    const uint64_t start = input_.offset();
    input_.Bound(start + bytes);
    in_package_ = true;
    bool loads = LoadSections();
    in_package_ = false;
    if (!input_.Unbound()) {
      section_ = "COMMAND PACKAGED";
      return input_.RefuseFirst(
          input_.offset(), StrCat("CMD_PACKAGED: Buffer receive fail ret=",
                                  input_.offset() - start, " length=", bytes));
    }
    return loads;
  }

  void LoadGivenChannels(std::vector<ChannelReader::Channel> channels) {
    const bool takes_channels =
        LoaderDialect(options_.release, true).multifd_device_state;
    std::vector<DeviceInChannels> in_channels;
    for (const auto& [name, device] : vfio_) {
      if (devices_.configured().count(name) == 0) {
        if (takes_channels) in_channels.push_back({name.first, name.second});
      } else if (!device.config.empty()) {
        ++verdict_.configs_compared;
      }
    }
    std::sort(in_channels.begin(), in_channels.end(),
              [](const auto& a, const auto& b) {
                return std::tie(a.idstr, a.instance_id) <
                       std::tie(b.idstr, b.instance_id);
              });
    for (const DeviceInChannels& device : in_channels) {
      if (options_.multifd_transfer == LoaderOptions::kOff) {
        section_ = StrCat(Printable(device.idstr), " multifd packet");
        input_.Refuse(input_.offset(),
                      StrCat(device.idstr,
                             ": got device state packet but not doing multifd "
                             "transfer"));
        return;
      }
      if (options_.load_config_after_iter == LoaderOptions::kOn &&
          devices_.ready().count({device.idstr, device.instance_id}) == 0) {
        return Wait(input_.offset(), StrCat(Printable(device.idstr), " FULL"),
                    "DEV_CONFIG_LOAD_READY, which does not come", verdict_);
      }
    }
    if (channels.empty()) {
      channels_missing_ = ram_.multifd() || !in_channels.empty();
    } else {
      ChannelReaderOptions options;
      options.page_bytes = static_cast<uint32_t>(traits_.page_bytes);
      options.uuid = configuration_.uuid;
      if (ChecksPacketSize({options_.release, options_.stable})) {
        options.limits.ram_packet_bytes = 2 * kRamPacketPageBytes;
      }
      options.devices = std::move(in_channels);
      LoadChannels(
          std::move(channels), options, row_,
          [this](std::string_view idstr) {
            return AsBytes(DestinationConfig(idstr));
          },
          [this](const ReassembledPiece& piece) {
            auto number =
                numbers_.find({std::string(piece.idstr), piece.instance_id});
            if (number == numbers_.end()) return;
            payloads_.OnPiece(number->second, piece);
            if (!piece.config) return;
            DecodeConfigPiece(piece, [&](const Event& event) {
              if (event.kind == EventKind::kSubsection &&
                  event.subsection.name == kDisplaySubsection) {
                vfio_[number->first].display = true;
              }
            });
          },
          verdict_);
    }
  }

  void SayWhatIsAssumed() {
    std::vector<std::string>& given = verdict_.given;
    // Where that is refused, it was not given.
    const bool refused = !input_.ok() && section_ == "CONFIGURATION";
    if (!configuration_.present) {
      given.push_back("send-configuration off");
    } else if (options_.machine_type.empty() && !options_.compared &&
               !refused) {
      given.push_back(
          StrCat("machine type ", Printable(configuration_.machine_type)));
    }
    if (footers_ && !*footers_) given.push_back("send-section-footer off");
    for (const std::string& name : configuration_.capabilities) {
      given.push_back(StrCat("capability ", Printable(name)));
    }
    if (configuration_.page_bits != 0) {
      given.push_back(StrCat("target pages of ", traits_.page_bytes, " bytes"));
    }
    if (commands_.colo_at() != 0) given.push_back("capability x-colo");
    if (configuration_.uuid) given.push_back("the stream's UUID");
    if (commands_.advised_page_sizes()) {
      given.push_back("capability postcopy-ram");
    }
    if (ram_.compressed_pages()) given.push_back("capability compress");
    if (ram_.blocks() != 0 && !options_.compared) {
      given.push_back(StrCat("the same ", ram_.blocks(), " RAM blocks, of ",
                             ram_.total_bytes(), " bytes in all"));
    }
    if (handlers_.others() != 0 && options_.compared) {
      given.push_back(StrCat(handlers_.others(),
                             " other devices, which take their states"));
    } else if (handlers_.others() != 0) {
      given.push_back(StrCat("the same ", handlers_.others(),
                             " other devices, which take their states"));
    }
    if (devices_.init_data_sent() &&
        options_.switchover_ack == LoaderOptions::kAsNeeded) {
      given.push_back(StrCat("capability switchover-ack ",
                             commands_.return_path() ? "on" : "off"));
    }
    for (const auto& [name, device] : vfio_) {
      if (device.display) {
        given.push_back(StrCat(Printable(name.first),
                               ": ramfb on; without it the loader stops at an "
                               "assertion"));
      }
      if (device.config.empty() && !options_.compared) {
        given.push_back(StrCat(Printable(name.first),
                               ": a device with the stream's ids and "
                               "capabilities"));
      }
    }
    for (const auto& [name, number] : numbers_) {
      if (auto payload = payloads_.Finish(number, !channels_missing_)) {
        std::string driver = AssumedDriver(*payload);
        if (driver.empty()) continue;
        given.push_back(StrCat(Printable(name.first), ": ", driver));
      }
    }
    if (vfio_.size() > 1 && row_.several_devices_need_p2p) {
      given.push_back("each VFIO device supports P2P");
    }
    if (channels_missing_) {
      given.push_back("multifd channels that hold what is missing here");
    }
    if (guesses_.any) given.push_back("sections end where it seems they do");
    std::sort(given.begin(), given.end());
  }

  LoaderInput input_;
  const LoaderRow& row_;
  const LoaderOptions& options_;
  LoaderConfiguration configuration_;
  LoaderCommands commands_;
  StreamVisitor nobody_;
  DescriptionLoader description_;
  LoaderHandlers handlers_;
  LoaderRam ram_;
  LoaderDevices devices_;
  LoadVerdict verdict_;
  RamTraits traits_;
  std::string section_;
  std::map<std::pair<std::string, uint32_t>, LoaderDevice> vfio_;
  // Those of payloads_.
  std::map<std::pair<std::string, uint32_t>, size_t> numbers_;
  PayloadSurvey payloads_{{.records = 0, .values = 0}};
  std::optional<bool> footers_;
  // Where the first section ends, if no footer seems to be there.
  struct {
    uint64_t offset;
    std::string section;
    std::string idstr;
  } first_end_ = {};
  bool multifd_given_ = false;
  bool in_package_ = false;
  LoaderGuesses guesses_;
  bool channels_missing_ = false;
};

}  // namespace

LoadVerdict PredictLoad(ByteSource& source,
                        std::vector<ChannelReader::Channel> channels,
                        const LoaderOptions& options) {
  const LoaderRow* row = FindLoader(options.release);
  if (row == nullptr) row = FindLoader(std::rbegin(kReleases)->release);
  return Loader(source, *row, options).Load(std::move(channels));
}

}  // namespace migstream
