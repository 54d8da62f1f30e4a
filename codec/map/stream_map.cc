#include "codec/map/stream_map.h"

#include <algorithm>
#include <utility>

#include "codec/channels/channel_source.h"
#include "codec/map/range_joiner.h"
#include "codec/qemu/cpr_state.h"
#include "codec/qemu/preempt_reader.h"
#include "codec/qemu/return_path_reader.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "flags/multifd_flags.h"
#include "flags/ram_flags.h"

namespace migstream {
namespace {

constexpr char kStream[] = "stream";
constexpr uint64_t kAll = ~uint64_t{0};

class MapVisitor : public StreamVisitor {
 public:
  MapVisitor(uint64_t start, RangeJoiner& ranges) : ranges_(ranges) {
    Framing(start, "header");
  }

  void OnConfiguration(const ConfigurationView& configuration) override {
    Framing(configuration.offset, "CONFIGURATION",
            Printable(configuration.machine_type));
  }

  void OnSection(const SectionView& section) override {
    in_ram_ = !section.vfio && section.idstr == "ram";
    is_part_ = section.type == SectionType::kPart;
    if (section.type == SectionType::kEnd) stopped_ = true;
    MapRange range = At(section.offset, in_ram_        ? MapKind::kRam
                                        : section.vfio ? MapKind::kVfio
                                                       : MapKind::kOther);
    // Known for a name only when the section's end has come.
    const bool begins = section.type == SectionType::kStart ||
                        section.type == SectionType::kFull;
    range.owner = Owner(section, !section.vfio && begins);
    range.what = ToString(section.type);
    if (in_ram_ && is_part_) round_ = std::max(round_, 1U);
    range.round = round_;
    ranges_.Begin(std::move(range), is_part_);
    elements_.clear();
    in_section_ = true;
  }

  void OnDeviceEvent(const SectionView&, const Event& event) override {
    MapRange& range = ranges_.current();
    switch (event.kind) {
      case EventKind::kTag:
        if (event.element != Element::kEndOfState) Say(ToString(event));
        break;
      case EventKind::kData:
        if (!event.starts_record) break;
        range.records += 1;
        range.payload_bytes += event.record_bytes;
        break;
      case EventKind::kConfig:
        Say("CONFIG");
        break;
      case EventKind::kSubsection:
      case EventKind::kConfigEnd:
        break;
    }
  }

  void OnRamRecord(const RamRecordView& record) override {
    MapRange& range = ranges_.current();
    if (record.block == nullptr) return;
    const bool zero = (record.flags & kRamZero) != 0;
    (zero ? range.zero_pages : range.pages) += 1;
    if (is_part_) SeePage(record, range);
  }

  void OnMappedRam(const RamBlock& block, uint64_t offset) override {
    MapRange range = At(offset, MapKind::kRam);
    range.owner = "ram";
    range.what = "mapped-ram";
    range.detail = Printable(block.name);
    ranges_.Begin(std::move(range));
  }

  void OnSectionEnd(const SectionView& section, uint64_t, bool) override {
    MapRange& range = ranges_.current();
    if (!in_ram_) range.owner = Owner(section, false);
    if (is_part_ && range.records == 0 && range.pages == 0 &&
        range.zero_pages == 0 && elements_.empty()) {
      range.what += ", empty";
    }
    in_section_ = false;
  }

  void OnCommand(const CommandView& command) override {
    if (command.command == Command::kSwitchoverStart) stopped_ = true;
    Framing(command.offset, StrCat("COMMAND ", ToString(command.command)));
  }

  void OnEof(uint64_t offset) override { Framing(offset, "EOF"); }

  void OnDescription(uint64_t offset, ByteSpan) override {
    MapRange range = At(offset, MapKind::kDescription);
    range.owner = "description";
    range.what = "VMDESCRIPTION";
    ranges_.Begin(std::move(range));
  }

  void OnRest(ByteSpan bytes) override { rest_bytes_ = bytes.size(); }

  // The error that ended the reading is within what began last, or else within
  // what begins where the bytes of OnRest() do.
  void MarkCut(const Error& error) {
    if (!in_section_) {
      if (error.code != ErrorCode::kTruncated || rest_bytes_ == 0) return;
      Framing(error.offset - rest_bytes_, "unfinished");
    }
    ranges_.current().cut = true;
  }

 private:
  static std::string Owner(const SectionView& section, bool unknown) {
    std::string owner = Printable(unknown ? UnknownName(section.idstr)
                                          : std::string(section.idstr));
    if (section.instance_id != 0) StrAppend(&owner, "#", section.instance_id);
    return owner;
  }

  MapRange At(uint64_t offset, MapKind kind) const {
    MapRange range;
    range.offset = offset;
    range.kind = kind;
    range.stopped = stopped_;
    range.round = round_;
    return range;
  }

  void Framing(uint64_t offset, std::string what, std::string detail = "") {
    MapRange range = At(offset, MapKind::kFraming);
    range.owner = kStream;
    range.what = std::move(what);
    range.detail = std::move(detail);
    ranges_.Begin(std::move(range));
  }

  // What the section has beside DATA, each once.
  void Say(std::string_view element) {
    if (elements_.find(element) != std::string::npos) return;
    StrAppend(&elements_, elements_.empty() ? "" : " ", element);
    StrAppend(&ranges_.current().what, " ", element);
  }

  // QEMU goes through the blocks from front to back, once in a round.
  void SeePage(const RamRecordView& record, MapRange& range) {
    const bool back =
        record.block == last_block_
            ? record.page_offset < last_offset_
            : last_block_ != nullptr && record.block < last_block_;
    if (back) {
      ++round_;
      // A section belongs to the round in which it begins.
      if (range.pages + range.zero_pages == 1) range.round = round_;
    }
    last_block_ = record.block;
    last_offset_ = record.page_offset;
  }

  RangeJoiner& ranges_;
  bool stopped_ = false;
  bool in_ram_ = false;
  bool is_part_ = false;
  bool in_section_ = false;
  uint64_t rest_bytes_ = 0;
  uint32_t round_ = 0;
  const RamBlock* last_block_ = nullptr;
  uint64_t last_offset_ = 0;
  std::string elements_;
};

// What stands behind the last byte that was understood.
void Rest(uint64_t offset, MapKind kind, std::string_view what,
          ByteSource& source, RangeJoiner& ranges) {
  MapRange range;
  range.offset = offset;
  range.kind = kind;
  range.owner = ToString(kind);
  range.what = what;
  ranges.Begin(std::move(range));
  source.Skip(kAll - source.offset());
  ranges.End(std::max(offset, source.offset()));
}

// An error ends what is read there; `start`: of the whole.
void EndAt(const Error& error, uint64_t start, ByteSource& source,
           RangeJoiner& ranges) {
  Rest(std::max(error.offset, start), MapKind::kUnread, "not read", source,
       ranges);
}

// One of the return path's, or of a channel's.
MapRange Message(uint64_t offset, MapKind kind, std::string_view owner,
                 std::string_view what) {
  MapRange range;
  range.offset = offset;
  range.kind = kind;
  range.owner = owner;
  range.what = what;
  return range;
}

}  // namespace

Error MapStream(ByteSource& source, const ReaderOptions& options,
                std::string_view container, const OnMapRange& on_range,
                StreamFacts& facts) {
  RangeJoiner ranges(on_range);
  const uint64_t start = source.offset();
  if (start != 0) {
    ranges.Begin(Message(0, MapKind::kContainer, ToString(MapKind::kContainer),
                         container));
  }
  MapVisitor visitor(start, ranges);
  StreamSurvey survey(options, visitor);
  Error error = survey.Read(source);
  facts = survey.facts();
  if (!error.ok()) {
    visitor.MarkCut(error);
    EndAt(error, start, source, ranges);
  } else {
    Rest(source.offset() - facts.trailing_bytes, MapKind::kTrailing,
         "behind the stream", source, ranges);
  }
  return error;
}

Error MapChannel(const std::string& name, ByteSource& source,
                 const ChannelReaderOptions& options,
                 const OnMapRange& on_range) {
  RangeJoiner ranges(on_range);
  const uint64_t start = source.offset();
  ChannelSource channel(
      name, source,
      {.page_bytes = options.page_bytes, .limits = options.limits});
  std::string device;
  std::string head;  // A packet's own header, as it comes.
  for (MultifdEvent event; channel.Next(event) == Step::kEvent;) {
    switch (event.kind) {
      case MultifdEventKind::kInit:
        ranges.Begin(Message(event.offset, MapKind::kFraming, kStream,
                             StrCat("channel ", event.init.channel_id)));
        break;
      case MultifdEventKind::kRamPacket: {
        const bool sync = (event.flags & kMultifdSync) != 0;
        MapRange range = Message(event.offset, MapKind::kRam, "ram",
                                 sync ? "packet SYNC" : "packet");
        range.pages = event.ram.normal_pages;
        range.zero_pages = event.ram.zero_pages;
        ranges.Begin(std::move(range), true);
        device.clear();
        break;
      }
      case MultifdEventKind::kDeviceState: {
        device = Printable(event.device.idstr);
        head.clear();
        MapRange range =
            Message(event.offset, MapKind::kVfio, device, "packet");
        range.records = 1;
        range.payload_bytes =
            event.payload_bytes -
            std::min<uint64_t>(event.payload_bytes, VfioPacketHeader::kBytes);
        ranges.Begin(std::move(range), true);
        break;
      }
      case MultifdEventKind::kPayload: {
        if (device.empty() || head.size() >= VfioPacketHeader::kBytes) break;
        head += AsText(event.bytes)
                    .substr(0, VfioPacketHeader::kBytes - head.size());
        if (head.size() < VfioPacketHeader::kBytes) break;
        const VfioPacketHeader header =
            VfioPacketHeader::Parse(AsBytes(head).data(), options.host_endian);
        if ((header.flags & kVfioPacketConfigState) != 0) {
          ranges.current().what = "packet CONFIG";
        }
        break;
      }
    }
  }
  if (!channel.error().ok()) {
    if (!channel.rest().empty()) {
      ranges.Begin(Message(channel.decoder().offset(), MapKind::kFraming,
                           kStream, "unfinished"));
    }
    ranges.current().cut = channel.error().code == ErrorCode::kTruncated;
    EndAt(channel.error(), start, source, ranges);
  } else {
    ranges.End(source.offset());
  }
  return channel.error();
}

Error MapReturnPath(ByteSource& source, const OnMapRange& on_range) {
  RangeJoiner ranges(on_range);
  Error error = ReadReturnPath(source, [&](const ReturnPathMessage& message) {
    ranges.Begin(Message(message.offset, MapKind::kFraming, "return path",
                         ToString(message.type)),
                 true);
  });
  if (!error.ok()) {
    EndAt(error, 0, source, ranges);
  } else {
    ranges.End(source.offset());
  }
  return error;
}

Error MapPreempt(ByteSource& source, uint64_t page_bytes,
                 const OnMapRange& on_range) {
  RangeJoiner ranges(on_range);
  const uint64_t start = source.offset();
  Error error =
      ReadPreemptChannel(source, page_bytes, [&](const PreemptRecord& record) {
        MapRange range =
            record.end
                ? Message(record.offset, MapKind::kFraming, kStream, "EOS")
                : Message(record.offset, MapKind::kRam, "ram", "preempt page");
        range.pages = record.end || record.zero ? 0 : 1;
        range.zero_pages = record.zero ? 1 : 0;
        range.stopped = true;
        ranges.Begin(std::move(range), !record.end);
      });
  if (!error.ok()) {
    EndAt(error, start, source, ranges);
  } else {
    Rest(source.offset(), MapKind::kTrailing, "behind the channel", source,
         ranges);
  }
  return error;
}

Error MapCpr(ByteSource& source, const OnMapRange& on_range) {
  RangeJoiner ranges(on_range);
  ranges.Begin(Message(0, MapKind::kFraming, "CPR", "state"));
  CprState state;
  Error error = ReadCprState(source, state);
  if (!error.ok()) {
    EndAt(error, 0, source, ranges);
  } else {
    source.Skip(kAll - source.offset());
    ranges.End(source.offset());
  }
  return error;
}

}  // namespace migstream
