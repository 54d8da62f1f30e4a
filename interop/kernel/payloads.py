"""The payloads of testdata, damaged at random, and what the library says to them."""

import collections
import json
import os
import random
import struct
import subprocess

JUDGE = "interop/kernel/judge"
SAMPLES = "testdata/payloads"
INTERESTING = [0, 1, 2, 3, 4, 7, 8, 16, 24, 40, 90, 255, 256, 4096, 0xFFFF, 0xFFFFFFFF, 1 << 32]

Payload = collections.namedtuple("Payload", "name data pre_copy vendor device")
# judge.cc says what each is.
Verdict = collections.namedtuple("Verdict", "fate when errno errors reasons text")


def samples(driver):
    with open(os.path.join(SAMPLES, "truth.json"), encoding="utf-8") as file:
        rows = json.load(file)
    for row in rows:
        if row["driver"] != driver:
            continue
        with open(os.path.join(SAMPLES, row["name"] + ".bin"), "rb") as file:
            data = file.read()
        vendor, device = (int(part, 16) for part in row["pci_id"].split(":"))
        yield Payload(row["name"], data, row.get("phase_split", 0), vendor, device)


def mutate(data, chance):
    """One to three things are done to it."""
    data = bytearray(data)
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(data) + 1)
        # Mostly where headers are.
        if chance.random() < 0.5:
            at = min(at, chance.randrange(128))
        what = chance.randrange(6)
        if what == 0:
            del data[at:]
        elif what == 1 and at < len(data):
            data[at] ^= 1 << chance.randrange(8)
        elif what == 2:
            width = chance.choice((1, 2, 4, 8))
            value = chance.choice(INTERESTING) & ((1 << 8 * width) - 1)
            data[at : at + width] = value.to_bytes(width, "little")
        elif what == 3:
            del data[at : at + chance.choice((1, 8, 16, 24, 40))]
        elif what == 4:
            data[at:at] = data[at : at + chance.choice((8, 16, 24, 40, 256))]
        elif what == 5 and len(data) < 1 << 20:
            data += data[at:]
    return bytes(data)


def mutants(base, count, seed):
    """The payloads, and `count` damaged ones."""
    chance = random.Random(seed)
    yield from base
    for number in range(count):
        payload = base[number % len(base)]
        data = mutate(payload.data, chance)
        split = min(payload.pre_copy, len(data))
        yield payload._replace(name="%s %d" % (payload.name, number), data=data, pre_copy=split)


def ask(program, records):
    """The lines that it answers."""
    result = subprocess.run([program], input=b"".join(records), stdout=subprocess.PIPE, check=True)
    return result.stdout.decode().splitlines()


def judge(payloads):
    lines = ask(
        JUDGE,
        [
            struct.pack("<IIII", len(p.data), p.pre_copy, p.vendor, p.device) + p.data
            for p in payloads
        ],
    )
    assert len(lines) == len(payloads), "%d answers" % len(lines)
    for line in lines:
        fate, when, errno, errors, reasons, text = line.split(" ", 5)
        reasons = [] if reasons == "-" else reasons.replace(":", " ").split(",")
        yield Verdict(fate, when, errno, int(errors), reasons, text)
