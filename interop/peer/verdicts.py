"""Where `check` and a real QEMU part, on purpose.

Whether QEMU loads a stream is what `check --for` foretells; whether the stream
is sound is what `check` says. A stream that QEMU loads and `check` faults must
have a finding of STRICTER; one that both take, although a device got other bytes
than its source's gave, must be damage of SILENT.
"""

import re

# Pattern of a finding, and why it stands although QEMU loads the stream.
STRICTER = (
    (
        "VMDESCRIPTION: |cannot walk past globalstate|description",
        "QEMU skips the description unread; here it says where other devices' sections end",
    ),
    (
        "bytes after EOF that are no VMDESCRIPTION",
        "QEMU stops at the first EOF byte, wherever it stands, and starts the guest with what it "
        "has; what it has not read is lost",
    ),
    (
        "the stream ends without the device's END",
        "QEMU does not know which devices a stream must hold: the device has not got its last state",
    ),
    (
        "one CONFIG too many|no CONFIG: ",
        "QEMU does not count: the guest sees the config space of another moment, or of no moment",
    ),
    (
        r"\[(section-twice|section-missing|ram-missing|part-missing|early-eof|configuration-missing|configuration-off)\]",
        "QEMU does not count what it loads: a state is missing, or was loaded over another",
    ),
    (
        "END_OF_STATE .*, expected SETUP",
        "QEMU reads a START to its END_OF_STATE, whatever is in it; no source leaves SETUP out",
    ),
)

# Damage by a mutation's words where `check --for` has to guess, and says so:
# without a description it does not see where the last device's section ends,
# while a real loader knows its own devices.
GUESSED = (r"of description type\b",)
A_GUESS = "given sections end where it seems they do"

# Damage, by its name in `generate --damage` or by a mutation's words.
SILENT = (
    "drop-record",
    "swap-records",
    "flip-payload",
    "flip-packet",
    r"of 0000:00:05\.0/vfio (record|record-size)\b",
    r"of the section of 0000:00:05\.0/vfio",
)


def is_stricter(finding):
    return any(re.search(pattern, finding) for pattern, _ in STRICTER)


def is_silent(damage):
    return any(re.search(pattern, damage) for pattern in SILENT)


def is_guess(damage, said):
    return A_GUESS in said and any(re.search(pattern, damage) for pattern in GUESSED)
