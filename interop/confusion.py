"""What `check` and `check --for` say to mutants, held against real QEMUs:

    bazel run //interop:confusion -- [--seed=N] [--count=N] [--qemu=7.2,11.1]

Streams that each release at hand writes are damaged at random and given to that
release and to the newest. Prints a table of verdicts foretold and seen, how many
messages were foretold literally, what plain `check` says, and each miss.
"""

import argparse
import collections
import concurrent.futures
import os
import random
import re
import shutil
import sys
import tempfile

from interop.peer import cases, migration, mutations, program, qemu, releases, variants

SHAPES = (
    "one device",
    "pre-copy",
    "two devices",
    "return path",
    "switchover-ack",
    "ramfb",
    "other devices",
    "UUID",
    "xbzrle",
    "compress",
    "mapped-ram",
)
MACHINES = {"5.2": "pc-q35-5.2", "7.2": "pc-q35-7.2", "10.0": "pc-q35-10.0", "11.1": "pc-q35-11.1"}
SECTION = "0000:00:05.0/vfio"


class Base:
    """A stream, and what of it can be damaged."""

    def __init__(self, release, variant, folder):
        self.release = release
        self.variant = variant
        os.makedirs(folder)
        captured = migration.capture(release, variant.plan, folder)
        self.config = os.path.join(folder, "config")
        program.must("extract", captured.main, "--what=config", "--device=" + SECTION, "-o", self.config)
        with open(captured.main, "rb") as file:
            self.whole = file.read()
        self.fields = mutations.fields(captured.main, "--all")

    def machine(self):
        kind = self.variant.plan.machine.type.split(",")[0]
        newest = MACHINES[self.release.name]
        return newest if kind == "q35" else newest.replace("q35", "i440fx")


def written_by(variant, name):
    """5.2 is asked here alone; it writes what 7.2 writes."""
    return variant.written_by("7.2" if name == "5.2" else name)


class Judged:
    def __init__(self, what, foretold, message, given, seen, error, check):
        self.what = what
        self.foretold = foretold
        self.message = message
        self.given = given
        self.seen = seen
        self.error = error
        self.check = check  # "clean", "warning" or "error", and its lines.

    def right(self):
        return self.foretold == self.seen

    def literal(self):
        for theirs, ours in OTHER_WORDS:
            if theirs in self.error and ours in self.message:
                return True
        # What the config compares differ in are the devices' own bytes; of a
        # name that nobody knows 16 bytes are shown.
        told = re.split(r" read:|\.\.\.", self.message)[0]
        return _plain(told) in _plain(self.error)


# Where the way in, a socket, makes another message of it.
OTHER_WORDS = (("unknown channel magic", "Not a migration stream"),)


def _plain(text):
    """Without what is escaped on one side or the other."""
    return re.sub(r"\\x[0-9a-f]{2}|\\[a-z]|[^ -~]", "", text)


def foretell(base, release, path):
    status, output, errors = program.run(
        "check",
        "--for=qemu-" + release.name,
        "--machine=" + base.machine(),
        "--destination-config=" + base.config,
        "--device=" + SECTION,
        path,
    )
    said = output.decode(errors="replace")
    given = re.findall(r": given (.*)", said)
    if status == 0:
        return "loads", "", given
    if match := re.search(r" would (refuse it|wait[^:]*): (.*)", said):
        return ("refused" if match[1] == "refuse it" else "waits"), match[2], given
    return "unreadable", said + errors, given


def check(path):
    _, output, errors = program.run("check", path)
    lines = program.faults(output)
    if errors:
        return "error", lines + [errors]
    if not lines:
        return "clean", lines
    return ("warning" if all(": warning: " in line for line in lines) else "error"), lines


def judge(base, release, seed, folder):
    os.makedirs(folder)
    try:
        damaged, what = mutations.mutate(base.whole, base.fields, random.Random(seed), 0.3)
        path = os.path.join(folder, "m")
        with open(path, "wb") as file:
            file.write(damaged)
        outcome = migration.load(release, base.variant.plan, folder, migration.Streams(path))
        told = "%s of %s in %s, seed %d: %s" % (
            base.variant.name, base.release.name, release.name, seed, what)
        return Judged(told, *foretell(base, release, path), outcome.verdict, outcome.error, check(path))
    finally:
        if not KEEP:
            shutil.rmtree(folder, ignore_errors=True)


def table(judged, found):
    rows = collections.Counter()
    for name, each in judged:
        rows[each.foretold, each.seen, name] += 1
    print("%-24s" % "foretold -> seen", *("%7s" % name for name in found), "%7s" % "all")
    for foretold, seen in sorted({key[:2] for key in rows}):
        counts = [rows[foretold, seen, name] for name in found]
        print("%-24s" % ("%s -> %s" % (foretold, seen)), *("%7d" % n for n in counts), "%7d" % sum(counts))


def summary(judged):
    each = [one for _, one in judged]
    right = [one for one in each if one.right()]
    refused = [one for one in right if one.seen == "refused"]
    literal = [one for one in refused if one.literal()]
    print("verdicts: %d of %d right, %.1f %%" % (len(right), len(each), 100 * len(right) / len(each)))
    if refused:
        print("messages: %d of %d literally, %.1f %%"
              % (len(literal), len(refused), 100 * len(literal) / len(refused)))
    said = collections.Counter((one.check[0], one.seen) for one in each)
    for (word, seen), count in sorted(said.items()):
        print("check %s, QEMU %s: %d" % (word, seen, count))


def misses(judged):
    for _, one in judged:
        if not one.right():
            print("VERDICT %s: foretold %s (%s), seen %s: %s" % (one.what, one.foretold, one.message, one.seen, one.error))
        elif one.seen == "refused" and not one.literal():
            print("MESSAGE %s: foretold: %s; seen: %s" % (one.what, one.message, one.error))
        if one.check[0] == "clean" and one.seen != "loads":
            print("CLEAN %s: seen: %s" % (one.what, one.error))


KEEP = False


def main():
    global KEEP
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=400, help="mutants a release")
    parser.add_argument("--qemu", default=",".join(MACHINES), help="releases, by default all at hand")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", action="store_true", help="leave the mutants in the folder that is named")
    options = parser.parse_args()
    KEEP = options.keep
    at_hand = releases.find_all(oldest=(5, 2))
    found = [name for name in options.qemu.split(",") if name in at_hand]
    if not found:
        print("none of these QEMUs is here; see interop/fetch_qemu.sh")
        return 1
    folder = tempfile.mkdtemp(prefix="ms", dir=cases.TEMP)
    try:
        bases = {
            name: [
                Base(at_hand[name], variants.get(shape), os.path.join(folder, "%s-%d" % (name, number)))
                for number, shape in enumerate(SHAPES)
                if written_by(variants.get(shape), name)
            ]
            for name in found
        }
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            asked = [
                (name, pool.submit(judge, bases[name][seed % len(bases[name])], at_hand[name], seed,
                                   os.path.join(folder, "%s-s%d" % (name, seed))))
                for name in found
                for seed in range(options.seed * 100000, options.seed * 100000 + options.count)
            ]
            judged = []
            for name, answer in asked:
                try:
                    judged.append((name, answer.result()))
                except qemu.Late as late:
                    print("LATE", name, late)
    finally:
        if options.keep:
            print("mutants:", folder)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    table(judged, found)
    summary(judged)
    misses(judged)
    return 0


if __name__ == "__main__":
    sys.exit(main())
