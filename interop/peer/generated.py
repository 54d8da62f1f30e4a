"""Streams by `migstream generate`, and the destinations that they are for."""

import os
import re
from dataclasses import dataclass

from interop.peer import migration, program, variants
from interop.peer.qemu import Device


@dataclass(frozen=True)
class Expectation:
    """What generate --expect says; codec/generate/stream.proto has the meaning."""

    verdict: str  # "LOADS", "REFUSES", "WAITS" or "UNKNOWN"
    message: str
    provided: tuple


def generate(path, *words):
    """Writes the streams; what multifd channels there are stand in order."""
    program.must("generate", *words, "-o", path)
    return made(path)


def made(path):
    stem, extension = os.path.splitext(path)
    channels = []
    while os.path.exists(name := "%s.ch%d%s" % (stem, len(channels) + 1, extension)):
        channels.append(name)
    return migration.Streams(path, tuple(channels))


def read_expectation(path):
    with open(os.path.splitext(path)[0] + ".expect", encoding="utf-8") as file:
        found = re.findall(r'^(\w+): "?(.*?)"?$', file.read(), re.MULTILINE)
    one = dict(found)
    return Expectation(
        one.get("verdict", "UNKNOWN"),
        one.get("message", "").replace("\\'", "'"),
        tuple(value for key, value in found if key == "provided"),
    )


def plan_for(expected, machine="q35"):
    """The destination that the expectation is about."""
    options = []
    capabilities = []
    parameters = {}
    if channels := _number_in(expected, r"multifd with (\d+) channels"):
        capabilities += ["multifd", "return-path"]
        parameters["multifd_channels"] = channels
    if "switchover-ack on" in expected.provided:
        capabilities += variants.ACK
    if "x-migration-multifd-transfer on" in expected.provided:
        options.append(variants.MULTIFD)
    if "x-migration-load-config-after-iter on" in expected.provided:
        options.append(variants.AFTER_ALL)
    ramfb = "ramfb on" in expected.provided
    if ramfb:
        options.append("display=on,ramfb=on")
    devices = [
        Device(
            name=address,
            addr=address.split(":")[2].split(".")[0],
            section=address + "/vfio",
            driver="vfio-pci-nohotplug" if ramfb else "vfio-pci",
            options=",".join(options),
            # Without pre-copy a device waits for no INIT_DATA_SENT.
            shim={"P2P": 1, "PRECOPY": 1},
        )
        for address in re.findall(r"a device at (\S+)/vfio", "\n".join(expected.provided))
    ]
    return variants.plan(
        devices, type=machine, capabilities=tuple(dict.fromkeys(capabilities)), parameters=parameters
    )


def _number_in(expected, pattern):
    for line in expected.provided:
        if match := re.fullmatch(pattern, line):
            return int(match[1])
    return 0
