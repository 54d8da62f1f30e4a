"""The rows of the compatibility matrix: which release reads what which wrote.

A row makes the streams that one reader is given, and says the bytes that its
devices must get. cross() is one cell: `found` is releases by name, a reader one
of them or LIBRARY.
"""

import dataclasses
import json
import os
from dataclasses import dataclass

from interop.peer import generated, migration, program, qemu, variants

LIBRARY = "migstream"
RELEASES = ("7.2", "10.0", "11.1")
MULTIFD_RELEASES = RELEASES[1:]
CAPTURES = "testdata/captures"
GOOD = "yes"


@dataclass
class Sent:
    streams: migration.Streams
    plan: migration.Plan
    wanted: dict  # section -> bytes
    # What the destination must show once it has loaded, and what makes it so.
    look: object = None
    shows: object = None


@dataclass(frozen=True)
class Cell:
    """GOOD, or why not."""

    text: str

    @property
    def good(self):
        return self.text == GOOD


@dataclass(frozen=True)
class Row:
    writer: str
    name: str
    send: object  # Called with found, the reader and a folder; gives Sent.
    readers: tuple = RELEASES


def cross(row, found, reader, folder):
    try:
        sent = row.send(found, reader, folder)
    except program.Failed as failed:
        return Cell(str(failed).strip())
    if reader == LIBRARY:
        return _read_here(sent)
    outcome = migration.load(
        found[reader], sent.plan, os.path.join(folder, "to"), sent.streams, look=sent.look
    )
    if outcome.verdict != "loads":
        return Cell("%s: %s" % (outcome.verdict, outcome.error))
    if wrong := _difference(outcome.received, sent.wanted):
        return Cell(wrong)
    if outcome.seen != sent.shows:
        return Cell("shows %s, not %s" % (outcome.seen, sent.shows))
    return Cell(GOOD)


def _read_here(sent):
    wrong = program.findings(sent.streams)
    if not sent.streams.completed:
        # It ends where the source was stopped, and that is all that is wrong.
        as_told = len(wrong) == 1 and "input ends" in wrong[0]
        return Cell(GOOD if as_told else "findings: %s" % wrong)
    if wrong:
        return Cell("; ".join(wrong))
    got = {section: program.payload(sent.streams, section) for section in sent.wanted}
    return Cell(_difference(got, sent.wanted) or GOOD)


def _difference(got, wanted):
    if got.keys() != wanted.keys():
        return "devices %s, not %s" % (sorted(got), sorted(wanted))
    for section in wanted:
        if got[section] != wanted[section]:
            return "%s: %d bytes, not the %d given" % (section, len(got[section]), len(wanted[section]))
    return ""


def all_rows():
    """By writer, and in the order in which to show them."""
    return [*(row for writer in RELEASES for row in direct_rows(writer)), *written_rows()]


# What a release writes.


def direct_rows(writer):
    return [
        Row(
            writer,
            variant.name,
            lambda found, reader, folder, variant=variant: _written(found, writer, reader, variant, folder),
            # What was cancelled is for nobody to load.
            (LIBRARY,) if variant.plan.cancel_after else (LIBRARY, *RELEASES),
        )
        for variant in variants.VARIANTS
        if variant.written_by(writer)
    ]


def _written(found, writer, reader, variant, folder):
    """Through the program, which must give the same bytes again."""
    plan = variant.plan if reader in (writer, LIBRARY) else shared_plan(variant)
    streams = migration.capture(found[writer], plan, os.path.join(folder, "from"))
    again = os.path.join(folder, "again")
    if streams.completed:
        program.must("repack", streams.main, "-o", again)
    else:
        program.run("repack", streams.main, "-o", again)
    if not _same(again, streams.main):
        raise program.Failed("repack gives other bytes")
    return Sent(dataclasses.replace(streams, main=again), plan, streams.given)


def shared_plan(variant):
    """The plan with a machine type that all of its releases know."""
    machine = variant.plan.machine
    newest = "10.0" if variant.since >= (10, 0) else "7.2"
    kind, *rest = machine.type.split(",")
    kind = {"q35": "pc-q35-", "pc": "pc-i440fx-"}[kind] + newest
    machine = dataclasses.replace(machine, type=",".join([kind, *rest]))
    return dataclasses.replace(variant.plan, machine=machine)


def _same(one, other):
    with open(one, "rb") as a, open(other, "rb") as b:
        return a.read() == b.read()


# What is written here.


def written_rows():
    rows = [
        _old("as it is"),
        _old("repack --dialect=V60", "--dialect=V60"),
        _old("repack --dialect=V60, two devices", "--dialect=V60", capture="s52-two"),
        _old("repack --dialect=V60, pre-copy", "--dialect=V60", capture="s52-precopy"),
        _old("repack --dialect=V60, no MSI-X", "--dialect=V60", capture="s52-no-msix", vectors=0),
        _own("repack --record-size=1000", "one device", _repacked("--record-size=1000")),
        _own("repack --strip-empty-parts", "one device", _stripped),
        _own("repack --dialect=V52, then V60", "one device", _there_and_back),
        _own("repack --zstd, then plain", "one device", _compressed),
        _own("repack --drop-device", "two devices", _one_dropped),
        _own("repack --replace-payload", "one device", _other_payload),
        _own("repack --replace-config", "MSI-X on", _other_config),
    ]
    for name in (
        "multifd, 1 channel",
        "multifd, 4 channels",
        "multifd, no payload",
        "multifd, two devices",
        "multifd, pre-copy",
        "multifd, RAM alone",
        "multifd, device aside",
    ):
        rows.append(_own("repack --single-channel: " + name, name, _folded))
    for name, count in (("one device", 1), ("two devices", 2), ("UUID", 2), ("pre-copy", 4)):
        what = "repack --channels=%d: %s" % (count, name)
        rows.append(_own(what, name, _spread(count), MULTIFD_RELEASES))
    for dialect in ("V60", "V80", "V81", "V100", "V111", "V100M", "V101M", "V111M"):
        parts = "" if dialect == "V80" else PARTS
        rows.append(_own("generate: " + dialect, "one device", _generated(dialect, parts)))
    acknowledged = _generated("V111", PARTS + "parts { init_data_sent: true }")
    rows.append(_own("generate: V111, switchover-ack", "one device", acknowledged))
    return rows


def _old(name, *options, capture="s52-stop3m", vectors=5):
    def send(_, __, folder):
        again = os.path.join(folder, "again")
        packed = os.path.join(CAPTURES, capture + ".qvm.zst")
        program.must("repack", packed, *options, "-o", again)
        with open(os.path.join(CAPTURES, "manifest.json"), encoding="utf-8") as file:
            described = next(each for each in json.load(file) if each["name"] == capture)
        devices = tuple(
            qemu.Device(
                name=device["idstr"].split("/")[0],
                addr=device["idstr"].split(":")[2][1],
                section=device["idstr"],
                shim={"VECTORS": vectors, "P2P": 1},
            )
            for device in described["devices"]
        )
        wanted = {
            device.section: program.must("extract", packed, "--device=" + device.section, "-o", "-")
            for device in devices
        }
        plan = variants.plan(devices, type="pc-q35-5.2")
        return Sent(migration.Streams(again), plan, wanted)

    return Row("5.2", name, send)


def _own(name, variant, change, readers=RELEASES):
    """A row whose stream comes from the reader's own release."""

    def send(found, reader, folder):
        chosen = variants.get(variant)
        streams = migration.capture(found[reader], chosen.plan, os.path.join(folder, "from"))
        sent = Sent(streams, chosen.plan, streams.given)
        change(sent, folder)
        return sent

    able = tuple(
        reader for reader in RELEASES if reader in readers and variants.get(variant).written_by(reader)
    )
    return Row(LIBRARY, name, send, able)


def _repack(sent, folder, *options, name="again"):
    again = os.path.join(folder, name)
    program.must("repack", sent.streams.main, *sent.streams.channels, *options, "-o", again)
    sent.streams = generated.made(again)


def _repacked(*options):
    def change(sent, folder):
        before = sent.streams.main
        _repack(sent, folder, *options)
        if _same(before, sent.streams.main):
            raise program.Failed("repack changes nothing")

    return change


def _there_and_back(sent, folder):
    _repack(sent, folder, "--dialect=V52", name="there")
    _repack(sent, folder, "--dialect=V60", "--from-dialect=V52")


def _compressed(sent, folder):
    before = sent.streams.main
    _repack(sent, folder, "--zstd", name="packed")
    if os.path.getsize(sent.streams.main) >= os.path.getsize(before):
        raise program.Failed("--zstd does not make it smaller")
    _repack(sent, folder)


def _one_dropped(sent, folder):
    kept, dropped = sent.plan.machine.devices
    _repack(sent, folder, "--drop-device=" + dropped.section)
    sent.plan = dataclasses.replace(
        sent.plan, machine=dataclasses.replace(sent.plan.machine, devices=(kept,))
    )
    sent.wanted = {kept.section: sent.wanted[kept.section]}


def _other_payload(sent, folder):
    (section,) = sent.wanted
    size = len(sent.wanted[section])
    sent.wanted = {section: bytes(i * i >> 3 & 0xFF for i in range(size))}
    path = os.path.join(folder, "payload")
    with open(path, "wb") as file:
        file.write(sent.wanted[section])
    _repack(sent, folder, "--replace-payload=" + path)


def _other_config(sent, folder):
    """Moves the BAR that the MSI-X table is in; a destination shows where."""
    path = os.path.join(folder, "config")
    program.must("extract", sent.streams.main, "--what=config", "-o", path)
    with open(path, "r+b") as file:
        file.seek(0x1C)
        low = int.from_bytes(file.read(4), "little")
        file.seek(0x1C)
        file.write((low & 0xF | 0xE2000000).to_bytes(4, "little"))
    _repack(sent, folder, "--replace-config=" + path)
    sent.look = _bars
    sent.shows = {3: 0xE2000000}


def _bars(vm):
    (device,) = (
        device
        for bus in vm.command("query-pci")
        for device in bus["devices"]
        if device["qdev_id"] == "vf0"
    )
    return {
        region["bar"]: region["address"] for region in device["regions"] if region["bar"] == 3
    }


def _folded(sent, folder):
    _repack(sent, folder, "--single-channel")
    kept = tuple(name for name in sent.plan.capabilities if name != "multifd")
    sent.plan = dataclasses.replace(
        sent.plan, capabilities=kept, parameters={}, machine=_with_options(sent.plan.machine, "")
    )


def _spread(count):
    def change(sent, folder):
        _repack(sent, folder, "--channels=%d" % count)
        sent.plan = dataclasses.replace(
            sent.plan,
            capabilities=("multifd", "return-path"),
            parameters={"multifd_channels": count},
            plain=True,
            machine=_with_options(sent.plan.machine, variants.MULTIFD),
        )

    return change


def _with_options(machine, options):
    devices = tuple(dataclasses.replace(each, options=options) for each in machine.devices)
    return dataclasses.replace(machine, devices=devices)


PARTS = "parts {} parts { records { bytes: 1000 } }"
RECIPE = """
dialect: %s
seed: 7
frame: "%s"
devices {
  %s
  end { bytes: 4096 fill: TAGS }
  end { bytes: 10 }
}
"""


def _generated(dialect, parts):
    def change(sent, folder):
        recipe = os.path.join(folder, "recipe")
        with open(recipe, "w", encoding="utf-8") as file:
            file.write(RECIPE % (dialect, sent.streams.main, parts))
        made = os.path.join(folder, "made.qvm")
        sent.streams = generated.generate(made, recipe, "--expect")
        sent.plan = generated.plan_for(generated.read_expectation(made))
        sent.wanted = {
            section: program.payload(sent.streams, section) for section in sent.wanted
        }

    return change


def _stripped(sent, folder):
    _generated("V60", PARTS)(sent, folder)
    _repacked("--strip-empty-parts")(sent, folder)
