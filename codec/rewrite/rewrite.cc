#include "codec/rewrite/rewrite.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "codec/channels/channel_reader.h"
#include "codec/channels/channel_set_writer.h"
#include "codec/extract/channel_pages.h"
#include "codec/io/lent_bytes.h"
#include "codec/payload/formats.h"
#include "codec/qemu/configuration.h"
#include "codec/qemu/stream_writer.h"
#include "codec/rewrite/channel_merger.h"
#include "codec/rewrite/channel_splitter.h"
#include "codec/rewrite/config_mover.h"
#include "codec/rewrite/described_writer.h"
#include "codec/rewrite/device_filters.h"
#include "codec/rewrite/dialect_guard.h"
#include "codec/rewrite/piece_store.h"
#include "codec/rewrite/ram_merger.h"
#include "codec/rewrite/record_cutter.h"
#include "codec/rewrite/visitor_filter.h"
#include "codec/survey/stream_survey.h"
#include "codec/wire/bytes.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

constexpr size_t kDescriptionHeadBytes = 5;  // Type, length.

Error NotAgain() {
  return {ErrorCode::kReadFailed, 0, "",
          "the input has to be read twice for this, and it can be read only "
          "once"};
}

constexpr char kMergeFirst[] =
    "device state is on multifd channels; merge them into a single channel for "
    "this";

Error Misuse(std::string reason) {
  return {ErrorCode::kBadOptions, 0, "", std::move(reason)};
}

bool ConfigInEnd(const Dialect& dialect) {
  return dialect.end.After(Element::kNone).Contains(Element::kConfig);
}

// What no option can give, or only others beside it.
Error CheckOptions(const RewriteInput& input, const RewriteOutput& output,
                   const RewriteOptions& options) {
  const Dialect* to = options.to;
  if (to != nullptr && !to->released()) {
    return Misuse(
        StrCat(to->name, " was never released; no QEMU would read the result"));
  }
  if (to != nullptr && to->multifd_device_state) {
    return Misuse(
        StrCat("device state of ", to->name,
               " is on multifd channels; split it over some instead"));
  }
  if (to != nullptr && options.split_channels) {
    return Misuse("device state is split in the dialect of the stream only");
  }
  if (options.split_channels && output.channels.empty()) {
    return Misuse("there are no channels to split over");
  }
  bool merges = options.single_channel && !input.channels.empty();
  if (!merges && !input.channels.empty() && options.split_channels) {
    return Misuse(kMergeFirst);
  }
  if (options.payload_split && options.payload == nullptr) {
    return Misuse("there is no new payload to split");
  }
  uint64_t payload_bytes =
      options.payload ? options.payload->size().value_or(0) : 0;
  if (options.payload_split && *options.payload_split > payload_bytes) {
    return Misuse(StrCat("the new payload has ", payload_bytes,
                         " bytes, and is to be split after ",
                         *options.payload_split));
  }
  if ((!options.config.empty() || options.payload != nullptr) &&
      std::find(options.dropped_devices.begin(), options.dropped_devices.end(),
                options.device) != options.dropped_devices.end()) {
    return Misuse(
        StrCat(options.device, " cannot be left out and be given something"));
  }
  return {};
}

// One run: what it must know beforehand, and what it writes.
class Rewriter {
 public:
  Rewriter(const RewriteInput& input, const RewriteOutput& output,
           const RewriteOptions& options)
      : input_(input),
        output_(output),
        options_(options),
        merges_(options.single_channel && !input.channels.empty()) {}

  Error Run() {
    Error error = CheckOptions(input_, output_, options_);
    if (error.ok() && (options_.record_bytes != 0 || options_.payload)) {
      error = LookAtDialect();
    }
    if (error.ok() && !merges_) error = CheckDevicesAreHere();
    if (error.ok() && merges_) error = ReadChannels();
    if (error.ok() && options_.payload_split.value_or(0) > 0) {
      error = LookForPreCopy();
    }
    if (error.ok() && options_.to && ConfigInEnd(*options_.to)) {
      error = LookAtConfigs();
    }
    if (!error.ok()) return error;
    // What is cut short is copied up to the cut, all of it.
    Error cut;
    if (!input_.channels.empty() && !merges_) cut = CopyChannels();
    if (!cut.ok() && cut.code != ErrorCode::kTruncated) return cut;
    error = Write();
    return error.ok() ? cut : error;
  }

 private:
  // What the stream is. Read once, if anything must be known beforehand.
  Error Look() {
    if (looked_) return survey_.facts().end;
    looked_ = true;
    std::unique_ptr<ByteSource> source = input_.main();
    return source ? survey_.Read(*source) : NotAgain();
  }

  // A device that is to be changed beside channels has nothing on them: they
  // hold guest memory alone.
  Error CheckDevicesAreHere() {
    const bool changes = !options_.dropped_devices.empty() ||
                         !options_.config.empty() ||
                         options_.payload != nullptr;
    if (!changes || input_.channels.empty()) return {};
    if (Error error = Look(); !error.ok()) return error;
    return survey_.facts().in_channels.empty() ? Error() : Misuse(kMergeFirst);
  }

  Error LookAtDialect() {
    std::vector<const Dialect*> rows = {options_.reader.dialect};
    if (rows[0]->id == DialectId::kAuto) {
      if (Error error = Look(); !error.ok()) return error;
      rows = survey_.facts().dialects;
    }
    std::vector<std::string_view> names;
    record_boundaries_matter_ = rows.empty();
    for (const Dialect* row : rows) {
      names.push_back(row->name);
      record_boundaries_matter_ |= row->record_boundaries_matter;
      has_parts_ &= row->part.Exists();
    }
    if (options_.payload_split.value_or(0) > 0 && !has_parts_) {
      return {ErrorCode::kNotWritable, 0, "",
              StrCat("the stream may be of ", StrJoin(names, " or "),
                     ", which has no pre-copy: split the payload after 0 "
                     "bytes")};
    }
    if (options_.record_bytes != 0 && record_boundaries_matter_) {
      return {ErrorCode::kNotWritable, 0, "",
              StrCat("the stream may be of ", StrJoin(names, " or "),
                     ", and a record of v1 is a transaction of the "
                     "device: it must stay as it is")};
    }
    return {};
  }

  Error LookAtConfigs() {
    std::unique_ptr<ByteSource> source = input_.main();
    if (!source) return NotAgain();
    ConfigCollector collector;
    // As the devices' own filters will have changed them, and merging.
    first_ = &collector;
    if (!options_.config.empty()) {
      Add<ConfigReplacer>(options_.device, options_.config);
    }
    if (merges_) Add<ChannelMerger>(store_);
    AddDroppers();
    Error error = StreamReader(*source, *first_, options_.reader).Read();
    filters_.clear();
    configs_ = std::move(collector.configs());
    return error.ok() ? collector.error() : error;
  }

  // Whether the device's driver sends anything while the guest runs.
  Error LookForPreCopy() {
    if (Error error = LookAtConfigs(); !error.ok()) return error;
    ByteSpan head = options_.payload->Peek(
        std::min<uint64_t>(kRecognizedBytes, *options_.payload->size()));
    for (const auto& [device, config] : configs_) {
      if (!options_.device.empty() && !IsNamed(device.first, options_.device)) {
        continue;
      }
      Recognition found = Recognize(head, config.pci_id());
      if (found.format->pre_copy != payload::PreCopy::kNone) continue;
      return {ErrorCode::kNotWritable, 0, device.first,
              StrCat("its driver is ", found.format->name,
                     ", which has no pre-copy: split the payload after 0 "
                     "bytes")};
    }
    return {};
  }

  // Device state goes to the store; guest memory is read again with the main
  // channel.
  Error ReadChannels() {
    if (Error error = Look(); !error.ok()) return error;
    std::vector<std::unique_ptr<ByteSource>> sources;
    std::vector<ChannelReader::Channel> channels;
    for (const auto& channel : input_.channels) {
      sources.push_back(channel.open());
      if (!sources.back()) return NotAgain();
      channels.push_back({channel.name, sources.back().get()});
    }
    Error stored;
    Error error = survey_.ReadChannels(
        std::move(channels), [&](const ReassembledPiece& piece) {
          if (!stored.ok() || IsDropped(piece.idstr)) return;
          stored = store_.Add(piece);
        });
    if (error.ok()) error = stored;
    if (error.ok()) error = survey_.facts().missing_channels;
    if (!error.ok()) return error;
    uuid_ = survey_.facts().channels.front().uuid;
    for (const auto& channel : input_.channels) {
      page_sources_.push_back(channel.open());
      if (!page_sources_.back()) return NotAgain();
      pages_.AddChannel(channel.name, *page_sources_.back(),
                        {.page_bytes = page_bytes(), .limits = {}});
    }
    return {};
  }

  Error CopyChannels() {
    if (output_.channels.size() != input_.channels.size()) {
      return Misuse(StrCat(input_.channels.size(),
                           " channels cannot be written as ",
                           output_.channels.size()));
    }
    Error first = Look();
    if (first.code == ErrorCode::kBadDescription) first = {};  // See Write().
    for (size_t i = 0; i < input_.channels.size(); ++i) {
      if (!first.ok() && first.code != ErrorCode::kTruncated) break;
      std::unique_ptr<ByteSource> source = input_.channels[i].open();
      if (!source) return NotAgain();
      Error error =
          RepackChannel(input_.channels[i].name, *source, *output_.channels[i],
                        {.page_bytes = page_bytes(), .limits = {}});
      bool worse = error.code != ErrorCode::kTruncated && !error.ok();
      if (first.ok() || worse) first = error;
    }
    return first;
  }

  // Builds the chain from its last step to its first, and runs it.
  Error Write() {
    const Dialect* to = options_.to;
    const Dialect* written = to != nullptr ? to : options_.reader.dialect;
    if (merges_ && to == nullptr && written->empty_end()) {
      // The device is of one of the rows without channels then.
      written = &GetDialect(DialectId::kAuto);
    }
    std::unique_ptr<ByteSource> source = input_.main();
    if (!source) return NotAgain();
    LentSource lent(*source);
    RunSink run(lent, *output_.main);
    lent.SetReturner([&run] { run.Flush(); });
    DescribedWriter writer(run, *written, output_.before);
    first_ = &writer;
    if (options_.split_channels) {
      ChannelSetOptions channel_options;
      channel_options.uuid = uuid_;
      // The stream itself may not tell.
      if (const uint64_t known =
              looked_ ? page_bytes() : options_.reader.page_bytes;
          known != 0) {
        channel_options.page_bytes = static_cast<uint32_t>(known);
      }
      channel_options.host_endian =
          (to != nullptr ? *to : *options_.reader.dialect).host_endian_packets;
      Add<ChannelSplitter>(output_.channels, channel_options);
    }
    if (to != nullptr) {
      Add<DialectGuard>(*to);
      if (ConfigInEnd(*to)) {
        Add<ConfigToEnd>(configs_);
      } else if (to->protocol == VfioProtocol::kV1) {
        Add<ConfigToFull>();
      }
    }
    if (options_.strip_empty_parts) Add<EmptyPartStripper>();
    if (options_.record_bytes != 0) Add<RecordCutter>(options_.record_bytes);
    if (!options_.config.empty()) {
      Add<ConfigReplacer>(options_.device, options_.config);
    }
    if (options_.payload != nullptr) {
      Add<PayloadReplacer>(options_.device, *options_.payload,
                           options_.payload_split, record_boundaries_matter_);
    }
    if (merges_) {
      Add<ChannelMerger>(store_);
      Add<RamMerger>(pages_, page_bytes());
    }
    AddDroppers();
    if (filters_.empty()) writer.KeepDescription();

    const uint64_t start = lent.offset();
    StreamSurvey survey(options_.reader, *first_);
    Error error = survey.Read(lent);
    if (error.code == ErrorCode::kBadDescription && filters_.empty() &&
        CopyDescription(lent, writer)) {
      error = {};
    }
    // What is wrong is not copied.
    if (error.ok() || error.code == ErrorCode::kTruncated) run.Flush();
    writer.Finish();
    const StreamFacts& facts = survey.facts();
    if (start != output_.before) {
      Error moved = CheckMayMove(start, facts.ram);
      if (!moved.ok()) return moved;
    }
    if (error.ok()) error = CheckAllIsHere(facts);
    if (!error.ok()) return error;
    // The error of an early step explains those of later ones.
    for (auto filter = filters_.rbegin(); filter != filters_.rend(); ++filter) {
      (*filter)->Finish();
      if (!(*filter)->error().ok()) return (*filter)->error();
    }
    return writer.error();
  }

  // What comes next is a description that is not what QEMU writes. Where
  // nothing else changes, its bytes need not either. False if it is cut short.
  static bool CopyDescription(ByteSource& source, DescribedWriter& writer) {
    const ByteSpan head = source.Peek(kDescriptionHeadBytes);
    if (head.size() < kDescriptionHeadBytes) return false;
    const size_t bytes = kDescriptionHeadBytes + size_t{LoadBe32(&head[1])};
    const ByteSpan all = source.Peek(bytes);
    if (all.size() < bytes) return false;
    writer.OnDescription(
        source.offset(),
        all.subspan(kDescriptionHeadBytes, bytes - kDescriptionHeadBytes));
    return true;
  }

  // What would be merged or split has to be in the main channel, if that is
  // all there is.
  Error CheckAllIsHere(const StreamFacts& facts) const {
    if (!input_.channels.empty()) return {};
    if (!options_.single_channel && !options_.split_channels) return {};
    for (const DeviceInChannels& device : facts.in_channels) {
      if (IsDropped(device.idstr)) continue;
      return {ErrorCode::kNotWritable, device.offset, device.idstr,
              "its state is on multifd channels, which were not given"};
    }
    if (facts.ram.multifd_flushes == 0) return {};
    return {ErrorCode::kNotWritable, facts.ram.first_multifd_flush, "ram",
            "pages are on multifd channels, which were not given"};
  }

  uint32_t page_bytes() const {
    return static_cast<uint32_t>(survey_.facts().page_bytes);
  }

  void AddDroppers() {
    // One that is named twice is there once.
    std::set<std::string> dropped(options_.dropped_devices.begin(),
                                  options_.dropped_devices.end());
    for (const std::string& device : dropped) Add<DeviceDropper>(device);
  }

  bool IsDropped(std::string_view idstr) const {
    return std::any_of(
        options_.dropped_devices.begin(), options_.dropped_devices.end(),
        [idstr](const std::string& device) { return IsNamed(idstr, device); });
  }

  template <typename Filter, typename... Arguments>
  void Add(Arguments&&... arguments) {
    filters_.push_back(std::make_unique<Filter>(
        std::forward<Arguments>(arguments)..., *first_));
    first_ = filters_.back().get();
  }

  const RewriteInput& input_;
  const RewriteOutput& output_;
  const RewriteOptions& options_;
  const bool merges_;

  StreamVisitor nobody_;
  StreamSurvey survey_{options_.reader, nobody_};
  bool looked_ = false;
  bool record_boundaries_matter_ = true;
  bool has_parts_ = true;
  BufferedConfigs configs_;
  VmUuid uuid_ = {};  // Of the channels that are merged.
  PieceStore store_;
  std::vector<std::unique_ptr<ByteSource>> page_sources_;
  ChannelPages pages_{options_.threads};

  StreamVisitor* first_ = nullptr;
  std::vector<std::unique_ptr<VisitorFilter>> filters_;
};

}  // namespace

Error Rewrite(const RewriteInput& input, const RewriteOutput& output,
              const RewriteOptions& options) {
  return Rewriter(input, output, options).Run();
}

}  // namespace migstream
