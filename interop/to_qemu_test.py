"""What is written here is loaded by a real QEMU, and its device gets what the
source's gave: every variant, through `repack` and real sockets."""

import dataclasses
import functools
import os

from interop.peer import cases, migration, program, variants

RELEASES = ("7.2", "10.0", "11.1")


def gets_through(found, name, variant, folder):
    release = cases.release(found, name)
    streams = migration.capture(release, variant.plan, folder)
    again = os.path.join(folder, "again")
    program.must("repack", streams.main, "-o", again)
    outcome = migration.load(
        release,
        variant.plan,
        os.path.join(folder, "to"),
        dataclasses.replace(streams, main=again),
    )
    cases.expect(outcome.verdict == "loads", outcome.verdict, outcome.error)
    cases.expect(outcome.received.keys() == streams.given.keys(), outcome)
    for section, given in streams.given.items():
        cases.expect_equal_bytes(outcome.received[section], given, section)


def make_cases(found):
    return [
        cases.Case(
            "QEMU %s: %s" % (name, variant.name),
            functools.partial(gets_through, found, name, variant),
        )
        for variant in variants.VARIANTS
        for name in RELEASES
        if variant.written_by(name) and not variant.plan.cancel_after
    ]


if __name__ == "__main__":
    cases.main(make_cases)
