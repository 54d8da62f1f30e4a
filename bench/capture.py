#!/usr/bin/env python3
"""A migration's bytes through `capture --forward`, beside the same through socat,
which only passes them on, and through `socat -r`, which records them as well.

usage: bench/capture.py [PROGRAM [MIB [ROUNDS]]]

A round takes all three, each in its turn first, so that what else the machine does
falls on all. Prints the seconds of each, and the medians of the rounds' ratios.
What is recorded goes to a folder in $TMPDIR; PROGRAM is bazel-bin/inspect/migstream
if not said.
"""

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

PIECE = 1 << 20


def stream():
    """A header, a machine type and the START of RAM, and then pages."""
    header = bytes.fromhex("5145564d00000003")
    kind = b"pc-q35-11.1"
    header += b"\x07" + len(kind).to_bytes(4, "big") + kind
    block = b"pc.ram"
    total = 64 << 30
    start = b"\x01" + (1).to_bytes(4, "big") + b"\x03ram" + bytes(4) + (4).to_bytes(4, "big")
    start += (total | 4).to_bytes(8, "big") + bytes([len(block)]) + block
    start += total.to_bytes(8, "big") + (0x10).to_bytes(8, "big") + b"\x7e\x00\x00\x00\x01"
    part = b"\x02\x00\x00\x00\x01" + (8).to_bytes(8, "big") + bytes([len(block)]) + block
    yield header + start + part + os.urandom(4096)
    page = 1
    pages = os.urandom(4096 * 64)
    while True:
        piece = bytearray()
        for i in range(256):
            piece += ((page << 12) | 0x28).to_bytes(8, "big")
            piece += pages[(i % 64) * 4096 : (i % 64 + 1) * 4096]
            page += 1
        yield bytes(piece)


def receive(server, counted):
    connection, _ = server.accept()
    while piece := connection.recv(PIECE):
        counted[0] += len(piece)


def connect(path):
    """Once somebody listens there."""
    deadline = time.monotonic() + 30
    while True:
        try:
            source = socket.socket(socket.AF_UNIX)
            source.connect(path)
            return source
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def through(command, pieces, folder, name):
    """How long all of it takes, and how many bytes of it were recorded."""
    listen, onward = os.path.join(folder, name + ".in"), os.path.join(folder, name + ".out")
    server = socket.socket(socket.AF_UNIX)
    server.bind(onward)
    server.listen()
    process = subprocess.Popen(
        [word.format(listen=listen, onward=onward, out=os.path.join(folder, name)) for word in command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    counted = [0]
    receiver = threading.Thread(target=receive, args=(server, counted))
    receiver.start()
    source = connect(listen)
    began = time.monotonic()
    for piece in pieces:
        source.sendall(piece)
    source.close()
    receiver.join()
    seconds = time.monotonic() - began
    assert counted[0] == sum(map(len, pieces)), counted
    server.close()
    process.wait()
    recorded = 0
    for path in (os.path.join(folder, name), os.path.join(folder, name + ".qvm"), listen, onward):
        if os.path.exists(path):
            recorded = max(recorded, os.path.getsize(path))
            os.unlink(path)
    return seconds, recorded / counted[0]


def main(program="bazel-bin/inspect/migstream", mib="1024", rounds="7"):
    pieces = [piece for piece, _ in zip(stream(), range(int(mib)))]
    socat = ["socat", "-b", str(PIECE)]
    ends = ["UNIX-LISTEN:{listen}", "UNIX-CONNECT:{onward}"]
    commands = {
        "socat": socat + ends,
        "socat -r": socat + ["-r", "{out}"] + ends,
        "capture": [program, "capture", "--listen=unix:{listen}"]
        + ["--forward=unix:{onward}", "-o", "{out}"],
    }
    ratios = {"socat": [], "socat -r": []}
    with tempfile.TemporaryDirectory() as folder:
        for i in range(int(rounds)):
            names = list(commands)
            seconds, recorded = {}, 1
            for name in names[i % 3 :] + names[: i % 3]:
                seconds[name], recorded_here = through(commands[name], pieces, folder, "m%d" % i)
                if name == "capture":
                    recorded = recorded_here
            for name, all_ratios in ratios.items():
                all_ratios.append(seconds["capture"] / seconds[name])
            # A disk that is too slow ends a recording, which makes the rest faster.
            ended = "" if recorded == 1 else "  the recording ended at %.0f %%" % (recorded * 100)
            print("  ".join("%s %.2f s" % each for each in seconds.items()) + ended, flush=True)
    for name, all_ratios in ratios.items():
        median = statistics.median(all_ratios)
        print("capture to %s, median of %d: %.2f" % (name, len(all_ratios), median))


if __name__ == "__main__":
    main(*sys.argv[1:])
