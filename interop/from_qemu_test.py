"""What a real QEMU writes is read here: `check` finds nothing, and `extract`
gives the bytes that the device gave."""

import functools

from interop.peer import cases, migration, program, variants

RELEASES = ("7.2", "10.0", "11.1")


def reads(found, name, variant, folder):
    streams = migration.capture(cases.release(found, name), variant.plan, folder)
    cases.expect(streams.given.keys() == {
        device.section for device in variant.plan.machine.devices
    }, "not every device was asked for its state")
    wrong = program.findings(streams)
    if not streams.completed:
        # It ends where the source was stopped, and that is all that is wrong.
        cases.expect(len(wrong) == 1 and "input ends" in wrong[0], wrong)
        return
    cases.expect(not wrong, wrong)
    for section, given in streams.given.items():
        cases.expect_equal_bytes(program.payload(streams, section), given, section)


def make_cases(found):
    return [
        cases.Case("QEMU %s: %s" % (name, variant.name), functools.partial(reads, found, name, variant))
        for variant in variants.VARIANTS
        for name in RELEASES
        if variant.written_by(name)
    ]


if __name__ == "__main__":
    cases.main(make_cases)
