"""`migstream capture` takes a migration from a real QEMU as its destination, and
records one between two of them: it ends as it would have without, the files are
what was sent, and `check` says what there is to say."""

import dataclasses
import functools
import json
import os
import socket
import subprocess
import threading
import time

from interop.peer import cases, migration, program, qemu, variants

RELEASES = ("10.0", "11.1")
SHIM = dict(variants.PRECOPY, P2P=1)
# Name, capabilities, channels.
CELLS = [
    ("plain", (), 0),
    ("return path", ("return-path",), 0),
    ("switchover-ack", ("return-path", "switchover-ack"), 0),
    ("multifd 4", ("return-path", "multifd"), 4),
]


class Capture:
    """The program, which listens."""

    def __init__(self, folder, *words, name="vm"):
        self.path = os.path.join(folder, "listen")
        self.name = os.path.join(folder, name)
        self._said = []
        self._process = subprocess.Popen(
            [program.PROGRAM, "capture", "--listen=unix:" + self.path, *words, "-o", self.name],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.wait_for("listening on")

    def wait_for(self, words):
        for line in self._process.stderr:
            self._said.append(line)
            if words in line:
                return
        raise AssertionError("it never said '%s': %s" % (words, "".join(self._said)))

    def end(self):
        """Its exit status, and all that it said."""
        output, errors = self._process.communicate(timeout=qemu.LIMIT)
        return self._process.returncode, output + "".join(self._said) + errors

    def close(self):
        self._process.kill()
        self._process.communicate()


def plan_of(cell):
    _, capabilities, channels = cell
    options = variants.MULTIFD if channels else ""
    device = qemu.Device(shim=SHIM, options=options)
    parameters = {"multifd_channels": channels} if channels else {}
    return migration.Plan(
        qemu.Machine(devices=(device,)), capabilities=capabilities, parameters=parameters
    )


def read(path):
    with open(path, "rb") as file:
        return file.read()


def expect_same_files(recorder, name):
    """What a second recorder, before this one, has seen of the source."""
    cases.expect_equal_bytes(read(name + ".qvm"), read(recorder.files[0]), "main channel")
    ours = {read("%s.ch%d.qvm" % (name, i)) for i in range(1, len(recorder.files))}
    theirs = {read(file) for file in recorder.files[1:]}
    cases.expect(ours == theirs, "the channels differ")


def expect_whole(name, cell, given, said):
    """The set reads well, and has what the device gave."""
    status, output, errors = program.run("check", name)
    cases.expect(status == 0, "check:", output.decode(), errors, said)
    payload = program.must("extract", name, "-o", "-")
    cases.expect_equal_bytes(payload, given["0000:00:05.0/vfio"], "payload")
    if cell[1]:
        answers = program.must("inspect", name).decode()
        cases.expect("SHUT 0" in answers and "PONG" in answers, answers)


def forwards(found, name, cell, folder):
    release = cases.release(found, name)
    plan = plan_of(cell)
    onward = os.path.join(folder, "onward")
    with qemu.Qemu(release, plan.machine, folder + "/to", incoming="defer") as to:
        migration._configure(to, plan)
        to.command("migrate-incoming", uri="unix:" + onward)
        capture = Capture(folder, "--forward=unix:" + onward)
        recorder = migration._Recorder(folder, capture.path, 0, migration._as_it_comes)
        try:
            with qemu.Qemu(release, plan.machine, folder + "/from") as source:
                migration._configure(source, plan)
                source.command("migrate", uri="unix:" + recorder.path)
                migration._await_end(source)
                migration._await_end(to)
                recorder.join()
                given = migration._device_bytes(plan.machine, folder + "/from", "out")
            received = migration._device_bytes(plan.machine, folder + "/to", "in")
            cases.expect(received == given, "the destination was given other bytes")
            recorder.close()
            status, said = capture.end()
            cases.expect(status == 0, "exit status", status, said)
            expect_same_files(recorder, capture.name)
            expect_whole(capture.name, cell, given, said)
        finally:
            recorder.close()
            capture.close()


def listens(found, name, cell, folder):
    release = cases.release(found, name)
    plan = plan_of(cell)
    capture = Capture(folder)
    try:
        with qemu.Qemu(release, plan.machine, folder + "/from") as source:
            migration._configure(source, plan)
            source.command("migrate", uri="unix:" + capture.path)
            migration._await_end(source)
            given = migration._device_bytes(plan.machine, folder + "/from", "out")
        status, said = capture.end()
        cases.expect(status == 0, "exit status", status, said)
        expect_whole(capture.name, cell, given, said)
    finally:
        capture.close()


def expect_running(vm):
    """A source says that it failed before it lets the guest run again."""
    deadline = time.monotonic() + qemu.LIMIT
    while not vm.command("query-status")["running"]:
        cases.expect(time.monotonic() < deadline, "the guest does not run")
        time.sleep(0.05)


def slow(source):
    source.command("migrate-set-parameters", max_bandwidth=200000)


def is_cancelled(found, name, folder):
    release = cases.release(found, name)
    plan = plan_of(CELLS[1])
    onward = os.path.join(folder, "onward")
    with qemu.Qemu(release, plan.machine, folder + "/to", incoming="defer") as to:
        migration._configure(to, plan)
        to.command("migrate-incoming", uri="unix:" + onward)
        capture = Capture(folder, "--forward=unix:" + onward)
        try:
            with qemu.Qemu(release, plan.machine, folder + "/from") as source:
                migration._configure(source, plan)
                slow(source)
                source.command("migrate", uri="unix:" + capture.path)
                capture.wait_for("the main channel")
                source.command("migrate_cancel")
                migration._await_end(source, "cancelled")
            status, said = capture.end()
            cases.expect(status == 1, "exit status", status, said)
            cases.expect("truncated" in said, said)
        finally:
            capture.close()


def loses_its_destination(found, name, folder):
    release = cases.release(found, name)
    plan = plan_of(CELLS[1])
    onward = os.path.join(folder, "onward")
    to = qemu.Qemu(release, plan.machine, folder + "/to", incoming="defer")
    capture = None
    try:
        migration._configure(to, plan)
        to.command("migrate-incoming", uri="unix:" + onward)
        capture = Capture(folder, "--forward=unix:" + onward)
        with qemu.Qemu(release, plan.machine, folder + "/from") as source:
            migration._configure(source, plan)
            slow(source)
            source.command("migrate", uri="unix:" + capture.path)
            capture.wait_for("the main channel")
            to.close()
            migration._await_end(source, "failed")
            expect_running(source)
        status, said = capture.end()
        cases.expect(status == 1 and "truncated" in said, status, said)
    finally:
        to.close()
        if capture:
            capture.close()


def fills_the_disk(found, name, folder):
    """As a destination it fails the migration; the source keeps its guest."""
    release = cases.release(found, name)
    plan = plan_of(CELLS[1])
    full = os.path.join(folder, "vm.qvm")
    os.symlink("/dev/full", full)
    capture = Capture(folder, "--force")
    try:
        with qemu.Qemu(release, plan.machine, folder + "/from") as source:
            migration._configure(source, plan)
            source.command("migrate", uri="unix:" + capture.path)
            migration._await_end(source, "failed")
            expect_running(source)
        _, said = capture.end()
        cases.expect("No space left on device" in said, said)
    finally:
        capture.close()


def at(path):
    return {"transport": "socket", "type": "unix", "path": path}


def transfers_by_cpr(found, name, folder):
    """A guest goes to another process of its host: its memory by descriptors that
    come with the CPR state, before the stream and by an address of its own."""
    release = cases.release(found, name)
    memory = ("-object", "memory-backend-memfd,id=m0,size=64M,share=on")
    machine = qemu.Machine(
        "q35,aux-ram-share=on,memory-backend=m0", memory=64, devices=(), arguments=memory
    )
    main, cpr, listen = (os.path.join(folder, each) for each in ("main", "cpr", "listen2"))
    capture = Capture(
        folder, "--forward=unix:" + main, "--listen=unix:" + listen, "--forward=unix:" + cpr
    )
    channels = {"main": capture.path, "cpr": listen}
    incoming = {
        kind: json.dumps({"channel-type": kind, "addr": at(path)})
        for kind, path in (("main", main), ("cpr", cpr))
    }
    try:
        with qemu.Qemu(release, machine, folder + "/from") as source:
            migration._configure(source, migration.Plan(machine))
            source.command("migrate-set-parameters", mode="cpr-transfer")

            def send():
                while not os.path.exists(cpr):
                    time.sleep(0.05)
                channels_of = [
                    {"channel-type": kind, "addr": at(path)} for kind, path in channels.items()
                ]
                source.command("migrate", channels=channels_of)

            # The destination has no monitor before it has its CPR state.
            sender = threading.Thread(target=send, daemon=True)
            sender.start()
            to_machine = dataclasses.replace(
                machine, arguments=memory + ("-incoming", incoming["main"])
            )
            with qemu.Qemu(release, to_machine, folder + "/to", incoming=incoming["cpr"]) as to:
                sender.join(qemu.LIMIT)
                migration._await_end(source)
                expect_running(to)
        status, said = capture.end()
        cases.expect(status == 0, "exit status", status, said)
        cases.expect("CPR state" in said and "file descriptor is passed on" in said, said)
        cases.expect(read(capture.name + ".cpr").startswith(b"QCPR"), "no CPR state")
    finally:
        capture.close()


def passes_descriptors(folder):
    """As QEMU does with CPR, and with the parameter `local`."""
    onward = os.path.join(folder, "onward")
    server = socket.socket(socket.AF_UNIX)
    server.bind(onward)
    server.listen()
    capture = Capture(folder, "--forward=unix:" + onward)
    try:
        source = socket.socket(socket.AF_UNIX)
        source.connect(capture.path)
        read_end, write_end = os.pipe()
        socket.send_fds(source, [b"QCPR"], [write_end])
        source.sendall(b"more")
        os.close(write_end)
        peer, _ = server.accept()
        piece, fds, _, _ = socket.recv_fds(peer, 64, 4)
        while len(piece) < 8:
            piece += peer.recv(64)
        cases.expect(piece == b"QCPRmore", piece)
        cases.expect(len(fds) == 1, fds)
        os.write(fds[0], b"through")
        cases.expect(os.read(read_end, 64) == b"through", "another descriptor came")
        source.close()
        peer.close()
        _, said = capture.end()
        cases.expect("1 file descriptor" in said, said)
        cases.expect(read(capture.name + ".cpr") == b"QCPRmore", "other bytes")
    finally:
        capture.close()
        server.close()


def make_cases(found):
    made = [cases.Case("passes descriptors on", passes_descriptors)]
    for name in RELEASES:
        for cell in CELLS:
            made.append(
                cases.Case(
                    "%s -> capture -> %s: %s" % (name, name, cell[0]),
                    functools.partial(forwards, found, name, cell),
                )
            )
            made.append(
                cases.Case(
                    "%s -> capture: %s" % (name, cell[0]),
                    functools.partial(listens, found, name, cell),
                )
            )
        for what in (is_cancelled, loses_its_destination, fills_the_disk, transfers_by_cpr):
            made.append(
                cases.Case(
                    "%s: %s" % (name, what.__name__.replace("_", " ")),
                    functools.partial(what, found, name),
                )
            )
    return made


if __name__ == "__main__":
    cases.main(make_cases)
