"""What is migrated in the tests: the shapes that a stream with VFIO devices can
take. Each is a row, which says the releases that can write it.
"""

import struct
from dataclasses import dataclass

from interop.peer.migration import Plan
from interop.peer.qemu import Device, Machine

FIRST = (7, 2)


@dataclass(frozen=True)
class Variant:
    name: str
    plan: Plan
    since: tuple = FIRST
    until: tuple = (999, 0)

    def written_by(self, release):
        return self.since <= number(release) <= self.until


def number(release):
    """The parts of a release's name: (7, 2) of "7.2"."""
    return tuple(int(part) for part in release.split("."))


def one(**shim):
    return (Device(shim=shim),)


def two(options=""):
    return (
        Device(options=options, shim={"STOP": 39321, "P2P": 1}),
        Device(
            "0000:00:06.0",
            addr="6",
            options=options,
            section="0000:00:06.0/vfio",
            shim={"STOP": 1750, "P2P": 1},
        ),
    )


def behind(section, bus, **shim):
    return (Device(bus=bus, addr="0", section=section, shim=shim),)


def plan(devices, arguments=(), type="q35", memory=4, **more):
    return Plan(Machine(type, memory, tuple(devices), tuple(arguments)), **more)


# QEMU makes no buffer for a device that says that it has nothing.
EMPTY = {"REPORT": 4096}
PRECOPY = {"PRECOPY": 1, "INIT": 37500, "DIRTY": 50000, "ROUNDS": 3, "STOP": 17500}
MULTIFD = "x-migration-multifd-transfer=on"
AFTER_ALL = "x-migration-load-config-after-iter=on"
ACK = ("return-path", "switchover-ack")


def multifd(channels, devices, more=()):
    return plan(
        devices,
        capabilities=("multifd", "return-path", *more),
        parameters={"multifd_channels": channels},
    )


def multifd_one(channels, **shim):
    return multifd(channels, (Device(options=MULTIFD, shim=shim),))


def enable_msix(qtest):
    """Does what a guest's driver does: maps the MSI-X table, fills in a vector,
    and turns MSI-X on."""
    lines = qtest.makefile("rw", newline="\n")

    def say(line):
        lines.write(line + "\n")
        lines.flush()
        reply = lines.readline()
        assert reply.startswith("OK"), reply

    def config(register, value):
        say("outl 0xcf8 0x%x" % (0x80000000 | 5 << 11 | register))
        say("outl 0xcfc 0x%x" % value)

    table = 0xE1000000
    config(0x1C, table)  # BAR3, where the table is
    config(0x20, 0)
    config(0x04, 0x0406)  # Memory and bus master on, INTx off.
    for offset, word in enumerate((0xFEE00000, 0, 0x4041, 0)):
        say("writel 0x%x 0x%x" % (table + 4 * offset, word))
    config(0x70, struct.unpack("<I", struct.pack("<BBH", 0x11, 0, 0x8004))[0])


VARIANTS = (
    Variant("one device", plan(one(STOP=75000))),
    Variant("no payload", plan(one(STOP=0, **EMPTY))),
    Variant("13 bytes", plan(one(STOP=13))),
    Variant("3 MB", plan(one(STOP=3000000), parameters={"downtime_limit": 60000})),
    Variant("two devices", plan(two())),
    Variant("pre-copy", plan(one(**PRECOPY))),
    Variant("pre-copy and P2P", plan(one(P2P=1, **PRECOPY)), (8, 1)),
    Variant("payload of tags", plan(one(STOP=65530, PATTERN="markers"))),
    Variant("short reads", plan(one(STOP=65530, READMAX=100)), (8, 0)),
    Variant("return path", plan(one(STOP=2500), capabilities=("return-path",))),
    Variant("switchover-ack", plan(one(**PRECOPY), capabilities=ACK), (8, 1)),
    # INIT_DATA_SENT comes before any data.
    Variant(
        "switchover-ack, no initial data",
        plan(one(PRECOPY=1, INIT=0, STOP=2500), capabilities=ACK),
        (8, 1),
    ),
    Variant("256 bytes of config", plan((Device(bus="pci.0", shim={"STOP": 2500, "EXT": 0}),), type="pc")),
    Variant("no MSI-X", plan(one(STOP=2500, VECTORS=0))),
    Variant("MSI and INTx", plan(one(STOP=2500, VECTORS=0, MSI=1, PIN=1))),
    Variant("64 vectors", plan(one(STOP=2500, VECTORS=64))),
    Variant("MSI-X on", plan(one(STOP=2500), qtest=enable_msix)),
    Variant(
        "root port",
        plan(
            behind("0000:00:03.0:00.0/vfio", "rp0", STOP=2500),
            ("-device", "pcie-root-port,id=rp0,bus=pcie.0,addr=3,chassis=1"),
        ),
    ),
    Variant(
        "bridge",
        plan(
            (Device(bus="br0", addr="2", section="0000:00:03.0:02.0/vfio", shim={"STOP": 2500, "EXT": 0}),),
            ("-device", "pci-bridge,id=br0,bus=pci.0,addr=3,chassis_nr=1"),
            type="pc",
        ),
    ),
    Variant(
        "other devices",
        plan(
            one(STOP=13107),
            (
                "-device", "e1000,bus=pcie.0,addr=3,romfile=",
                "-device", "virtio-net-pci,bus=pcie.0,addr=4,romfile=",
                "-device", "virtio-rng-pci,bus=pcie.0,addr=7",
            ),
            memory=16,
        ),
    ),
    Variant(
        "ramfb",
        plan((Device(driver="vfio-pci-nohotplug", options="display=on,ramfb=on", shim={"STOP": 2500}),)),
        (10, 0),
    ),
    Variant("no description", plan(one(STOP=2500), type="q35,suppress-vmdesc=on")),
    Variant("no footers", plan(one(STOP=2500), ("-global", "migration.send-section-footer=off"))),
    Variant(
        "no configuration",
        plan(one(STOP=2500), ("-global", "migration.send-configuration=off"), type="q35,suppress-vmdesc=on"),
    ),
    Variant(
        "UUID",
        plan(
            one(STOP=2500),
            ("-uuid", "7a3f0d52-1111-4222-8333-944455566677"),
            capabilities=("validate-uuid",),
        ),
    ),
    Variant("xbzrle", plan(one(STOP=2500), memory=16, capabilities=("xbzrle",))),
    Variant("compress", plan(one(STOP=2500), capabilities=("compress",)), FIRST, (9, 0)),
    Variant("file", plan(one(STOP=2500), file=True), (8, 2)),
    Variant("mapped-ram", plan(one(STOP=37500), memory=16, file=True, capabilities=("mapped-ram",)), (9, 0)),
    Variant(
        "multifd, RAM alone",
        plan(one(STOP=2500), capabilities=("multifd",), parameters={"multifd_channels": 2}),
        FIRST,
        (9, 2),
    ),
    # Later releases send a device's state over channels too, if not told. With
    # no return path its packets may then be missing: a source that does not
    # wait for an answer ends before they are sent.
    Variant(
        "multifd, device aside",
        plan(
            (Device(options="x-migration-multifd-transfer=off", shim={"STOP": 2500}),),
            capabilities=("multifd",),
            parameters={"multifd_channels": 2},
        ),
        (10, 0),
    ),
    Variant("multifd, 1 channel", multifd_one(1, STOP=131380), (10, 0)),
    Variant("multifd, 2 channels", multifd_one(2, STOP=131380), (10, 0)),
    Variant("multifd, 4 channels", multifd_one(4, STOP=131380), (10, 0)),
    Variant("multifd, no payload", multifd_one(4, STOP=0, **EMPTY), (10, 0)),
    Variant("multifd, two devices", multifd(4, two(MULTIFD)), (10, 0)),
    Variant(
        "multifd, pre-copy",
        multifd(3, (Device(options=MULTIFD, shim=PRECOPY),), ("switchover-ack",)),
        (10, 0),
    ),
    Variant(
        "multifd, config after all",
        multifd(
            4,
            (Device(options=MULTIFD + "," + AFTER_ALL, shim={"STOP": 78643}),),
        ),
        (10, 1),
    ),
    Variant(
        "cancelled",
        plan(
            one(PRECOPY=1, INIT=6291456, STOP=300000),
            memory=16,
            parameters={"max_bandwidth": 300000, "downtime_limit": 1},
            cancel_after=150000,
        ),
    ),
)


def get(name):
    return next(variant for variant in VARIANTS if variant.name == name)
