// What QEMU and the kernel's drivers say of VFIO devices.

#include "codec/explain/known_line.h"

namespace migstream {
namespace {

constexpr std::string_view kDamaged =
    "the device's section is damaged before this place: run migstream check";
constexpr std::string_view kSameDevice =
    "migrate between devices with the same ids, revision, capabilities and "
    "BARs; check --destination-config names the register";
constexpr std::string_view kAck =
    "set switchover-ack on both sides, and return-path with it";

constexpr KnownLine kLines[] = {
    {"Unknown tag 0x*",
     "a VFIO device's section has no tag where one has to stand: a record's "
     "size is wrong, bytes are missing, or the source is of another protocol "
     "(v1 up to 7.2, v2 since 8.0)",
     "QEMU 5.2", kDamaged},
    {"SETUP STATE: EOS not found 0x*",
     "a VFIO device's START does not end where it has to", "QEMU 5.2",
     kDamaged},
    {"Failed loading device config space, end flag incorrect 0x*",
     "the config payload is longer or shorter than the destination's device "
     "reads: 256 against 4096 bytes of config space, or other MSI-X vectors",
     "QEMU 6.0", kSameDevice},
    {"Failed to load device config space",
     "the destination's device refused the saved config space; the reason is "
     "in the line before",
     "QEMU 5.2", kSameDevice},
    {"get_pci_config_device: Bad config data: i=0x* read: * device: * cmask: *",
     "one byte of PCI config space, at i, must be the same on both sides and "
     "is "
     "not: read is the source's, device the destination's",
     "QEMU 2.3", kSameDevice},
    {"irq state *: must be 0 or 1.", "the interrupt pins' state is impossible",
     "QEMU", kDamaged},
    {"Invalid value * expecting positive value <= *",
     "the config payload's version is none that is known", "QEMU", kDamaged},
    {"got DEV_CONFIG_STATE in main migration channel but doing multifd "
     "transfer",
     "the source sends the device's config on the main channel, and the "
     "destination waits for it on multifd channels",
     "QEMU 10.0", "set x-migration-multifd-transfer alike on both sides"},
    {"Received INIT_DATA_SENT but switchover ack is not used",
     "switchover-ack is on at the source and off here", "QEMU 8.1", kAck},
    {"got DEV_CONFIG_LOAD_READY outside multifd transfer",
     "the source sends device state on multifd channels, the destination does "
     "not take it so",
     "QEMU 10.1", "set x-migration-multifd-transfer alike on both sides"},
    {"got DEV_CONFIG_LOAD_READY but was disabled",
     "x-migration-load-config-after-iter is off here and on at the source",
     "QEMU 10.1", "set it alike on both sides"},
    {"duplicate DEV_CONFIG_LOAD_READY", "the marker came twice", "QEMU 10.1",
     kDamaged},
    {"got device state packet but not doing multifd transfer",
     "device state came on a multifd channel, and the destination does not "
     "take it so",
     "QEMU 10.0", "set x-migration-multifd-transfer alike on both sides"},
    {"qemu_loadvm_approve_switchover failed, err=*",
     "more devices were ready for the switchover than there are: "
     "INIT_DATA_SENT came once too often",
     "from QEMU 8.1 to 11.0, and later with such a machine type",
     "a device was ready twice: use 11.1 and its machine type, or turn "
     "switchover-ack off"},
    {"Failed to allocate migration data buffer",
     "the driver says that it has nothing to send, or memory is short",
     "QEMU 8.0", "see the kernel's log at the source"},
    {"vfio_load_buffer: Error allocating buffer",
     "a record's size in a v1 device's section is damaged: so much memory "
     "there is not",
     "QEMU up to 7.2", kDamaged},
    {"VFIO migration is not supported in kernel",
     "the device's driver on the host cannot migrate it", "QEMU 8.1",
     "bind the VF to its vendor's VFIO driver (mlx5_vfio_pci and so on), not "
     "to "
     "vfio-pci"},
    {"VFIO device doesn't support migration",
     "the device's driver on the host cannot migrate it", "QEMU up to 8.0",
     "bind the VF to its vendor's VFIO driver"},
    {"Multiple VFIO devices migration is supported only if all of them support "
     "P2P migration",
     "one of several devices cannot be stopped for peer-to-peer traffic alone",
     "QEMU 8.1", "migrate a guest with one such device, or newer drivers"},
    {"Migration is currently not supported with multiple VFIO devices",
     "this release migrates one VFIO device at the most", "QEMU up to 8.0",
     "use QEMU 8.1 and drivers that support P2P"},
    {"Migration is currently not supported with vIOMMU enabled",
     "dirty pages cannot be tracked behind the guest's IOMMU", "QEMU 8.1",
     "leave the vIOMMU out, or use a release and a host that track it"},
    {"VFIO device doesn't support device dirty tracking",
     "the driver cannot tell which memory the device wrote", "QEMU 8.1",
     "x-pre-copy-dirty-page-tracking, or an IOMMU with dirty tracking"},
    {"VFIO device doesn't support device and IOMMU dirty tracking",
     "neither driver nor IOMMU can tell which memory the device wrote",
     "QEMU 9.1", "a host whose IOMMU tracks dirty pages, or a newer driver"},
    {"Failed to start DMA logging, err *",
     "the driver did not begin to track the memory that the device writes",
     "QEMU 8.0", "see the kernel's log: often too many ranges of guest memory"},
    {"Failed setting device state to *, err: *",
     "the driver refused to go on: to RESUMING or RUNNING, it refused what was "
     "loaded",
     "QEMU 5.2", "see the kernel's log, and check --for=linux-X.Y"},
    {"Device in error state, can't recover",
     "the driver failed twice; only a reset helps", "QEMU 8.0",
     "see the kernel's log"},
    {"vfio: error disconnecting group * from container",
     "the device was not let go of in order", "QEMU", "see the lines before"},
    {"vfio: Unable to power on device, stuck in D3",
     "the device does not answer", "QEMU", "reset the host's device"},
    // The kernel.
    {"vfio_pin_pages_remote: RLIMIT_MEMLOCK (*) exceeded",
     "QEMU may not lock as much memory as the guest has", "Linux",
     "raise the memory lock limit (libvirt: hard_limit)"},
    {"No interrupt remapping", "the host cannot keep devices' interrupts apart",
     "Linux", "turn it on in firmware and kernel (intremap)"},
    {"Relaying device request to user (#*)",
     "somebody on the host wants the device back, and the guest has it",
     "Linux", "unplug it from the guest first"},
    {"not ready *ms after FLR", "the device does not come back from its reset",
     "Linux", "the guest waits for it meanwhile; a device or firmware fault"},
    {"reset recovery - restoring BARs",
     "the device lost its BARs in a reset, and they were restored", "Linux",
     "nothing to do, if it happens once"},
    {"DMAR: [DMA *] * fault addr *",
     "a device reached for memory that it may not: after a failed load it runs "
     "on with state of another guest",
     "Linux", "reset the device; was the destination's guest started?"},
    {"IO_PAGE_FAULT *", "a device reached for memory that it may not (AMD)",
     "Linux", "reset the device; was the destination's guest started?"},
    {"failed validation", "mtty refused the data: another version or device",
     "Linux, mtty", "check --for=mtty:X.Y"},
    {"mlx5_vfio_pci", "the driver of ConnectX VFs", "Linux",
     "its errors go with the firmware's: see mlx5_core's lines beside it"},
    {"hisi_acc_vfio_pci", "the driver of HiSilicon accelerators", "Linux",
     "check --for=hisi_acc:X.Y says what it takes"},
};

}  // namespace

std::span<const KnownLine> VfioLines() { return kLines; }

}  // namespace migstream
