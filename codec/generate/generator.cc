#include "codec/generate/generator.h"

#include <sys/uio.h>

#include <algorithm>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "codec/device/section_encoder.h"
#include "codec/generate/damage.h"
#include "codec/generate/device_channels.h"
#include "codec/generate/frame.h"
#include "codec/generate/planned_device.h"
#include "codec/generate/ram_content.h"
#include "codec/generate/random.h"
#include "codec/generate/recipe_bounds.h"
#include "codec/generate/recipe_dialect.h"
#include "codec/generate/record_payload.h"
#include "codec/generate/vendor_device.h"
#include "codec/io/absl_view.h"
#include "codec/io/byte_source.h"
#include "codec/qemu/configuration.h"
#include "codec/qemu/description_editor.h"
#include "codec/qemu/stream_reader.h"
#include "codec/qemu/stream_writer.h"
#include "codec/wire/be_text.h"
#include "codec/wire/text.h"
#include "flags/release.h"
#include "flags/tag.h"
#include "flags/trigger_flags.h"

namespace migstream {
namespace {

// For what stands around the payload.
constexpr uint64_t kSlack = 64 << 10;

absl::Status Invalid(std::string_view what) {
  return absl::InvalidArgumentError(AbslView(what));
}

bool Decide(recipe::Choice choice, bool usual) {
  return choice == recipe::USUAL ? usual : choice == recipe::YES;
}

std::string DefaultMachineType(const Dialect& dialect) {
  Release release = dialect.first_release;
  if (!dialect.released()) release = dialect.multifd_device_state ? 1000 : 502;
  // From 8.2 on it is certain that the description has the configuration.
  if (dialect.id == DialectId::kV81) release = 802;
  return StrCat("pc-q35-", release / 100, ".", release % 100);
}

class Generator : private StreamWriter {
 public:
  Generator(const recipe::Migration& recipe, const GenerateOptions& options,
            Generated& out)
      : StreamWriter(sink_, GetDialect(DialectId::kAuto)),
        recipe_(recipe),
        options_(options),
        out_(out),
        sink_(out.main.bytes),
        random_(recipe.seed()),
        dialect_(
            RecipeDialect(recipe.dialect(), GetDialect(DialectId::kV111))) {}

  absl::Status Run() {
    if (absl::Status status = CheckRecipeBounds(recipe_, options_.max_bytes);
        !status.ok()) {
      return status;
    }
    // Growing as it is written, the stream would take twice its size.
    const uint64_t payload = RecipePayloadBytes(recipe_);
    out_.main.bytes.reserve(
        std::min(payload + payload / 64 + options_.frame.size() + kSlack,
                 options_.max_bytes));
    if (!recipe_.frame().empty()) {
      auto frame = Frame::Read(options_.frame);
      if (!frame.ok()) return frame.status();
      frame_ = *std::move(frame);
      framed_ = true;
      footers_ = frame_.footers;
      out_.machine_type = frame_.machine_type;
    } else {
      footers_ = recipe_.footers() != recipe::NO;
    }
    if (absl::Status status =
            PlanDevices(recipe_, dialect_, framed_ ? &frame_ : nullptr, random_,
                        out_.devices, planned_);
        !status.ok()) {
      return status;
    }
    if (framed_) {
      MemorySource source(options_.frame);
      Error error = StreamReader(source, *this).Read();
      if (!error.ok() && status_.ok()) status_ = Invalid(ToString(error));
    } else {
      WriteAll();
    }
    if (status_.ok()) WriteChannels();
    return status_;
  }

 private:
  class Sink : public ByteSink {
   public:
    explicit Sink(std::string& bytes) : bytes_(bytes) {}
    void Write(ByteSpan bytes) override {
      bytes_.append(AsText(bytes).data(), bytes.size());
    }

   private:
    std::string& bytes_;
  };

  bool InitDataSent() const {
    return std::any_of(out_.devices.begin(), out_.devices.end(),
                       [](const auto& d) { return d.init_data_sent; });
  }

  // ---- Without a frame ----

  void WriteAll() {
    OnHeader(kStreamVersion);
    WriteConfiguration();
    if (Decide(recipe_.return_path(), InitDataSent())) WriteReturnPath();
    if (recipe_.has_ram())
      WriteRam(SectionType::kStart, RamStart(recipe_.ram()));
    WriteStarts();
    size_t ram_parts = recipe_.has_ram() ? recipe_.ram().parts() : 0;
    for (size_t i = 0; i < ram_parts && status_.ok(); ++i) {
      if (!Claim(RamPartBytes(recipe_.ram(), i, ram_parts))) break;
      WriteRam(SectionType::kPart,
               RamPart(recipe_.ram(), i, ram_parts, random_));
    }
    WriteParts();
    if (Decide(recipe_.switchover_start(),
               IsSince(feature::kSwitchoverStart.first))) {
      WriteCommand(Command::kSwitchoverStart, "");
    }
    if (recipe_.has_ram()) {
      WriteRam(SectionType::kEnd, RamEnd());
    }
    WriteEnds();
    WriteFulls();
    OnEof(out_.main.bytes.size());
    if (recipe_.description() == recipe::NO || !status_.ok()) return;
    WriteDescription(StrCat(
        "{",
        ConfigurationPresent() && IsSince(801)
            ? StrCat(R"("configuration": {"vmsd_name": "configuration", )"
                     R"("version": 1, "fields": [{"name": "len", )"
                     R"("type": "uint32", "size": 4}, {"name": "name", )"
                     R"("type": "buffer", "size": )",
                     out_.machine_type.size(), "}]}, ")
            : "",
        R"("page_size": )", PageBytes(), R"(, "devices": []})"));
  }

  bool IsSince(Release release) const {
    return dialect_.released() ? dialect_.first_release >= release
                               : dialect_.multifd_device_state;
  }

  uint64_t PageBytes() const {
    uint32_t bits = recipe_.configuration().page_bits();
    return bits == 0 || !ConfigurationPresent() ? 4096 : uint64_t{1} << bits;
  }

  bool ConfigurationPresent() const {
    return recipe_.configuration().present() != recipe::NO;
  }

  void WriteConfiguration() {
    if (!ConfigurationPresent()) return;
    const recipe::Configuration& from = recipe_.configuration();
    out_.machine_type = from.machine_type().empty()
                            ? DefaultMachineType(dialect_)
                            : from.machine_type();
    ConfigurationView view;
    view.machine_type = out_.machine_type;
    const std::string bits = Be32Text(from.page_bits());
    std::string capabilities = Be32Text(from.capabilities_size());
    for (const std::string& name : from.capabilities()) {
      capabilities += Str8Text(name);
    }
    if (from.page_bits() != 0) {
      view.subsections.push_back({kPageBitsSubsection, 1, AsBytes(bits)});
    }
    if (from.capabilities_size() != 0) {
      view.subsections.push_back(
          {kCapabilitiesSubsection, 1, AsBytes(capabilities)});
    }
    if (!from.uuid().empty()) {
      view.subsections.push_back({kUuidSubsection, 1, AsBytes(from.uuid())});
    }
    OnConfiguration(view);
  }

  void WriteRam(SectionType type, const std::string& content) {
    SectionView ram = {.type = type,
                       .offset = 0,
                       .id = kRamSectionId,
                       .idstr = "ram",
                       .instance_id = 0,
                       .version_id = kRamVersion,
                       .vfio = false};
    Framed(ram, -1, [&] { StreamWriter::OnContent(AsBytes(content)); });
  }

  // ---- Within a frame ----

  void OnConfiguration(const ConfigurationView& configuration) override {
    uint64_t at = out_.main.bytes.size();
    StreamWriter::OnConfiguration(configuration);
    AddMark(MarkKind::kMachineType, -1, at + 1,
            4 + configuration.machine_type.size());
    for (const auto& subsection : configuration.subsections) {
      if (subsection.name != kCapabilitiesSubsection) continue;
      for (const std::string& name : ParseCapabilities(subsection.payload)) {
        mapped_ram_ |= name == "mapped-ram";
      }
    }
  }

  void OnHeader(uint32_t version) override {
    uint64_t at = out_.main.bytes.size();
    StreamWriter::OnHeader(version);
    AddMark(MarkKind::kHeader, -1, at, 8);
  }

  void OnSection(const SectionView& section) override {
    if (section.type == SectionType::kStart &&
        !std::exchange(return_path_decided_, true) && !frame_.return_path &&
        Decide(recipe_.return_path(), InitDataSent())) {
      WriteReturnPath();
    }
    if (section.type == SectionType::kEnd &&
        !std::exchange(switchover_decided_, true)) {
      WriteParts();
      if (!frame_.switchover_start &&
          recipe_.switchover_start() == recipe::YES) {
        WriteCommand(Command::kSwitchoverStart, "");
      }
    }
    if (!section.vfio) {
      if (mapped_ram_ && section.type == SectionType::kStart &&
          section.idstr == "ram" && section.offset != out_.main.bytes.size()) {
        status_ = Invalid(
            "what is written before the RAM of a mapped-ram "
            "frame must be as long as it was");
      }
      section_at_ = out_.main.bytes.size();
      StreamWriter::OnSection(section);
      return;
    }
    if (section.type == SectionType::kStart) WriteStarts();
    if (section.type == SectionType::kPart) WriteParts();
    if (section.type == SectionType::kEnd) WriteEnds();
    if (section.type == SectionType::kFull) WriteFulls();
  }

  void OnDeviceEvent(const SectionView&, const Event&) override {}

  void OnSectionEnd(const SectionView& section, uint64_t bytes,
                    bool footer) override {
    if (section.vfio) return;
    uint64_t at = out_.main.bytes.size();
    StreamWriter::OnSectionEnd(section, bytes, footer);
    if (footer) {
      AddMark(MarkKind::kFooter, -1, at, kFooterBytes, section.type);
    }
    AddMark(MarkKind::kSection, -1, section_at_,
            out_.main.bytes.size() - section_at_, section.type);
  }

  void OnCommand(const CommandView& command) override {
    if (command.command == Command::kOpenReturnPath ||
        command.command == Command::kPing) {
      if (recipe_.return_path() == recipe::NO) return;
    } else if (command.command == Command::kSwitchoverStart) {
      WriteParts();
      switchover_decided_ = true;
      if (recipe_.switchover_start() == recipe::NO) return;
    }
    PutCommand(command);
  }

  void OnEof(uint64_t offset) override {
    if (framed_) {
      WriteEnds();
      WriteFulls();
    }
    AddMark(MarkKind::kEof, -1, out_.main.bytes.size(), 1);
    StreamWriter::OnEof(offset);
  }

  void OnDescription(uint64_t, ByteSpan json) override {
    if (recipe_.description() != recipe::NO) WriteDescription(AsText(json));
  }

  // ---- Sections of the devices ----

  void WriteStarts() {
    if (std::exchange(starts_written_, true)) return;
    ForEach([&](PlannedDevice& device, int i) {
      Section(device, i, SectionType::kStart, [&](SectionEncoder& encoder) {
        const SectionGrammar& start = device.dialect->start;
        Put1(encoder, encoder.Setup(), MarkKind::kSetup, i);
        if (start.After(Element::kSetup).Contains(Element::kConfig) &&
            device.has_config) {
          PutConfig(encoder, device, i, 0);
        } else {
          Put1(encoder, encoder.EndOfState(), MarkKind::kSetupEnd, i);
        }
      });
    });
  }

  // One of each device in turn, as a writer's rounds have it.
  void WriteParts() {
    if (std::exchange(parts_written_, true)) return;
    std::vector<std::vector<const recipe::Part*>> parts(planned_.size());
    size_t rounds = 0;
    for (size_t i = 0; i < planned_.size(); ++i) {
      Repeat(planned_[i].recipe->parts(), [&](const recipe::Part& part) {
        parts[i].push_back(&part);
        return true;
      });
      rounds = std::max(rounds, parts[i].size());
    }
    for (size_t round = 0; round < rounds && status_.ok(); ++round) {
      ForEach([&](PlannedDevice& device, int i) {
        if (round < parts[i].size()) WritePart(device, i, *parts[i][round]);
      });
    }
  }

  void WritePart(PlannedDevice& device, int i, const recipe::Part& part) {
    Section(device, i, SectionType::kPart, [&](SectionEncoder& encoder) {
      if (part.trigger_flags() != 0 && device.dialect->subflag.width != 0) {
        PutConfig(encoder, device, i,
                  static_cast<uint8_t>(part.trigger_flags()));
      }
      PutRecords(encoder, device, i, part.records());
      Put1(
          encoder,
          part.init_data_sent() ? encoder.InitDataSent() : encoder.EndOfState(),
          MarkKind::kEnd, i);
    });
  }

  void WriteEnds() {
    if (std::exchange(ends_written_, true)) return;
    ForEach([&](PlannedDevice& device, int i) {
      const Dialect& dialect = *device.dialect;
      if (dialect.end.After(Element::kNone)
              .Contains(Element::kDataStateComplete)) {
        Section(device, i, SectionType::kEnd, [&](SectionEncoder& encoder) {
          Put1(encoder, encoder.DataStateComplete(), MarkKind::kSetup, i);
          Put1(encoder, encoder.EndOfState(), MarkKind::kEnd, i);
        });
      }
      Section(device, i, SectionType::kEnd, [&](SectionEncoder& encoder) {
        if (ConfigInEnd(dialect) && device.has_config) {
          PutConfig(encoder, device, i, kTriggerConfigFollows);
        }
        if (dialect.multifd_device_state) {
          PlanPackets(device, i);
        } else {
          PutRecords(encoder, device, i, device.recipe->end());
        }
        Put1(encoder, encoder.EndOfState(), MarkKind::kEnd, i);
      });
    });
  }

  static bool ConfigInEnd(const Dialect& dialect) {
    return dialect.end.After(Element::kNone).Contains(Element::kConfig);
  }

  void WriteFulls() {
    if (std::exchange(fulls_written_, true)) return;
    ForEach([&](PlannedDevice& device, int i) {
      const Dialect& dialect = *device.dialect;
      ElementSet first = dialect.full.After(Element::kNone);
      const bool subflag = dialect.subflag.width != 0;
      if (first.empty() || (ConfigInEnd(dialect) && !subflag &&
                            first.Contains(Element::kConfig))) {
        return;  // The dialect has none, or has written its config before.
      }
      Section(device, i, SectionType::kFull, [&](SectionEncoder& encoder) {
        if (first.Contains(Element::kTrigger)) {
          Put1(encoder, encoder.Trigger(), MarkKind::kSetup, i);
          Put1(encoder, encoder.EndOfState(), MarkKind::kEnd, i);
        } else if (dialect.multifd_device_state) {
          Put1(encoder,
               device.recipe->config_load_ready() ? encoder.ConfigLoadReady()
                                                  : encoder.EndOfState(),
               MarkKind::kEnd, i);
        } else if (device.has_config) {
          PutConfig(encoder, device, i, kTriggerEnableInterrupts);
        } else {
          // What a loader takes and no writer of the dialect writes.
          PutRaw(static_cast<uint64_t>(Tag::kEndOfState), MarkKind::kEnd, i);
        }
      });
    });
  }

  template <typename Function>
  void ForEach(Function function) {
    for (size_t i = 0; i < planned_.size() && status_.ok(); ++i) {
      function(planned_[i], static_cast<int>(i));
    }
  }

  template <typename Function>
  void Section(PlannedDevice& device, int i, SectionType type,
               Function function) {
    device.section.type = type;
    section_ = type;
    SectionEncoder encoder(type, *device.dialect, headers_, pieces_);
    Framed(device.section, i, [&] {
      uint64_t at = out_.main.bytes.size();
      function(encoder);
      device.full_bytes = out_.main.bytes.size() - at;
    });
  }

  // The section's head and its footer, around what `content` writes.
  template <typename Content>
  void Framed(const SectionView& section, int i, Content content) {
    if (!status_.ok() || !Claim(0)) return;
    uint64_t begin = out_.main.bytes.size();
    StreamWriter::OnSection(section);
    content();
    uint64_t footer = out_.main.bytes.size();
    StreamWriter::OnSectionEnd(section, 0, footers_);
    uint64_t end = out_.main.bytes.size();
    if (end != footer) {
      AddMark(MarkKind::kFooter, i, footer, end - footer, section.type);
    }
    AddMark(MarkKind::kSection, i, begin, end - begin, section.type);
  }

  void PutRaw(uint64_t tag, MarkKind mark, int i) {
    AddMark(mark, i, out_.main.bytes.size(), kTagBytes, section_);
    out_.main.bytes += Be64Text(tag);
  }

  // What the encoder has just put, as one mark.
  void Put1(SectionEncoder& encoder, Put put, MarkKind mark, int i) {
    if (!status_.ok()) return;
    if (put != Put::kDone) return Refused(encoder, i);
    uint64_t at = out_.main.bytes.size();
    Flush(encoder, out_.main.bytes);
    AddMark(mark, i, at, out_.main.bytes.size() - at, section_);
  }

  void Refused(const SectionEncoder& encoder, int i) {
    if (!status_.ok()) return;
    Error error = encoder.error(out_.devices[i].idstr);
    status_ = Invalid(StrCat(error.section, ": ", error.reason));
  }

  static void Flush(SectionEncoder& encoder, std::string& to) {
    for (const iovec& piece : encoder.pieces()) {
      to.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
    }
    encoder.Clear();
  }

  // A payload's bytes are asked for before they are made.
  bool Claim(uint64_t bytes) {
    uint64_t used = out_.main.bytes.size() + packet_bytes_;
    if (bytes <= options_.max_bytes && used <= options_.max_bytes - bytes) {
      return true;
    }
    if (status_.ok()) {
      status_ = absl::ResourceExhaustedError(
          StrCat("the recipe makes more than ", options_.max_bytes, " bytes"));
    }
    return false;
  }

  void PutRecords(
      SectionEncoder& encoder, PlannedDevice& device, int i,
      const google::protobuf::RepeatedPtrField<recipe::Record>& records) {
    Repeat(records, [&](const recipe::Record& record) {
      // What no release of the dialect writes is refused, not written.
      const WriterHabits& habits = device.dialect->habits;
      uint64_t bytes = PayloadBytes(record);
      if ((bytes == 0 && !habits.empty_records) ||
          (habits.max_record_bytes != 0 && bytes > habits.max_record_bytes)) {
        if (status_.ok()) {
          status_ = Invalid(StrCat(out_.devices[i].idstr, ": dialect ",
                                   device.dialect->name, " has no record of ",
                                   bytes, " bytes"));
        }
        return false;
      }
      if (!Claim(bytes)) return false;
      std::string payload =
          MakePayload(record, out_.devices[i].section_id, random_);
      Put1(encoder, encoder.Data(AsBytes(payload)), MarkKind::kData, i);
      if (options_.keep_payload) out_.devices[i].payload += payload;
      return status_.ok();
    });
  }

  void PutConfig(SectionEncoder& encoder, PlannedDevice& device, int i,
                 uint8_t trigger_flags) {
    if (!status_.ok()) return;
    uint64_t at = out_.main.bytes.size();
    if (!device.config.Encode(encoder, trigger_flags,
                              device.dialect->subflag.width == 0 ||
                                  (trigger_flags & kTriggerConfigFollows) != 0,
                              [&] { Flush(encoder, out_.main.bytes); })) {
      return Refused(encoder, i);
    }
    AddMark(MarkKind::kConfig, i, at, out_.main.bytes.size() - at, section_);
    Put1(encoder, encoder.EndConfig(), MarkKind::kConfigEnd, i);
  }

  // ---- Multifd ----

  void PlanPackets(PlannedDevice& device, int i) {
    Repeat(device.recipe->end(), [&](const recipe::Record& record) {
      uint64_t bytes = PayloadBytes(record);
      if (bytes == 0 || bytes > device.dialect->habits.max_record_bytes) {
        status_ = Invalid(StrCat(out_.devices[i].idstr, ": no packet of ",
                                 bytes, " bytes is written"));
        return false;
      }
      if (!Claim(bytes)) return false;
      packet_bytes_ += bytes + kDevicePacketOverhead;
      device.packets.push_back(
          {i, MakePayload(record, out_.devices[i].section_id, random_), false});
      if (options_.keep_payload) {
        out_.devices[i].payload += device.packets.back().data;
      }
      return true;
    });
    if (!device.has_config || !status_.ok()) return;
    // A buffer of its own, as a FULL of the dialects without multifd holds it.
    SectionEncoder encoder(SectionType::kFull, GetDialect(DialectId::kV100),
                           headers_, pieces_);
    DevicePacket packet = {i, "", true};
    bool encoded = device.config.Encode(encoder, 0, true,
                                        [&] { Flush(encoder, packet.data); });
    if (!encoded || encoder.EndConfig() != Put::kDone) {
      return Refused(encoder, i);
    }
    Flush(encoder, packet.data);
    device.packets.push_back(std::move(packet));
  }

  void WriteChannels() {
    std::vector<std::vector<DevicePacket>> packets;
    for (PlannedDevice& device : planned_) {
      packets.push_back(std::move(device.packets));
    }
    status_ = WriteDeviceChannels(recipe_, packets, options_.max_bytes, random_,
                                  out_);
  }

  // ---- The rest ----

  void WriteReturnPath() {
    WriteCommand(Command::kOpenReturnPath, "");
    WriteCommand(Command::kPing, std::string("\0\0\0\1", 4));
  }

  void WriteCommand(Command command, std::string_view data) {
    PutCommand({0, command, AsBytes(data)});
  }

  void PutCommand(const CommandView& command) {
    const uint64_t at = out_.main.bytes.size();
    StreamWriter::OnCommand(command);
    if (command.command != Command::kSwitchoverStart) return;
    AddMark(MarkKind::kSwitchoverStart, -1, at, out_.main.bytes.size() - at);
  }

  // `json` with the devices' FULL sections in it, in the place of others.
  void WriteDescription(std::string_view json) {
    std::vector<WrittenFull> fulls;
    for (const PlannedDevice& device : planned_) {
      if (device.section.type != SectionType::kFull) continue;
      fulls.push_back({std::string(device.section.idstr),
                       device.section.instance_id, device.full_bytes});
    }
    absl::StatusOr<std::string> edited = EditDescription(json, fulls);
    if (!edited.ok()) {
      status_ = edited.status();
      return;
    }
    StreamWriter::OnDescription(0, AsBytes(*edited));
  }

  void AddMark(MarkKind kind, int device, uint64_t offset, uint64_t bytes,
               SectionType section = SectionType::kFull) {
    out_.main.marks.push_back({kind, device, section, offset, bytes, 0});
  }

  const recipe::Migration& recipe_;
  const GenerateOptions& options_;
  Generated& out_;
  Sink sink_;
  Random random_;
  const Dialect& dialect_;
  Frame frame_;
  bool framed_ = false;
  bool footers_ = true;
  bool mapped_ram_ = false;
  std::vector<PlannedDevice> planned_;
  SectionType section_ = SectionType::kStart;
  uint64_t section_at_ = 0;
  bool return_path_decided_ = false;
  bool switchover_decided_ = false;
  bool starts_written_ = false;
  bool parts_written_ = false;
  bool ends_written_ = false;
  bool fulls_written_ = false;
  uint64_t packet_bytes_ = 0;
  absl::Status status_;
  uint8_t headers_[SectionEncoder::kMinHeaderBytes];
  iovec pieces_[SectionEncoder::kMinPieces];
};

}  // namespace

absl::StatusOr<Generated> Generate(const recipe::Migration& recipe,
                                   const GenerateOptions& options) {
  Generated out;
  recipe::Migration spelled;
  if (HasVendors(recipe)) {
    spelled = recipe;
    absl::Status status =
        SpellOutVendors(options.max_bytes, spelled, out.devices);
    if (!status.ok()) return status;
  }
  // The generator writes into `out`, which must stay where it is.
  absl::Status status =
      Generator(HasVendors(recipe) ? spelled : recipe, options, out).Run();
  if (!status.ok()) return status;
  for (const recipe::Damage& damage : recipe.damage()) {
    status = Inflict(damage, out);
    if (!status.ok()) return status;
  }
  return out;
}

}  // namespace migstream
