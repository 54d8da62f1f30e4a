"""Live migrations between this library and real QEMUs, each a Crossing of facts.

The library's side is a VMM of its own in a process under the shim: `live_save`,
`live_load` or `live_relay`. All devices are the shim's, and give and take
their bytes by the kernel's interface.
"""

import contextlib
import json
import os
import select
import subprocess
import time
from dataclasses import dataclass, replace

from interop.peer import cases, migration, program, qemu, releases

FOLDER = "interop/"
# Without and with device state on channels.
DIALECTS = {"7.2": ("V60", None), "10.0": ("V100", "V100M"), "11.1": ("V111", "V111M")}


@dataclass(frozen=True)
class Cell:
    """What is migrated, and how."""

    name: str
    devices: int = 1
    bytes: int = 3000000  # Of each device, the half of it while its guest runs.
    channels: int = 0
    capabilities: tuple = ("return-path",)
    memory: int = 4  # MiB, all of it not zero if it is more.


CELLS = [
    Cell("return path"),
    Cell("switchover-ack", capabilities=("return-path", "switchover-ack")),
    Cell("two devices", devices=2, bytes=100000),
    Cell("0 bytes", bytes=0),
    Cell("13 bytes", bytes=13),
    Cell("64 MB", bytes=64000000),
    Cell("multifd, 1 channel", channels=1),
    Cell("multifd, 2 channels", devices=2, channels=2),
    Cell("multifd, 4 channels", devices=2, channels=4),
    Cell(
        "multifd, acks", devices=2, channels=2, capabilities=("return-path", "switchover-ack")
    ),
]
INTO_QEMU = [Cell("plain", capabilities=())] + CELLS
OUT_OF_QEMU = CELLS + [
    Cell("64 MiB of RAM", memory=64),
    Cell("multifd, 64 MiB of RAM", memory=64, channels=2),
]
# The v1 protocol has neither P2P nor acks, and its devices no channels.
REGION = [cell for cell in INTO_QEMU if cell.devices == 1 and not cell.channels]
REGION = [cell for cell in REGION if "switchover-ack" not in cell.capabilities]
RELAYS = [("10.0", "10.0"), ("10.0", "11.1"), ("11.1", "11.1")]
RELAYED = [
    Cell("one device"),
    Cell("two devices", devices=2),
    Cell("switchover-ack", devices=2, capabilities=("return-path", "switchover-ack")),
    Cell(
        "multifd, acks", devices=2, channels=2, capabilities=("return-path", "switchover-ack")
    ),
]


@dataclass(frozen=True)
class Crossing:
    """What was seen of a migration that went well."""

    apply_us: int = 0  # From a config's being due to its being given.
    completed_ms: int = 0  # From `migrate` to QEMU's "completed".
    rss_kib: int = 0  # The most memory that the library's side had.
    ram_bytes: int = 0


def shim(cell, region=False):
    initial = cell.bytes // 2
    settings = {"INIT": initial, "STOP": cell.bytes - initial, "PRECOPY": 1, "P2P": 1}
    if not cell.bytes:
        settings["REPORT"] = 1  # A QEMU cannot begin with a device of no bytes.
    return settings | {"PROTO": "v1"} if region else settings


def machine(cell, release):
    options = "x-migration-multifd-transfer=on" if cell.channels else ""
    devices = tuple(
        qemu.Device(
            name="0000:00:0%d.0" % (5 + i),
            addr=str(5 + i),
            options=options,
            section="0000:00:0%d.0/vfio" % (5 + i),
            shim=shim(cell, release.migration_region),
        )
        for i in range(cell.devices)
    )
    return qemu.Machine(type="pc-q35-" + release.name, memory=cell.memory, devices=devices)


def configure(vm, cell):
    capabilities = ("events",) + cell.capabilities + (("multifd",) if cell.channels else ())
    states = [{"capability": name, "state": True} for name in capabilities]
    vm.command("migrate-set-capabilities", capabilities=states)
    # On a busy machine what is left for the downtime would never look little enough.
    parameters = {"downtime_limit": 100000, "max_bandwidth": 1 << 34}
    if cell.channels:
        parameters["multifd_channels"] = cell.channels
    vm.command("migrate-set-parameters", **parameters)


def dialect(release, cell):
    return DIALECTS[release.name][bool(cell.channels)]


def device_arguments(cell):
    return ["/dev/vfio/%d:0000:00:0%d.0" % (10 + i, 5 + i) for i in range(cell.devices)]


@contextlib.contextmanager
def library(folder, cell, arguments, region=False, devices=True, settings=None):
    """A program of the library's, under the shim; its recordings are in `folder`."""
    os.makedirs(folder, exist_ok=True)
    environment = dict(os.environ)
    if devices:
        wanted = shim(cell, region) | {"DIR": folder} | ({} if region else {"STRICT": 1})
        wanted |= settings or {}
        environment |= {"VFIO_SHIM_" + key: str(value) for key, value in wanted.items()}
        environment["LD_PRELOAD"] = releases.SHIM
    process = subprocess.Popen(
        [FOLDER + arguments[0], *arguments[1:]],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def await_listening(process):
    line = process.stdout.readline().decode()
    if line != "listening\n":
        cases.expect(False, line, process.stdout.read().decode())


def facts(process, limit=qemu.LIMIT):
    """What it printed, KEY VALUE lines, when it ended; lists, as keys repeat."""
    text = b""
    deadline = time.monotonic() + limit
    while True:
        ready, _, _ = select.select([process.stdout], [], [], max(deadline - time.monotonic(), 0))
        if not ready:
            process.kill()
            raise AssertionError("it does not end: " + text.decode())
        piece = os.read(process.stdout.fileno(), 65536)
        if not piece:
            break
        text += piece
    process.wait()
    said = {}
    for line in text.decode().splitlines():
        key, _, value = line.partition(" ")
        said.setdefault(key, []).append(value)
    return said


def expect_same_bytes(cell, source, destination):
    for i in range(cell.devices):
        name = "0000:00:0%d.0" % (5 + i)
        with open(os.path.join(source, name + ".out"), "rb") as file:
            given = file.read()
        with open(os.path.join(destination, name + ".in"), "rb") as file:
            taken = file.read()
        cases.expect(len(given) == cell.bytes, name, "gave", len(given), "bytes")
        cases.expect_equal_bytes(taken, given, name)


def await_running(vm):
    # After "completed" the guest is only about to run.
    deadline = time.monotonic() + qemu.LIMIT
    while (status := vm.command("query-status")["status"]) != "running":
        cases.expect(time.monotonic() < deadline, "the guest is", status)
        time.sleep(0.01)


def into_qemu(release, cell, folder):
    """The library's devices go to a QEMU: it completes, and its guest runs."""
    region = release.migration_region
    path = os.path.join(folder, "s")
    ours, theirs = os.path.join(folder, "library"), os.path.join(folder, "qemu")
    with qemu.Qemu(release, machine(cell, release), theirs, incoming="defer") as vm:
        configure(vm, cell)
        vm.command("migrate-incoming", uri="unix:" + path)
        words = ["live_save", path, "pc-q35-" + release.name, dialect(release, cell)]
        words += [str(cell.channels), ",".join(cell.capabilities), *device_arguments(cell)]
        begun = time.monotonic()
        with library(ours, cell, words, region) as saver:
            try:
                vm.wait_for("MIGRATION", status="completed")
            except (qemu.Gone, qemu.Late) as e:
                said = facts(saver, 1)
                cases.expect(False, "QEMU did not complete:", e, vm.error(), "; library:", said)
            completed = time.monotonic() - begun
            said = facts(saver)
        await_running(vm)
    # With multifd a SHUT 0 proves nothing, and without it nothing is said.
    known = "return-path" in cell.capabilities and not cell.channels
    cases.expect(said["outcome"] == ["completed" if known else "unknown"], said)
    expect_same_bytes(cell, ours, theirs)
    return Crossing(completed_ms=int(1000 * completed))


_lengths = {}  # By release.


def lengths(release, cell, folder):
    """A file that says how long each other device's FULL is: what a VMM knows of
    its own devices, learned from a migration of such a machine."""
    if release.name not in _lengths:
        plan = migration.Plan(machine(replace(cell, channels=0, bytes=13, memory=4), release))
        streams = migration.capture(release, plan, os.path.join(folder, "learn"))
        report = json.loads(program.must("inspect", "--format=json", streams.main))
        _lengths[release.name] = "".join(
            "%s\t%d\t%s\n" % (each["idstr"], each.get("instanceId", 0), each["bytes"])
            for each in report["otherDevices"]
        )
    kept = os.path.join(folder, "lengths")
    with open(kept, "w", encoding="utf-8") as file:
        file.write(_lengths[release.name])
    return kept


def fill_memory(vm, cell):
    # What firmware and ROMs have is left out.
    size = (cell.memory - 4) << 20
    request = "memset 0x200000 %#x 0x5a\n" % size
    vm.qtest.sendall(request.encode())
    answer = vm.qtest.recv(4096)
    cases.expect(answer.startswith(b"OK"), answer)


def out_of_qemu(release, cell, folder):
    """A QEMU's devices go to the library, which is given each config in time."""
    region = release.migration_region
    path = os.path.join(folder, "s")
    ours, theirs = os.path.join(folder, "library"), os.path.join(folder, "qemu")
    known = lengths(release, cell, folder)
    filled = cell.memory > 4
    words = ["live_load", path, dialect(release, cell), str(cell.channels)]
    words += [",".join(cell.capabilities), known, *device_arguments(cell)]
    with library(ours, cell, words, region) as loader:
        await_listening(loader)
        with qemu.Qemu(release, machine(cell, release), theirs, qtest=filled) as vm:
            if filled:
                fill_memory(vm, cell)
            configure(vm, cell)
            begun = time.monotonic()
            vm.command("migrate", uri="unix:" + path)
            completed = await_end(vm, loader) - begun
        said = facts(loader)
    cases.expect(said["outcome"] == ["completed"], said)
    cases.expect(said["device"] == [one + ": RUNNING" for one in sections(cell)], said)
    expect_same_bytes(cell, theirs, ours)
    ram = int(said["ram-bytes"][0])
    if filled:
        cases.expect(ram >= (cell.memory - 4) << 20, ram, "bytes of memory came")
    return Crossing(
        apply_us=int(said["apply-us"][0]),
        completed_ms=int(1000 * completed),
        rss_kib=int(said["rss-kib"][0]),
        ram_bytes=ram,
    )


def sections(cell):
    return ["0000:00:0%d.0/vfio" % (5 + i) for i in range(cell.devices)]


def await_end(vm, other):
    """When QEMU said "completed"."""
    while True:
        try:
            event = vm.wait_for("MIGRATION")
        except (qemu.Gone, qemu.Late) as e:
            cases.expect(False, "QEMU did not complete:", e, vm.error(), "; library:", facts(other, 1))
        status = event["data"]["status"]
        if status == "completed":
            return time.monotonic()
        if status in ("failed", "cancelled"):
            why = vm.command("query-migrate").get("error-desc", "")
            why += vm.error()
            cases.expect(False, "QEMU:", status, why, "; library:", facts(other, 5))


def relay(source, destination, cell, folder):
    """A guest that runs goes from QEMU to QEMU, by way of the library."""
    enter, leave = os.path.join(folder, "s"), os.path.join(folder, "d")
    theirs, ends = os.path.join(folder, "qemu"), os.path.join(folder, "end")
    known = lengths(source, cell, folder)
    guest = replace(machine(cell, source), counts=True)
    words = ["live_relay", enter, leave, dialect(source, cell), str(cell.channels)]
    words += [",".join(cell.capabilities), known, *sections(cell)]
    with qemu.Qemu(destination, guest, ends, incoming="defer") as there:
        configure(there, cell)
        there.command("migrate-incoming", uri="unix:" + leave)
        with library(os.path.join(folder, "library"), cell, words, devices=False) as between:
            await_listening(between)
            with qemu.Qemu(source, guest, theirs) as here:
                configure(here, cell)
                await_counting(here)
                begun = time.monotonic()
                here.command("migrate", uri="unix:" + enter)
                completed = await_end(here, between) - begun
                there.wait_for("MIGRATION", status="completed")
            said = facts(between)
        await_running(there)
        await_counting(there)
    cases.expect(said["outcome"] == ["completed"], said)
    expect_same_bytes(cell, theirs, ends)
    return Crossing(completed_ms=int(1000 * completed))


def await_counting(vm):
    """Until the guest's counter has moved, since when it runs."""
    first = counter(vm)
    deadline = time.monotonic() + qemu.LIMIT
    while counter(vm) == first:
        cases.expect(time.monotonic() < deadline, "the guest does not run")
        time.sleep(0.001)


def counter(vm):
    return vm.command("human-monitor-command", command_line="xp /1hx 0x500")
