"""Migrations in a row, each with two devices, and sizes, cuts, rates and pauses
by chance: from a QEMU, through the program, into a QEMU.

    bazel run //interop:soak -- --count=100 [--seed=1]

Every byte that a device gives must arrive. Exit status 0 if all did.
"""

import argparse
import dataclasses
import os
import random
import sys
import tempfile
import time

from interop.peer import cases, migration, program, releases, variants
from interop.peer.qemu import Device, Machine

# Releases know older machines, so that each can load what the others wrote.
MACHINE = "pc-q35-7.2"
# Older ones have no multifd transfer of devices.
MULTIFD_MACHINE = "pc-q35-10.0"


def shim(chance):
    """A device's sizes: nothing, a few bytes, or up to some megabytes."""

    def size():
        return int(chance.choice((0, 1, 20000, 3000000)) * chance.random())

    init, dirty, stop = size(), size(), size()
    return {
        "P2P": 1,
        "PRECOPY": chance.randrange(2),
        "INIT": init,
        "DIRTY": dirty,
        "STOP": stop,
        "ROUNDS": chance.randrange(1, 5),
        "REPORT": init + dirty + stop + 4096,
        "READMAX": chance.choice((0, 0, 4096, 100000)),
        "WINDOW": chance.choice((1 << 16, 1 << 20)),
        "SEED": chance.randrange(1 << 16),
        "PATTERN": chance.choice(("counter", "markers", "zero")),
    }


def pieces(chance):
    """Gives the pieces of a channel: small or large, now and then a pause."""
    seed = chance.randrange(1 << 32)

    def generate():
        mine = random.Random(seed)
        most = mine.choice((100, 5000, 100000, 1 << 20))
        while True:
            # Small pieces by the hundred thousand would take for ever.
            size = mine.randrange(1, most) if mine.random() < 0.1 else 1 << 16
            yield size, mine.random() * 0.05 if mine.random() < 0.02 else 0

    return generate


def migrate(found, seed, folder):
    """One migration; what it was, in words, or an exception."""
    chance = random.Random(seed)
    writer, reader = (chance.choice(list(found.values())) for _ in "12")
    new = min(writer.number, reader.number) >= (10, 0)
    channels = chance.randrange(1, 5) if new and chance.randrange(2) else 0
    devices = tuple(
        Device(
            name="0000:00:0%d.0" % slot,
            addr=str(slot),
            section="0000:00:0%d.0/vfio" % slot,
            shim=shim(chance),
            options=variants.MULTIFD if channels else "",
        )
        for slot in (5, 6)
    )
    parameters = {
        "max_bandwidth": chance.randrange(5, 200) << 20,
        "downtime_limit": 60000,
    }
    plan = migration.Plan(Machine(MACHINE, 4, devices), parameters=parameters)
    if channels:
        parameters["multifd_channels"] = channels
        plan = migration.Plan(
            Machine(MULTIFD_MACHINE, 4, devices),
            capabilities=("multifd", "return-path"),
            parameters=parameters,
        )
    streams = migration.capture(
        writer, plan, os.path.join(folder, "from"), pieces(chance)
    )
    said = "QEMU %s to %s, %d channels, %s bytes, a stream of %d" % (
        writer.name,
        reader.name,
        1 + channels,
        " and ".join(str(len(given)) for given in streams.given.values()),
        os.path.getsize(streams.main),
    )
    cases.expect(len(streams.given) == 2, "a device was not asked:", said)
    wrong = program.findings(streams)
    cases.expect(not wrong, said, wrong)
    for section, given in streams.given.items():
        cases.expect_equal_bytes(program.payload(streams, section), given, said)
    again = os.path.join(folder, "again")
    program.must("repack", streams.main, "-o", again)
    outcome = migration.load(
        reader,
        plan,
        os.path.join(folder, "to"),
        dataclasses.replace(streams, main=again),
        pieces(chance),
    )
    cases.expect(outcome.verdict == "loads", said, outcome)
    for section, given in streams.given.items():
        cases.expect_equal_bytes(outcome.received[section], given, said)
    return said, sum(map(len, streams.given.values()))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    found = releases.find_all()
    if not found:
        sys.exit("soak: there is no QEMU here")
    start = time.monotonic()
    total = 0
    for number in range(arguments.count):
        seed = arguments.seed + number
        with tempfile.TemporaryDirectory(prefix="ms", dir=cases.TEMP) as folder:
            try:
                said, size = migrate(found, seed, folder)
            except Exception:
                print("seed %d" % seed, file=sys.stderr)
                raise
        total += size
        print("seed %d: %s: equal" % (seed, said), flush=True)
    print(
        "%d migrations, %d bytes of devices, %.0f s: no byte differs"
        % (arguments.count, total, time.monotonic() - start)
    )


if __name__ == "__main__":
    main()
