// A device that gives what a real QEMU's device gave, read by read, makes the
// bytes that this QEMU wrote.

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "codec/device/config_layout.h"
#include "codec/multifd/channel_decoder.h"
#include "codec/multifd/packet.h"
#include "codec/qemu/decode_stream.h"
#include "codec/session/session_rig.h"
#include "codec/wire/text.h"
#include "gtest/gtest.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

// What a device did, as its stream tells it.
struct SeenDevice {
  uint32_t section_id = 0;
  std::string idstr;
  bool pre_copy = false;
  std::string initial, dirty, stop;
  std::vector<size_t> reads;  // 0: a PART without data.
  std::string config;         // The payload, without subsections.
  ConfigLayout layout;
  std::vector<std::pair<std::string, std::string>> subsections;
  std::vector<uint32_t> subsection_versions;
};

struct SeenStream {
  std::vector<SeenDevice> devices;
  std::string sections;  // Those of VFIO devices, one after the other.
  size_t parts = 0;
  bool footers = true;
  bool switchover_ack = false;
  bool config_load_ready = false;
};

// Packets of device state as they stand on channels, by device and index.
using Packets = std::map<std::tuple<std::string, uint32_t>, std::string>;

void AddDeviceEvent(SectionType type, const Event& event, SeenStream& seen,
                    SeenDevice& device) {
  switch (event.kind) {
    case EventKind::kTag:
      if (event.element == Element::kInitDataSent) {
        seen.switchover_ack = true;
        // All so far was initial data.
        device.initial += device.dirty;
        device.dirty.clear();
      }
      seen.config_load_ready |= event.element == Element::kConfigLoadReady;
      break;
    case EventKind::kData:
      if (event.starts_record) device.reads.push_back(event.record_bytes);
      (type == SectionType::kPart ? device.dirty : device.stop) +=
          AsText(event.payload);
      break;
    case EventKind::kConfig:
      device.config = AsText(event.payload);
      device.layout = event.layout;
      break;
    case EventKind::kSubsection:
      device.subsections.emplace_back(event.subsection.name,
                                      AsText(event.payload));
      device.subsection_versions.push_back(event.subsection.version);
      break;
    case EventKind::kConfigEnd:
      break;
  }
}

void AddPackets(const std::vector<std::string>& channels, Packets& packets) {
  for (const std::string& channel : channels) {
    ChannelDecoder decoder;
    ByteSpan input = AsBytes(channel);
    std::string* packet = nullptr;
    std::string head, name;
    for (MultifdEvent event; decoder.Next(input, event) == Step::kEvent;) {
      if (event.kind == MultifdEventKind::kDeviceState) {
        name = event.device.idstr;
        head = AsText(event.bytes);
        packet = nullptr;
      } else if (event.kind == MultifdEventKind::kPayload && !head.empty()) {
        if (event.payload_offset == 0) {
          packet = &packets[{name, LoadBe32(&event.bytes[4])}];
          *packet = head;
        }
        *packet += AsText(event.bytes);
      } else {
        head.clear();
      }
    }
  }
}

SeenStream See(const std::string& stream) {
  KnownLengths lengths = KnownLengths::Of(stream);
  StreamDecoder decoder({.content_length = lengths});
  ByteSpan input = AsBytes(stream);
  SeenStream seen;
  std::map<std::string, size_t> index;
  SeenDevice* device = nullptr;
  size_t reads = 0;
  for (StreamEvent event; decoder.Next(input, event) == Step::kEvent;) {
    if (event.section == nullptr || !event.section->vfio) continue;
    const SectionView& section = *event.section;
    if (event.kind == StreamEvent::kSection) {
      auto [at, added] = index.emplace(section.idstr, seen.devices.size());
      if (added) {
        seen.devices.emplace_back();
        seen.devices.back().section_id = section.id;
        seen.devices.back().idstr = section.idstr;
      }
      device = &seen.devices[at->second];
      reads = device->reads.size();
      device->pre_copy |= section.type == SectionType::kPart;
    } else if (event.kind == StreamEvent::kDevice) {
      AddDeviceEvent(section.type, event.device, seen, *device);
    } else if (event.kind == StreamEvent::kSectionEnd) {
      if (section.type == SectionType::kPart) {
        ++seen.parts;
        if (device->reads.size() == reads) device->reads.push_back(0);
      }
      seen.footers = event.footer;
      seen.sections +=
          stream.substr(section.offset, decoder.offset() - section.offset);
    }
  }
  return seen;
}

// The stop-copy data, and the config, are in the packets.
void TakePackets(const Packets& packets, SeenStream& seen) {
  for (const auto& [key, packet] : packets) {
    for (SeenDevice& device : seen.devices) {
      if (device.idstr != std::get<0>(key)) continue;
      std::string data =
          packet.substr(kDeviceStatePacketBytes + VfioPacketHeader::kBytes);
      const bool config = packet[kDeviceStatePacketBytes + 11] == 1;
      if (!config) {
        device.reads.push_back(data.size());
        device.stop += data;
        continue;
      }
      SectionDecoder decoder(SectionType::kFull, GetDialect(DialectId::kV100),
                             {.config = {.content_bytes = data.size()}});
      ByteSpan input = AsBytes(data);
      for (Event event; decoder.Next(input, event) == Step::kEvent;) {
        AddDeviceEvent(SectionType::kFull, event, seen, device);
      }
    }
  }
}

const Dialect& DialectOf(const testdata::Capture& capture, bool multifd) {
  std::string_view qemu = capture.qemu();
  if (qemu.starts_with("5.")) return GetDialect(DialectId::kV52);
  if (qemu.starts_with("7.")) return GetDialect(DialectId::kV60);
  if (qemu.starts_with("10.")) {
    return GetDialect(multifd ? DialectId::kV100M : DialectId::kV100);
  }
  EXPECT_TRUE(qemu.starts_with("11."));
  return GetDialect(multifd ? DialectId::kV111M : DialectId::kV111);
}

SavedConfig ConfigOf(const SeenDevice& device) {
  SavedConfig config = {
      ConfigView::Parse(AsBytes(device.config), device.layout)};
  for (size_t i = 0; i < device.subsections.size(); ++i) {
    config.subsections.push_back({device.subsections[i].first,
                                  device.subsection_versions[i],
                                  AsBytes(device.subsections[i].second)});
  }
  return config;
}

class SavedCaptureTest : public testing::TestWithParam<testdata::Capture> {};

TEST_P(SavedCaptureTest, TheRecordedReadsGiveTheCapturesBytes) {
  SeenStream seen = See(ReadCapture(GetParam()));
  Packets packets;
  const bool multifd = HasDeviceStateChannels(GetParam());
  std::vector<std::string> channels = ReadChannels(GetParam());
  if (multifd) {
    AddPackets(channels, packets);
    TakePackets(packets, seen);
  }
  const Dialect& dialect = DialectOf(GetParam(), multifd);
  const bool v1 = dialect.protocol == VfioProtocol::kV1;

  RigSide source;
  std::vector<FakeDevice> fakes;
  std::vector<SavedConfig> configs;
  MemoryOutput main;
  std::vector<MemoryOutput> outputs(multifd ? channels.size() : 0);
  SaveOptions options = {.dialect = &dialect,
                         .footers = seen.footers,
                         .switchover_ack = seen.switchover_ack,
                         .config_load_ready = seen.config_load_ready};
  for (MemoryOutput& output : outputs) options.channels.push_back(&output);
  std::vector<std::unique_ptr<MigrationDevice>> devices;
  MigrationSet set;
  for (size_t i = 0; i < seen.devices.size(); ++i) {
    const SeenDevice& device = seen.devices[i];
    // What the device noted of its own reads.
    std::vector<size_t> read;
    for (size_t bytes : device.reads) {
      if (bytes != 0) read.push_back(bytes);
    }
    const auto& noted = GetParam().devices(static_cast<int>(i)).record_sizes();
    EXPECT_EQ(read, std::vector<size_t>(noted.begin(), noted.end()));

    int fd = source.vfio.Add({.flags = v1                ? 5u
                                       : device.pre_copy ? 7u
                                                         : 3u,
                              .initial = device.initial,
                              .dirty = device.dirty,
                              .stop = device.stop,
                              .reads = device.reads,
                              .v1 = v1});
    if (v1) {
      MigrationRegion region;
      ASSERT_TRUE(FindMigrationRegion(fd, &region, source.vfio).ok());
      devices.push_back(
          std::make_unique<RegionDevice>(fd, region, source.vfio));
    } else {
      std::unique_ptr<KernelDevice> opened;
      ASSERT_TRUE(
          KernelDevice::Open(fd, &opened, {.calls = &source.vfio}).ok());
      devices.push_back(std::move(opened));
    }
    ASSERT_TRUE(set.Add(*devices[i], device.idstr).ok());
    options.section_ids.push_back(device.section_id);
    configs.push_back(ConfigOf(device));
  }

  SaveSession session(set, main, options);
  Error error = session.Start();
  const size_t wanted = main.writes + seen.parts;
  while (error.ok() && main.writes < wanted) {
    Progress progress;
    const size_t before = main.writes;
    error = session.Iterate(
        {.out_of_time = [&] { return main.writes >= wanted; }}, &progress);
    ASSERT_NE(main.writes, before);
  }
  if (error.ok()) error = session.Switchover();
  std::string written = main.bytes;
  if (error.ok()) error = session.Complete(configs);
  ASSERT_TRUE(error.ok()) << ToString(error);
  // But for SWITCHOVER_START, which is no section.
  constexpr size_t kCommandBytes = 5;
  const bool command = main.bytes[written.size()] == 0x08;
  written += main.bytes.substr(written.size() + (command ? kCommandBytes : 0));
  EXPECT_TRUE(written == seen.sections)
      << "they differ at byte "
      << std::mismatch(written.begin(), written.end(), seen.sections.begin(),
                       seen.sections.end())
                 .first -
             written.begin()
      << " of " << written.size() << " and " << seen.sections.size();

  Packets ours;
  std::vector<std::string> sent;
  for (MemoryOutput& output : outputs) sent.push_back(output.bytes);
  AddPackets(sent, ours);
  EXPECT_TRUE(ours == packets) << ours.size() << " and " << packets.size();
}

// All that were completed and note what their devices gave.
std::vector<testdata::Capture> Captures() {
  std::vector<testdata::Capture> captures;
  for (const testdata::Capture& capture : AllCaptures()) {
    if (capture.completed() && capture.devices_size() != 0) {
      captures.push_back(capture);
    }
  }
  return captures;
}

INSTANTIATE_TEST_SUITE_P(Captures, SavedCaptureTest,
                         testing::ValuesIn(Captures()), CaptureName());

}  // namespace
}  // namespace migstream
