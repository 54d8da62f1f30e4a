"""A QEMU process under the shim, and its monitor.

    with Qemu(release, machine, folder) as vm:
        vm.command("migrate", uri="unix:" + path)
        vm.wait_for("MIGRATION", status="completed")

`folder` receives NAME.out and NAME.in, the bytes that each device gave and was
given. The process dies with its Qemu, and with the thread that started it,
whatever happens. All waiting ends after a time limit, in seconds.
"""

import ctypes
import json
import os
import resource
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field

LIMIT = 30.0

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


# A device that is told to take 2^56 bytes must not fill the disk with them.
_MOST_FILE_BYTES = 256 << 20


def _before_exec():
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (_MOST_FILE_BYTES, _MOST_FILE_BYTES))


class Gone(Exception):
    """The process ended; `error` is its last words."""

    def __init__(self, error):
        super().__init__(error)
        self.error = error


class Refused(Exception):
    """A monitor command was refused."""


class Late(Exception):
    """What was waited for did not come in time."""


@dataclass(frozen=True)
class Device:
    """A pretend network VF; `shim` is what vfioshim.c calls its settings."""

    name: str = "0000:00:05.0"
    bus: str = "pcie.0"
    addr: str = "5"
    driver: str = "vfio-pci"
    options: str = ""
    section: str = "0000:00:05.0/vfio"  # its idstr in the stream
    shim: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Machine:
    type: str = "q35"
    memory: int = 4  # MiB
    devices: tuple = (Device(),)
    arguments: tuple = ()
    counts: bool = False  # The guest counts at address 0x500; else it halts.


class Qemu:
    def __init__(self, release, machine, folder, incoming=None, qtest=False):
        self.release = release
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        self._events = []
        self._buffer = b""
        self._errors = open(os.path.join(folder, "errors"), "w+b")
        self._monitor, theirs = socket.socketpair()
        inherited = [theirs]
        arguments = [
            "-nodefaults",
            "-accel",
            "tcg",
            "-machine",
            machine.type,
            "-m",
            str(machine.memory),
            "-bios",
            self._firmware(machine.counts),
            "-display",
            "none",
            "-chardev",
            "socket,id=qmp,fd=%d" % theirs.fileno(),
            "-mon",
            "chardev=qmp,mode=control",
            *machine.arguments,
        ]
        environment = dict(os.environ, VFIO_SHIM_DIR=folder, **release.environment())
        environment["VFIO_SHIM_PROTO"] = "v1" if release.migration_region else "v2"
        for number, device in enumerate(machine.devices):
            arguments += ["-device", self._device(device, number)]
            for key, value in device.shim.items():
                environment["VFIO_SHIM_%s_%d" % (key, number)] = str(value)
        if incoming:
            arguments += ["-incoming", incoming]
        self.qtest = None
        if qtest:
            self.qtest, theirs = socket.socketpair()
            inherited.append(theirs)
            arguments += [
                "-chardev",
                "socket,id=qtest,fd=%d" % theirs.fileno(),
                "-qtest",
                "chardev:qtest",
            ]
        self._process = subprocess.Popen(
            release.command() + arguments,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=self._errors,
            stderr=self._errors,
            pass_fds=[end.fileno() for end in inherited],
            preexec_fn=_before_exec,
        )
        for end in inherited:
            end.close()
        try:
            self._receive(time.monotonic() + LIMIT)  # Its greeting.
            self.command("qmp_capabilities")
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._process.kill()
        self._process.wait()
        self._monitor.close()
        if self.qtest:
            self.qtest.close()
        self._errors.close()

    def error(self):
        """What it printed last, or nothing."""
        self._errors.seek(0)
        # A name that it prints may have what splitlines() takes for a line's end.
        lines = self._errors.read().decode(errors="replace").rstrip("\n").split("\n")
        said = [
            line.removeprefix("qemu-system-x86_64: ") for line in lines if "warning:" not in line
        ]
        return "; ".join(said)

    def running(self):
        return self._process.poll() is None

    # The monitor.

    def command(self, name, /, **arguments):
        request = {"execute": name}
        if arguments:
            request["arguments"] = {
                key.replace("_", "-"): value for key, value in arguments.items()
            }
        try:
            self._monitor.sendall(json.dumps(request).encode() + b"\n")
        except OSError:
            raise Gone(self._last_words()) from None
        deadline = time.monotonic() + LIMIT
        while True:
            message = self._receive(deadline)
            if "event" in message:
                self._events.append(message)
            elif "error" in message:
                raise Refused(message["error"]["desc"])
            else:
                return message["return"]

    def wait_for(self, name, limit=LIMIT, **data):
        """The next event of that name with at least that data."""
        deadline = time.monotonic() + limit
        while True:
            while self._events:
                event = self._events.pop(0)
                if event["event"] != name:
                    continue
                if all(event["data"].get(key) == value for key, value in data.items()):
                    return event
            message = self._receive(deadline)
            if "event" in message:
                self._events.append(message)

    def _receive(self, deadline):
        while b"\n" not in self._buffer:
            self._monitor.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                piece = self._monitor.recv(65536)
            except socket.timeout:
                raise Late("QEMU %s does not answer" % self.release.name) from None
            except OSError:
                piece = b""
            if not piece:
                raise Gone(self._last_words())
            self._buffer += piece
        line, self._buffer = self._buffer.split(b"\n", 1)
        return json.loads(line)

    def _last_words(self):
        try:
            self._process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            pass
        return self.error() or "exit status %s" % self._process.returncode

    # What it is started with.

    def _firmware(self, counts):
        path = os.path.join(self.folder, "hlt.bin")
        # At the reset vector: xor ax, ax; mov ds, ax; inc word [0x500]; jmp -6.
        end = bytes.fromhex("31c08ed8ff060005ebfa") if counts else b""
        with open(path, "wb") as file:
            file.write(b"\xf4" * 65520 + end.ljust(16, b"\xf4"))
        return path

    def _device(self, device, number):
        group = str(10 + number)
        sysfs = os.path.join(self.folder, "sysfs", device.name)
        os.makedirs(sysfs, exist_ok=True)
        link = os.path.join(sysfs, "iommu_group")
        if not os.path.islink(link):
            os.symlink("../../groups/" + group, link)
        enable = "x-enable-migration" if self.release.migration_region else "enable-migration"
        return "%s,sysfsdev=%s,id=vf%d,bus=%s,addr=%s,%s=on%s" % (
            device.driver,
            sysfs,
            number,
            device.bus,
            device.addr,
            enable,
            "," + device.options if device.options else "",
        )
