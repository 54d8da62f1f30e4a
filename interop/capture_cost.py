"""What `migstream capture --forward` costs a migration between two real QEMUs:
the same one direct, through socat, through socat that records as well, and through
the capture, in turn.

    bazel run -c opt //interop:capture_cost [-- ROUNDS [MIB]]

For each release, without a limit of the bandwidth and with 10 Gbit/s, prints the
medians of the total time and the downtime that the source's query-migrate gives,
and of each round's total time over that of socat; and how many of the recordings are
whole, since a disk that is too slow ends one, and not the migration. All of the
guest's memory has been written to. What is recorded goes to /tmp.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time

from interop.peer import cases, migration, program, qemu, releases

RELEASES = ("10.0", "11.1")
BANDWIDTHS = (("unlimited", 1 << 40), ("10 Gbit/s", 1250000000))
PIECE = str(1 << 20)
SOCAT = ["socat", "-b", PIECE]
ENDS = ["UNIX-LISTEN:{listen}", "UNIX-CONNECT:{onward}"]


def ways():
    return {
        "direct": None,
        "socat": SOCAT + ENDS,
        "socat -r": SOCAT + ["-r", "{folder}/raw"] + ENDS,
        "capture": [program.PROGRAM, "capture", "--listen=unix:{listen}"]
        + ["--forward=unix:{onward}", "-o", "{folder}/vm"],
    }


def await_path(path):
    deadline = time.monotonic() + qemu.LIMIT
    while not os.path.exists(path):
        cases.expect(time.monotonic() < deadline, path, "does not appear")
        time.sleep(0.01)


def migrate(release, plan, command, folder):
    """What query-migrate says at the source's end, and whether all was recorded."""
    onward, listen = (os.path.join(folder, name) for name in ("onward", "listen"))
    between = None
    with qemu.Qemu(release, plan.machine, folder + "/to", incoming="defer") as to:
        migration._configure(to, plan)
        to.command("migrate-incoming", uri="unix:" + onward)
        try:
            if command:
                words = [
                    word.format(listen=listen, onward=onward, folder=folder) for word in command
                ]
                between = subprocess.Popen(
                    words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
                )
                await_path(listen)
            with qemu.Qemu(release, plan.machine, folder + "/from", qtest=True) as source:
                size = (plan.machine.memory - 4) << 20
                source.qtest.sendall(b"memset 0x200000 %#x 0x5a\n" % size)
                cases.expect(source.qtest.recv(4096).startswith(b"OK"), "memory is not written")
                migration._configure(source, plan)
                source.command("migrate", uri="unix:" + (listen if command else onward))
                migration._await_end(source)
                migration._await_end(to)
                found = source.command("query-migrate")
            if between:
                between.communicate(timeout=120)
                found["recorded"] = between.returncode == 0
        finally:
            if between:
                between.kill()
                between.wait()
    return found


def measure(release, bandwidth, mebibytes, rounds):
    machine = qemu.Machine(memory=mebibytes, devices=())
    plan = migration.Plan(
        machine, capabilities=("return-path",), parameters={"max_bandwidth": bandwidth}
    )
    commands = ways()
    seen = {name: [] for name in commands}
    for i in range(rounds):
        names = list(commands)
        for name in names[i % len(names) :] + names[: i % len(names)]:
            with tempfile.TemporaryDirectory(prefix="ms", dir=cases.TEMP) as folder:
                seen[name].append(migrate(release, plan, commands[name], folder))
    return seen


def main(rounds="5", mebibytes="1024"):
    found = releases.find_all()
    missing = set(RELEASES) - found.keys()
    if missing:
        sys.exit("capture_cost: there is no QEMU %s here" % ", ".join(sorted(missing)))
    print("load average before: %.1f %.1f %.1f" % os.getloadavg())
    layout = "%-5s %-10s %-9s %8s %9s %9s  %s"
    print(layout % ("QEMU", "BANDWIDTH", "WAY", "TOTAL", "DOWNTIME", "TO SOCAT", "WHOLE"))
    for name in RELEASES:
        for limit, bandwidth in BANDWIDTHS:
            seen = measure(found[name], bandwidth, int(mebibytes), int(rounds))
            for way, runs in seen.items():
                ratio = statistics.median(
                    one["total-time"] / socat["total-time"]
                    for one, socat in zip(runs, seen["socat"])
                )
                total = statistics.median([one["total-time"] for one in runs])
                downtime = statistics.median([one["downtime"] for one in runs])
                whole = "%d of %d" % (sum(one.get("recorded", False) for one in runs), len(runs))
                times = ("%d ms" % total, "%d ms" % downtime, "%.2f" % ratio)
                records = way in ("socat -r", "capture")
                print(layout % (name, limit, way, *times, whole if records else ""), flush=True)
    print("load average after: %.1f %.1f %.1f" % os.getloadavg())


if __name__ == "__main__":
    main(*sys.argv[1:])
