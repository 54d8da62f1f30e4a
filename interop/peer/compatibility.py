"""The compatibility matrix as text: a table of what releases write, a table of
what is written here, and a note for each cell that is not GOOD.

The notes are kept by hand, each with what the reader says in such a cell: a
cell that no note explains has no place in the matrix.
"""

import re

from interop.peer import crossings

README = "interop/README.md"
BEGIN = "<!-- `bazel run //interop:matrix` writes this -->"
END = "<!-- up to here -->"
UNEXPLAINED = "?"

NOTES = {
    "a": (
        "^refused: Missing section footer for 0000:00:05.0/vfio",
        "A 5.2 END section holds CONFIG before the data, and every later release stops reading it "
        "there. `repack --dialect=V60` moves it.",
    ),
    "b": (
        "does not accept value 'compress'",
        "The capability `compress` was removed in 9.1.",
    ),
    "c": (
        "does not accept value 'switchover-ack'",
        "`switchover-ack` came with 8.1; what 7.2 would say to INIT_DATA_SENT is `Unknown tag`.",
    ),
    "d": (
        "does not accept value 'mapped-ram'|unknown migration protocol: file:",
        "`file:` came with 8.2 and `mapped-ram` with 9.0.",
    ),
    "e": (
        "unsupported machine type",
        "Multifd transfer of devices and migration of ramfb want a machine type that 7.2 does not "
        "know. It has neither.",
    ),
    "f": (
        r"Property 'vfio-pci\.x-migration-(multifd-transfer|load-config-after-iter)' not found",
        "`x-migration-multifd-transfer` came with 10.0, `x-migration-load-config-after-iter` with "
        "10.1.",
    ),
    "g": (
        r"^refused: VQ 0 vring\.num 1024 exceeds allocated max 256",
        "Of another device: 10.0's virtio-net has a queue that 11.1's refuses. The streams' VFIO "
        "sections are not reached.",
    ),
    "h": (
        "a record of v1 is a transaction of the device",
        "Refused here, on purpose: a v1 device is given each record by a write of its own, so that "
        "its size means something.",
    ),
}


def show(cell):
    """GOOD, the letter of the cell's note, or UNEXPLAINED."""
    if cell.good:
        return crossings.GOOD
    for letter, (pattern, _) in NOTES.items():
        if re.search(pattern, cell.text):
            return letter
    return UNEXPLAINED


def write(shown):
    """The matrix; `shown` has what to show, by (writer, name, reader)."""
    direct = [(writer, reader) for writer in crossings.RELEASES for reader in _readers()]
    names = [name for writer, name, _ in shown if writer in crossings.RELEASES]
    lines = ["What a release writes, passed through `repack`, which gives the same bytes:", ""]
    lines += _table(
        ["", *("%s → %s" % pair for pair in direct)],
        [
            [name, *(shown.get((writer, name, reader), "") for writer, reader in direct)]
            for name in _once(names)
        ],
    )
    lines += ["", "What is written here, from a stream of 5.2 or of the reader's own release:", ""]
    lines += _table(
        ["", *("→ %s" % reader for reader in crossings.RELEASES)],
        [
            [_here(writer, name), *(shown.get((writer, name, reader), "") for reader in crossings.RELEASES)]
            for writer, name in _once([(w, n) for w, n, _ in shown if w not in crossings.RELEASES])
        ],
    )
    lines += [""]
    used = set(shown.values())
    lines += ["- **%s**: %s" % (letter, text) for letter, (_, text) in NOTES.items() if letter in used]
    return "\n".join(lines) + "\n"


def read(text):
    """What the matrix in a README shows, by (writer, name, reader)."""
    found = {}
    header = []
    for line in text.split(BEGIN)[1].split(END)[0].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|") or set(cells[0]) == {"-"}:
            continue
        if not cells[0]:
            header = [heading.split("→") for heading in cells[1:]]
            continue
        for (writer, reader), cell in zip(header, cells[1:]):
            if not cell:
                continue
            name = cells[0]
            if not writer.strip():
                writer, name = name.split(": ", 1)
            found[writer.strip(), name, reader.strip()] = cell
    return found


def _readers():
    return (crossings.LIBRARY, *crossings.RELEASES)


def _here(writer, name):
    return "%s: %s" % (writer, name)


def _once(items):
    return list(dict.fromkeys(items))


def _table(header, rows):
    rule = ["---"] * len(header)
    return ["| %s |" % " | ".join(row) for row in (header, rule, *rows)]
