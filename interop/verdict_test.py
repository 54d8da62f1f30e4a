"""What a real QEMU says to damage: `generate --expect` and `check --for` say so
before. Whether `check` faults what QEMU loads is peer/verdicts.py."""

import functools
import os
import random
import re

from interop.peer import cases, generated, migration, mutations, program, variants, verdicts

RELEASES = ("7.2", "11.1")
SECTION = "0000:00:05.0/vfio"
MACHINES = {"7.2": "pc-q35-7.2", "11.1": "pc-q35-11.1"}


def judge(found, name, plan, streams, wanted, damage, config, folder, load=migration.load):
    """Asks QEMU and the program, and holds them against each other."""
    outcome = load(cases.release(found, name), plan, os.path.join(folder, "to"), streams)
    told = "%s: %s %s" % (damage, outcome.verdict, outcome.error)
    status, output, errors = program.run(
        "check",
        "--for=qemu-" + name,
        "--machine=" + MACHINES[name],
        "--destination-config=" + config,
        streams.main,
        *streams.channels,
    )
    said = output.decode(errors="replace") + errors
    foretold = (outcome.verdict == "loads") == (status == 0)
    cases.expect(foretold or verdicts.is_guess(damage, said), told, "but foretold:", said)
    if outcome.verdict != "loads":
        return outcome
    status, output, _ = program.run("check", streams.main, *streams.channels)
    faults = program.faults(output)
    if status:
        cases.expect(any(map(verdicts.is_stricter, faults)), told, "but:", *faults)
    elif outcome.received.get(SECTION) != wanted:
        cases.expect(verdicts.is_silent(damage), told, "and nobody says that bytes differ")
    return outcome


# Damage by name.

RECIPE = """
dialect: %s
seed: 3
frame: "%s"
devices {
  parts { records { bytes: 1000 } }
  parts {}
  end { bytes: 3000 }
  end { bytes: 600 }
}
"""
# A bad packet meets a destination whose other thread waits for good ones. It
# refuses the packet, or stops at an assertion of its own, or waits for ever.
RACES = ("repeat-packet", "packet-version", "packet-device", "short-packet", "packet-eos")
# Where the way in, a socket, makes another message of it.
OTHER_WORDS = {("11.1", "bad-magic"): "unknown channel magic"}


def damage_names():
    with open("codec/generate/stream.proto", encoding="utf-8") as file:
        kinds = file.read().split("enum Kind {")[1].split("}")[0]
    names = [
        name.lower().replace("_", "-") for name in re.findall(r"([A-Z0-9_]+) = [1-9]", kinds)
    ]
    # QEMU looks at no payload; what a kernel says to these, kernel/ asks.
    return [name for name in names if not name.startswith("payload-")]


def frame(damage):
    return "ramfb" if damage == "unknown-subsection" else "one device"


def possible(name, damage):
    if "packet" in damage:
        return variants.number(name) >= (10, 0)
    return variants.get(frame(damage)).written_by(name)


def verdicts_of(expected, damage):
    if damage in RACES:
        return ("refused", "waits")
    return ({"LOADS": "loads", "REFUSES": "refused", "WAITS": "waits"}[expected.verdict],)


def is_damage_foretold(found, name, damage, folder):
    captured = migration.capture(
        cases.release(found, name), variants.get(frame(damage)).plan, os.path.join(folder, "from")
    )
    dialect = "V111M" if "packet" in damage else "V60" if name == "7.2" else "V111"
    recipe = os.path.join(folder, "recipe")
    with open(recipe, "w", encoding="utf-8") as file:
        file.write(RECIPE % (dialect, captured.main))
    whole = generated.generate(os.path.join(folder, "whole.qvm"), recipe)
    path = os.path.join(folder, "damaged.qvm")
    streams = generated.generate(path, recipe, "--damage=" + damage, "--expect=qemu-" + name)
    config = os.path.join(folder, "config")
    program.must("extract", captured.main, "--what=config", "-o", config)
    expected = generated.read_expectation(path)
    outcome = judge(
        found,
        name,
        generated.plan_for(expected),
        streams,
        program.payload(whole, SECTION),
        damage,
        config,
        folder,
    )
    cases.expect(outcome.verdict in verdicts_of(expected, damage), expected, "but:", outcome)
    if damage in RACES:
        return
    # What the config compares differ in are the devices' own bytes.
    message = OTHER_WORDS.get((name, damage), expected.message.split(" read:")[0])
    cases.expect(message in outcome.error, "expected:", message, "but:", outcome.error)


# Mutations by seed.

CAPTURES = {"7.2": "s72-precopy", "11.1": "s111-precopy"}
SEEDS = 200
AT_ONCE = 10


def are_mutations_foretold(found, name, seeds, folder):
    base = os.path.join(folder, "base")
    program.must("repack", "testdata/captures/%s.qvm.zst" % CAPTURES[name], "-o", base)
    config = os.path.join(folder, "config")
    program.must("extract", base, "--what=config", "-o", config)
    wanted = program.payload(migration.Streams(base), SECTION)
    with open(base, "rb") as file:
        whole = file.read()
    fields = mutations.fields(base)
    for seed in seeds:
        damaged, what = mutations.mutate(whole, fields, random.Random(seed))
        path = os.path.join(folder, "%d" % seed)
        with open(path, "wb") as file:
            file.write(damaged)
        judge(
            found,
            name,
            variants.get("pre-copy").plan,
            migration.Streams(path),
            wanted,
            "seed %d: %s" % (seed, what),
            config,
            os.path.join(folder, "to%d" % seed),
            migration.load_patiently,
        )
        os.remove(path)


def make_cases(found):
    named = [
        cases.Case(
            "QEMU %s: %s" % (name, damage),
            functools.partial(is_damage_foretold, found, name, damage),
        )
        for damage in damage_names()
        for name in RELEASES
        if possible(name, damage)
    ]
    seeds = [range(first, first + AT_ONCE) for first in range(1, 1 + SEEDS, AT_ONCE)]
    return named + [
        cases.Case(
            "QEMU %s: mutations %d to %d" % (name, chosen[0], chosen[-1]),
            functools.partial(are_mutations_foretold, found, name, chosen),
        )
        for chosen in seeds
        for name in RELEASES
    ]


if __name__ == "__main__":
    cases.main(make_cases)
