"""A VMM that uses this library migrates live into a real QEMU: it completes, its
guest runs, and every device was given its bytes."""

import functools
import os
import subprocess

from interop.peer import cases, qemu

SAVER = "interop/live_save"
DIALECTS = {"10.0": ("V100", "V100M"), "11.1": ("V111", "V111M")}
# Name, devices, bytes of each, channels, capabilities.
CELLS = [
    ("plain", 1, 3000000, 0, ()),
    ("return path", 1, 3000000, 0, ("return-path",)),
    ("switchover-ack", 1, 3000000, 0, ("return-path", "switchover-ack")),
    ("two devices", 2, 100000, 0, ("return-path",)),
    ("0 bytes", 1, 0, 0, ("return-path",)),
    ("13 bytes", 1, 13, 0, ("return-path",)),
    ("64 MB", 1, 64000000, 0, ("return-path",)),
    ("multifd, 1 channel", 1, 3000000, 1, ("return-path", "multifd")),
    ("multifd, 2 channels", 2, 3000000, 2, ("return-path", "multifd")),
    ("multifd, 4 channels", 2, 3000000, 4, ("return-path", "multifd")),
    ("multifd, acks", 2, 3000000, 2, ("return-path", "switchover-ack", "multifd")),
]


def migrates(found, name, cell, folder):
    _, devices, count, channels, capabilities = cell
    release = cases.release(found, name)
    shim = {"PRECOPY": 1, "P2P": 1}
    options = "x-migration-multifd-transfer=on" if channels else ""
    machine = qemu.Machine(
        devices=tuple(
            qemu.Device(name="0000:00:0%d.0" % (5 + i), addr=str(5 + i), options=options, shim=shim)
            for i in range(devices)
        )
    )
    path = os.path.join(folder, "s")
    with qemu.Qemu(release, machine, os.path.join(folder, "qemu"), incoming="defer") as vm:
        states = [{"capability": c, "state": True} for c in ("events",) + capabilities]
        vm.command("migrate-set-capabilities", capabilities=states)
        if channels:
            vm.command("migrate-set-parameters", multifd_channels=channels)
        vm.command("migrate-incoming", uri="unix:" + path)
        saver = subprocess.run(
            [SAVER, path, "pc-q35-" + name, DIALECTS[name][bool(channels)]]
            + [str(devices), str(count), str(channels)]
            + ["on"] * sum(c in capabilities for c in ("return-path", "switchover-ack")),
            capture_output=True,
            text=True,
            timeout=20,
        )
        said = saver.stdout + saver.stderr
        try:
            vm.wait_for("MIGRATION", status="completed")
        except (qemu.Gone, qemu.Late) as e:
            cases.expect(False, "QEMU did not complete:", e, vm.error(), "the source:", said)
        status = vm.command("query-status")["status"]
        cases.expect(status == "running", "the guest is", status)
        # With multifd a SHUT 0 proves nothing, and without it nothing is said.
        known = "return-path" in capabilities and not channels
        cases.expect(said.startswith("completed" if known else "unknown"), said)
        for i in range(devices):
            given = os.path.join(folder, "qemu", "0000:00:0%d.0.in" % (5 + i))
            with open(given, "rb") as file:
                cases.expect(file.read() == bytes([i + 1]) * count, given, "has other bytes")


def make_cases(found):
    return [
        cases.Case(
            "library -> %s: %s" % (name, cell[0]), functools.partial(migrates, found, name, cell)
        )
        for name in DIALECTS
        for cell in CELLS
    ]


if __name__ == "__main__":
    cases.main(make_cases)
