"""What `check` and `check --for` say to mutants, held against real QEMUs:

    bazel run //interop:confusion -- [--seed=N] [--count=N] [--qemu=7.2,11.1] [--folder=DIR]

Streams that each release at hand writes are damaged at random and given to that
release. Prints a table of verdicts foretold and seen, how many messages were
foretold, whether `--for=all` says of that release what `--for` says, what plain
`check` says, and each miss. With a folder the streams and what QEMU said stay
there, and the next run asks QEMU only about what it has not said yet.
"""

import argparse
import collections
import concurrent.futures
import hashlib
import json
import os
import random
import re
import shutil
import sys
import tempfile
import threading

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
# So many mutants of a seed differ from those of another.
SEED_STRIDE = 100000


class Base:
    """A stream, and what of it can be damaged."""

    def __init__(self, release, variant, folder):
        self.release = release
        self.variant = variant
        main = os.path.join(folder, "main")
        self.config = os.path.join(folder, "config")
        if not os.path.exists(self.config):
            shutil.rmtree(folder, ignore_errors=True)
            os.makedirs(folder)
            migration.capture(release, variant.plan, folder)
            program.must("extract", main, "--what=config", "--device=" + SECTION, "-o", self.config)
        with open(main, "rb") as file:
            self.whole = file.read()
        self.fields = mutations.fields(main, "--all")

    def machine(self):
        kind = self.variant.plan.machine.type.split(",")[0]
        newest = MACHINES[self.release.name]
        return newest if kind == "q35" else newest.replace("q35", "i440fx")


def written_by(variant, name):
    """5.2 is asked here alone; it writes what 7.2 writes."""
    return variant.written_by("7.2" if name == "5.2" else name)


class Answers:
    """What QEMUs have said, in a file that is added to."""

    def __init__(self, path):
        self._path = path
        self._lock = threading.Lock()
        self._known = {}
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                for line in file:
                    key, verdict, error = json.loads(line)
                    self._known[key] = (verdict, error)

    def ask(self, base, path, folder):
        with open(path, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        key = "%s %s %s" % (base.release.version, base.variant.name, digest)
        if key not in self._known:
            answer = self._ask(base, path, folder)
            with self._lock, open(self._path, "a", encoding="utf-8") as file:
                print(json.dumps([key, *answer]), file=file)
            self._known[key] = answer
        return self._known[key]

    @staticmethod
    def _ask(base, path, folder):
        outcome = migration.load_patiently(
            base.release, base.variant.plan, folder, migration.Streams(path)
        )
        return outcome.verdict, outcome.error


class Foretold:
    """What `check --for` says."""

    VERDICTS = {"loads": "loads", "refuses": "refused", "waits": "waits"}

    def __init__(self, load):
        self.verdict = self.VERDICTS[load["outcome"]]
        self.message = load["message"]
        self.given = load["given"]

    def __eq__(self, other):
        return (self.verdict, self.message) == (other.verdict, other.message)


def foretell(base, path, releases_asked):
    _, output, errors = program.run(
        "check",
        "--for=" + releases_asked,
        "--machine=" + base.machine(),
        "--destination-config=" + base.config,
        "--device=" + SECTION,
        "--format=json",
        path,
    )
    if errors:
        raise program.Failed(errors)
    return {load["release"]: Foretold(load) for load in json.loads(output)["loads"]}


class Judged:
    def __init__(self, what, foretold, in_all, seen, error, check):
        self.what = what
        self.foretold = foretold
        self.in_all = in_all
        self.seen = seen
        self.error = error
        self.check = check  # "clean", "warning" or "error", and its lines.

    def right(self):
        return self.foretold.verdict == self.seen

    def literal(self):
        for theirs, ours in OTHER_WORDS:
            if theirs in self.error and ours in self.foretold.message:
                return True
        return _plain(self.told()) in _plain(self.error)

    def told(self):
        """The message up to what only the destination knows: its own sizes, which
        "..." stands for, and its device's own bytes. Of a name that nobody knows
        16 bytes are shown."""
        return re.split(r" read:|\.\.\.", self.foretold.message)[0]

    def partly(self):
        return self.told() != self.foretold.message


# Where the way in, a socket, makes another message of it.
OTHER_WORDS = (
    ("unknown channel magic", "Not a migration stream"),
    ("Failed to peek at channel", "Not a migration stream"),
)


def _plain(text):
    """Without what is escaped on one side or the other, and without what joins the
    lines of a message: a name may have a line's end in it."""
    return re.sub(r"; |\\x[0-9a-f]{2}|\\[a-z]|[^ -~]", "", text)


def check(path):
    _, output, errors = program.run("check", path)
    lines = program.faults(output)
    if errors:
        return "error", lines + [errors]
    if not lines:
        return "clean", lines
    return ("warning" if all(": warning: " in line for line in lines) else "error"), lines


def judge(base, seed, answers, folder):
    os.makedirs(folder)
    try:
        damaged, what = mutations.mutate(base.whole, base.fields, random.Random(seed), 0.3)
        path = os.path.join(folder, "m")
        with open(path, "wb") as file:
            file.write(damaged)
        told = "%s of %s, seed %d: %s" % (base.variant.name, base.release.name, seed, what)
        name = "qemu-" + base.release.name
        return Judged(
            told,
            foretell(base, path, name)[name],
            foretell(base, path, "all")[name],
            *answers.ask(base, path, folder),
            check(path),
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def table(judged, found):
    rows = collections.Counter()
    for name, each in judged:
        rows[each.foretold.verdict, each.seen, name] += 1
    print("%-24s" % "foretold -> seen", *("%7s" % name for name in found), "%7s" % "all")
    for foretold, seen in sorted({key[:2] for key in rows}):
        counts = [rows[foretold, seen, name] for name in found]
        print("%-24s" % ("%s -> %s" % (foretold, seen)), *("%7d" % n for n in counts), "%7d" % sum(counts))


def share(what, count, of, *more):
    print("%s: %d of %d, %.1f %%" % (what, count, of, 100 * count / of if of else 0), *more)


def summary(judged):
    each = [one for _, one in judged]
    right = [one for one in each if one.right()]
    refused = [one for one in right if one.seen == "refused"]
    literal = [one for one in refused if one.literal()]
    share("verdicts foretold", len(right), len(each))
    share(
        "messages foretold",
        len(literal),
        len(refused),
        "(%d of them up to what only the destination knows)" % sum(one.partly() for one in literal),
    )
    share("--for=all as --for", sum(one.in_all == one.foretold for one in each), len(each))
    said = collections.Counter((one.check[0], one.seen) for one in each)
    for (word, seen), count in sorted(said.items()):
        print("check %s, QEMU %s: %d" % (word, seen, count))


def misses(judged):
    for _, one in judged:
        message = one.foretold.message
        if not one.right():
            print("VERDICT %s: foretold %s (%s), seen %s: %s"
                  % (one.what, one.foretold.verdict, message, one.seen, one.error))
        elif one.seen == "refused" and not one.literal():
            print("MESSAGE %s: foretold: %s; seen: %s" % (one.what, message, one.error))
        if one.in_all != one.foretold:
            print("ALL %s: foretold %s (%s), by --for=all %s (%s)"
                  % (one.what, one.foretold.verdict, message, one.in_all.verdict, one.in_all.message))
        if one.check[0] == "clean" and one.seen != "loads":
            print("CLEAN %s: seen: %s" % (one.what, one.error))


def judge_all(options, at_hand, found, folder):
    bases = {
        name: [
            Base(at_hand[name], variants.get(shape), os.path.join(folder, "%s-%d" % (name, number)))
            for number, shape in enumerate(SHAPES)
            if written_by(variants.get(shape), name)
        ]
        for name in found
    }
    answers = Answers(os.path.join(folder, "answers"))
    first = options.seed * SEED_STRIDE
    judged = []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        asked = [
            (name, pool.submit(judge, bases[name][seed % len(bases[name])], seed, answers,
                               os.path.join(folder, "%s-s%d" % (name, seed))))
            for name in found
            for seed in range(first, first + options.count)
        ]
        for name, answer in asked:
            try:
                judged.append((name, answer.result()))
            except qemu.Late as late:
                print("LATE", name, late)
    return judged


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=400, help="mutants a release")
    parser.add_argument("--qemu", default=",".join(MACHINES), help="releases, by default all at hand")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--folder", help="where the streams and QEMU's answers stay; a short name")
    options = parser.parse_args()
    at_hand = releases.find_all(oldest=(5, 2))
    found = [name for name in options.qemu.split(",") if name in at_hand]
    if not found:
        print("none of these QEMUs is here; see interop/fetch_qemu.sh")
        return 1
    folder = options.folder or tempfile.mkdtemp(prefix="ms", dir=cases.TEMP)
    os.makedirs(folder, exist_ok=True)
    try:
        judged = judge_all(options, at_hand, found, folder)
    finally:
        if not options.folder:
            shutil.rmtree(folder, ignore_errors=True)
    table(judged, found)
    summary(judged)
    misses(judged)
    return 0


if __name__ == "__main__":
    sys.exit(main())
