// What libvirt says.

#include "codec/explain/known_line.h"

namespace migstream {
namespace {

constexpr std::string_view kQemuLog =
    "/var/log/libvirt/qemu/GUEST.log on both hosts has QEMU's own words: give "
    "it to migstream explain";

constexpr KnownLine kLines[] = {
    {"operation failed: migration out job: unexpectedly failed",
     "QEMU's migration failed, and libvirt was not told why", "libvirt",
     kQemuLog},
    {"operation failed: job '*' unexpectedly failed",
     "QEMU's job failed, and libvirt was not told why", "libvirt", kQemuLog},
    {"operation failed: migration job: unexpectedly failed",
     "QEMU's migration failed, and libvirt was not told why", "libvirt",
     kQemuLog},
    {"operation aborted: migration *: canceled by client",
     "somebody cancelled it, or a timeout of the tool above did", "libvirt",
     "see who: virsh domjobabort, a lost connection, nova, kubevirt"},
    {"qemu unexpectedly closed the monitor",
     "QEMU ended: at the destination it refused its options or the stream",
     "libvirt", kQemuLog},
    {"process exited while connecting to monitor",
     "the destination's QEMU did not even start", "libvirt", kQemuLog},
    {"unable to execute QEMU command '*': *",
     "QEMU refused a command; its own words are behind the colon", "libvirt",
     "explain those"},
    {"guest CPU doesn't match specification: missing features: *",
     "the destination's host lacks features that the guest's CPU has",
     "libvirt",
     "use a CPU model that all hosts have (virsh "
     "hypervisor-cpu-baseline)"},
    {"guest CPU doesn't match specification: extra features: *",
     "the destination's QEMU gives the guest features that the source did not",
     "libvirt", "update libvirt or QEMU on one side; name the features off"},
    {"Unsafe migration: *", "a disk could be damaged by the two hosts' caches",
     "libvirt",
     "cache=none or shared storage; --unsafe if it is known to be safe"},
    {"cannot migrate a domain with <hostdev *",
     "the guest has a host device that libvirt knows not to migrate", "libvirt",
     "managed VFIO devices with migration need libvirt 9 or later; "
     "else unplug it"},
    {"cannot migrate domain: *",
     "QEMU has a reason not to migrate, which is behind the colon", "libvirt",
     "explain that"},
    {"cannot acquire state change lock (held by *)",
     "another job of the guest runs, perhaps one that hangs", "libvirt",
     "virsh domjobinfo; wait for it or abort it"},
    {"End of file while reading data: Input/output error",
     "a connection to libvirt ended: normal when a client leaves", "libvirt",
     "nothing to do, unless it is the other host's"},
    {"unable to connect to server at '*'",
     "the other host's libvirt or QEMU cannot be reached", "libvirt",
     "ports 16514 and 49152 to 49215, and name resolution"},
    {"image magic is incorrect", "the file is no save file of libvirt's",
     "libvirt", "inspect FILE says what it is"},
    {"save image is incomplete",
     "the save did not finish: the file has the magic of one that is being "
     "written",
     "libvirt", "inspect FILE says what is there; save again"},
    {"failed to read qemu header", "a save file shorter than its header",
     "libvirt", "save again"},
    {"Target domain * does not match source *",
     "the XML that was given changes what the guest sees", "libvirt",
     "change only what may be changed (virsh dumpxml --migratable)"},
    {"Cannot check socket connection status for postcopy",
     "the connection broke in postcopy", "libvirt",
     "virsh migrate --postcopy-resume"},
};

}  // namespace

std::span<const KnownLine> HostLines() { return kLines; }

}  // namespace migstream
