// Says in one pass what a migration is: which releases can have written it,
// what each VFIO device sent and when, whose state is on multifd channels,
// where it was cut. FORMAT.md sections 9, 10 and 13.8.
//
//   StreamSurvey survey(options, visitor);
//   Error error = survey.Read(source);        // The visitor gets all of it,
//   survey.facts().dialects;                  // after the survey.
//   error = survey.ReadChannels(channels, [](const ReassembledPiece&) { … });
//
// Offsets are from the stream's first byte. The errors are those of
// StreamReader and ChannelReader.

#ifndef MIGSTREAM_CODEC_SURVEY_STREAM_SURVEY_H_
#define MIGSTREAM_CODEC_SURVEY_STREAM_SURVEY_H_

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/channels/channel_reader.h"
#include "codec/channels/channel_stats.h"
#include "codec/device/data_tally.h"
#include "codec/device/dialect_detector.h"
#include "codec/io/byte_source.h"
#include "codec/multifd/packet.h"
#include "codec/qemu/forwarding_visitor.h"
#include "codec/qemu/ram_decoder.h"
#include "codec/qemu/stream_reader.h"
#include "codec/qemu/vm_description.h"
#include "codec/wire/error.h"
#include "flags/dialect.h"

namespace migstream {

// A VFIO device. Offsets are 0 where there is none.
struct DeviceFacts {
  size_t index = 0;  // Among all.
  std::string idstr;
  uint32_t instance_id = 0;
  uint32_t section_id = 0;
  uint64_t first_offset = 0;  // Of its sections.
  uint64_t last_offset = 0;
  uint64_t last_part_offset = 0;
  uint64_t first_end_offset = 0;
  uint64_t after_end_offset = 0;  // A PART or END too many.
  DialectDetector detector;
  DataTally data;
  uint64_t empty_parts = 0;  // Without a record.
  uint32_t init_data_sent = 0;
  uint32_t configs = 0;
  std::array<uint64_t, 2> init_data_sent_offsets = {};  // The first two.
  uint64_t extra_config_offset = 0;   // One more than the dialect has.
  bool init_data_sent_early = false;  // Before any data.
  bool data_in_end = false;
  bool end_closed = false;   // An END was read to its end.
  bool full_closed = false;  // Likewise.
  // The state is on multifd channels: its END has no DATA, and its FULL is
  // END_OF_STATE or CONFIG_LOAD_READY and nothing more. FORMAT.md section 13.8.
  bool in_channels = false;
  // All of it was read from them.
  bool channels_read = false;

  uint64_t ends() const { return data.stop_copy.sections; }
};

// What a whole stream proves to be lost, or to have come twice. Each list has
// the first hundred.
struct StreamLosses {
  struct Section {
    std::string name;     // "timer FULL", "timer#1 FULL"; fit to be printed.
    uint64_t offset = 0;  // Of the later one.
  };
  std::vector<Section> missing;   // Described, and not there.
  std::vector<Section> repeated;  // A START or FULL that came before.
  bool configuration = false;     // Described, and not there.
  // Sections have footers, which a machine type sends together with it.
  bool configuration_unlike_footers = false;
  bool ram_end = false;    // No END of RAM, where another handler has one.
  bool ram_pages = false;  // No page came, on no channel.
};

// A START or FULL that came: the last one of its handler.
struct CameSection {
  uint8_t types = 0;  // A bit for each SectionType.
  uint32_t version_id = 0;
  uint64_t offset = 0;
};
// By idstr and instance id.
using CameSections = std::map<std::pair<std::string, uint32_t>, CameSection>;

struct StreamFacts {
  const Dialect* dialect = nullptr;  // The reader's.
  std::string machine_type;
  std::vector<std::string> capabilities;
  std::optional<VmUuid> uuid;   // Of the VM.
  uint64_t page_bytes = 0;      // Of the target.
  uint64_t trailing_bytes = 0;  // Behind the stream.
  RamStats ram;
  std::shared_ptr<const VmDescription> description;
  uint64_t description_offset = 0;  // 0: it was not come to.
  uint64_t start_offset = 0;        // Of the stream's first byte.
  uint64_t ram_offset = 0;          // Of RAM's START.
  uint64_t ram_parts = 0;           // PART sections.
  StreamLosses losses;
  bool return_path = false;      // COMMAND OPEN_RETURN_PATH.
  uint64_t colo_offset = 0;      // COMMAND ENABLE_COLO; 0: none.
  uint64_t postcopy_offset = 0;  // COMMAND POSTCOPY_ADVISE; 0: none.

  // In the order of the stream.
  std::deque<DeviceFacts> devices;
  // Those in the channels, in the order of their FULLs.
  std::vector<DeviceInChannels> in_channels;

  ReleaseBounds bounds;
  // Those the stream can be of, the oldest first; or the one that was chosen.
  std::vector<const Dialect*> dialects;
  bool is_detected() const { return dialect->id == DialectId::kAuto; }

  // Why nothing more of the main channel was read, if not since it was all.
  Error end;
  bool complete() const { return end.ok(); }
  std::optional<CutRecord> cut_record;

  // The multifd channels, as they were given; and what shows that there are
  // more.
  std::vector<ChannelStats> channels;
  Error missing_channels;
};

class StreamSurvey : public ForwardingVisitor {
 public:
  using OnPiece = std::function<void(const ReassembledPiece&)>;

  // `next` must outlive the survey.
  StreamSurvey(const ReaderOptions& options, StreamVisitor& next)
      : ForwardingVisitor(next), options_(options) {
    facts_.dialect = options_.dialect;
  }

  // The main channel.
  Error Read(ByteSource& source);
  // Then the others, in any order. They may hold the state of all devices that
  // the main channel leaves to them, and of no other; if that was not read to
  // its end, of any.
  Error ReadChannels(std::vector<ChannelReader::Channel> channels,
                     const OnPiece& on_piece);
  // Both; the channels, if there are any, only where the main one is whole, or
  // read by a RecoveryPlan.
  Error ReadAll(ByteSource& source,
                std::vector<ChannelReader::Channel> channels,
                const OnPiece& on_piece);

  // What is known so far.
  const StreamFacts& facts() const { return facts_; }
  // Null if there is no such device.
  const DeviceFacts* Find(std::string_view idstr, uint32_t instance_id) const {
    return Known(idstr, instance_id);
  }

  const CameSections& came() const { return came_; }

  void OnConfiguration(const ConfigurationView& configuration) override;
  void OnSection(const SectionView& section) override;
  void OnDeviceEvent(const SectionView& section, const Event& event) override;
  void OnSectionEnd(const SectionView& section, uint64_t content_bytes,
                    bool footer) override;
  void OnCommand(const CommandView& command) override;
  void OnDescription(uint64_t offset, ByteSpan json) override;
  bool takes_runs() const override { return next().takes_runs(); }
  void OnEmptyParts(const EmptyParts& parts) override;
  void OnDeviceRecords(const SectionView& section,
                       const DeviceRecords& records) override;
  void OnDataParts(const DataParts& parts) override;
  void OnRamPages(const RamPages& pages) override { next().OnRamPages(pages); }

 private:
  using Name = std::pair<std::string_view, uint32_t>;
  // Names stand in the devices alone: of these there may be many.
  struct ByName {
    using is_transparent = void;
    static Name Of(const DeviceFacts* device) {
      return {device->idstr, device->instance_id};
    }
    static Name Of(const Name& name) { return name; }
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return Of(a) < Of(b);
    }
  };

  void CountParts(DeviceFacts& device, uint64_t count, uint64_t offset,
                  uint64_t last_offset);
  void Finish(const StreamReader& reader);
  void FindRepeated(const SectionView& section);
  void FindLosses();
  void CountConfig(DeviceFacts& device, const Event& event);
  DeviceFacts* Known(std::string_view idstr, uint32_t instance_id) const;
  void CountPiece(const ReassembledPiece& piece);

  const ReaderOptions options_;
  StreamFacts facts_;
  std::set<DeviceFacts*, ByName> by_name_;
  RecordCounter records_;
  CameSections came_;
  uint64_t ram_ends_ = 0;
  uint64_t other_ends_ = 0;
  bool footers_ = false;
  // Whose section is read.
  DeviceFacts* device_ = nullptr;
  uint64_t records_before_ = 0;
};

// Whether a CONFIG of E3 only asks for something, and has no payload.
bool IsTriggerAlone(const Event& event);

// What a main channel says of the others. One that was not read to its end does
// not say which devices there are.
ChannelReaderOptions ChannelOptionsOf(const StreamFacts& main);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_SURVEY_STREAM_SURVEY_H_
