"""Migrations of a real QEMU: recorded from a source, fed to a destination.

A Plan says what is migrated and how; it serves both sides, and any release
that knows the plan's machine. Streams are files: a main channel, and the
multifd channels in the order of their connection. Folders are the caller's, and
are best given short names: a socket's path has room for about 100 bytes.
"""

import array
import fcntl
import itertools
import os
import socket
import termios
import threading
import time
from dataclasses import dataclass, field

from interop.peer import qemu

# How long a destination that has been given everything may think, in seconds.
PATIENCE = 4.0
# The second time: some read gigabytes that are not there.
LONG_PATIENCE = 60.0


@dataclass(frozen=True)
class Plan:
    machine: qemu.Machine = qemu.Machine()
    capabilities: tuple = ()
    parameters: dict = field(default_factory=dict)
    file: bool = False  # By way of a seekable file, not of sockets.
    qtest: object = None  # Called with the source and its qtest socket.
    cancel_after: int = 0  # Bytes on the main channel; 0 = let it end.
    plain: bool = False  # Channels are sent without regard to the main one.


@dataclass
class Streams:
    main: str
    channels: tuple = ()
    given: dict = field(default_factory=dict)  # section -> bytes
    completed: bool = True


@dataclass
class Outcome:
    verdict: str  # "loads", "refused" or "waits"
    error: str = ""  # What QEMU said, if it refused.
    received: dict = field(default_factory=dict)  # section -> bytes
    seen: object = None  # What the caller looked at.


def capture(release, plan, folder, pieces=None):
    """Migrates out of `release`, keeping all it sends in `folder`. `pieces` is
    called for each channel, and gives the (size, pause) of what is taken from
    it at a time; by default as it comes."""
    streams = Streams(os.path.join(folder, "main"))
    source_folder = os.path.join(folder, "source")
    with qemu.Qemu(
        release, plan.machine, source_folder, qtest=bool(plan.qtest)
    ) as source:
        if plan.qtest:
            plan.qtest(source.qtest)
        _configure(source, plan)
        if plan.file:
            source.command("migrate", uri="file:" + streams.main)
            _await_end(source)
        else:
            _capture_sockets(release, plan, folder, source, streams, pieces)
        streams.given = _device_bytes(plan.machine, source_folder, "out")
    return streams


def _capture_sockets(release, plan, folder, source, streams, pieces):
    recorder = None
    destination = None
    try:
        onward = None
        if "return-path" in plan.capabilities:
            # The source wants answers, which only a destination can give.
            destination = qemu.Qemu(
                release, plan.machine, os.path.join(folder, "answers"), incoming="defer"
            )
            _configure(destination, plan)
            onward = os.path.join(folder, "onward")
            destination.command("migrate-incoming", uri="unix:" + onward)
        recorder = _Recorder(folder, onward, plan.cancel_after, pieces or _as_it_comes)
        source.command("migrate", uri="unix:" + recorder.path)
        if plan.cancel_after:
            recorder.full.wait(qemu.LIMIT)
            source.command("migrate_cancel")
            streams.completed = False
        _await_end(source, "completed" if streams.completed else "cancelled")
        if destination:
            _await_end(destination)
        recorder.join()
        streams.main, *channels = recorder.files
        streams.channels = tuple(channels)
    finally:
        if recorder:
            recorder.close()
        if destination:
            destination.close()


def load(release, plan, folder, streams, pieces=None, look=None, patience=PATIENCE):
    """Has `release` load the streams; `pieces` is called for each channel, and
    gives the (size, pause) of what is sent at a time. `look` is called with the
    destination once it has loaded them. A release that does not know what the
    plan asks for has refused it; one that has been given everything and says
    nothing for `patience` seconds waits."""
    os.makedirs(folder, exist_ok=True)
    try:
        with qemu.Qemu(release, plan.machine, folder, incoming="defer") as vm:
            outcome = _load(vm, plan, folder, streams, pieces, patience)
            if look and outcome.verdict == "loads":
                outcome.seen = look(vm)
    except qemu.Gone as gone:
        return Outcome("refused", gone.error)
    except qemu.Refused as refused:
        return Outcome("refused", str(refused))
    outcome.received = _device_bytes(plan.machine, folder, "in")
    return outcome


def load_patiently(release, plan, folder, streams):
    """As load(); but one that seems to wait is asked again: it may only be slow."""
    outcome = load(release, plan, folder, streams)
    if outcome.verdict == "waits":
        outcome = load(release, plan, folder, streams, patience=LONG_PATIENCE)
    return outcome


def _load(vm, plan, folder, streams, pieces, patience):
    feeders = []
    try:
        _configure(vm, plan)
        if plan.file:
            vm.command("migrate-incoming", uri="file:" + streams.main)
        else:
            path = os.path.join(folder, "incoming")
            vm.command("migrate-incoming", uri="unix:" + path)
            # Before 8.0 the first connection is the main channel.
            for file in (streams.main, *streams.channels):
                main = feeders[0] if feeders and not plan.plain else None
                feeders.append(_Feeder(path, file, (pieces or _as_it_comes)(), main))
            for feeder in feeders:
                feeder.start()
        given_all = None
        while True:
            try:
                event = vm.wait_for("MIGRATION", limit=0.25)
            except qemu.Late:
                if any(feeder.is_alive() for feeder in feeders):
                    continue
                given_all = given_all or time.monotonic()
                if time.monotonic() - given_all > patience:
                    return Outcome("waits")
                continue
            status = event["data"]["status"]
            if status == "completed":
                return Outcome("loads")
            if status == "failed":
                reason = vm.command("query-migrate").get("error-desc", "")
                return Outcome("refused", reason or vm.error())
    finally:
        for feeder in feeders:
            feeder.close()


def _configure(vm, plan):
    states = [{"capability": "events", "state": True}]
    states += [{"capability": name, "state": True} for name in plan.capabilities]
    vm.command("migrate-set-capabilities", capabilities=states)
    if plan.parameters:
        vm.command("migrate-set-parameters", **plan.parameters)


def _await_end(vm, wanted="completed"):
    while True:
        status = vm.wait_for("MIGRATION")["data"]["status"]
        if status == wanted:
            return
        if status in ("completed", "failed", "cancelled"):
            raise RuntimeError(
                "migration %s, not %s: %s" % (status, wanted, vm.command("query-migrate"))
            )


def _device_bytes(machine, folder, end):
    found = {}
    for device in machine.devices:
        path = os.path.join(folder, "%s.%s" % (device.name, end))
        if os.path.exists(path):
            with open(path, "rb") as file:
                found[device.section] = file.read()
    return found


class _Recorder:
    """Takes a source's connections; keeps what comes in, a file for each, and
    passes it on to `onward`, if there is one, and the answers back."""

    def __init__(self, folder, onward, full_at, pieces):
        self.path = os.path.join(folder, "recorder")
        self.files = []
        self.full = threading.Event()
        self._folder = folder
        self._onward = onward
        self._full_at = full_at
        self._pieces = pieces
        self._sockets = []
        self._threads = []
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(self.path)
        self._server.listen(64)
        self._last = os.path.join(folder, "last")
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def _accept(self):
        while True:
            try:
                connection, address = self._server.accept()
            except OSError:
                return
            if address == self._last:
                connection.close()
                return
            peer = None
            if self._onward:
                peer = socket.socket(socket.AF_UNIX)
                peer.connect(self._onward)
                self._sockets.append(peer)
                threading.Thread(
                    target=self._answer, args=(peer, connection), daemon=True
                ).start()
            number = len(self.files)
            name = os.path.join(self._folder, "ch%d" % number if number else "main")
            self.files.append(name)
            self._sockets.append(connection)
            thread = threading.Thread(
                target=self._record, args=(connection, peer, name), daemon=True
            )
            thread.start()
            self._threads.append(thread)

    def _record(self, connection, peer, name):
        size = 0
        with open(name, "wb") as file:
            for most, pause in self._pieces():
                time.sleep(pause)
                piece = _receive(connection, most)
                if not piece:
                    break
                file.write(piece)
                if peer and not _send(peer, piece):
                    peer = None
                size += len(piece)
                if self._full_at and size >= self._full_at:
                    self.full.set()
        if peer:
            _end(peer, socket.SHUT_WR)

    def _answer(self, peer, connection):
        while piece := _receive(peer):
            if not _send(connection, piece):
                return

    def join(self):
        """Waits until the source, which opens no more connections, has closed
        all of them."""
        # Connections are accepted in order: after this one there is none.
        with socket.socket(socket.AF_UNIX) as last:
            last.bind(self._last)
            last.connect(self.path)
            self._acceptor.join(qemu.LIMIT)
        for thread in self._threads:
            thread.join(qemu.LIMIT)
            if thread.is_alive():
                raise qemu.Late("the source leaves a connection open")

    def close(self):
        self._server.close()
        for each in self._sockets:
            each.close()


# The size of a multifd channel's first packet, without which no migration begins.
_INITIAL_PACKET_BYTES = 64
# Twice what a destination reads at once, so that it has acted on the half.
_AHEAD_BYTES = 64 << 10


class _Feeder(threading.Thread):
    """Sends a file to a destination, and drops what that answers. A channel
    keeps behind the beginning of `main`, as a source's does: a packet for a
    device that is not yet set up is refused."""

    def __init__(self, path, file, pieces, main):
        super().__init__(daemon=True)
        self._file = file
        self._pieces = pieces
        self._main = main
        self._begun = threading.Event()
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(path)

    def run(self):
        threading.Thread(target=self._drain, daemon=True).start()
        with open(self._file, "rb") as file:
            if self._main:
                if not _send(self._socket, file.read(_INITIAL_PACKET_BYTES)):
                    return
                self._main._begun.wait(qemu.LIMIT)
            else:
                going = _send(self._socket, file.read(_AHEAD_BYTES))
                _await_read(self._socket)
                self._begun.set()
                if not going:
                    return
            for size, pause in self._pieces:
                time.sleep(pause)
                piece = file.read(size)
                if not piece:
                    break
                if not _send(self._socket, piece):
                    return
        _end(self._socket, socket.SHUT_WR)

    def _drain(self):
        while _receive(self._socket):
            pass

    def close(self):
        _end(self._socket, socket.SHUT_RDWR)
        self._socket.close()


def _await_read(connection):
    """Waits until the other side has read all that it was sent."""
    deadline = time.monotonic() + PATIENCE
    unread = array.array("i", [1])
    while unread[0] and time.monotonic() < deadline:
        try:
            fcntl.ioctl(connection, termios.TIOCOUTQ, unread)
        except (OSError, ValueError):  # ValueError: it is closed.
            return
        time.sleep(0.002)


def _as_it_comes():
    return itertools.repeat((1 << 16, 0))


def _receive(connection, most=1 << 16):
    try:
        return connection.recv(most)
    except OSError:
        return b""


def _send(connection, piece):
    """False if the other side has seen enough."""
    try:
        connection.sendall(piece)
        return True
    except OSError:
        return False


def _end(connection, which):
    try:
        connection.shutdown(which)
    except OSError:
        pass  # The other side was first.
