"""Damage by seed, to the framing of a stream and to its VFIO sections.

    fields = mutations.fields(path)
    damage, name = mutations.mutate(original, fields, random.Random(seed))

With "--all" there are RAM's records, the inside of the configuration and other
devices' versions too.
"""

import subprocess
from dataclasses import dataclass

FIELD_MAP = "interop/field_map"


@dataclass(frozen=True)
class Field:
    at: int
    size: int
    kind: str
    section: str


def fields(path, *options):
    done = subprocess.run(
        [FIELD_MAP, *options, path], capture_output=True, check=True, timeout=60, text=True
    )
    found = []
    for line in done.stdout.splitlines():
        at, size, kind, section = line.split("\t")
        found.append(Field(int(at), int(size), kind, section))
    return found


def mutate(original, found, random, devices=0.5):
    """The damaged bytes, and what was done to them; `devices` is how much of the
    damage is to be in VFIO devices' sections."""
    field = _pick(found, random, devices)
    what, changed = random.choice(_WAYS)(original, field, found, random)
    return changed, "%s of %s %s at %#x" % (what, field.section, field.kind, field.at)


def _pick(found, random, devices):
    """Any kind of field is as likely as any other."""
    of_devices = random.random() < devices
    choice = [field for field in found if field.section.endswith("/vfio") == of_devices]
    kind = random.choice(sorted({field.kind for field in choice}))
    return random.choice([field for field in choice if field.kind == kind])


def _replace(original, field, value):
    return original[: field.at] + value + original[field.at + field.size :]


def _value(original, field):
    return original[field.at : field.at + field.size]


def _flip(original, field, _, random):
    value = bytearray(_value(original, field))
    value[random.randrange(field.size)] ^= 1 << random.randrange(8)
    return "a bit", _replace(original, field, bytes(value))


def _step(original, field, _, random):
    step = random.choice((-1, 1))
    number = int.from_bytes(_value(original, field), "big") + step
    number %= 1 << 8 * field.size
    return "%+d" % step, _replace(original, field, number.to_bytes(field.size, "big"))


def _noise(original, field, _, random):
    return "noise in place", _replace(original, field, random.randbytes(field.size))


def _zero(original, field, _, __):
    return "zeros in place", _replace(original, field, bytes(field.size))


def _ones(original, field, _, __):
    return "ones in place", _replace(original, field, b"\xff" * field.size)


def _remove(original, field, _, __):
    return "removal", _replace(original, field, b"")


def _repeat(original, field, _, __):
    return "repetition", _replace(original, field, 2 * _value(original, field))


def _cut(original, field, _, random):
    return "a cut", original[: field.at + random.randrange(field.size)]


def _swap(original, field, found, random):
    others = [each for each in found if each.kind == field.kind and each.size == field.size]
    other = random.choice(others)
    return "that at %#x in place" % other.at, _replace(
        original, field, _value(original, other)
    )


def _without_section(original, field, found, _):
    start, end = _section(field, found)
    return "removal of the section", original[:start] + original[end:]


def _section_twice(original, field, found, _):
    start, end = _section(field, found)
    return "repetition of the section", original[:end] + original[start:]


_WAYS = (
    _flip,
    _step,
    _noise,
    _zero,
    _ones,
    _remove,
    _repeat,
    _cut,
    _swap,
    _without_section,
    _section_twice,
)
_HEADS = ("START", "PART", "END", "FULL", "type", "eof", "magic")


def _section(field, found):
    heads = [each.at for each in found if each.kind in _HEADS]
    start = max(at for at in heads if at <= field.at)
    end = min((at for at in heads if at > field.at), default=None)
    return start, end if end is not None else found[-1].at + found[-1].size
