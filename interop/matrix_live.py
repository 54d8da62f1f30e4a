"""Migrates live between this library and real QEMUs, and prints what was seen.

    bazel run //interop:matrix_live [-- PART-OF-A-NAME]

Exit status 1 if a migration went wrong.
"""

import sys
import tempfile

from interop.peer import cases, live, releases

RELEASES = ("7.2", "10.0", "11.1")


def rows():
    for name in RELEASES:
        region = name == "7.2"
        for cell in live.REGION if region else live.INTO_QEMU:
            yield "library -> " + name, cell, live.into_qemu, (name,)
        for cell in live.REGION if region else live.OUT_OF_QEMU:
            yield name + " -> library", cell, live.out_of_qemu, (name,)
    for source, destination in live.RELAYS:
        for cell in live.RELAYED:
            way = "%s -> library -> %s" % (source, destination)
            yield way, cell, live.relay, (source, destination)


def number(value, unit=""):
    return "%s%s" % (value, unit) if value else ""


def main():
    found = releases.find_all()
    missing = set(RELEASES) - found.keys()
    if missing:
        sys.exit("matrix_live: there is no QEMU %s here" % ", ".join(sorted(missing)))
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    layout = "%-26s %-24s %-10s %9s %9s %8s"
    print(layout % ("", "", "", "config", "completed", "memory"))
    good = bad = 0
    for way, cell, run, names in rows():
        if wanted not in way and wanted not in cell.name:
            continue
        with tempfile.TemporaryDirectory(prefix="ms", dir=cases.TEMP) as folder:
            try:
                seen = run(*(found[name] for name in names), cell, folder)
            except AssertionError as reason:
                bad += 1
                print(layout % (way, cell.name, "failed", "", "", ""), "\n ", reason, flush=True)
                continue
        good += 1
        taken = (number(seen.apply_us, " us"), number(seen.completed_ms, " ms"))
        memory = number(seen.rss_kib >> 10, " MiB")
        print(layout % (way, cell.name, "completed", *taken, memory), flush=True)
    print("%d migrations completed, %d did not" % (good, bad))
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
