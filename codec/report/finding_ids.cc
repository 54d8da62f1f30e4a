#include "codec/report/finding_ids.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <vector>

#include "codec/payload/payload_finding.h"

namespace migstream {
namespace {

constexpr FindingKind kFindings[] = {
    {"colo", Severity::kWarning, "COMMAND ENABLE_COLO: a COLO migration",
     "QEMU before 11.0 loads it with x-colo on, and no later one does"},
    {"config-empty", Severity::kError, "a CONFIG has no payload",
     "a loader reads what follows as the device's, and refuses it"},
    {"config-mismatch", Severity::kError,
     "the saved config space is not the destination's",
     "migrate to a device with the same ids and capabilities"},
    {"config-missing", Severity::kWarning, "a device has no CONFIG",
     "do not rely on its interrupts; was it saved by a release?"},
    {"config-size", Severity::kWarning,
     "a config payload fits both 256 and 4096 bytes of config space",
     "give the writer's description, or look at the device"},
    {"config-twice", Severity::kWarning, "a device has one CONFIG too many",
     "the later one is used; find out what wrote the stream"},
    {"configuration-missing", Severity::kError,
     "the description has a CONFIGURATION, and the stream has none",
     "the loader refuses it, unless its send-configuration is off; find out "
     "what rewrote the stream"},
    {"configuration-off", Severity::kWarning,
     "sections have footers, and the stream has no CONFIGURATION",
     "the loader refuses it, unless send-configuration is off on both sides"},
    {"cut-section", Severity::kError,
     "a device's section ends without END_OF_STATE",
     "the source's driver failed there: see the source's log"},
    {"data-after-end", Severity::kWarning,
     "a device's PART or END follows its END",
     "loaders accept it; find out what wrote the stream"},
    {"description-wrong", Severity::kNote,
     "the description and a device's state disagree; the state's footer counts",
     "QEMU before 10.0 describes s390_css so; else find out what rewrote the "
     "stream"},
    {"dialect", Severity::kError,
     "no release loads this together with what came before",
     "the stream is damaged, or pre-release: try --dialect"},
    {"dialect-habit", Severity::kNote,
     "no release writes this, but all of them load it", "nothing to do"},
    {"dialect-release", Severity::kWarning,
     "two places in the stream contradict each other about the release",
     "find out what rewrote the stream"},
    {"early-eof", Severity::kWarning,
     "EOF stands where the stream seems to go on",
     "loaders stop there without a word; the stream is damaged"},
    {"empty-parts", Severity::kNote,
     "most of a device's many PARTs hold nothing",
     "nothing to do; repack --strip-empty-parts makes the file smaller"},
    {"end-missing", Severity::kWarning, "a device has no END",
     "it lost its stop-copy data, if it had any"},
    {"file-damaged", Severity::kError,
     "the compressed file around the stream is damaged",
     "check disk and copy first: all else may come of it"},
    {"gap", Severity::kError,
     "bytes that --recover passed over, since they are damaged",
     "what is listed behind the gap is what came; load the stream nowhere"},
    {"guessed-end", Severity::kNote,
     "the end of another device's state is a guess",
     "save with a description (suppress-vmdesc=off)"},
    {"hold-limit", Severity::kNote,
     "the input is a pipe, and its description is too far ahead to wait for",
     "read the stream from a file"},
    {"ignore-shared-postcopy", Severity::kWarning,
     "x-ignore-shared together with postcopy",
     "QEMU 11.0 and 11.1 misread such a block list; turn one of the two off"},
    {"init-data-sent-early", Severity::kNote,
     "INIT_DATA_SENT before any data of the device",
     "nothing to do; QEMU writes it so for a device without initial data"},
    {"init-data-sent-twice", Severity::kWarning,
     "INIT_DATA_SENT a second time, from a QEMU or machine type before 11.1",
     "loaders up to 11.0 refuse it; so do later ones with such a machine type"},
    {"init-data-sent-unasked", Severity::kError,
     "INIT_DATA_SENT in a stream without a return path",
     "switchover-ack is off at the destination, which refuses it"},
    {"libvirt-incomplete", Severity::kError,
     "libvirt never finished the save file",
     "libvirt refuses it; the stream inside may be whole"},
    {"load-ready-twice", Severity::kError,
     "CONFIG_LOAD_READY twice for a device",
     "the loader refuses it; find out what rewrote the stream"},
    {"machine-type", Severity::kError,
     "the machine type has bytes that no machine's name has",
     "no destination has such a machine: the name, or the length before it, "
     "was changed; capture the stream again"},
    {"mapped-ram-alignment", Severity::kError,
     "a mapped-ram block's pages do not begin at a multiple of 1 MiB",
     "the loader refuses it; find out what rewrote the file"},
    {"msix-masked", Severity::kNote,
     "MSI-X is enabled, and every vector is masked",
     "no interrupt comes until the guest unmasks one; usual early in a boot"},
    {"msix-spells-subsection", Severity::kError,
     "the guest's MSI-X table begins like a subsection",
     "QEMU's loader refuses it: let the guest reset the device, save again"},
    {"msix-zero-vector", Severity::kWarning,
     "MSI-X is enabled, and an unmasked vector has address 0",
     "its interrupts go nowhere; look at the guest's driver"},
    {"multifd", Severity::kError, "the multifd channels are damaged",
     "the loader may wait forever; capture them again"},
    {"multifd-config", Severity::kError, "a config packet is damaged",
     "the loader refuses it; capture the channels again"},
    {"multifd-device-state", Severity::kNote,
     "stop-copy data and config are on multifd channels, which were not given",
     "give the files of the channels too"},
    {"multifd-flush", Severity::kWarning,
     "MULTIFD_FLUSH in a stream that has the pages themselves",
     "QEMU up to 8.0 refuses it; find out what rewrote the stream"},
    {"multifd-incomplete", Severity::kError,
     "a device's packets are not all in the channels that were given",
     "give the files of all channels"},
    {"multifd-missing", Severity::kWarning,
     "the channels' ids, RAM packet numbers or SYNC packets show that there is "
     "more",
     "give the whole files of all channels; pages may be missing, but no "
     "device state is"},
    {"multifd-ram", Severity::kNote,
     "RAM pages are on multifd channels, which were not given (8.1+)",
     "give the files of the channels too"},
    {"p2p-order", Severity::kWarning,
     "a device still runs after another has been stopped",
     "with P2P all devices stop before any is saved; find out what wrote this"},
    {"page-size", Severity::kWarning,
     "two places in the stream name different page sizes",
     "the RAM sections may have been read wrongly"},
    {"part-missing", Severity::kWarning,
     "a device of the v1 interface has no PART",
     "it lost its pre-copy data, if it had any"},
    {"payload-empty", Severity::kNote, "a device has no data at all",
     "was its driver able to save?"},
    {"postcopy-with-vfio", Severity::kWarning,
     "postcopy in a stream with VFIO devices",
     "QEMU 8.2 and later refuse it at the source; before, the destination may "
     "fail to map the device's memory, and end"},
    {"ram-missing", Severity::kWarning,
     "guest memory, or the END of it, is not in the stream",
     "do not load it: the guest would run with memory that is zero, and QEMU "
     "does not say so"},
    {"record-exceeds-region", Severity::kWarning,
     "a v1 record is larger than the destination's migration region",
     "it is written in pieces, which the driver may not accept"},
    {"refused", Severity::kError, "the stream is malformed at one place",
     "bytes were changed, lost or added there or just before: compare the file "
     "with the source's, or capture it again"},
    {"section-missing", Severity::kWarning,
     "the description names a device whose state is not in the stream",
     "do not load it: the device would start without any state"},
    {"section-older", Severity::kWarning,
     "a section has an older version than the description gives",
     "most loaders refuse it; find out what rewrote the stream"},
    {"section-twice", Severity::kWarning,
     "a START or FULL came before, of the same device",
     "loaders take the later one; find out what wrote the stream"},
    {"section-version", Severity::kError,
     "a device's section has a version that no loader knows",
     "the loader refuses it; find out what rewrote the stream"},
    {"stop-copy-large", Severity::kNote,
     "far more of a device moves while the guest is stopped than before",
     "expect a downtime as long as that takes: see stats --link"},
    {"trailing-bytes", Severity::kNote,
     "bytes that are no part of the stream follow it",
     "nothing to do: loaders do not read them"},
    {"truncated", Severity::kError, "the input ends too early",
     "the migration failed or was cancelled, or the file was cut"},
    {"unknown-command", Severity::kError, "a COMMAND that no loader knows",
     "the loader refuses it; find out what rewrote the stream"},
    {"unknown-subsection", Severity::kWarning,
     "a config payload has a subsection that no release knows",
     "the loader refuses it, unless a fork of QEMU added it"},
    {"unloadable", Severity::kError,
     "each release would refuse the stream at that place",
     "no destination loads it: save or migrate again; migstream explain tells "
     "what the message means"},
    {"vendor-capability", Severity::kNote,
     "a vendor-specific capability, and a machine type before 9.1",
     "its bytes must be the same on both hosts, or the load is refused"},
    {"vendor-id", Severity::kWarning,
     "the saved config space has a vendor id that no device has",
     "the device was gone when it was saved; no destination accepts it"},
    {"vfio-section-missing", Severity::kWarning,
     "the stream names a VFIO device that has no state in it",
     "do not load it: the device would start without any state"},
};

}  // namespace

std::span<const FindingKind> AllFindings() {
  static const auto* all = [] {
    auto* kinds = new std::vector<FindingKind>(std::begin(kFindings),
                                               std::end(kFindings));
    for (const PayloadFindingRow& row : AllPayloadFindings()) {
      kinds->push_back({row.name, Severity::kNote, row.meaning, row.advice,
                        row.kernel, row.severity});
    }
    std::sort(kinds->begin(), kinds->end(),
              [](const auto& a, const auto& b) { return a.id < b.id; });
    return kinds;
  }();
  return *all;
}

std::string_view SeverityText(const FindingKind& kind) {
  return kind.severities.empty() ? ToString(kind.severity) : kind.severities;
}

const FindingKind* FindFinding(std::string_view id) {
  std::span<const FindingKind> all = AllFindings();
  auto found =
      std::lower_bound(all.begin(), all.end(), id,
                       [](const FindingKind& kind, std::string_view wanted) {
                         return kind.id < wanted;
                       });
  return found != all.end() && found->id == id ? &*found : nullptr;
}

}  // namespace migstream
