"""The kernel as an oracle: the drivers' own resume code against what the library says.

Payloads of testdata, damaged at random, are given to each driver's resume code, compiled in user
space (drivers.py). What the kernel refuses has a finding that is an error, or is of a generation
that it does not read; what it accepts has no finding that it is refused. What it accepts, and an
error is said of, is lost in silence: that is counted.

bazel run //interop/kernel:oracle -- 20000       # mutants of each driver
"""

import collections
import random
import struct
import sys
import tempfile

from interop.kernel import drivers, linux, payloads
from interop.peer import cases

MUTANTS = 2000
# The release that reads it is long gone.
NOT_READ = ("mlx5-raw",)


def contradicts(says, told):
    if says == "memory":  # More than there is here: nobody knows.
        return False
    if says == "accept":
        return bool(told.reasons)
    return told.errors == 0 and told.fate != "refused"


def kind(says, told):
    if says == "accept":
        return "lost in silence" if told.errors else "accepted"
    return {"memory": "beyond the memory here", "oops": "null pointers followed"}.get(
        says, "refused"
    )


def compare(driver, source, count, folder):
    """Says what came of it; fails on contradictions."""
    oracle = drivers.build(source, driver, folder)
    base = [p for p in payloads.samples(driver) if p.name not in NOT_READ]
    given = list(payloads.mutants(base, count, driver))
    cuts = random.Random(count)
    kernel = payloads.ask(
        oracle,
        [
            struct.pack("<III", len(p.data), cuts.getrandbits(31), p.device) + p.data
            for p in given
        ],
    )
    cases.expect(len(kernel) == len(given), "the oracle has", len(kernel), "answers")
    told = list(payloads.judge(given))
    counts = collections.Counter(kind(*pair) for pair in zip(kernel, told))
    print(driver + ":", ", ".join("%d %s" % (n, what) for what, n in sorted(counts.items())))
    wrong = [
        "%s, %d bytes: the kernel: %s; but foretold: %s" % (p.name, len(p.data), says, t.text)
        for p, says, t in zip(given, kernel, told)
        if contradicts(says, t)
    ]
    cases.expect(not wrong, "\n  ".join(["%d contradictions:" % len(wrong), *wrong[:20]]))


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else MUTANTS
    try:
        release, source = linux.folder("source", "fetch_source.sh")
    except cases.Skipped as reason:
        sys.exit(str(reason))
    print("Linux", release)
    for driver in drivers.CUTS:
        if not drivers.has(source, driver):
            print(driver + ": not in this release")
            continue
        with tempfile.TemporaryDirectory() as folder:
            compare(driver, source, count, folder)


if __name__ == "__main__":
    main()
