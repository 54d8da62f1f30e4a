"""VMMs that use this library migrate live with real QEMUs, in both directions and
as a relay: all completes, the guest runs, every device gets its bytes."""

import functools
import os
import socket
import threading

from interop.peer import cases, live, qemu

LIBRARY_MIB = 32  # The most memory that a destination may need.


def goes_in(found, name, cell, folder):
    live.into_qemu(cases.release(found, name), cell, folder)


def comes_out(found, name, cell, folder):
    crossing = live.out_of_qemu(cases.release(found, name), cell, folder)
    cases.expect(crossing.rss_kib <= LIBRARY_MIB << 10, crossing.rss_kib, "KiB of memory")


def passes(found, source, destination, cell, folder):
    live.relay(cases.release(found, source), cases.release(found, destination), cell, folder)


def hold_one_channel(path, onward, held):
    """Takes connections at `path` and passes them on to `onward`, but for the
    second one: of that nothing arrives."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen(8)

    def copy(source, sink):
        while piece := receive(source):
            try:
                sink.sendall(piece)
            except OSError:
                return
        try:
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def receive(source):
        try:
            return source.recv(1 << 16)
        except OSError:
            return b""

    def accept():
        number = 0
        while True:
            connection, _ = server.accept()
            peer = socket.socket(socket.AF_UNIX)
            peer.connect(onward)
            held.extend((connection, peer))
            if number != 1:
                threading.Thread(target=copy, args=(connection, peer), daemon=True).start()
            threading.Thread(target=copy, args=(peer, connection), daemon=True).start()
            number += 1

    threading.Thread(target=accept, daemon=True).start()


def a_silent_channel_is_named(found, name, folder):
    release = cases.release(found, name)
    cell = live.Cell("", devices=2, channels=2)
    known = live.lengths(release, cell, folder)
    path, onward = os.path.join(folder, "s"), os.path.join(folder, "o")
    words = ["live_load", onward, live.dialect(release, cell), "2", "silence=1000", known]
    held = []
    with live.library(
        os.path.join(folder, "library"), cell, words + live.device_arguments(cell)
    ) as loader:
        live.await_listening(loader)
        hold_one_channel(path, onward, held)
        machine = live.machine(cell, release)
        with qemu.Qemu(release, machine, os.path.join(folder, "qemu")) as vm:
            live.configure(vm, cell)
            vm.command("migrate", uri="unix:" + path)
            said = live.facts(loader)
    for each in held:
        each.close()
    cases.expect(said["outcome"] == ["aborted"], said)
    cases.expect(said["error"] == ["channel 1 has sent nothing"], said)


def make_cases(found):
    def case(name, run, *arguments):
        return cases.Case(name, functools.partial(run, found, *arguments))

    made = []
    for name in ("10.0", "11.1"):
        for cell in live.INTO_QEMU:
            made.append(case("library -> %s: %s" % (name, cell.name), goes_in, name, cell))
        for cell in live.OUT_OF_QEMU:
            made.append(case("%s -> library: %s" % (name, cell.name), comes_out, name, cell))
        made.append(case("a silent channel of %s's" % name, a_silent_channel_is_named, name))
    for cell in live.REGION:
        made.append(case("library -> 7.2: " + cell.name, goes_in, "7.2", cell))
        made.append(case("7.2 -> library: " + cell.name, comes_out, "7.2", cell))
    for source, destination in live.RELAYS:
        for cell in live.RELAYED:
            name = "%s -> library -> %s: %s" % (source, destination, cell.name)
            made.append(case(name, passes, source, destination, cell))
    return made


if __name__ == "__main__":
    cases.main(make_cases)
