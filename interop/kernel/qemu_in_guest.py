"""In the guest: real devices go from a QEMU to the library, and from it to a QEMU.

`qemu_in_guest.py ROOT LENGTHS UUID UUID`: ROOT is an unpacked QEMU, LENGTHS a file for
`live_load`, whose program stands here beside `live_save`; the UUIDs are those of the devices,
/dev/vfio/2 and /dev/vfio/3.
"""

import json
import os
import socket
import subprocess
import sys
import time

ROOT, LENGTHS, FIRST, SECOND = sys.argv[1:]
LIMIT = 100  # Seconds.
OPTIONS = "return-path,switchover-ack"


class Qemu:
    def __init__(self, uuid, name, *arguments):
        with open("/run/blank.bin", "wb") as file:
            file.write(b"\xf4" * 65536)
        monitor, theirs = socket.socketpair()
        command = [os.path.join(ROOT, "lib64/ld-linux-x86-64.so.2"), "--library-path"]
        command += [os.path.join(ROOT, "usr/lib/x86_64-linux-gnu")]
        command += [os.path.join(ROOT, "usr/bin/qemu-system-x86_64")]
        for folder in ("seabios", "qemu"):
            command += ["-L", os.path.join(ROOT, "usr/share", folder)]
        command += ["-nodefaults", "-machine", "pc-q35-11.1", "-accel", "tcg", "-m", "4"]
        command += ["-display", "none", "-bios", "/run/blank.bin", "-device"]
        # The kernel has no report of what a device wrote.
        command += [
            "vfio-pci,sysfsdev=/sys/bus/mdev/devices/%s,bus=pcie.0,addr=5,enable-migration=on,"
            "x-device-dirty-page-tracking=off" % uuid
        ]
        command += ["-chardev", "socket,id=qmp,fd=%d" % theirs.fileno()]
        command += ["-mon", "chardev=qmp,mode=control", *arguments]
        self.name = name
        self.process = subprocess.Popen(command, pass_fds=[theirs.fileno()])
        theirs.close()
        monitor.settimeout(LIMIT)
        self.monitor = monitor.makefile("rw")
        self.monitor.readline()
        self.command("qmp_capabilities")
        states = [{"capability": word, "state": True} for word in OPTIONS.split(",")]
        self.command("migrate-set-capabilities", capabilities=states)
        self.command("migrate-set-parameters", **{"downtime-limit": 100000})

    def command(self, name, **arguments):
        self.monitor.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        self.monitor.flush()
        while True:
            answer = json.loads(self.monitor.readline())
            if "error" in answer:
                sys.exit("%s: %s: %s" % (self.name, name, answer["error"]["desc"]))
            if "return" in answer:
                return answer["return"]

    def await_status(self, command, wanted):
        deadline = time.monotonic() + LIMIT
        while (status := self.command(command).get("status")) != wanted:
            if status == "failed" or time.monotonic() > deadline:
                sys.exit("%s: %s says %s" % (self.name, command, self.command("query-migrate")))
            time.sleep(0.2)

    def quit(self):
        self.command("quit")
        self.process.wait()


def check(way, process):
    text, _ = process.communicate(timeout=LIMIT)
    good = text.startswith("outcome completed\n")
    print("%s: %s%s" % ("ok" if good else "failed", way, "" if good else ": " + text), flush=True)
    if not good:
        sys.exit(1)


def start(*words):
    return subprocess.Popen(
        ["./" + words[0], *words[1:]], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def main():
    loader = start("live_load", "/run/a", "V111", "0", OPTIONS, LENGTHS, "/dev/vfio/3:" + SECOND)
    if (line := loader.stdout.readline()) != "listening\n":
        sys.exit("failed: live_load: " + line)
    source = Qemu(FIRST, "the source")
    source.command("migrate", uri="unix:/run/a")
    source.await_status("query-migrate", "completed")
    check("QEMU 11.1 -> library", loader)
    source.quit()

    # A destination acts on its own device: the one that QEMU had before.
    sink = Qemu(FIRST, "the destination", "-incoming", "defer")
    sink.command("migrate-incoming", uri="unix:/run/b")
    saver = start(
        "live_save", "/run/b", "pc-q35-11.1", "V111", "0", OPTIONS, "/dev/vfio/3:" + SECOND
    )
    check("library -> QEMU 11.1", saver)
    sink.await_status("query-status", "running")
    print("ok: the guest runs")
    sink.quit()


if __name__ == "__main__":
    main()
