#include "fuzz/damage.h"

#include <algorithm>
#include <array>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "codec/device/subsection.h"
#include "codec/multifd/packet.h"
#include "codec/wire/bytes.h"
#include "codec/wire/error.h"
#include "flags/tag.h"
#include "fuzz/device_channels.h"

namespace migstream {
namespace {

using recipe::Damage;
using recipe::Expectation;

constexpr size_t kNone = ~size_t{0};
// Of a footer or a PART: an id that no section has.
constexpr uint32_t kOtherId = 0xffff;
constexpr int kNoTag = 9;         // In the place of DATA.
constexpr int kNoEndOfState = 7;  // In the place of END_OF_STATE.

std::string Be32(uint32_t value) {
  std::string bytes(4, '\0');
  StoreBe32(reinterpret_cast<uint8_t*>(bytes.data()), value);
  return bytes;
}
std::string Be64(uint64_t value) {
  std::string bytes(8, '\0');
  StoreBe64(reinterpret_cast<uint8_t*>(bytes.data()), value);
  return bytes;
}
std::string TagBytes(int number) { return Be64(kTagPrefix + number); }

uint64_t Number(const std::string& bytes, uint64_t at, int width) {
  if (at > bytes.size() || bytes.size() - at < static_cast<size_t>(width)) {
    return 0;
  }
  return LoadBe(AsBytes(bytes).data() + at, width);
}

absl::Status Missing(absl::string_view what) {
  return absl::NotFoundError(what);
}

// The place of the nth mark of its kind that is the damage's device's.
template <typename Fits>
size_t FindMark(const MarkedBytes& stream, const DoneDamage& done,
                MarkKind kind, Fits fits) {
  uint32_t nth = done.damage.nth();
  for (size_t i = 0; i < stream.marks.size(); ++i) {
    const Mark& mark = stream.marks[i];
    if (mark.kind != kind ||
        mark.device != static_cast<int>(done.damage.device()) || !fits(mark)) {
      continue;
    }
    if (nth-- == 0) return i;
  }
  return kNone;
}
size_t FindMark(const MarkedBytes& stream, const DoneDamage& done,
                MarkKind kind) {
  return FindMark(stream, done, kind, [](const Mark&) { return true; });
}

void Note(MarkedBytes& stream, const Generated& all, uint64_t at) {
  Mark mark;
  mark.kind = MarkKind::kDamage;
  mark.offset = at;
  mark.number = static_cast<uint32_t>(all.damages.size());
  stream.marks.push_back(mark);
}

// ---- A device's sections ----

absl::Status SetTag(Generated& stream, DoneDamage& done, MarkKind kind,
                    int number) {
  size_t at = FindMark(stream.main, done, kind);
  if (at == kNone) return Missing("no such tag");
  uint64_t offset = stream.main.marks[at].offset;
  stream.main.Replace(offset, kTagBytes, TagBytes(number));
  done.found = Hex(kTagPrefix + number);
  Note(stream.main, stream, offset);
  return absl::OkStatus();
}

absl::Status BadTag(Generated& stream, DoneDamage& done) {
  return SetTag(stream, done, MarkKind::kData, kNoTag);
}
absl::Status SetupEos(Generated& stream, DoneDamage& done) {
  return SetTag(stream, done, MarkKind::kSetupEnd, kNoEndOfState);
}
absl::Status ConfigEos(Generated& stream, DoneDamage& done) {
  return SetTag(stream, done, MarkKind::kConfigEnd, kNoEndOfState);
}

absl::Status SizePlus1(Generated& stream, DoneDamage& done) {
  size_t at = FindMark(stream.main, done, MarkKind::kData);
  if (at == kNone) return Missing("no such record");
  Mark record = stream.main.marks[at];
  stream.main.Replace(record.offset + kTagBytes, 8,
                      Be64(record.bytes - 2 * kTagBytes + 1));
  // The loader's next tag begins a byte late.
  uint64_t next = record.offset + record.bytes + 1;
  done.found = Hex(Number(stream.main.bytes, next, 8));
  Note(stream.main, stream, next);
  return absl::OkStatus();
}

absl::Status DropRecord(Generated& stream, DoneDamage& done) {
  size_t at = FindMark(stream.main, done, MarkKind::kData);
  if (at == kNone) return Missing("no such record");
  Mark record = stream.main.marks[at];
  stream.main.Replace(record.offset, record.bytes, "");
  Note(stream.main, stream, record.offset);
  return absl::OkStatus();
}

// A record and the one that follows it in the same section.
struct Neighbours {
  Mark first;
  Mark second;
};
std::optional<Neighbours> FindNeighbours(const MarkedBytes& stream,
                                         const DoneDamage& done) {
  auto behind = [&stream](const Mark& mark) {
    return std::find_if(stream.marks.begin(), stream.marks.end(),
                        [&mark](const Mark& other) {
                          return other.kind == MarkKind::kData &&
                                 other.offset == mark.offset + mark.bytes;
                        });
  };
  size_t at = FindMark(stream, done, MarkKind::kData, [&](const Mark& mark) {
    return behind(mark) != stream.marks.end();
  });
  if (at == kNone) return std::nullopt;
  return Neighbours{stream.marks[at], *behind(stream.marks[at])};
}

absl::Status SwapRecords(Generated& stream, DoneDamage& done) {
  auto two = FindNeighbours(stream.main, done);
  if (!two) return Missing("no two records in one section");
  std::string first =
      stream.main.bytes.substr(two->first.offset, two->first.bytes);
  std::string second =
      stream.main.bytes.substr(two->second.offset, two->second.bytes);
  stream.main.bytes.replace(two->first.offset, first.size() + second.size(),
                            second + first);
  for (Mark& mark : stream.main.marks) {
    if (mark.kind != MarkKind::kData) continue;
    if (mark.offset == two->first.offset) {
      mark.bytes = second.size();
    } else if (mark.offset == two->second.offset) {
      mark.offset = two->first.offset + second.size();
      mark.bytes = first.size();
    }
  }
  Note(stream.main, stream, two->first.offset);
  return absl::OkStatus();
}

absl::Status MergeRecords(Generated& stream, DoneDamage& done) {
  auto two = FindNeighbours(stream.main, done);
  if (!two) return Missing("no two records in one section");
  uint64_t sum = two->first.bytes + two->second.bytes - 4 * kTagBytes;
  stream.main.Replace(two->second.offset, 2 * kTagBytes, "");
  stream.main.Replace(two->first.offset + kTagBytes, 8, Be64(sum));
  auto gone = [&](const Mark& mark) {
    return mark.kind == MarkKind::kData && mark.offset == two->second.offset;
  };
  std::erase_if(stream.main.marks, gone);
  for (Mark& mark : stream.main.marks) {
    if (mark.kind == MarkKind::kData && mark.offset == two->first.offset) {
      mark.bytes = sum + 2 * kTagBytes;
    }
  }
  Note(stream.main, stream, two->first.offset);
  return absl::OkStatus();
}

absl::Status SplitRecord(Generated& stream, DoneDamage& done) {
  size_t at = FindMark(
      stream.main, done, MarkKind::kData,
      [](const Mark& mark) { return mark.bytes >= 2 * kTagBytes + 2; });
  if (at == kNone) return Missing("no record of two bytes");
  Mark record = stream.main.marks[at];
  uint64_t payload = record.bytes - 2 * kTagBytes;
  uint64_t first = payload / 2;
  stream.main.Replace(record.offset + kTagBytes, 8, Be64(first));
  uint64_t cut = record.offset + 2 * kTagBytes + first;
  stream.main.Replace(cut, 0, TagBytes(4) + Be64(payload - first));
  stream.main.marks[at].bytes = 2 * kTagBytes + first;
  Mark second = record;
  second.offset = cut;
  second.bytes = 2 * kTagBytes + payload - first;
  stream.main.marks.insert(stream.main.marks.begin() + at + 1, second);
  Note(stream.main, stream, record.offset);
  return absl::OkStatus();
}

absl::Status EmptyRecord(Generated& stream, DoneDamage& done) {
  size_t at = FindMark(stream.main, done, MarkKind::kData);
  if (at == kNone) return Missing("no such record");
  uint64_t offset = stream.main.marks[at].offset;
  stream.main.Replace(offset, 0, TagBytes(4) + Be64(0));
  Note(stream.main, stream, offset);
  return absl::OkStatus();
}

absl::Status FlipPayload(Generated& stream, DoneDamage& done) {
  size_t at =
      FindMark(stream.main, done, MarkKind::kData,
               [](const Mark& mark) { return mark.bytes > 2 * kTagBytes; });
  if (at == kNone) return Missing("no record with payload");
  uint64_t offset = stream.main.marks[at].offset + 2 * kTagBytes;
  stream.main.bytes[offset] ^= 0xff;
  Note(stream.main, stream, offset);
  return absl::OkStatus();
}

absl::Status InitDataSent(Generated& stream, DoneDamage& done) {
  for (const GeneratedDevice& device : stream.devices) {
    if (device.init_data_sent) return Missing("the stream uses switchover-ack");
  }
  size_t at = FindMark(stream.main, done, MarkKind::kEnd, [](const Mark& mark) {
    return mark.section == SectionType::kPart;
  });
  if (at == kNone) return Missing("no such PART");
  uint64_t offset = stream.main.marks[at].offset;
  stream.main.Replace(offset, kTagBytes, TagBytes(5));
  Note(stream.main, stream, offset);
  return absl::OkStatus();
}

absl::Status LoadReady(Generated& stream, DoneDamage& done) {
  size_t at = FindMark(
      stream.main, done, MarkKind::kConfig,
      [](const Mark& mark) { return mark.section == SectionType::kFull; });
  if (at == kNone) return Missing("no CONFIG in FULL");
  uint64_t offset = stream.main.marks[at].offset;
  stream.main.Replace(offset, kTagBytes, TagBytes(6));
  Note(stream.main, stream, offset);
  return absl::OkStatus();
}

absl::Status ConfigInEnd(Generated& stream, DoneDamage& done) {
  const GeneratedDevice& device = stream.devices[done.damage.device()];
  size_t config = FindMark(
      stream.main, done, MarkKind::kConfig,
      [](const Mark& mark) { return mark.section == SectionType::kFull; });
  size_t end = FindMark(
      stream.main, done, MarkKind::kSection,
      [](const Mark& mark) { return mark.section == SectionType::kEnd; });
  size_t footer = FindMark(stream.main, done, MarkKind::kFooter);
  if (config == kNone || end == kNone || footer == kNone) {
    return Missing("no END, no CONFIG in FULL, or no footers");
  }
  const Mark& from = stream.main.marks[config];
  std::string element =
      stream.main.bytes.substr(from.offset, from.bytes + kTagBytes);
  uint64_t content = stream.main.marks[end].offset + 1 + 4;
  stream.main.Replace(content, 0, element);
  done.found = device.idstr;
  Note(stream.main, stream, content + element.size());
  return absl::OkStatus();
}

absl::Status Truncate(Generated& stream, DoneDamage& done) {
  size_t at =
      FindMark(stream.main, done, MarkKind::kData,
               [](const Mark& mark) { return mark.bytes > 2 * kTagBytes; });
  if (at == kNone) return Missing("no record with payload");
  const Mark& record = stream.main.marks[at];
  uint64_t cut =
      record.offset + 2 * kTagBytes + (record.bytes - 2 * kTagBytes) / 2;
  stream.main.Replace(cut, stream.main.bytes.size() - cut, "");
  Note(stream.main, stream, cut);
  return absl::OkStatus();
}

// ---- A config payload ----

// Where the PCI config space begins; kNone if the device has none here.
uint64_t FindConfigSpace(const Generated& stream, const DoneDamage& done) {
  const GeneratedDevice& device = stream.devices[done.damage.device()];
  uint64_t head = kTagBytes + device.dialect->subflag.width + 4;
  size_t at =
      FindMark(stream.main, done, MarkKind::kConfig, [&](const Mark& mark) {
        return !device.pci_config.empty() &&
               mark.bytes >= head + device.pci_config.size();
      });
  return at == kNone ? kNone : stream.main.marks[at].offset + head;
}

absl::Status FlipConfigByte(Generated& stream, DoneDamage& done, uint64_t i) {
  uint64_t config = FindConfigSpace(stream, done);
  if (config == kNone) return Missing("no config space on the main channel");
  uint8_t before = stream.main.bytes[config + i];
  uint8_t after = before ^ 1;
  stream.main.bytes[config + i] = static_cast<char>(after);
  done.found = absl::StrFormat("i=0x%x read: %x device: %x", i, after, before);
  Note(stream.main, stream, config + i);
  return absl::OkStatus();
}

absl::Status VendorId(Generated& stream, DoneDamage& done) {
  return FlipConfigByte(stream, done, 0);
}
absl::Status CommandRegister(Generated& stream, DoneDamage& done) {
  return FlipConfigByte(stream, done, 4);
}

absl::Status IrqState(Generated& stream, DoneDamage& done) {
  uint64_t config = FindConfigSpace(stream, done);
  if (config == kNone) return Missing("no config space on the main channel");
  uint64_t at = config + stream.devices[done.damage.device()].pci_config.size();
  stream.main.Replace(at, 4, Be32(2));
  Note(stream.main, stream, at);
  return absl::OkStatus();
}

absl::Status MsixSpells(Generated& stream, DoneDamage& done) {
  constexpr absl::string_view kSpelt("\x05\x0aPCIDevice/", 12);
  const GeneratedDevice& device = stream.devices[done.damage.device()];
  uint64_t config = FindConfigSpace(stream, done);
  if (config == kNone || device.msix_vectors == 0 ||
      device.dialect->config_layout != ConfigLayoutKind::kReleased) {
    return Missing("no MSI-X table on the main channel");
  }
  uint64_t at = config + device.pci_config.size() + 16;
  stream.main.Replace(at, kSpelt.size(), kSpelt);
  Note(stream.main, stream, at);
  return absl::OkStatus();
}

absl::Status UnknownSubsection(Generated& stream, DoneDamage& done) {
  size_t at = FindMark(stream.main, done, MarkKind::kConfig);
  if (at == kNone) return Missing("no CONFIG on the main channel");
  const Mark& config = stream.main.marks[at];
  const uint64_t tail = 4 + kRamfbBytes;
  const uint64_t head = 2 + kDisplaySubsection.size();
  if (config.bytes < head + tail) return Missing("no display subsection");
  uint64_t name =
      config.offset + config.bytes - tail - kDisplaySubsection.size();
  if (stream.main.bytes.compare(name, kDisplaySubsection.size(),
                                kDisplaySubsection.data(),
                                kDisplaySubsection.size()) != 0) {
    return Missing("no display subsection");
  }
  stream.main.bytes[name + kDisplaySubsection.size() - 1] = 'x';
  done.found = stream.main.bytes.substr(name, kDisplaySubsection.size());
  Note(stream.main, stream, name);
  return absl::OkStatus();
}

// ---- The enclosing stream ----

absl::Status BadMagic(Generated& stream, DoneDamage&) {
  stream.main.bytes[0] ^= 1;
  Note(stream.main, stream, 0);
  return absl::OkStatus();
}

absl::Status OldVersion(Generated& stream, DoneDamage&) {
  stream.main.Replace(4, 4, Be32(kStreamVersionObsolete));
  Note(stream.main, stream, 4);
  return absl::OkStatus();
}

absl::Status FooterId(Generated& stream, DoneDamage& done) {
  size_t at = FindMark(stream.main, done, MarkKind::kFooter);
  if (at == kNone) return Missing("no such footer");
  const GeneratedDevice& device = stream.devices[done.damage.device()];
  uint32_t other = device.section_id == kOtherId ? kOtherId - 1 : kOtherId;
  uint64_t offset = stream.main.marks[at].offset + 1;
  stream.main.Replace(offset, 4, Be32(other));
  done.found = absl::StrFormat("%s - read 0x%x expected 0x%x", device.idstr,
                               other, device.section_id);
  Note(stream.main, stream, offset);
  return absl::OkStatus();
}

absl::Status DropFooter(Generated& stream, DoneDamage& done) {
  size_t at = FindMark(stream.main, done, MarkKind::kFooter);
  if (at == kNone) return Missing("no such footer");
  const Mark footer = stream.main.marks[at];
  stream.main.Replace(footer.offset, footer.bytes, "");
  done.found = stream.devices[done.damage.device()].idstr;
  Note(stream.main, stream, footer.offset);
  return absl::OkStatus();
}

// A section of the device, of one of these types.
size_t FindSection(const Generated& stream, const DoneDamage& done,
                   std::initializer_list<SectionType> types) {
  return FindMark(stream.main, done, MarkKind::kSection, [&](const Mark& mark) {
    return std::find(types.begin(), types.end(), mark.section) != types.end();
  });
}

absl::Status VersionId(Generated& stream, DoneDamage& done) {
  const GeneratedDevice& device = stream.devices[done.damage.device()];
  size_t at =
      FindSection(stream, done, {SectionType::kStart, SectionType::kFull});
  if (at == kNone) return Missing("no such START or FULL");
  uint64_t offset =
      stream.main.marks[at].offset + 1 + 4 + 1 + device.idstr.size() + 4;
  stream.main.Replace(offset, 4, Be32(2));
  done.found = device.idstr;
  Note(stream.main, stream, offset);
  return absl::OkStatus();
}

absl::Status SectionId(Generated& stream, DoneDamage& done) {
  size_t at =
      FindSection(stream, done, {SectionType::kPart, SectionType::kEnd});
  if (at == kNone) return Missing("no such PART or END");
  uint32_t other = kOtherId;
  for (const GeneratedDevice& device : stream.devices) {
    if (device.section_id == other) ++other;
  }
  uint64_t offset = stream.main.marks[at].offset + 1;
  stream.main.Replace(offset, 4, Be32(other));
  done.found = absl::StrCat(other);
  Note(stream.main, stream, offset);
  return absl::OkStatus();
}

absl::Status SetSectionType(Generated& stream, DoneDamage& done) {
  constexpr char kNoType = 0x42;
  size_t at = FindMark(stream.main, done, MarkKind::kSection);
  if (at == kNone) return Missing("no such section");
  uint64_t offset = stream.main.marks[at].offset;
  stream.main.bytes[offset] = kNoType;
  done.found = absl::StrCat(static_cast<int>(kNoType));
  Note(stream.main, stream, offset);
  return absl::OkStatus();
}

// ---- Multifd channels ----

// Finds one of the device's packets by its index, or the config packet.
template <typename Edit>
absl::Status EditPacket(Generated& stream, DoneDamage& done, bool config,
                        Edit edit) {
  uint32_t last = 0;
  for (const MarkedBytes& channel : stream.channels) {
    for (const Mark& mark : channel.marks) {
      if (mark.kind == MarkKind::kPacket &&
          mark.device == static_cast<int>(done.damage.device())) {
        last = std::max(last, mark.number);
      }
    }
  }
  for (MarkedBytes& channel : stream.channels) {
    for (const Mark& mark : channel.marks) {
      if (mark.kind != MarkKind::kPacket ||
          mark.device != static_cast<int>(done.damage.device()) ||
          mark.number != (config ? last : done.damage.nth())) {
        continue;
      }
      const Mark packet = mark;
      uint64_t data = packet.offset + kDevicePacketOverhead;
      if (config && Number(channel.bytes, data, 8) !=
                        static_cast<uint64_t>(Tag::kDevConfigState)) {
        return Missing("no config packet");
      }
      edit(channel, packet);
      Note(channel, stream, packet.offset);
      return absl::OkStatus();
    }
  }
  return Missing("no such packet");
}

absl::Status DropPacket(Generated& stream, DoneDamage& done) {
  return EditPacket(stream, done, false, [](MarkedBytes& to, const Mark& at) {
    to.Replace(at.offset, at.bytes, "");
  });
}

absl::Status RepeatPacket(Generated& stream, DoneDamage& done) {
  return EditPacket(stream, done, false, [](MarkedBytes& to, const Mark& at) {
    to.Replace(at.offset + at.bytes, 0, to.bytes.substr(at.offset, at.bytes));
  });
}

absl::Status PacketVersion(Generated& stream, DoneDamage& done) {
  return EditPacket(stream, done, false, [](MarkedBytes& to, const Mark& at) {
    to.Replace(at.offset + kDeviceStatePacketBytes, 4, Be32(1));
  });
}

absl::Status PacketDevice(Generated& stream, DoneDamage& done) {
  return EditPacket(stream, done, false, [](MarkedBytes& to, const Mark& at) {
    to.bytes[at.offset + kMultifdHeaderBytes] ^= 1;
  });
}

absl::Status ShortPacket(Generated& stream, DoneDamage& done) {
  return EditPacket(stream, done, false, [](MarkedBytes& to, const Mark& at) {
    uint64_t payload = at.offset + kDeviceStatePacketBytes;
    to.Replace(payload + 8, at.bytes - kDeviceStatePacketBytes - 8, "");
    to.Replace(payload - 4, 4, Be32(8));
  });
}

absl::Status PacketEos(Generated& stream, DoneDamage& done) {
  return EditPacket(stream, done, true, [](MarkedBytes& to, const Mark& at) {
    to.Replace(at.offset + at.bytes - kTagBytes, kTagBytes,
               TagBytes(kNoEndOfState));
  });
}

absl::Status FlipPacket(Generated& stream, DoneDamage& done) {
  absl::Status status = absl::OkStatus();
  absl::Status found =
      EditPacket(stream, done, false, [&](MarkedBytes& to, const Mark& at) {
        uint64_t data = at.offset + kDevicePacketOverhead;
        if (Number(to.bytes, data, 8) ==
            static_cast<uint64_t>(Tag::kDevConfigState)) {
          status = Missing("no data in the config packet");
          return;
        }
        to.bytes[data] ^= 0xff;
      });
  return found.ok() ? status : found;
}

// ---- What loaders say ----

constexpr auto kLoads = Expectation::LOADS;
constexpr auto kRefuses = Expectation::REFUSES;
constexpr auto kWaits = Expectation::WAITS;
constexpr auto kUnknown = Expectation::UNKNOWN;
constexpr auto kSeen = Expectation::SEEN;
constexpr auto kRead = Expectation::READ;
constexpr auto kInferred = Expectation::INFERRED;
constexpr auto kNotKnown = Expectation::NOT_KNOWN;

// Seen with 7.2, 8.2, 10.0 and 11.1; what is older was read.
constexpr std::array<LoaderVerdict, 2> Always(Expectation::Verdict verdict,
                                              absl::string_view message = "",
                                              absl::string_view provided = "") {
  return {{{502, 701, verdict, kRead, message, provided},
           {702, kNewestRelease, verdict, kSeen, message, provided}}};
}
constexpr auto kAlwaysLoads = Always(kLoads);
constexpr auto kUnknownTag = Always(kRefuses, "Unknown tag $0");
constexpr auto kSetupNotEnded =
    Always(kRefuses, "SETUP STATE: EOS not found $0");
constexpr auto kConfigNotEnded = Always(
    kRefuses, "Failed loading device config space, end flag incorrect $0");
constexpr auto kEndOfFile = Always(kRefuses, "Input/output error");
constexpr auto kFooterMismatch =
    Always(kRefuses, "Mismatched section id in footer for $0");
constexpr auto kBadConfig = Always(kRefuses, "Bad config data: $0",
                                   "the device's config space as generated");
constexpr LoaderVerdict kReadFooter[] = {
    {502, kNewestRelease, kRefuses, kRead, "Missing section footer for $0"}};
constexpr LoaderVerdict kInitDataSentVerdicts[] = {
    {502, 800, kRefuses, kRead, "Unknown tag 0xffffffffef100005"},
    {801, kNewestRelease, kRefuses, kSeen,
     "Received INIT_DATA_SENT but switchover ack is not used",
     "switchover-ack off"}};
constexpr LoaderVerdict kLoadReadyVerdicts[] = {
    {502, 1000, kRefuses, kRead, "Unknown tag 0xffffffffef100006"},
    {1001, kNewestRelease, kRefuses, kRead,
     "got DEV_CONFIG_LOAD_READY outside multifd transfer"}};
constexpr LoaderVerdict kConfigInEndVerdicts[] = {
    {502, 599, kUnknown, kNotKnown},
    {600, 701, kRefuses, kRead, "Missing section footer for $0"},
    {702, kNewestRelease, kRefuses, kSeen, "Missing section footer for $0"}};
constexpr LoaderVerdict kIrq[] = {
    {502, kNewestRelease, kRefuses, kRead, "irq state 2: must be 0 or 1."}};
constexpr LoaderVerdict kSpells[] = {
    {502, 701, kRefuses, kInferred, "Failed to load VFIOPCIDevice:pdev"},
    {702, 702, kRefuses, kSeen, "Failed to load VFIOPCIDevice:pdev"},
    {800, 999, kRefuses, kInferred, "Failed to load VFIOPCIDevice:pdev"},
    {1000, 1000, kRefuses, kSeen, "Failed to load VFIOPCIDevice:pdev"},
    {1001, 1100, kRefuses, kInferred, ""},
    {1101, kNewestRelease, kRefuses, kSeen,
     "VM subsection 'PCIDevice/' in 'PCIDevice' does not exist"}};
constexpr LoaderVerdict kSubsection[] = {
    {502, 999, kRefuses, kInferred, ""},
    {1000, 1000, kRefuses, kSeen, "Failed to load device config space"},
    {1001, 1100, kRefuses, kInferred, ""},
    {1101, kNewestRelease, kRefuses, kSeen, "VM subsection '$0' in"}};
constexpr LoaderVerdict kMagic[] = {
    {502, kNewestRelease, kRefuses, kRead, "Not a migration stream"}};
constexpr LoaderVerdict kObsolete[] = {
    {502, kNewestRelease, kRefuses, kRead, "SaveVM v2 format is obsolete"}};
constexpr LoaderVerdict kVersion[] = {{502, kNewestRelease, kRefuses, kRead,
                                       "unsupported version 2 for '$0' v1"}};
constexpr LoaderVerdict kSection[] = {
    {502, 999, kRefuses, kRead, "Unknown savevm section $0"},
    {1000, 1000, kRefuses, kSeen, "Unknown savevm section $0"},
    {1001, 1100, kRefuses, kInferred, ""},
    {1101, kNewestRelease, kRefuses, kSeen, "Unknown section $0"}};
constexpr LoaderVerdict kType[] = {
    {502, 1099, kRefuses, kRead, "Unknown savevm section type $0"},
    {1100, kNewestRelease, kRefuses, kRead, "Unknown section type $0"}};
constexpr LoaderVerdict kWaiting[] = {{1000, 1100, kWaits, kInferred},
                                      {1101, kNewestRelease, kWaits, kSeen}};
constexpr LoaderVerdict kTooShort[] = {
    {1000, 1100, kRefuses, kRead, "packet too short at 8 (min is 12)"},
    {1101, kNewestRelease, kRefuses, kSeen,
     "packet too short at 8 (min is 12)"}};
constexpr LoaderVerdict kPacketEosVerdicts[] = {
    {1000, 1100, kRefuses, kInferred}, {1101, kNewestRelease, kRefuses, kSeen}};
constexpr LoaderVerdict kPacketLoads[] = {
    {1000, 1100, kLoads, kInferred}, {1101, kNewestRelease, kLoads, kSeen}};

constexpr DamageRow kRows[] = {
    {Damage::BAD_TAG, "the nth record's tag becomes 0xffffffffef100009",
     kUnknownTag, BadTag},
    {Damage::SETUP_EOS, "the END_OF_STATE after SETUP becomes …07",
     kSetupNotEnded, SetupEos},
    {Damage::CONFIG_EOS, "the END_OF_STATE after CONFIG becomes …07",
     kConfigNotEnded, ConfigEos},
    {Damage::SIZE_PLUS_1, "the nth record's size is one too large", kUnknownTag,
     SizePlus1},
    {Damage::DROP_RECORD, "the nth record goes", kAlwaysLoads, DropRecord},
    {Damage::SWAP_RECORDS, "two records of one section change places",
     kAlwaysLoads, SwapRecords},
    {Damage::MERGE_RECORDS, "two records of one section become one",
     kAlwaysLoads, MergeRecords},
    {Damage::SPLIT_RECORD, "one record becomes two", kAlwaysLoads, SplitRecord},
    {Damage::EMPTY_RECORD, "a record of size 0 before the nth", kAlwaysLoads,
     EmptyRecord},
    {Damage::FLIP_PAYLOAD, "the nth record's first byte is inverted",
     kAlwaysLoads, FlipPayload},
    {Damage::INIT_DATA_SENT, "INIT_DATA_SENT ends the nth PART, unasked",
     kInitDataSentVerdicts, InitDataSent},
    {Damage::LOAD_READY, "CONFIG_LOAD_READY in CONFIG's place, without multifd",
     kLoadReadyVerdicts, LoadReady},
    {Damage::CONFIG_IN_END, "the config once more, at the front of END",
     kConfigInEndVerdicts, ConfigInEnd},
    {Damage::TRUNCATE, "the stream ends within the nth record", kEndOfFile,
     Truncate},
    {Damage::VENDOR_ID, "another vendor id in the config space", kBadConfig,
     VendorId},
    {Damage::COMMAND_REGISTER, "another command register in the config space",
     kAlwaysLoads, CommandRegister},
    {Damage::IRQ_STATE, "an IRQ state is 2", kIrq, IrqState},
    {Damage::MSIX_SPELLS, "the MSI-X table begins like a subsection", kSpells,
     MsixSpells},
    {Damage::UNKNOWN_SUBSECTION, "the display subsection has another name",
     kSubsection, UnknownSubsection},
    {Damage::BAD_MAGIC, "the magic is wrong", kMagic, BadMagic},
    {Damage::OLD_VERSION, "the stream's version is 2", kObsolete, OldVersion},
    {Damage::FOOTER_ID, "the nth footer names another section", kFooterMismatch,
     FooterId},
    {Damage::DROP_FOOTER, "the nth footer goes", kReadFooter, DropFooter},
    {Damage::VERSION_ID, "the nth START or FULL is of version 2", kVersion,
     VersionId},
    {Damage::SECTION_ID, "the nth PART or END is of no section", kSection,
     SectionId},
    {Damage::SECTION_TYPE, "the nth section is of no type", kType,
     SetSectionType},
    {Damage::DROP_PACKET, "packet n goes", kWaiting, DropPacket},
    {Damage::REPEAT_PACKET, "packet n comes twice", kWaiting, RepeatPacket},
    {Damage::PACKET_VERSION, "packet n is of version 1", kWaiting,
     PacketVersion},
    {Damage::PACKET_DEVICE, "packet n is for another device", kWaiting,
     PacketDevice},
    {Damage::SHORT_PACKET, "packet n has 8 bytes", kTooShort, ShortPacket},
    {Damage::PACKET_EOS, "the config packet's END_OF_STATE becomes …07",
     kPacketEosVerdicts, PacketEos},
    {Damage::FLIP_PACKET, "packet n's first byte is inverted", kPacketLoads,
     FlipPacket},
};

}  // namespace

absl::Span<const DamageRow> DamageRows() { return kRows; }

std::string DamageName(recipe::Damage::Kind kind) {
  return absl::StrReplaceAll(
      absl::AsciiStrToLower(recipe::Damage::Kind_Name(kind)), {{"_", "-"}});
}

const DamageRow* FindDamage(absl::string_view name) {
  for (const DamageRow& row : kRows) {
    if (DamageName(row.kind) == name) return &row;
  }
  return nullptr;
}

absl::Status Inflict(const recipe::Damage& damage, Generated& stream) {
  if (damage.kind() == recipe::Damage::NONE) return absl::OkStatus();
  for (const DamageRow& row : kRows) {
    if (row.kind != damage.kind()) continue;
    bool none = stream.main.bytes.size() < 8 || stream.devices.empty();
    if (none || damage.device() >= stream.devices.size()) {
      return Missing(absl::StrCat("damage ", DamageName(row.kind),
                                  ": there is no device ", damage.device()));
    }
    DoneDamage done = {damage, ""};
    if (absl::Status status = row.inflict(stream, done); !status.ok()) {
      return Missing(absl::StrCat("damage ", DamageName(row.kind), ": ",
                                  status.message()));
    }
    stream.damages.push_back(std::move(done));
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("there is no damage ", static_cast<int>(damage.kind())));
}

}  // namespace migstream
