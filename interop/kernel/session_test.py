"""`//codec/session` with a real kernel's VFIO devices: every change of state is as it
foretells, devices move from one to the other and to and from a real QEMU, a reset is
found, and what lacks a byte is refused by the driver.

The kernel runs in a guest without KVM; its devices need no hardware.
"""

import os
import re
import shutil
import subprocess
import sys

from interop.kernel import linux
from interop.peer import cases, live

GUEST = os.path.abspath("interop/kernel/guest.sh")
# How many lines session_peer and qemu_in_guest.py say "ok" in.
LIBRARY_CLAIMS, QEMU_CLAIMS = 8, 3


def boot(folder, *command):
    """The lines "ok: …" of a command in the guest."""
    _, guest = linux.folder("guest", "fetch_guest.sh")
    for name in ("session_peer", "session_in_guest.sh", "qemu_in_guest.py"):
        shutil.copy(os.path.join("interop/kernel", name), folder)
    for name in ("live_load", "live_save"):
        shutil.copy(os.path.join("interop", name), folder)
    log = subprocess.run(
        [GUEST, guest, folder, "./session_in_guest.sh", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    said = log.stdout.decode(errors="replace").replace("\r", "")
    cases.expect(log.returncode == 0, "the guest ended with", log.returncode, said[-3000:])
    claims = re.findall("ok: .*", said)
    print("\n".join(claims))
    return claims


def is_as_said(found, folder):
    command = []
    claims = LIBRARY_CLAIMS
    if "11.1" in found:
        known = live.lengths(found["11.1"], live.Cell(""), folder)
        python = os.path.realpath(sys.executable)
        command = [python, "-B", "/mnt/qemu_in_guest.py", found["11.1"].root]
        command.append("/mnt/" + os.path.basename(known))
        claims += QEMU_CLAIMS
    cases.expect(len(boot(folder, *command)) == claims, "not all was tried")


if __name__ == "__main__":
    cases.main(lambda found: [cases.Case("mtty", lambda folder: is_as_said(found, folder))])
