#include "codec/payload/virtio.h"

#include <bit>

namespace migstream {
namespace {

using payload::Body;
using payload::Field;
using payload::Generation;
using payload::Level;
using payload::Likeness;
using payload::Look;
using payload::Moment;
using payload::PciRow;
using payload::Reader;
using payload::Record;
using payload::Refusal;
using payload::Show;
using payload::ValueName;
using Id = PayloadFindingId;

constexpr uint64_t kMaxRecord = 0xffffffff;
constexpr uint64_t kOptional = 1;
enum Part : uint64_t {
  kDevFeatures = 0x100,
  kDrvFeatures = 0x101,
  kCommonCfg = 0x102,
  kDeviceStatus = 0x103,
  kVqCfg = 0x104,
  kVqNotifyCfg = 0x105,
  kFirstOfDevice = 0x200,
  kFirstReserved = 0x600,
};
constexpr int kPackedRing = 34;
constexpr uint64_t kDriverOk = 4;
constexpr uint64_t kNumQueuesAt = 18;

constexpr ValueName kFlags[] = {{0, "optional"}};
constexpr ValueName kTags[] = {{0, "DEVICE_DATA"}};
constexpr ValueName kStatus[] = {{0, "ACKNOWLEDGE"}, {1, "DRIVER"},
                                 {2, "DRIVER_OK"},   {3, "FEATURES_OK"},
                                 {6, "NEEDS_RESET"}, {7, "FAILED"}};
// Those that all devices have; below 24 they are of the device's type.
constexpr ValueName kFeatures[] = {
    {28, "INDIRECT_DESC"},     {29, "EVENT_IDX"},   {32, "VERSION_1"},
    {33, "ACCESS_PLATFORM"},   {34, "RING_PACKED"}, {35, "IN_ORDER"},
    {36, "ORDER_PLATFORM"},    {37, "SR_IOV"},      {38, "NOTIFICATION_DATA"},
    {39, "NOTIF_CONFIG_DATA"}, {40, "RING_RESET"},  {41, "ADMIN_VQ"}};

constexpr Field kHeader[] = {
    {"record_size", 0, 8},
    {"flags", 8, 4, Show::kBits, 1, kFlags},
    {"tag", 12, 4, Show::kDecimal, 1, kTags},
};
constexpr Field kPartHeader[] = {
    {"part_type", 0, 2, Show::kHex},
    {"flags", 2, 1, Show::kBits, 1, kFlags},
    {"reserved", 3, 1},
    {"selector", 4, 8, Show::kHex},
    {"length", 12, 4},
};
constexpr Field kFeatureBits[] = {
    {"feature_bits", 0, 8, Show::kBits, 1, kFeatures}};
constexpr Field kStatusField[] = {
    {"device_status", 0, 1, Show::kBits, 1, kStatus}};
constexpr Field kQueueFields[] = {
    {"queue_size", 0, 2},
    {"vector", 2, 2},
    {"enabled", 4, 2},
    {"reserved", 6, 2},
    {"desc", 8, 8, Show::kHex},
    {"driver", 16, 8, Show::kHex},
    {"device", 24, 8, Show::kHex},
};
constexpr Field kNotifyFields[] = {
    {"notify_off", 0, 2}, {"notif_config_data", 2, 2}, {"reserved", 4, 4}};
constexpr Field kCommonFields[] = {{"value", 0, 0, Show::kHex}};

constexpr Record kParts[] = {
    {.name = "DEV_FEATURES",
     .key = kDevFeatures,
     .body = Body::kFields,
     .fields = kFeatureBits,
     .note = "compared, not applied"},
    {.name = "DRV_FEATURES",
     .key = kDrvFeatures,
     .body = Body::kFields,
     .fields = kFeatureBits},
    {.name = "PCI_COMMON_CFG",
     .key = kCommonCfg,
     .body = Body::kFields,
     .fields = kCommonFields,
     .note = "one field of virtio_pci_common_cfg, at `selector`"},
    {.name = "DEVICE_STATUS",
     .key = kDeviceStatus,
     .body = Body::kFields,
     .bytes = 1,
     .fields = kStatusField},
    {.name = "VQ_CFG",
     .key = kVqCfg,
     .body = Body::kFields,
     .bytes = 32,
     .fields = kQueueFields,
     .note = "of the virtqueue `selector`"},
    {.name = "VQ_NOTIFY_CFG",
     .key = kVqNotifyCfg,
     .body = Body::kFields,
     .bytes = 8,
     .fields = kNotifyFields},
};
constexpr Level kPartList = {.header_bytes = 16,
                             .size = {12, 4},
                             .key = {0, 2},
                             .recovers = true,
                             .unknown = "part ",
                             .header = kPartHeader,
                             .records = kParts};
constexpr Record kRecords[] = {
    {.name = "DEVICE_DATA",
     .key = 0,
     .body = Body::kList,
     .list = &kPartList,
     .note = "a snapshot of the whole device; the last one counts"}};
constexpr Level kRoot = {.header_bytes = 16,
                         .size = {0, 8},
                         .key = {12, 4},
                         .unknown = "tag",
                         .header = kHeader,
                         .records = kRecords};

constexpr PciRow kIds[] = {{0x1af4, 0x1041, "net VF"},
                           {0x1af4, 0x1042, "block VF", {6, 15}}};
constexpr Generation kGenerations[] = {
    {"device parts", "virtio_vfio_pci >= 6.13",
     "a device with the same parts and lengths"}};
constexpr Reader kReaders[] = {{{6, 13}, 1 << 0, {}, {}}};

constexpr Refusal kDevice = {Moment::kDevice, {}, "DEV_PARTS_SET"};
constexpr Refusal kTooLong = {Moment::kWrite, "ENOMEM", {}};

Look LookAt(ByteSpan head) {
  if (head.size() < 32) return {};
  auto number = [&](size_t at, int width) {
    return payload::LoadNumber(head.data() + at, width, false);
  };
  uint64_t size = number(0, 8), type = number(16, 2), length = number(28, 4);
  // A snapshot begins with features: whole words, for no queue.
  bool outer = size > 16 && size <= kMaxRecord && number(8, 4) <= kOptional;
  bool part = (type == kDevFeatures || type == kDrvFeatures) &&
              number(18, 1) <= kOptional && number(19, 1) == 0 &&
              number(20, 8) == 0 && length > 0 && length % 8 == 0 &&
              length <= size - 16;
  return {outer && part ? Likeness::kSure : Likeness::kNo};
}

// Bytes that virtio_pci_common_cfg has at `offset`; halves of the eight-byte
// ones are written too. 0: nothing begins there.
uint64_t CommonWidth(uint64_t offset, uint64_t given) {
  switch (offset) {
    case 0:
    case 4:
    case 8:
    case 12:
      return 4;
    case 20:
    case 21:
      return 1;
    case 16:
    case 18:
    case 22:
    case 24:
    case 26:
    case 28:
    case 30:
    case 56:
    case 58:
    case 60:
    case 62:
      return 2;
    case 32:
    case 40:
    case 48:
      return given == 4 ? 4 : 8;
    case 36:
    case 44:
    case 52:
      return 4;
  }
  return 0;
}

std::string_view PartName(uint64_t type) {
  const Record* record = payload::FindRecord(kPartList, type);
  return record ? record->name : "a part";
}

}  // namespace

constexpr payload::Format kVirtioFormat = {
    .driver = payload::Driver::kVirtio,
    .name = "virtio",
    .module = "virtio_vfio_pci",
    .source = "drivers/vfio/pci/virtio; virtio 1.4, \"Device parts\"",
    .root = &kRoot,
    .ids = kIds,
    .look = LookAt,
    .pre_copy = payload::PreCopy::kAny,
    .length_law = "the sum of 16 + size",
    .generations = kGenerations,
    .readers = kReaders,
    .not_in_stream = "ring positions, which are in guest memory",
};

void VirtioRules::Add(const PayloadEvent& event, RuleOutput& out) {
  switch (event.kind) {
    case PayloadEventKind::kRecord:
      event.depth == 0 ? Outer(event, out) : Part(event, out);
      break;
    case PayloadEventKind::kFields:
      Value(event, out);
      break;
    case PayloadEventKind::kOpaque:
      break;
    case PayloadEventKind::kRecordEnd: {
      now.complete = true;
      ++snapshots;
      if (snapshots == 1) status_first = now.status;
      if (event.stop_copy) ++finals;
      uint64_t extra = now.driver_features & ~now.device_features;
      if ((now.seen & 3) == 3 && extra != 0) {
        out.Warn(Id::kValue, now.driver_features_at,
                 StrCat("DRV_FEATURES has bits that DEV_FEATURES has not: ",
                        Hex(extra)));
      }
      break;
    }
    case PayloadEventKind::kOverrun:
      out.Error(Id::kNesting, event.offset,
                StrCat("a part wants ", event.bytes, " bytes, its record has ",
                       event.left),
                kDevice);
      break;
  }
}

void VirtioRules::Outer(const PayloadEvent& event, RuleOutput& out) {
  if (event.bytes > kMaxRecord) {
    oversize = true;
    out.Error(
        Id::kCut, event.offset,
        StrCat("record_size ", Hex(event.bytes), " is more than 0xffffffff"),
        kTooLong);
  } else if (event.key != 0 && (event.Number(8, 4) & kOptional)) {
    out.Note(Id::kUnknownTag, event.offset,
             StrCat("tag ", event.key, " is not known; optional: skipped"));
  } else if (event.key != 0) {
    out.Error(Id::kUnknownTag, event.offset,
              StrCat("tag ", event.key, " is mandatory and not known"),
              {Moment::kWrite, "EOPNOTSUPP", {}});
  } else if (event.bytes == 0) {
    out.Warn(Id::kValue, event.offset,
             "DEVICE_DATA of 0 bytes: no source can be read past one");
  }
  if (event.key != 0) return;
  now = {};
  now.start = event.offset;
  if (out.initial_bytes == 0) {
    out.initial_bytes = event.offset + 16 + event.bytes;
  }
}

void VirtioRules::Part(const PayloadEvent& event, RuleOutput& out) {
  uint64_t type = event.key;
  if (event.Number(3, 1) != 0 || event.Number(2, 1) > kOptional) {
    out.Warn(Id::kReserved, event.offset, "a part's reserved bits are not 0");
  }
  now.selector = event.Number(4, 8);
  if (!event.record) {
    now.own_parts += type >= kFirstOfDevice && type < kFirstReserved;
    if (strange_count == 0) strange_at = event.offset;
    for (uint32_t i = 0; i < strange_count; ++i) {
      if (strange[i] == type) return;
    }
    if (strange_count < std::size(strange)) strange[strange_count++] = type;
    return;
  }
  if (type < now.last_type) {
    out.Warn(Id::kValue, event.offset,
             StrCat(PartName(type), " after ", PartName(now.last_type),
                    ": the specification wants it before"),
             kDevice);
  } else {
    now.last_type = type;
  }
  uint32_t bit = 1u << (type - kDevFeatures);
  bool again = (now.seen & bit) != 0;
  now.seen |= bit;
  if (type == kCommonCfg) {
    uint64_t at = now.selector & 0xffffffff;
    uint64_t offset_bit = at < 64 ? uint64_t{1} << at : 0;
    again = (now.common & offset_bit) != 0;
    now.common |= offset_bit;
    if (event.bytes != CommonWidth(at, event.bytes)) {
      out.Warn(Id::kValue, event.offset,
               StrCat("PCI_COMMON_CFG of offset ", at, " has ", event.bytes,
                      " bytes"),
               kDevice);
    }
  } else if (type == kVqCfg || type == kVqNotifyCfg) {
    uint64_t queue = now.selector & 0xffff;
    again = again && queue == now.last_queue;
    now.last_queue = queue;
  }
  if (again) {
    out.Error(Id::kValue, event.offset,
              StrCat("second ", PartName(type), "; exactly one is allowed"),
              kDevice);
  }
  bool odd = event.record->bytes != 0 ? event.bytes != event.record->bytes
             : type != kCommonCfg     ? event.bytes == 0 || event.bytes % 8 != 0
                                      : false;
  if (odd) {
    out.Error(Id::kSectionSize, event.offset,
              StrCat(PartName(type), " of ", event.bytes, " bytes"), kDevice);
  }
}

void VirtioRules::Value(const PayloadEvent& event, RuleOutput& out) {
  switch (event.key) {
    case kDevFeatures:
      now.device_features = event.Number(0, 8);
      break;
    case kDrvFeatures:
      now.driver_features = event.Number(0, 8);
      now.driver_features_at = event.record_offset;
      break;
    case kCommonCfg:
      if ((now.selector & 0xffffffff) == kNumQueuesAt) {
        now.num_queues = event.Number(0, 2);
      }
      break;
    case kDeviceStatus:
      now.status = static_cast<uint8_t>(event.Number(0, 1));
      break;
    case kVqCfg:
      Queue(event, out);
      break;
  }
}

void VirtioRules::Queue(const PayloadEvent& event, RuleOutput& out) {
  if (event.view.size() != 32) return;
  ++now.queues;
  now.queue_size = event.Number(0, 2);
  now.enabled = now.enabled || event.Number(4, 2) != 0;
  // A packed ring may have any size, and other alignments.
  if (now.driver_features >> kPackedRing & 1) return;
  std::string wrong;
  if (!std::has_single_bit(now.queue_size) && now.queue_size != 0) {
    StrAppend(&wrong, "; queue_size ", now.queue_size,
              " is no power of two in a split ring");
  }
  static constexpr struct {
    std::string_view name;
    uint8_t at, align;
  } kAreas[] = {{"desc", 8, 16}, {"driver", 16, 2}, {"device", 24, 4}};
  for (const auto& area : kAreas) {
    uint64_t address = event.Number(area.at, 8);
    if (address % area.align != 0) {
      StrAppend(&wrong, "; ", area.name, " ", Hex(address), " is not ",
                area.align, "-byte aligned");
    }
  }
  if (wrong.empty()) return;
  out.Warn(Id::kValue, event.record_offset,
           StrCat("vq ", now.selector & 0xffff, ": ", wrong.substr(2)),
           kDevice);
}

void VirtioRules::Finish(const PayloadEnd& end, RuleOutput& out) {
  if (strange_count > 0) {
    std::string types;
    for (uint32_t i = 0; i < strange_count; ++i) {
      StrAppend(&types, i > 0 ? ", " : "", Hex(strange[i]));
    }
    out.Note(Id::kUnknownTag, strange_at,
             StrCat("parts ", types,
                    ": not in the specification; the destination device must "
                    "know them"),
             kDevice);
  }
  if (end.sound() && finals == 0) {
    out.Error(Id::kNoFinal, end.pre_copy_bytes, "no DEVICE_DATA in stop-copy");
  }
  out.Fact("snapshots", snapshots);
  if (snapshots == 0) return;
  out.Fact("status_first", status_first);
  if (!now.complete) return;
  if (!(now.seen & 1 << (kDrvFeatures - kDevFeatures)) ||
      !(now.seen & 1 << (kDeviceStatus - kDevFeatures))) {
    out.Error(Id::kMissing, now.start,
              "the last snapshot lacks DRV_FEATURES or DEVICE_STATUS", kDevice);
  }
  if (now.enabled && !(now.status & kDriverOk)) {
    out.Warn(Id::kValue, now.start,
             "the last snapshot has virtqueues enabled without DRIVER_OK");
  }
  if (now.num_queues > 0 && now.queues > now.num_queues) {
    out.Warn(
        Id::kValue, now.start,
        StrCat(now.queues, " virtqueues, num_queues says ", now.num_queues));
  }
  out.Fact("device_features", now.device_features);
  out.Fact("driver_features", now.driver_features);
  out.Fact("status_last", now.status);
  out.Fact("vqs", now.queues);
  out.Fact("num_queues", now.num_queues);
  out.Fact("queue_size", now.queue_size);
  out.Fact("packed", now.driver_features >> kPackedRing & 1);
  out.Fact("device_specific_parts", now.own_parts);
}

}  // namespace migstream
